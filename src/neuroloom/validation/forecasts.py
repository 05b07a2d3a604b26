"""Forecasts: which events warnings foresee, how often these are false, and what warnings at random would foresee."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from neuroloom.errors import NeuroloomError, listed
from neuroloom.metrics.decision import accuracy
from neuroloom.validation.alarms import total
from neuroloom.validation.counted import fitted_recordings, items, thresholds_of
from neuroloom.validation.forecaster import HOUR, Forecaster, Judged, Watched, at_least
from neuroloom.validation.intervals import rate_interval, scored
from neuroloom.validation.timeline import timeline, worst_and_best

WARNING_COLUMNS = (
    "recording_id",
    "participant_id",
    "repeat",
    "fold",
    "learner",
    "raised",
    "expects_from",
    "expects_to",
)


@dataclass(frozen=True)
class Forecast:
    """What one learner foresaw in one recording, or in one event's share of it."""

    watched: Watched
    person: str
    unit: int
    repeat: int
    fold: int
    threshold: float
    raised: np.ndarray
    judged: Judged

    @property
    def recording(self):
        return self.watched.recording


def evaluate_forecasts(predictions, tune_predictions, tested, recorded, *, label, unit, deep=None, **how):
    """Return what the warnings of each learner foresee in the recordings of the test parts.

    Beside the share of events that are foreseen stands the share of time in which a warning expects one. Warnings that
    know nothing of the events foresee each of them with this chance, person by person, and the p is that of foreseeing as
    many or more (Snyder et al. 2008, doi:10.1016/j.jneumeth.2008.04.010; Schelter et al. 2006, doi:10.1063/1.2137623).

    Parameters
    ----------
    predictions : DataFrame
        Of windows, as ``evaluate`` takes them.
    tune_predictions : DataFrame
        The same of the tune part of each fold, which alone chooses the threshold of this fold.
    tested : Tested
        Its people hold ``recording_id``, ``onset``, ``block`` and ``participant_id`` of each window.
    recorded : dict
        recording_id -> (onset and end of its events, `Foretold`, its length in s).
    label : str
        Class whose probability is looked at.
    unit : str
        Unit of claim, which the intervals are over.
    deep : str or None
        The learner whose best and worst recordings are drawn; the first one unless said.
    **how
        Arguments of `Forecaster`.

    Returns
    -------
    dict
        ``learners``: name -> scores with intervals, ``chance``, ``p``, ``thresholds``, ``people``; ``timelines`` of the worst and
        the best recording; ``warnings``, a row each; ``label``, ``n_events``, ``n_left_out``, ``n_recordings``, ``hours``.
    """
    forecaster, column = Forecaster(**how), f"prediction_p_{label}"
    if column not in predictions:
        raise NeuroloomError(
            f"forecast: the predictions have no column {column!r}; they have {listed(predictions.columns)}."
        )
    apart = ["recording_id", "block"] if unit == "block" else ["recording_id"]
    learners, made_by = {}, {}
    for learner, rows in predictions.groupby("learner", sort=False):
        tuned = tune_predictions[tune_predictions["learner"] == learner]
        made_by[learner] = _made(rows, tuned, tested, recorded, column, forecaster, apart)
        learners[learner] = _scores(made_by[learner], fitted_recordings(tested, made_by[learner]), unit)
    first = [one for one in made_by[deep or next(iter(made_by))] if one.repeat == 0]
    names = {one.recording for one in first}
    return {
        "label": label,
        "n_events": total(one.judged for one in first).true,
        "n_left_out": sum(int((~recorded[name][1].asked).sum()) for name in names),
        "n_recordings": len(names),
        "hours": sum(recorded[name][2] for name in names) / HOUR,
        "learners": learners,
        "timelines": _timelines(first, forecaster),
        "warnings": _warning_rows(made_by, forecaster),
    }


def _made(rows, tuned, tested, recorded, column, forecaster, apart):
    """Return the `Forecast` of a learner of every recording of every test part."""
    units = dict(zip(tested.people.index, tested.unit, strict=True))
    made = []
    for (repeat, fold), part in rows.groupby(["repeat", "fold"]):
        chooses = tuned[(tuned["repeat"] == repeat) & (tuned["fold"] == fold)]
        parts = [watched for watched, _ in _watched(chooses, tested, recorded, column, forecaster, apart)]
        threshold = forecaster.chosen(parts)
        for watched, sample in _watched(part, tested, recorded, column, forecaster, apart):
            raised = forecaster.warnings(watched, threshold)
            who = str(tested.people.loc[sample, "participant_id"]), units[sample], int(repeat), int(fold)
            made.append(Forecast(watched, *who, threshold, raised, forecaster.judged(watched, raised)))
    return made


def _watched(rows, tested, recorded, column, forecaster, apart):
    """Return (`Watched`, one of its samples) of each recording, or share of one, that some windows are from."""
    samples = rows["sample_id"].astype(str)
    windows = tested.people.loc[samples, ["onset", *apart]].assign(p=rows[column].to_numpy())
    made = []
    for (recording, *block), own in windows.groupby(apart, sort=False):
        events, foretold, seconds = recorded[str(recording)]
        onsets = own["onset"].to_numpy(dtype=np.float64)
        share = int(foretold.share(onsets[:1] + forecaster.length / 2)[0]) if block else None
        of = str(recording), onsets, own["p"].to_numpy(), events, foretold, seconds
        made.append((forecaster.watched(*of, share), own.index[0]))
    return made


def _scores(made, fitted, unit):
    """Return the scores of a learner with intervals over units, what warnings at random would reach, and by person."""
    judged = total(one.judged for one in made)
    foreseen = replace(accuracy, name="sensitivity", estimand="share of events that are foreseen")
    of_events = items(made, fitted, lambda one: one.judged.hits, lambda one: one.judged.true - one.judged.hits)
    told = {"sensitivity": scored(foreseen, of_events, unit), "false_per_hour": _false_per_hour(made, fitted)}
    told["time_in_warning"] = judged.time_in_warning
    told["people"] = people = _by_person(made)
    chances = [row["time_in_warning"] for row in people for _ in range(row["true"])]
    hits = sum(row["hits"] for row in people)
    told["chance"] = float(np.mean(chances)) if chances else float("nan")
    told["p"] = at_least(hits, chances) if chances else float("nan")
    leads = np.array(judged.leads)
    quartiles = list(np.quantile(leads, [0.25, 0.75])) if len(leads) else []
    told["lead"] = {"value": judged.lead, "n": len(leads), "quartiles": quartiles}
    return told | {"thresholds": thresholds_of(made)}


def _false_per_hour(made, fitted):
    by_unit = pd.DataFrame(
        {
            "unit": [one.unit for one in made],
            "false": [one.judged.false for one in made],
            "hours": [one.judged.open_seconds / HOUR for one in made],
        }
    )
    by_unit = by_unit.groupby("unit").sum()
    every = items(made, fitted, lambda one: 1, lambda one: 0)
    timed = by_unit[by_unit["hours"] > 0]
    ends = rate_interval(timed["false"], timed["hours"], every.mutual, len({one.repeat for one in made}))
    return {
        "value": total(one.judged for one in made).false_per_hour,
        "interval": list(ends),
        "n_units": len(timed),
        "estimand": "false warnings in an hour without events",
    }


def _by_person(made):
    """Return what was foreseen of each person, of the first repeat."""
    rows = []
    for person in sorted({one.person for one in made}):
        judged = total(one.judged for one in made if one.person == person and one.repeat == 0)
        row = {"person": person, "hours": judged.open_seconds / HOUR, "p": float("nan")}
        row |= {
            name: getattr(judged, name)
            for name in ("true", "hits", "false", "sensitivity", "false_per_hour", "time_in_warning", "lead")
        }
        if judged.true:
            row["p"] = at_least(judged.hits, [judged.time_in_warning] * judged.true)
        rows.append(row)
    return rows


def _timelines(made, forecaster):
    """Return what the page draws of the recordings that were foreseen worst and best; ties go to more false warnings."""
    asked = [one for one in made if one.judged.true] or made
    order = sorted(asked, key=lambda one: (one.judged.hits / max(1, one.judged.true), -one.judged.false))
    return worst_and_best(order, lambda one: _timeline(one, forecaster))


def _timeline(one, forecaster):
    truth = [(float(onset), float(onset)) for onset in one.watched.onsets]
    expected = [forecaster.expected(time) for time in one.raised]
    return timeline(
        one.watched, forecaster.step, person=one.person, threshold=one.threshold, truth=truth, alarms=expected
    )


def _warning_rows(made_by, forecaster):
    """Return a row a warning of all learners."""
    return [
        dict(
            zip(
                WARNING_COLUMNS,
                (one.recording, one.person, one.repeat, one.fold, learner, float(time), *forecaster.expected(time)),
                strict=True,
            )
        )
        for learner, made in made_by.items()
        for one in made
        for time in one.raised
    ]
