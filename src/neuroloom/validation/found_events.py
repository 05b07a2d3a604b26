"""Events: what alarms in whole recordings find, how often they are false, and what alarms at random would find."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from neuroloom.errors import NeuroloomError, listed
from neuroloom.metrics.decision import accuracy
from neuroloom.metrics.events import DAY, EventCounts
from neuroloom.seeds import generator
from neuroloom.validation.alarms import Course, Detector, random_alarms, total
from neuroloom.validation.counted import fitted_recordings, items, thresholds_of
from neuroloom.validation.event_rates import rate_agreement
from neuroloom.validation.intervals import rate_interval, scored
from neuroloom.validation.timeline import timeline, worst_and_best

SHARES = {  # name -> what it estimates
    "sensitivity": "share of events that are found",
    "precision": "share of alarms that are true",
    "f1": "F1 of events: the share of right ones among events and alarms together",
}
ALARM_COLUMNS = ("recording_id", "participant_id", "repeat", "fold", "learner", "onset", "duration")


@dataclass(frozen=True)
class Found:
    """What one learner found in one recording."""

    course: Course
    person: str
    unit: int
    repeat: int
    fold: int
    threshold: float
    alarms: list
    counts: EventCounts
    samples: EventCounts

    @property
    def recording(self):
        return self.course.recording


def evaluate_events(
    predictions, tune_predictions, tested, recorded, *, label, unit, seed=0, deep=None, random=200, per="day", **how
):
    """Return what each learner finds in the recordings of the test parts, counted as SzCORE does.

    Dan et al. 2024, doi:10.1111/epi.18113.

    Parameters
    ----------
    predictions : DataFrame
        Of windows, as ``evaluate`` takes them.
    tune_predictions : DataFrame
        The same of the tune part of each fold, which alone chooses the threshold of this fold.
    tested : Tested
        Its people hold ``recording_id``, ``onset`` and ``participant_id`` of each window.
    recorded : dict
        recording_id -> (onsets and durations of its events, its length), in s.
    label : str
        Class whose probability is looked at.
    unit : str
        Unit of claim, which the intervals are over.
    seed : int
    deep : str or None
        The learner whose best and worst recordings are drawn; the first one unless said.
    random : int
        Draws of alarms at random.
    per : str
        ``minute``, ``hour`` or ``day``: what the page tells false alarms of. The numbers here are those of a day.
    **how
        Arguments of `Detector`.

    Returns
    -------
    dict
        ``learners``: name -> scores with intervals, ``rates`` (see `rate_agreement`), ``chance``, ``thresholds``, ``people``;
        ``timelines`` of the worst and the best recording; ``alarms``, a row each; ``label``, ``n_events``, ``n_recordings``,
        ``hours``, ``per``, ``step`` (s, of which samples were counted).
    """
    detector = Detector(**how)
    column = f"prediction_p_{label}"
    if column not in predictions:
        raise NeuroloomError(
            f"events: the predictions have no column {column!r}; they have {listed(predictions.columns)}."
        )
    learners, found_by = {}, {}
    for learner, rows in predictions.groupby("learner", sort=False):
        tuned = tune_predictions[tune_predictions["learner"] == learner]
        found = _found(rows, tuned, tested, recorded, column, detector)
        fitted = fitted_recordings(tested, found)
        learners[learner] = _scores(found, fitted, unit) | {
            "rates": rate_agreement(found, fitted, unit, detector.merge),
            "thresholds": thresholds_of(found),
            "chance": _at_random(found, detector, random, seed, learner),
            "people": _by_person(found),
        }
        found_by[learner] = found
    first = [one for one in found_by[deep or next(iter(found_by))] if one.repeat == 0]
    return {
        "label": label,
        "n_events": total(one.counts for one in first).true,
        "n_recordings": len(first),
        "hours": sum(one.course.seconds for one in first) / 3600,
        "per": per,
        "step": detector.step,
        "learners": learners,
        "timelines": _timelines(first, detector.step),
        "alarms": _alarm_rows(found_by),
    }


def _found(rows, tuned, tested, recorded, column, detector):
    """Return the `Found` of a learner in every recording of every test part."""
    units = dict(zip(tested.people.index, tested.unit, strict=True))
    found = []
    for (repeat, fold), part in rows.groupby(["repeat", "fold"]):
        chooses = tuned[(tuned["repeat"] == repeat) & (tuned["fold"] == fold)]
        threshold = detector.chosen([course for course, _ in _courses(chooses, tested, recorded, column, detector)])
        for course, sample in _courses(part, tested, recorded, column, detector):
            alarms = detector.alarms(course, threshold)
            counts, samples = detector.counts(course, alarms), detector.samples(course, alarms)
            person = str(tested.people.loc[sample, "participant_id"])
            who = (course, person, units[sample], int(repeat), int(fold))
            found.append(Found(*who, threshold, alarms, counts, samples))
    return found


def _courses(rows, tested, recorded, column, detector):
    """Return (`Course`, one of its samples) of each recording that some windows are from."""
    samples = rows["sample_id"].astype(str)
    windows = tested.people.loc[samples, ["recording_id", "onset"]].assign(p=rows[column].to_numpy())
    made = []
    for recording, own in windows.groupby("recording_id", sort=False):
        events, seconds = recorded[str(recording)]
        course = detector.course(own["onset"].to_numpy(dtype=np.float64), own["p"].to_numpy(), seconds)
        made.append((Course(str(recording), course, events, seconds), own.index[0]))
    return made


def _scores(found, fitted, unit):
    """Return the scores of events with intervals over units, and those of seconds without."""
    counts, samples = total(one.counts for one in found), total(one.samples for one in found)
    told = {
        name: scored(replace(accuracy, name=name, estimand=text), _items(found, fitted, name), unit)
        for name, text in SHARES.items()
    }
    every = _items(found, fitted, "recordings")
    n_repeats = len({one.repeat for one in found})
    by_unit = pd.DataFrame(
        {"unit": [one.unit for one in found], "false": [one.counts.false for one in found],
         "days": [one.course.seconds / DAY for one in found]}
    ).groupby("unit").sum()  # fmt: skip
    told["false_per_day"] = {
        "value": counts.false_per_day,
        "interval": list(rate_interval(by_unit["false"], by_unit["days"], every.mutual, n_repeats)),
        "n_units": len(by_unit),
        "estimand": "false alarms in 24 hours",
    }
    latencies = np.array(counts.latencies)
    quartiles = list(np.quantile(latencies, [0.25, 0.75])) if len(latencies) else []
    told["latency"] = {"value": counts.latency, "n": len(latencies), "quartiles": quartiles}
    told["seconds"] = {name: getattr(samples, name) for name in SHARES}
    return told


def _items(found, fitted, name):
    """Return `Outcomes` of what is counted for a score.

    Of sensitivity each event is an item, of precision each alarm; of F1 both, a hit being one right event and one right alarm.
    """
    right, wrong = {
        "sensitivity": (lambda c: c.hits, lambda c: c.true - c.hits),
        "precision": (lambda c: c.hits, lambda c: c.false),
        "f1": (lambda c: 2 * c.hits, lambda c: c.true - c.hits + c.false),
        "recordings": (lambda c: 1, lambda c: 0),
    }[name]
    return items(found, fitted, lambda one: right(one.counts), lambda one: wrong(one.counts))


def _at_random(found, detector, n_draws, seed, learner):
    """Return what as many alarms, each as long, find at random times: mean over draws, and the 95 % quantile of F1."""
    drawn = []
    for number in range(n_draws):
        draw = generator(seed, "alarms at random", learner, number)
        counts = total(detector.counts(one.course, random_alarms(one.course, one.alarms, draw)) for one in found)
        drawn.append([getattr(counts, name) for name in (*SHARES, "false_per_day")])
    if not drawn or not any(one.alarms for one in found):
        return None
    values = pd.DataFrame(drawn, columns=[*SHARES, "false_per_day"])
    seen = total(one.counts for one in found).f1
    p = (1 + int((values["f1"] >= seen - 1e-12).sum())) / (1 + n_draws)
    return values.mean().to_dict() | {"f1_95": float(values["f1"].quantile(0.95)), "p": p, "n": n_draws}


def _by_person(found):
    """Return what was found of each person, of the first repeat."""
    rows = []
    for person in sorted({one.person for one in found}):
        own = [one for one in found if one.person == person and one.repeat == 0]
        counts = total(one.counts for one in own)
        told = {"person": person, "recordings": len(own), "hours": counts.seconds / 3600}
        told["alarms"] = sum(len(one.alarms) for one in own)
        told |= {
            name: getattr(counts, name) for name in ("true", "hits", "false", "sensitivity", "false_per_day", "latency")
        }
        rows.append(told)
    return rows


def _timelines(found, step):
    """Return what the page draws of the recordings with the lowest and the highest F1; ties go to more false alarms."""
    defined = [one for one in found if not np.isnan(one.counts.f1)] or found
    order = sorted(defined, key=lambda one: (one.counts.f1, -one.counts.false))
    return worst_and_best(order, lambda one: _timeline(one, step))


def _timeline(one, step):
    truth, alarms = ([(onset, onset + lasts) for onset, lasts in spans] for spans in (one.course.truth, one.alarms))
    return timeline(one.course, step, person=one.person, threshold=one.threshold, truth=truth, alarms=alarms)


def _alarm_rows(found_by):
    """Return a row an alarm of all learners."""
    return [
        dict(zip(ALARM_COLUMNS, (one.course.recording, one.person, one.repeat, one.fold, learner, *alarm), strict=True))
        for learner, found in found_by.items()
        for one in found
        for alarm in one.alarms
    ]
