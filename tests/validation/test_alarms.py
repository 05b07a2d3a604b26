"""Alarms: probability over time, what a time may know, which threshold is chosen."""

import numpy as np
import pytest

from neuroloom.validation.alarms import NEVER, Course, Detector, random_alarms, total

PLAIN = Detector(length=4.0, every=2.0)


def test_each_second_holds_the_mean_of_the_windows_that_cover_it():
    course = PLAIN.course(np.array([0.0, 2.0, 4.0]), np.array([0.2, 0.4, 1.0]), seconds=9.0)
    np.testing.assert_allclose(course, [0.2, 0.2, 0.3, 0.3, 0.7, 0.7, 1.0, 1.0, np.nan])


def test_a_causal_course_is_the_same_after_the_windows_are_over():
    draw = np.random.default_rng(0)
    onsets, p = np.arange(0, 296, 2.0), draw.random(148)
    causal = Detector(length=4.0, every=2.0, causal=True).course(onsets, p, 300.0)
    later = PLAIN.course(onsets, p, 300.0)
    assert np.isnan(causal[:4]).all()
    np.testing.assert_allclose(causal[4:], later[:296])


@pytest.mark.parametrize("smooth", [0.0, 12.0])
def test_a_causal_course_does_not_know_what_comes(smooth):
    detector = Detector(length=4.0, every=1.3, causal=True, smooth=smooth)
    onsets = np.arange(0, 290, 1.3)
    p = np.random.default_rng(1).random(len(onsets))
    other = np.where(onsets + 4.0 > 150.0, 1 - p, p)  # windows that are not over at 150 s say something else
    one, two = (detector.course(onsets, values, 300.0) for values in (p, other))
    np.testing.assert_array_equal(one[:151], two[:151])  # the step from 150 s on may know what was over by then
    assert not np.allclose(one[151:290], two[151:290])


def test_smoothing_is_a_running_mean():
    onsets, p = np.arange(0, 100, 1.0), np.random.default_rng(2).random(100)
    detector = Detector(length=1.0, every=1.0, smooth=7.0)
    np.testing.assert_allclose(detector.course(onsets, p, 100.0)[3:97], np.convolve(p, np.full(7, 1 / 7), "valid"))


def test_alarms_are_stretches_above_the_threshold_that_last():
    p = np.zeros(1000)
    p[100:110], p[150:160], p[500:503], p[900:] = 0.9, 0.9, 0.9, 0.6
    course = Course("r", p, [], 999.5)
    assert PLAIN.alarms(course, 0.5) == [(100.0, 60.0), (500.0, 3.0), (900.0, 99.5)]  # 40 s apart: one
    strict = Detector(length=4.0, every=2.0, least=5.0, merge=0.0)
    assert strict.alarms(course, 0.7) == [(100.0, 10.0), (150.0, 10.0)]
    assert PLAIN.alarms(course, NEVER) == []


def test_a_moment_is_an_alarm_around_the_highest_probability_of_its_stretch():
    p = np.full(400, 0.1)
    p[40:44] = 0.6, 0.9, 0.9, 0.6  # steps of 0.25 s: highest from 10.25 to 10.75 s
    p[100:103] = 0.7, 0.6, 0.7  # highest twice: the first, 25 to 25.25 s
    p[399] = 0.8  # ends with the recording
    spikes = Detector(length=1.0, every=0.25, moment=0.1, merge=0.0)
    found = spikes.alarms(Course("r", p, [], 100.0), 0.5)
    np.testing.assert_allclose(found, [(10.45, 0.1), (25.075, 0.1), (99.825, 0.1)])
    assert spikes.alarms(Course("r", p, [], 100.0), NEVER) == []
    longer = Detector(length=1.0, every=0.25, moment=1.0, merge=0.0)
    np.testing.assert_allclose(longer.alarms(Course("r", p, [], 100.0), 0.75), [(10.0, 1.0), (99.375, 0.625)])


def test_time_is_counted_in_steps_of_the_course():
    course = Course("r", np.zeros(400), [(10.0, 0.5), (20.0, 0.25)], 100.0)
    counts = Detector(length=1.0, every=0.25).samples(course, [(10.25, 1.0)])
    assert (counts.true, counts.hits, counts.false) == (3, 1, 3)  # of steps of 0.25 s
    whole = Detector(length=4.0, every=2.0).samples(Course("r", np.zeros(100), [(10.0, 5.0)], 100.0), [(12.0, 5.0)])
    assert (whole.true, whole.hits, whole.false) == (5, 3, 2)  # of seconds


def drawn(height, seed, n=4, seconds=7200):
    """Return courses of noise with two seizures each that stand ``height`` above it."""
    draw, made = np.random.default_rng(seed), []
    for number in range(n):
        truth = [(1500.0, 60.0), (5000.0, 40.0)]
        p = 0.2 + 0.05 * draw.standard_normal(seconds)
        for onset, duration in truth:
            p[int(onset) : int(onset + duration)] += height
        made.append(Course(f"r{number}", np.clip(p, 0, 1), truth, float(seconds)))
    return made


def test_the_threshold_lies_where_noise_ends_and_events_begin():
    threshold = PLAIN.chosen(drawn(0.6, seed=0))
    assert 0.2 + 0.05 * 4 < threshold < 0.8  # 7200 seconds of noise stay below 4 deviations with a chance of 80 %
    unseen = drawn(0.6, seed=1)
    counts = total(PLAIN.counts(course, PLAIN.alarms(course, threshold)) for course in unseen)
    assert (counts.true, counts.hits, counts.false) == (8, 8, 0)


def test_a_rate_of_false_alarms_is_kept_to_on_the_tune_part():
    courses = drawn(0.1, seed=0, n=2)
    strict, loose = (Detector(length=4.0, every=2.0, merge=20.0, false_per_day=rate) for rate in (6.0, 600.0))
    assert strict.chosen(courses) > loose.chosen(courses)
    for detector in (strict, loose):
        alarms = [detector.alarms(course, detector.chosen(courses)) for course in courses]
        counts = total(detector.counts(course, found) for course, found in zip(courses, alarms, strict=True))
        assert counts.false_per_day <= detector.false_per_day


def test_random_alarms_are_found_as_often_as_their_length_says():
    course = Course("r", np.zeros(36_000), [(18_000.0, 100.0)], 36_000.0)
    alarms, draws = [(0.0, 200.0)], 4000
    hits = total(
        PLAIN.counts(course, random_alarms(course, alarms, np.random.default_rng(n))) for n in range(draws)
    ).hits
    chance = (100 + 30 + 60 + 200) / (36_000 - 200)  # onsets at which 200 s reach into the event with its tolerance
    assert abs(hits / draws - chance) < 4 * np.sqrt(chance * (1 - chance) / draws)
