"""Trials as parts of the recordings that they lie in."""

import numpy as np
import pytest

from neuroloom.transforms.store import ArrayStore
from neuroloom.transforms.store_parts import PartStore


@pytest.fixture
def recordings():
    draw = np.random.default_rng(0)
    values = {row: draw.standard_normal((3, 50 + row)).astype(np.float32) for row in (0, 2)}
    told = {row: {"names": ["a", "b", "c"], "events": [[0.0, 1.0, "x"]], "sampling_rate": 10.0} for row in values}
    return ArrayStore("series", ("r0", "r1", "r2"), values, ["a", "b", "c"], told)


def test_a_trial_is_a_view_of_its_recording(recordings):
    trials = PartStore(
        recordings, ("t0", "t1", "t2"), np.array([2, 0, 2]), np.array([5, 0, 40]), np.array([10, 10, 12])
    )
    assert np.array_equal(trials[2], recordings[2][:, 40:52])
    assert all(np.shares_memory(trials[row], recordings[trials.source[row]]) for row in range(3))
    assert trials.geometry(0) == {"names": ["a", "b", "c"], "sampling_rate": 10.0}
    assert np.array_equal(trials.stack([0, 1]), np.stack([recordings[2][:, 5:15], recordings[0][:, :10]]))
    assert np.array_equal(trials.stretch(0, 2, 6), recordings[2][:, 7:11])


def test_an_input_that_is_not_cut_is_whole_for_each_trial(recordings):
    trials = PartStore(recordings, ("t0", "t1", "t2"), np.array([2, 1, 2]))
    assert trials.present.tolist() == [True, False, True]
    assert trials[0].shape == (3, 52)
    assert np.array_equal(trials.stretch(0, 1, 3), recordings[2][:, 1:3])
