"""What a run's folder tells, read once; what is not there is empty, and the page says so."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from neuroloom.errors import FileProblem
from neuroloom.formats.limits import load_yaml, read_json
from neuroloom.formats.tables import read_table
from neuroloom.simulators import SIMULATORS

TEXT_COLUMNS = ("sample_id", "participant_id", "learner", "part", "site")
ROLE_ORDER = {"deep": 0, "last epoch": 1, "baseline": 2, "confounds": 3}


@dataclass(frozen=True)
class RunRecord:
    """A run as its folder tells it.

    Parameters
    ----------
    folder : Path
    metrics, recipe, environment : dict
        metrics.json, recipe.yaml, environment.json.
    cohort : DataFrame
        One row a sample, index sample_id.
    folds : DataFrame
        sample_id, participant_id, repeat, fold, part (fit, tune or test).
    predictions : DataFrame
        One row for each sample, repeat and learner; ``truth_T``, ``prediction_T`` ...
    histories : dict
        Learner -> {(repeat, fold): history.csv as a DataFrame}; trained learners only.
    explanation : list of dict
        The methods of explanation/summary.json.
    warnings, notes : list of str
        What the run warned of, each once; and what was taken for what when the cohort was read.
    replay : dict or None
        What the last `replay` of this run found (replay.json).
    """

    folder: Path
    metrics: dict
    recipe: dict = field(default_factory=dict)
    environment: dict = field(default_factory=dict)
    cohort: pd.DataFrame = field(default_factory=pd.DataFrame)
    folds: pd.DataFrame = field(default_factory=pd.DataFrame)
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    histories: dict = field(default_factory=dict)
    explanation: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    replay: dict | None = None

    @property
    def learners(self):
        """Learner -> what metrics.json tells of it: deep first, then baselines, then confounds."""
        return by_role(self.metrics)

    @property
    def deep(self):
        return self.metrics.get("deep") or next(iter(self.learners), None)

    @property
    def target(self):
        return self.metrics.get("target") or {}

    @property
    def is_classification(self):
        return self.metrics.get("task") == "classify"

    @property
    def is_simulated(self):
        """Whether a simulator made the cohort: as metrics.json tells, or by the recipe's cohort."""
        named = (self.recipe.get("cohort") or {}).get("name")
        return bool(self.metrics.get("simulated", named in SIMULATORS))

    @property
    def has_cohort_file(self):
        """Whether the run keeps the cohort file by which the data were read."""
        return (self.folder / "cohort.yaml").is_file()

    @property
    def primary(self):
        return self.metrics.get("primary")

    def label(self, learner):
        return learner_label(self.metrics, learner)

    def of_learner(self, learner):
        """Return the predictions of one learner that have a truth."""
        if self.predictions.empty:
            return self.predictions
        rows, truth = self.predictions[self.predictions["learner"] == learner], f"truth_{self.target['name']}"
        return rows[rows[truth].notna()] if truth in rows else rows.iloc[:0]

    def fold_name(self, repeat, fold):
        """Return what a fold is called: the site it leaves out, or its numbers as in the run's folder."""
        split = (self.metrics.get("split") or {}).get("name")
        if split == "leave_site_out" and len(self.folds) and "site" in self.cohort:
            here = (self.folds["repeat"] == repeat) & (self.folds["fold"] == fold) & (self.folds["part"] == "test")
            sites = self.cohort["site"].reindex(self.folds.loc[here, "sample_id"]).dropna().astype(str).unique()
            if len(sites) == 1:
                return sites[0]
        return f"Fold {repeat}-{fold}"


def by_role(metrics):
    """Return the learners of metrics.json: deep first, then its last epoch, baselines, and confounds."""
    told = metrics.get("learners") or {}
    return dict(sorted(told.items(), key=lambda item: ROLE_ORDER.get(item[1].get("role"), 2)))


def learner_label(metrics, learner):
    """Return what a reader calls a learner."""
    told = (metrics.get("learners") or {}).get(learner) or {}
    if told.get("label") and told["label"] != learner:
        return told["label"]
    return "confounds alone" if told.get("role") == "confounds" else str(learner).replace("_", " ")


def read_run(folder):
    """Read everything that the page shows from a run's folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    record : RunRecord
    """
    folder = Path(folder)
    if not (folder / "metrics.json").is_file():
        raise FileProblem(
            f"{folder.name}/metrics.json",
            "there is no such file, so there is nothing to report: the run has not ended.",
            "Start the same command again; it goes on where it was.",
        )
    metrics = read_json(folder / "metrics.json")
    cohort = _table(folder / "cohort.csv")
    warnings, notes = _log(folder / "log.jsonl")
    return RunRecord(
        folder=folder,
        metrics=metrics,
        recipe=load_yaml(folder / "recipe.yaml", "recipe") if (folder / "recipe.yaml").is_file() else {},
        environment=_json(folder / "environment.json"),
        cohort=cohort.set_index("sample_id") if "sample_id" in cohort else cohort,
        folds=_table(folder / "folds.csv"),
        predictions=_table(folder / "predictions.csv"),
        histories=_histories(folder),
        explanation=_json(folder / "explanation" / "summary.json").get("methods") or [],
        warnings=list(dict.fromkeys([*map(str, metrics.get("warnings") or []), *warnings])),
        notes=notes,
        replay=_json(folder / "replay.json") or None,
    )


def _json(path):
    return read_json(path) if path.is_file() else {}


def _table(path):
    return read_table(path, text=TEXT_COLUMNS) if path.is_file() else pd.DataFrame()


def _histories(folder):
    histories = {}
    for path in sorted(folder.glob("folds/*-*/*/history.csv")):
        repeat, _, fold = path.parent.parent.name.partition("-")
        histories.setdefault(path.parent.name, {})[int(repeat), int(fold)] = read_table(path)
    return {learner: dict(sorted(folds.items())) for learner, folds in histories.items()}


def _log(path):
    """Return the warnings and the notes of a log, each once."""
    told = {"warnings": [], "notes": []}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        event = _event(line)
        for key, texts in told.items():
            texts += map(str, event.get(key) or [])
    return (list(dict.fromkeys(texts)) for texts in told.values())


def _event(line):
    """Return a line of the log; one that a kill has cut tells nothing."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return {}
