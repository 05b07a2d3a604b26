"""Warnings worked by hand, and what warnings that know nothing foresee."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from neuroloom.cohort.before_events import Before
from neuroloom.seeds import generator
from neuroloom.validation.alarms import total
from neuroloom.validation.forecaster import Forecaster, Watched, at_least

MINUTE, HOUR = 60.0, 3600.0
FORECASTER = Forecaster(length=30.0, every=30.0, horizon=5 * MINUTE, occurrence=30 * MINUTE, threshold=0.5)
EVENTS = np.array([[120.0, 121.0]]) * MINUTE  # closed from 115 to 151
BEFORE = Before("preictal", "seizure", after=30 * MINUTE)


def watched(high, seconds=4 * HOUR, events=EVENTS):
    """Return a recording in which windows that begin in these minutes are answered with .9, and others with .1."""
    foretold = BEFORE.foretold(events, seconds)
    onsets = np.arange(0, seconds - 29, 30.0)
    open_ = np.ones(len(onsets), dtype=bool)
    for start, stop in foretold.closed:
        open_ &= (onsets + 30 <= start) | (onsets >= stop)
    p = np.full(len(onsets), 0.1)
    for start, stop in high:
        p[(onsets >= start * MINUTE) & (onsets < stop * MINUTE)] = 0.9
    return FORECASTER.watched("one", onsets[open_], p[open_], events, foretold, seconds)


@pytest.mark.parametrize(
    ("high", "raised", "hits", "false"),
    [
        ([(95, 98)], [95.5], 1, 0),  # expects 100.5 to 130.5: the event is at 120
        ([(80, 83)], [80.5], 0, 1),  # expects 85.5 to 115.5: too early
        ([(84.5, 90)], [85.0], 1, 0),  # expects 90 to 120, the last moment
        ([(115, 121)], [], 0, 0),  # nothing is asked there
        ([(70, 115)], [70.5, 105.5], 1, 1),  # 75.5 to 105.5 is over; the next is raised at once: 110.5 to 140.5
        ([(210, 214)], [210.5], 0, 0),  # goes on after the end at 240: not judged
        ([(200, 202)], [200.5], 0, 1),  # 205.5 to 235.5
    ],
)
def test_warnings_by_hand(high, raised, hits, false):
    one = watched(high)
    found = FORECASTER.warnings(one, 0.5)
    assert (found / MINUTE).tolist() == raised
    judged = FORECASTER.judged(one, found)
    assert (judged.true, judged.hits, judged.false) == (1, hits, false)
    if hits:
        assert judged.lead == (120 - raised[-1]) * MINUTE


def test_the_time_in_which_a_warning_is_false_or_an_event_could_have_come():
    one = watched([(95, 98)])
    judged = FORECASTER.judged(one, FORECASTER.warnings(one, 0.5))
    # answered from .5 min on (a window tells from its end), to 115, and from 151.5. Of it an event comes 5 to 35 min
    # after 85 to 115, and after 205 the time of a warning is not recorded to its end
    assert judged.open_seconds / MINUTE == pytest.approx((85 - 0.5) + (205 - 151.5), abs=0.1)
    # half of the 30 min before must be answered, but for a window and the way to the next (1 min): from 19.5 on, to the
    # event; after it, and once half of what lies before is answered again, from 170.5 on
    assert judged.eligible / MINUTE == pytest.approx((120 - 19.5) + (240 - 170.5), abs=0.1)
    assert judged.warned / MINUTE == pytest.approx(120 - 100.5, abs=0.1)


def test_an_event_is_asked_for_only_where_the_time_before_it_was_answered():
    foretold = BEFORE.foretold(EVENTS, 4 * HOUR)
    late = np.arange(151 * MINUTE, 230 * MINUTE, 30.0)
    other = FORECASTER.watched("one", late, np.full(len(late), 0.9), EVENTS, foretold, 4 * HOUR)
    assert FORECASTER.judged(other, FORECASTER.warnings(other, 0.5)).true == 0


def test_at_least_is_the_binomial_where_chances_are_equal():
    for hits in range(6):
        assert at_least(hits, [0.3] * 5) == pytest.approx(stats.binom.sf(hits - 1, 5, 0.3))
    assert at_least(1, [0.1, 0.5]) == pytest.approx(1 - 0.9 * 0.5)


def course(draw, events, seconds, rho):
    """Return answers that know nothing of the events: a slow wave with a phase of its own."""
    foretold = BEFORE.foretold(events, seconds)
    onsets = np.arange(0, seconds - 29, 30.0)
    slow = np.sin(2 * np.pi * (onsets / draw.uniform(2 * HOUR, 5 * HOUR) + draw.random()))
    open_ = np.ones(len(onsets), dtype=bool)
    for start, stop in foretold.closed:
        open_ &= (onsets + 30 <= start) | (onsets >= stop)
    return FORECASTER.watched("one", onsets[open_], (slow[open_] > rho).astype(float), events, foretold, seconds)


def test_warnings_that_know_nothing_are_called_better_than_chance_in_no_more_than_5_percent():
    """Events at random times, 12 hours a recording: p is valid though answers wander slowly."""
    p, expected, reached = [], [], []
    for cohort in range(200):
        draw = generator(cohort, "forecast of nothing")
        judged = []
        for _ in range(4):
            onsets = np.sort(draw.uniform(1 * HOUR, 11 * HOUR, 6))
            onsets = onsets[np.concatenate([[True], np.diff(onsets) > 100 * MINUTE])]
            events = np.stack([onsets, onsets + 60], axis=1)
            one = course(draw, events, 12 * HOUR, 0.6)
            judged.append(FORECASTER.judged(one, FORECASTER.warnings(one, 0.5)))
        whole = total(judged)
        p.append(at_least(whole.hits, [whole.time_in_warning] * whole.true))
        expected.append(whole.time_in_warning * whole.true)
        reached.append(whole.hits)
    assert np.mean(np.array(p) <= 0.05) <= 0.09  # 10 of 200 are expected at most, 19 and more have a chance of .005
    assert np.sum(reached) == pytest.approx(np.sum(expected), rel=0.12)


def test_the_threshold_is_the_one_farthest_above_chance_and_keeps_to_the_rate_that_is_allowed():
    parts = [watched([(95, 98)]), watched([(30, 60), (96, 99)])]
    raised = Watched(
        **{**parts[0].__dict__, "probability": np.where(parts[0].probability > 0.5, 0.8, parts[0].probability)}
    )
    chosen = Forecaster(**{**FORECASTER.__dict__, "threshold": "tune"}).chosen([raised, parts[1]])
    assert 0.1 < chosen <= 0.8
    strict = Forecaster(**{**FORECASTER.__dict__, "threshold": "tune", "false_per_hour": 0.01}).chosen([parts[1]])
    judged = FORECASTER.judged(parts[1], FORECASTER.warnings(parts[1], strict))
    assert judged.false == 0


def test_counts_of_recordings_are_added():
    one, two = (FORECASTER.judged(w, FORECASTER.warnings(w, 0.5)) for w in (watched([(95, 98)]), watched([(80, 83)])))
    both = total([one, two])
    assert (both.true, both.hits, both.false) == (2, 1, 1)
    assert both.sensitivity == 0.5
    assert both.leads == one.leads
    assert both.false_per_hour == pytest.approx(HOUR / (one.open_seconds + two.open_seconds))
    assert all(later > earlier for earlier, later in pairwise([one.eligible, both.eligible]))


@pytest.mark.parametrize("onset", [1200.0, 1210.0, 1229.0, 1231.0, 1300.0])
def test_what_is_asked_for_could_have_been_foreseen(onset):
    """With half of the time before it recorded (from 1200 s on) an event is asked for, and lies in the eligible time."""
    one = watched([(5, 6)], events=np.array([[onset, onset + 60]]))
    judged = FORECASTER.judged(one, FORECASTER.warnings(one, 0.5))
    assert judged.true == 1
    assert judged.eligible >= 30
    assert 0 <= judged.time_in_warning <= 1


def test_a_threshold_is_chosen_where_some_of_the_tune_part_tells_nothing():
    quiet = watched([], events=np.empty((0, 2)))
    tune = Forecaster(**{**FORECASTER.__dict__, "threshold": "tune"})
    assert tune.chosen([quiet]) == 2.0  # no event: never, of equals the highest
    assert np.isnan(at_least(2, [0.1, np.nan]))
