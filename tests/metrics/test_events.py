"""Events found in recordings, against cases worked by hand with the definitions of SzCORE."""

import math

import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.metrics.events import EventCounts, count_events, count_samples, cut, merged

HOUR = 3600.0


def counted(truth, found, seconds=HOUR, **settings):
    counts = count_events(truth, found, seconds, **settings)
    return counts.true, counts.hits, counts.false


def test_scores_of_a_day_worked_by_hand():
    truth = [(1000, 60), (5000, 60), (9000, 60)]
    found = [(1010, 20), (9050, 100), (20000, 30), (50000, 30)]
    counts = count_events(truth, found, 86_400)
    assert (counts.true, counts.hits, counts.false) == (3, 2, 2)
    assert counts.sensitivity == pytest.approx(2 / 3)
    assert counts.precision == pytest.approx(2 / 4)
    assert counts.f1 == pytest.approx(2 * 2 / (2 * 2 + 2 + 1))
    assert counts.false_per_day == pytest.approx(2)
    assert counts.latencies == (10, 50)
    assert counts.latency == pytest.approx(30)


@pytest.mark.parametrize(("found", "expected"), [
    ([(965, 10)], (1, 1, 0)),  # ends 5 s inside the 30 s before
    ([(960, 10)], (1, 0, 1)),  # ends where the 30 s begin
    ([(1119, 5)], (1, 1, 0)),  # begins 1 s before the 60 s after the end are over
    ([(1120, 5)], (1, 0, 1)),
    ([(900, 300)], (1, 1, 0)),  # covers all of it
    ([(500, 10), (1020, 10)], (1, 1, 1)),
    ([], (1, 0, 0)),
])  # fmt: skip
def test_an_event_is_found_by_any_overlap_within_the_tolerances(found, expected):
    assert counted([(1000, 60)], found) == expected  # lengthened: 970 to 1120


def test_without_tolerance_only_the_event_itself_counts():
    assert counted([(1000, 60)], [(965, 10)], before=0, after=0) == (1, 0, 1)
    assert counted([(1000, 60)], [(1059, 10)], before=0, after=0) == (1, 1, 0)


def test_least_overlap_is_a_share_of_the_lengthened_event():
    assert counted([(1000, 60)], [(1000, 30)], min_overlap=0.25) == (1, 0, 1)  # 30 of 150 s
    assert counted([(1000, 60)], [(1000, 45)], min_overlap=0.25) == (1, 1, 0)
    assert counted([(1000, 60)], [(980, 15), (1050, 15)], min_overlap=0.25, merge=0) == (1, 0, 2)
    assert counted([(1000, 60)], [(980, 25), (1050, 25)], min_overlap=0.25, merge=0) == (1, 1, 0)  # 50 of 150 s


def test_events_closer_than_90_s_are_one():
    assert merged(np.array([[0, 10], [99, 110], [200, 210]]), 90).tolist() == [[0, 110], [200, 210]]
    assert counted([(1000, 10), (1099, 10)], []) == (1, 0, 0)
    assert counted([(1000, 10), (1100, 10)], []) == (2, 0, 0)
    assert counted([], [(1000, 10), (1099, 10), (2000, 10)]) == (0, 0, 2)


def test_an_event_inside_another_does_not_shorten_it():
    assert merged(np.array([[0, 100], [10, 20], [150, 160]]), 0).tolist() == [[0, 100], [150, 160]]


def test_events_longer_than_five_minutes_are_cut():
    assert cut(np.array([[0, 750.0]]), 300).tolist() == [[0, 300], [300, 600], [600, 750]]
    assert cut(np.array([[0, 600.0]]), 300).tolist() == [[0, 300], [300, 600]]
    assert cut(np.array([[0, 750.0]]), math.inf).tolist() == [[0, 750]]
    # truth 0 to 750 in three pieces, the first two lengthened to 0-360 and 270-660 s; found 650 to 700 s
    assert counted([(0, 750)], [(650, 50)]) == (3, 2, 0)
    # found 1000 to 2000 s in four pieces, truth 1000 to 1060 s lengthened to 970-1120 s: the pieces from 1300 s are false
    assert counted([(1000, 60)], [(1000, 1000)]) == (1, 1, 3)


def test_a_latency_is_that_of_the_whole_event_and_may_be_early():
    assert count_events([(1000, 700)], [(990, 40), (1500, 50)], HOUR).latencies == (-10,)
    assert count_events([(1000, 700)], [(1500, 50)], HOUR).latencies == (500,)


def test_an_alarm_that_is_always_on_finds_nothing_early():
    # on from the start, 1000 s before the event: a detection of it is no earlier than the 30 s that are allowed before it
    assert count_events([(1000, 60)], [(0, 3600)], HOUR).latencies == (-30,)
    assert count_events([(1000, 60), (2000, 60)], [(0, 3600)], HOUR, before=10).latencies == (-10, -10)
    assert count_events([(5, 60)], [(0, 3600)], HOUR).latencies == (-5,)  # no earlier than the recording either
    assert count_events([(1000, 60)], [(0, 3600)], HOUR, before=0).latencies == (0,)
    # an alarm that an earlier event began goes on into the surroundings of the next one, 1170 to 1320 s
    assert count_events([(1000, 60), (1200, 60)], [(1010, 300)], HOUR).latencies == (10, -30)


def test_tolerances_end_with_the_recording():
    assert counted([(5, 10)], [(0, 4)]) == (1, 1, 0)
    # lengthened 3560 to 3600 s, no further; 20 of those 40 s are covered
    assert counted([(3590, 10)], [(3560, 20)], min_overlap=0.49) == (1, 1, 0)


def test_a_shift_of_everything_changes_nothing():
    truth, found = [(400, 70), (900, 20)], [(420, 5), (1300, 40)]
    shifted = [[(onset + 777, duration) for onset, duration in events] for events in (truth, found)]
    assert counted(truth, found) == counted(*shifted)


def test_samples_are_counted_second_by_second():
    counts = count_samples([(10, 10), (50, 10)], [(15, 10), (80, 5)], 100)
    assert (counts.true, counts.hits, counts.false) == (20, 5, 10)
    assert counts.sensitivity == pytest.approx(5 / 20)
    assert counts.precision == pytest.approx(5 / 15)
    assert counts.f1 == pytest.approx(2 * 5 / (2 * 5 + 10 + 15))
    finer = count_samples([(10, 10), (50, 10)], [(15, 10), (80, 5)], 100, rate=4)
    assert (finer.true, finer.hits, finer.false) == (80, 20, 40)


def test_recordings_are_pooled_and_what_is_not_defined_is_nan():
    pooled = count_events([(1000, 60)], [(1000, 30)], HOUR) + count_events([], [(50, 20)], 23 * HOUR)
    assert pooled == EventCounts(1, 1, 1, 24 * HOUR, (0.0,))
    assert pooled.false_per_day == pytest.approx(1)
    empty = count_events([], [], HOUR)
    assert all(math.isnan(value) for value in (empty.sensitivity, empty.precision, empty.f1, empty.latency))
    assert empty.false_per_day == 0


@pytest.mark.parametrize(("events", "seconds", "message"), [
    ([(10, 0)], 100, "begins at 10 s and lasts 0 s"),
    ([(-1, 5)], 100, "1 of 1 events last no time or lie outside the recording of 100 s"),
    ([(5, 5), (95, 6)], 100, "begins at 95 s and lasts 6 s"),
    ([(float("nan"), 5)], 100, "events last no time or lie outside"),
    ([(5, 5)], 0, "lasts more than 0 s"),
])  # fmt: skip
def test_events_that_cannot_be_are_refused(events, seconds, message):
    with pytest.raises(NeuroloomError, match=message):
        count_events(events, [], seconds)


@pytest.mark.parametrize(("settings", "message"), [
    ({"min_overlap": 1.0}, "min_overlap must be 0 or more and less than 1"), ({"longest": 0}, "longest must be more than 0"),
    ({"before": -1}, "before must be 0 or more"), ({"merge": float("nan")}, "merge must be 0 or more"),
])  # fmt: skip
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(NeuroloomError, match=message):
        count_events([(1, 1)], [], 100, **settings)
