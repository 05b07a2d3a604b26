"""Stores of prepared samples: what may be stacked, and what only looks as if it might."""

import os
import pickle

import numpy as np
import pandas as pd
import pytest

from neuroloom.cohort.cohort import ArraySource, Cohort, FileSource
from neuroloom.errors import NeuroloomError
from neuroloom.transforms.cache import Cache
from neuroloom.transforms.store import ArrayStore, MappedStore, check_names, first_difference


class Named:
    """A store of which only the names are known."""

    kind, samples = "series", ("a", "b", "c")

    def __init__(self, *names):
        self.names, self.present = names, np.array([True] * len(names))

    def geometry(self, row):
        return {} if self.names[row] is None else {"names": self.names[row]}


def test_files_with_their_columns_in_another_order_are_not_stacked(tmp_path):
    paths = {}
    for sample, names in {"sub-1": "left,right", "sub-2": "left,right", "sub-3": "right,left"}.items():
        paths[sample] = tmp_path / f"{sample}.csv"
        rows = [f"{time}.5,{time * time}.25" for time in range(30)]
        paths[sample].write_text("\n".join([names, *rows]) + "\n")
    table = pd.DataFrame({"participant_id": list(paths)}, index=pd.Index(list(paths), name="sample_id"))
    source = FileSource(
        "series", paths, {sample: {"sampling_period": 2.0, "axes": ["time", "region"]} for sample in paths}
    )
    cohort = Cohort(table, {"bold": source})
    assert Cache(tmp_path / "cache").store(cohort.subset([0, 1]), "bold", ()).names == ["left", "right"]
    with pytest.raises(NeuroloomError, match=r"number 1 is 'left' in sub-1, but 'right' in sub-3; .* are sub-3\."):
        Cache(tmp_path / "cache").store(cohort, "bold", ())


def test_files_that_name_nothing_stand_beside_those_that_do():
    check_names(Named(["x", "y"], None, ["x", "y"]))
    with pytest.raises(NeuroloomError, match=r"number 2 is 'y' in a, but None in c"):
        check_names(Named(["x", "y"], None, ["x"]))


def test_where_names_differ_first():
    assert first_difference(["a", "b", "c"], ["a", "c", "b"]) == (2, "b", "c")
    assert first_difference(["a"], ["a", "b"]) == (2, None, "b")


def test_a_cache_that_cannot_be_made_names_the_way_out(tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    people = ("sub-1",)
    table = pd.DataFrame({"participant_id": people}, index=pd.Index(people, name="sample_id"))
    cohort = Cohort(table, {"x": ArraySource("table", people, np.ones((1, 3), dtype=np.float32))})
    with pytest.raises(NeuroloomError, match=r"a file/cache: cannot be made .*NEUROLOOM_CACHE"):
        Cache(blocked / "cache").store(cohort, "x", ())


def stored(folder, *arrays):
    paths = tuple(folder / f"{number}.npy" for number in range(len(arrays)))
    for path, array in zip(paths, arrays, strict=True):
        np.save(path, array)
    return MappedStore("series", tuple(f"sub-{number}" for number in range(len(arrays))), (*paths, None))


def test_a_mapped_row_is_what_numpy_reads(tmp_path):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, 50)).astype(np.float32), np.asfortranarray(rng.normal(size=(4, 7))), np.arange(5)]
    store = pickle.loads(pickle.dumps(stored(tmp_path, *arrays)))
    for _ in range(2):
        for row, array in enumerate(arrays):
            np.testing.assert_array_equal(store[row], array, strict=True)
            assert isinstance(store[row], np.memmap)
            assert not store[row].flags.writeable
    assert store.present.tolist() == [True, True, True, False]


def test_a_file_that_was_replaced_is_read_anew(tmp_path):
    store = stored(tmp_path, np.zeros((2, 10), dtype=np.float32))
    assert store[0].shape == (2, 10)
    np.save(tmp_path / "new.npy", np.ones((3, 4)))
    (tmp_path / "new.npy").replace(store.paths[0])
    np.testing.assert_array_equal(store[0], np.ones((3, 4)), strict=True)


def test_stretches_are_those_of_the_array(tmp_path):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, 50)).astype(np.float32), np.asfortranarray(rng.normal(size=(4, 70))), np.arange(60)]
    store = stored(tmp_path, *arrays, rng.normal(size=(2, 3, 50)))
    held = ArrayStore("series", store.samples[:3], dict(enumerate(arrays)))
    for start, stop in ((0, 50), (7, 31), (49, 50), (40, 90), (5, 5)):
        for row in range(4):
            np.testing.assert_array_equal(store.stretch(row, start, stop), store[row][..., start:stop], strict=True)
        for row, array in enumerate(arrays):
            np.testing.assert_array_equal(held.stretch(row, start, stop), array[..., start:stop], strict=True)


def test_a_file_cut_short_is_told(tmp_path):
    store = stored(tmp_path, np.zeros((2, 1000), dtype=np.float32))
    store.stretch(0, 0, 10)
    store.paths[0].write_bytes(store.paths[0].read_bytes()[:-100])
    with pytest.raises(NeuroloomError, match=r"0\.npy: is no whole array .* Delete it"):
        store.stretch(0, 0, 10)
    with pytest.raises(NeuroloomError, match=r"0\.npy: is no whole array"):
        store[0]


def test_windows_leave_no_file_open(tmp_path):
    store = stored(tmp_path, np.zeros((2, 1000), dtype=np.float32))
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    kept = [(store[0], store.stretch(0, start, start + 10)) and start for start in range(300)]
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert len(kept) == 300
    assert after == before
