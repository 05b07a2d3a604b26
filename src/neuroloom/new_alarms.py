"""Alarms and warnings in new recordings, from the answers for their windows."""

import numpy as np
import pandas as pd

from neuroloom.errors import NeuroloomError
from neuroloom.formats.tables import read_table
from neuroloom.validation.alarms import NEVER, Course, Detector
from neuroloom.validation.forecaster import Forecaster

OF_EVENTS = ("threshold", "false_per_day", "smooth", "causal", "least", "moment", "merge", "before", "after", "longest")


def alarms_in(run, answers, *, learner=None, person=None):
    """Return what a run raises in new recordings: alarms of events, or warnings ahead of them.

    The probability is the mean over the folds' learners; the threshold is the median of those that the folds chose. Folds
    that chose to raise none at all are left out of it; where all did, nothing is raised.

    Parameters
    ----------
    run : Run
        Whose recipe asks for ``validation.events`` or ``validation.forecast``.
    answers : DataFrame
        Of `neuroloom.prediction.predict`, for windows of recordings.
    learner, person : str or None
        As they were given there.

    Returns
    -------
    DataFrame
        A row an alarm: ``recording_id``, ``onset`` and ``duration`` (s); or a row a warning: ``recording_id``, ``raised``,
        ``expects_from``, ``expects_to`` (s).
    """
    check_raises(run)
    settings = run.recipe.validation
    find = _found if settings.events is not None else _foreseen
    kind = "events" if settings.events is not None else "forecast"
    threshold = _threshold(run, kind, learner or run.metrics["deep"], person)
    parts = [find(run.recipe, own, threshold) for _, own in answers.groupby("recording_id", sort=False)]
    return pd.concat(parts, ignore_index=True)


def check_raises(run):
    """Raise an error where a run's recipe asks for no alarms and no warnings."""
    if not run.recipe.validation.keeps_tune:
        raise NeuroloomError(
            f"{run.folder}: alarms are of runs whose recipe asks for validation.events or validation.forecast; this one's "
            "does not. Leave --alarms out."
        )


def _threshold(run, kind, learner, person):
    """Return the median threshold of the folds, or of those of one person, that raised anything."""
    values = run.metrics[kind]["learners"][learner]["thresholds"]
    folds = read_table(run.folder / "folds.csv", text=["participant_id"])
    tested = folds[folds["part"] == "test"].sort_values(["repeat", "fold"])
    keys = tested.drop_duplicates(["repeat", "fold"])
    within = run.recipe.validation.within is not None and person is not None
    own = (keys["participant_id"] == person).to_numpy() if within else np.ones(len(keys), dtype=bool)
    chosen = np.array(values, dtype=np.float64)[own]
    return float(np.median(chosen[chosen < NEVER])) if (chosen < NEVER).any() else NEVER


def _of(recipe, own, label):
    """Return onsets and probabilities of the windows of a recording, and when the last of them ends, s."""
    onsets = own["onset"].to_numpy(dtype=np.float64)
    probability = own[f"prediction_p_{label}"].to_numpy(dtype=np.float64)
    return onsets, probability, float(onsets.max() + recipe.trials.length)


def _found(recipe, own, threshold):
    asked = recipe.validation.events.model_dump(include=set(OF_EVENTS))
    detector = Detector(length=recipe.trials.length, every=recipe.trials.every, **asked)
    onsets, probability, seconds = _of(recipe, own, recipe.validation.events.label)
    name = own["recording_id"].iloc[0]
    alarms = detector.alarms(Course(name, detector.course(onsets, probability, seconds), [], seconds), threshold)
    return pd.DataFrame([(name, *one) for one in alarms], columns=["recording_id", "onset", "duration"])


def _foreseen(recipe, own, threshold):
    before = recipe.trials.time_before
    forecaster = Forecaster(
        length=recipe.trials.length,
        every=recipe.trials.every,
        horizon=before.horizon,
        occurrence=before.occurrence,
        smooth=recipe.validation.forecast.smooth,
    )
    onsets, probability, seconds = _of(recipe, own, before.name)
    nothing = np.empty((0, 2))
    name = own["recording_id"].iloc[0]
    watched = forecaster.watched(name, onsets, probability, nothing, before.foretold(nothing, seconds), seconds)
    rows = [(name, time, *forecaster.expected(time)) for time in forecaster.warnings(watched, threshold)]
    return pd.DataFrame(rows, columns=["recording_id", "raised", "expects_from", "expects_to"])
