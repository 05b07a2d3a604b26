"""Samples of one recording kept apart in time."""

import numpy as np
import pytest

from neuroloom.cohort.apart import Stretches, apart


@pytest.mark.parametrize("gap", [0.0, 0.7, 3.0])
def test_what_is_kept_is_what_a_comparison_of_every_pair_keeps(gap):
    draw = np.random.default_rng(3)
    begin = np.round(draw.uniform(0, 60, 80), 1)
    stretches = Stretches(draw.integers(0, 3, 80), begin, begin + np.round(draw.uniform(0.1, 4, 80), 1), gap)
    rows, tested = np.arange(60), np.arange(60, 80)
    kept = apart(stretches, rows, tested)
    for row in rows:
        there = tested[stretches.recording[tested] == stretches.recording[row]]
        before = stretches.end[row] + gap <= stretches.begin[there] + 1e-6
        after = stretches.end[there] + gap <= stretches.begin[row] + 1e-6
        assert kept[row] == (before | after).all()


def test_trials_that_follow_on_each_other_do_not_share_time():
    begin = np.arange(10) * 0.1
    stretches = Stretches(np.zeros(10), begin, begin + 0.1)
    assert apart(stretches, np.arange(0, 10, 2), np.arange(1, 10, 2)).all()
    assert not apart(Stretches(np.zeros(10), begin, begin + 0.11), np.arange(0, 10, 2), np.arange(1, 10, 2)).any()
