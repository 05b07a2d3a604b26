"""Parts of recordings: the right stretch, nothing copied, and many of them at little cost."""

import json
import pickle

import numpy as np
import pytest

from neuroloom.transforms.store import ArrayStore, MappedStore
from neuroloom.transforms.store_parts import PartStore

N_TIMES = 5000


@pytest.fixture
def parts(tmp_path):
    """Return 40 recordings of which one was not measured, and 3 parts of each of the others."""
    draw, paths = np.random.default_rng(0), []
    for n in range(40):
        paths.append(tmp_path / f"{n}.npy")
        np.save(paths[-1], draw.random((2, N_TIMES), dtype=np.float32))
        paths[-1].with_suffix(".json").write_text(
            json.dumps({"geometry": {"sampling_rate": 100.0 + n, "events": [[1.0, 2.0, "x"]]}, "facts": {}})
        )
    paths[7] = None
    whole = MappedStore("series", tuple(f"r{n}" for n in range(40)), tuple(paths))
    source = np.repeat([n for n in range(40) if n != 7], 3)
    first = np.tile([0, 100, 4900], 39)
    return whole, PartStore(whole, tuple(f"p{n}" for n in range(117)), source, first, np.full(117, 100))


def test_each_part_is_its_stretch_of_its_recording_in_any_order(parts):
    whole, store = parts
    for row in np.random.default_rng(1).permutation(117):
        first = store.first[row]
        np.testing.assert_array_equal(store[row], whole[store.source[row]][:, first : first + 100])
    assert store.present.all()
    assert not isinstance(store[5], np.memmap)  # of a map, pages that were seen would stay in memory
    assert store.geometry(116) == {"sampling_rate": 139.0}  # events of a recording are not those of a part


def test_a_recording_that_was_not_measured_has_no_parts(parts):
    whole, _ = parts
    store = PartStore(whole, ("a", "b"), np.array([7, 8]))
    assert store.present.tolist() == [False, True]


def test_what_is_kept_open_does_not_go_to_another_process(parts):
    _, store = parts
    before = pickle.dumps(store)
    stretch, told = np.array(store[3]), store.geometry(3)
    assert len(pickle.dumps(store)) == len(before)
    again = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(again[3], stretch)
    assert again.geometry(3) == told


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
