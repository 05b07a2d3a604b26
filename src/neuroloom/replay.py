"""Replay: do a run's weights give its predictions, and does its training end the same again?"""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from neuroloom.api import cache_folder
from neuroloom.errors import NeuroloomError
from neuroloom.experiment import learn
from neuroloom.formats.tables import read_table
from neuroloom.preparation import prepare, read_cohort
from neuroloom.report.study_page import write_study_page
from neuroloom.run_folder import Run, environment
from neuroloom.training.checkpoint import read_arrays
from neuroloom.training.job import predictions, single_thread, text_columns
from neuroloom.training.learner import load_learner
from neuroloom.transforms.cache import Cache

SAME_MACHINE = 1e-6  # greatest difference allowed on the same machine and versions
OTHER_MACHINE = 0.05  # and elsewhere, in the spread of the stored predictions


@dataclass(frozen=True)
class Agreement:
    """What a replay found."""

    agrees: bool
    text: str


def replay_run(run, *, data=None, cohort_file=None, jobs=None, on_progress=None):
    """Return whether a run can be repeated: its stored weights, and its training from the start.

    Parameters
    ----------
    run : Run
    data, cohort_file : Path or None
        As they were given to the run; the run keeps its own copy of the cohort file.
    jobs : int or None
    on_progress : callable or None

    Returns
    -------
    Agreement
    """
    recipe = run.recipe
    if data is not None and cohort_file is None:
        cohort_file = run.cohort_file
    cohort = read_cohort(recipe, data, cohort_file)
    now = environment(cohort.fingerprint())
    if now["cohort_fingerprint"] != run.environment["cohort_fingerprint"]:
        raise NeuroloomError(
            f"{run.folder}: the cohort is not the one of this run (its files or its table differ). "
            "Give the --data that the run had; its cohort file it has kept."
        )
    cache = Cache(cache_folder(), jobs or 1)
    prepared = prepare(recipe, cohort, cache, on_progress)
    same = is_same_machine(now, run.environment)
    tolerance = SAME_MACHINE if same else OTHER_MACHINE
    lines, differences = [], []
    with tempfile.TemporaryDirectory() as folder:
        again = Run(Path(folder) / "again")
        learn(again, prepared, cache, jobs or 1, on_progress)
        for plan in prepared.plans:
            found = [_compare(run, again, prepared, plan, fold) for fold in prepared.folds]
            stored, repeated, weights = np.max(found, axis=0)
            differences += [stored, repeated] + ([weights] if same else [])
            lines.append(
                f"{plan.name}: stored weights against stored predictions {stored:.2g}, "
                f"repeated training against stored predictions {repeated:.2g}, weights {weights:.2g}"
            )
    agrees = bool(np.max(differences) <= tolerance)
    where = "on the same machine and versions" if same else "on another machine or other versions"
    verdict = "agrees" if agrees else "does NOT agree"
    lines.append(f"The run {verdict}: greatest difference {np.max(differences):.2g}, allowed {tolerance:g} {where}.")
    agreement = Agreement(agrees, "\n".join(lines))
    run.write_json("replay.json", asdict(agreement))
    write_study_page(run.folder)
    return agreement


def is_same_machine(now, then):
    """Return whether two environments are of one kind of machine and the same versions, so that sums are the same."""
    return all(now[key] == then[key] for key in ("versions", "cpu_capability", "gpu", "system"))


def _compare(run, again, prepared, plan, fold):
    """Return the greatest differences of one fold: stored weights, repeated predictions, repeated weights."""
    there, here = (one.job_folder(fold.key, plan.name) for one in (run, again))
    words = text_columns(prepared.data.target)
    told = read_table(there / "predictions.csv", text=words)
    stored, kept = _numbers(told), _numbers(told[told["learner"] == plan.name])  # weights of a last epoch are not kept
    with single_thread():
        from_weights = _numbers(predictions(load_learner(there), prepared.data, fold))
    repeated = _numbers(read_table(here / "predictions.csv", text=words))
    spread = max(float(np.nanstd(stored)), 1e-9)
    old, new = (read_arrays(place / "model.safetensors") for place in (there, here))
    weights = max((_greatest(old[key], new[key]) for key in old if key in new), default=0.0)
    if old.keys() != new.keys():
        weights = np.inf
    return _greatest(kept, from_weights) / spread, _greatest(stored, repeated) / spread, weights


def _greatest(one, other):
    if one.shape != other.shape:
        return np.inf
    if not one.size:
        return 0.0
    return float(np.nanmax(np.abs(np.asarray(one, dtype=np.float64) - np.asarray(other, dtype=np.float64))))


def _numbers(table):
    columns = [c for c in table.columns if c.startswith("prediction_") and table[c].dtype.kind == "f"]
    return table[columns].to_numpy(dtype=np.float64)
