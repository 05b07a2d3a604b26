"""Rates of alarms against rates of events: by scipy inside folds, with an interval that knows nothing of two folds."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import rankdata

from neuroloom.validation.event_rates import rate_agreement


def found(events, alarms, folds, hours=2.0, parts=1):
    """Return recordings, ``parts`` of each person, with so many events and alarms in all."""
    return [
        SimpleNamespace(repeat=0, fold=fold, unit=unit, alarms=spans(n if part == 0 else 0),
                        course=SimpleNamespace(recording=f"r{unit}_{part}", seconds=3600 * hours / parts,
                                               truth=spans(t if part == parts - 1 else 0)))
        for unit, (t, n, fold) in enumerate(zip(events, alarms, folds, strict=True)) for part in range(parts)
    ]  # fmt: skip


def spans(n):
    return [(20.0 * number, 5.0) for number in range(n)]


EVENTS, ALARMS = np.array([3, 9, 14, 30, 5, 8, 22, 40]), np.array([5, 8, 20, 25, 9, 7, 20, 55])
FOLDS = np.repeat([0, 1], 4)


@pytest.mark.parametrize("parts", [1, 3])
def test_they_are_compared_inside_each_fold(parts):
    told = rate_agreement(found(EVENTS, ALARMS, FOLDS, parts=parts), {}, "participant")
    ranks = [np.stack([rankdata(EVENTS[own]), rankdata(ALARMS[own])]) - 2.5 for own in np.split(np.arange(8), 2)]
    both = np.concatenate(ranks, axis=1)
    expected = (both[0] * both[1]).sum() / np.sqrt((both[0] ** 2).sum() * (both[1] ** 2).sum())
    assert told["spearman"]["value"] == pytest.approx(expected)
    assert told["spearman"]["n_units"] == 8
    low, high = told["icc"]["interval"]
    assert low < told["icc"]["value"] < high


def test_people_who_are_learned_from_crosswise_widen_the_interval():
    recordings = [(f"r{n}_0", n) for n in range(8)]
    crosswise = {(0, 0): set(recordings[4:]), (0, 1): set(recordings[:4])}
    alone = rate_agreement(found(EVENTS, ALARMS, FOLDS), {}, "participant")["icc"]
    both = rate_agreement(found(EVENTS, ALARMS, FOLDS), crosswise, "participant")["icc"]
    half = [np.arctanh(one["interval"][1]) - np.arctanh(one["value"]) for one in (alone, both)]
    assert both["value"] == alone["value"]
    assert half[1] / half[0] == pytest.approx(np.sqrt(2))  # each pair of people is counted twice


def test_one_person_a_fold_says_nothing():
    told = rate_agreement(found([3, 9], [5, 8], [0, 1]), {}, "participant")
    assert np.isnan([told["spearman"]["value"], told["icc"]["value"]]).all()


def test_a_long_event_is_one_event_and_alarms_that_are_one_count_once():
    people = found([1, 2, 4], [1, 2, 4], [0, 0, 0])
    people[0].course.truth, people[0].alarms = [(100.0, 900.0)], [(100.0, 500.0), (620.0, 380.0)]
    told = rate_agreement(people, {}, "participant", merge=90.0)
    assert told["icc"]["value"] != pytest.approx(1.0)  # the others' events, 15 s apart, become one as well
    told = rate_agreement(people, {}, "participant", merge=14.0)
    assert told["icc"]["value"] < 1  # two alarms
    people[0].alarms = [(100.0, 900.0)]
    assert rate_agreement(people, {}, "participant", merge=14.0)["icc"]["value"] == pytest.approx(1.0)
