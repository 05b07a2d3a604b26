"""Parts of recordings: the right stretch, nothing copied, and many of them at little cost."""

import json
import pickle

import numpy as np
import pytest

from neuroloom.transforms.store import MappedStore
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
    assert isinstance(store[5], np.memmap)  # a view of the file
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
