"""Answers for new scans: the mean of the folds' learners, each with its own fitted state."""

import tempfile

import numpy as np
import pandas as pd

from neuroloom.cohort.bids import sidecar_arguments
from neuroloom.cohort.cohort import ArraySource, Cohort, FileSource
from neuroloom.errors import NeuroloomError, listed
from neuroloom.formats import fitting_arguments
from neuroloom.formats.limits import read_json
from neuroloom.formats.series import SAMPLING_ARGUMENTS
from neuroloom.formats.tables import read_table
from neuroloom.known import check_known
from neuroloom.parts import build
from neuroloom.sampling import SAMPLINGS
from neuroloom.sampling.data import Data
from neuroloom.sampling.trials import as_trials
from neuroloom.training.learner import load_learner
from neuroloom.transforms.cache import Cache, Wanted


def predict(run, files, *, learner=None, reader=None, person=None):
    """Return the answers of a finished run for new files.

    Parameters
    ----------
    run : Run
    files : list of Path
        Scans or series, one a person; or tables with a row a person and the features by name.
    learner : str or None
        A learner of the run; by default the model.
    reader : dict or None
        Arguments for the reader of the files, such as ``sampling_period``. By default a series is sampled as the
        JSON file beside it says; what held for the files of the training is not taken for new ones.
    person : str or None
        Whose recordings these are, where each person has learners of their own (``validation.within``): theirs alone answer.

    Returns
    -------
    DataFrame
        A row a sample: ``sample_id``, for trials and windows of recordings ``recording_id`` and ``onset`` (s), the prediction
        columns, and for numbers and probabilities how much the folds' learners differ (``..._sd``).
    """
    check_finished(run)
    recipe, metrics = run.recipe, run.metrics
    if recipe.target.input is not None:
        raise NeuroloomError(
            f"{run.folder}: this run answers with label maps, not with a table: neuroloom.api.segment_files(RUN, FILES, FOLDER), or "
            "neuroloom predict RUN FILE --out FOLDER."
        )
    learners = run_learners(run, learner, person)
    cohort = new_scans(run, learners[0], files, reader or {})
    sampling = build("sampling", SAMPLINGS, recipe.sampling)
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(folder)
        prepared = [_prepared(one, cohort, sampling, cache, recipe.trials) for one in learners]
        raw = [one.predict(data, np.arange(len(data))) for one, data in zip(learners, prepared, strict=True)]
    cohort = prepared[0].cohort
    answers = _answers(cohort.samples, metrics["target"]["name"], learners, raw)
    if recipe.trials is not None:
        answers.insert(1, "recording_id", cohort.table["recording_id"].to_numpy())
        answers.insert(2, "onset", cohort.table["onset"].to_numpy())
    return answers


def check_finished(run):
    """Raise where a run has not come to its end."""
    if not run.finished:
        raise NeuroloomError(
            f"{run.folder}: this run has not ended. Run the same command again, it goes on where it was."
        )


def run_learners(run, name=None, person=None):
    """Return the learners that answer together: of all folds, or of those of one person; by default those of the model."""
    metrics = run.metrics
    name = name or metrics["deep"]
    check_known("learner of this run", name, metrics["learners"])
    return [load_learner(folder) for folder in _folders(run, name, person)]


def _folders(run, name, person):
    """Return the folders of the learners that answer: of all folds, or of those of one person."""
    folders = sorted(run.folder.glob(f"folds/*/{name}"))
    if run.recipe.validation.within is None:
        if person is not None:
            raise NeuroloomError(f"{run.folder}: its learners have seen many people; none is of {person!r} alone.")
        return folders
    folds = read_table(run.folder / "folds.csv", text=["participant_id"])
    people = list(folds["participant_id"].unique())
    if person is None and len(people) > 1:
        raise NeuroloomError(
            f"{run.folder}: each person has learners of their own. Whose recordings are these? Say it with --person, one of "
            f"{listed(people)}."
        )
    check_known("person of this run", person or people[0], people)
    own = folds.loc[folds["participant_id"] == (person or people[0]), ["repeat", "fold"]].drop_duplicates()
    keys = {f"{repeat}-{fold}" for repeat, fold in own.itertuples(index=False)}
    return [folder for folder in folders if folder.parent.name in keys]


def new_scans(run, learner, files, reader):
    """Return the files as a cohort with the one input that the learner's inputs are made from."""
    sources = sorted({one.source for one in learner.plan.inputs.values()})
    if not sources:
        raise NeuroloomError(f"{learner.plan.name} predicts from confounds, not from files.")
    if len(sources) > 1:
        raise NeuroloomError(f"{learner.plan.name} needs several files a person ({', '.join(sources)}), one is given.")
    told = read_json(run.folder / "inputs.json")[sources[0]]
    if told["kind"] == "table":
        return _tables(sources[0], files, told["names"])
    absent = [str(file) for file in files if not file.exists()]
    if absent:
        raise NeuroloomError(f"{listed(absent)}: there is no such file.")
    samples = [file.name.split(".")[0] for file in files]
    if len(set(samples)) < len(samples):
        samples = [f"{sample}-{number}" for number, sample in enumerate(samples, start=1)]
    paths = dict(zip(samples, files, strict=True))
    arguments = {
        sample: {**fitting_arguments(told["arguments"], path), **_beside(path, told["kind"], reader), **reader}
        for sample, path in paths.items()
    }
    source = FileSource(told["kind"], paths, arguments)
    return Cohort(_people(samples), {sources[0]: source}, name="new scans")


def _beside(file, kind, reader):
    """Return what the files beside a series say of it; how fast it was sampled only where the user has not said it."""
    beside = sidecar_arguments(file) if kind == "series" else {}
    said = SAMPLING_ARGUMENTS if any(name in reader for name in SAMPLING_ARGUMENTS) else ()
    return {name: value for name, value in beside.items() if name not in said}


def _tables(source, files, names):
    frames = [_numbers(file, names) for file in files]
    frame = pd.concat(frames)
    twice = frame.index[frame.index.duplicated()].unique()
    if len(twice):
        raise NeuroloomError(f"{listed(files)}: persons with several rows: {listed(twice)}.")
    samples = [str(sample) for sample in frame.index]
    values = ArraySource("table", tuple(samples), frame.to_numpy(dtype=np.float32), {"names": list(names)})
    return Cohort(_people(samples), {source: values}, name="new table")


def _numbers(file, names):
    table = read_table(file)
    missing = [name for name in names if name not in table]
    if missing:
        raise NeuroloomError(
            f"{file}: {len(missing)} of the model's {len(names)} features are missing: {listed(missing)}."
        )
    key = next((column for column in ("sample_id", "participant_id") if column in table), None)
    index = table[key].astype(str) if key else [f"{file.stem}-{row + 1}" for row in range(len(table))]
    numbers = table[names].apply(pd.to_numeric, errors="coerce")
    worded = [name for name in names if (numbers[name].isna() & table[name].notna()).any()]
    if worded:
        raise NeuroloomError(f"{file}: columns that hold words, not numbers: {listed(worded)}.")
    return numbers.set_axis(index)


def _people(samples):
    return pd.DataFrame({"participant_id": samples}, index=pd.Index(samples, name="sample_id"))


def _prepared(learner, cohort, sampling, cache, trials):
    wanted = {name: Wanted(one.source, one.scan) for name, one in learner.plan.inputs.items()}
    stores = cache.stores(cohort, wanted)
    if trials is not None:
        cohort, stores = as_trials(cohort, stores, trials.input, new=True, **trials.how)
    return Data(cohort, stores, None, sampling)


def _answers(samples, target, learners, raw):
    columns = learners[0].columns(target, np.mean(raw, axis=0))
    each = [one.columns(target, answer) for one, answer in zip(learners, raw, strict=True)]
    answers = pd.DataFrame({"sample_id": samples, **columns})
    for name, values in columns.items():
        if np.asarray(values).dtype.kind == "f":
            answers[name] = np.mean([columns_of[name] for columns_of in each], axis=0)
            answers[f"{name}_sd"] = np.std([columns_of[name] for columns_of in each], axis=0)
    return answers
