"""NumPy's files, plain and zipped."""

import struct

import numpy as np
import pytest

from neuroloom.errors import FileProblem
from neuroloom.formats import read
from neuroloom.formats.numpy_files import read_arrays

NUMBERS = np.random.default_rng(0).standard_normal((12, 3))  # (time, region)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f8", "i1", "u2", "i8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_numbers(tmp_path, dtype, order):
    array = np.asarray(NUMBERS * 10, dtype=dtype, order=order)
    np.save(tmp_path / "a.npy", array)
    scan = read(tmp_path / "a.npy", axes=["time", "region"], sampling_rate=100)
    np.testing.assert_array_equal(scan.data, array.T.astype(np.float32))
    assert scan.data.dtype == np.float32
    assert scan.data.flags.c_contiguous
    assert scan.geometry == {"sampling_rate": 100.0}


def test_npy_of_version_2(tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        np.lib.format.write_array(file, NUMBERS, version=(2, 0))
    np.testing.assert_array_equal(read(tmp_path / "a.npy", axes=["region", "time"]).data, NUMBERS.astype(np.float32))


def test_one_axis_is_time(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(5.0))
    assert read(tmp_path / "a.npy").data.tolist() == [[0, 1, 2, 3, 4]]


def test_other_kinds(tmp_path):
    np.save(tmp_path / "a.npy", np.corrcoef(NUMBERS.T))
    graph = read(tmp_path / "a.npy", kind="graph", measure="correlation")
    np.testing.assert_allclose(graph.data, np.corrcoef(NUMBERS.T), rtol=1e-6)
    np.save(tmp_path / "b.npy", np.arange(4.0)[None])
    assert read(tmp_path / "b.npy", kind="table").data.tolist() == [0, 1, 2, 3]
    with pytest.raises(FileProblem, match="axes is given, but means nothing for kind table"):
        read(tmp_path / "b.npy", kind="table", axes=["time", "region"])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_arrays_by_name(tmp_path, save):
    save(tmp_path / "a.npz", bold=NUMBERS, motion=np.arange(12.0))
    scan = read(tmp_path / "a.npz", variable="bold", axes=["time", "region"])
    np.testing.assert_array_equal(scan.data, NUMBERS.T.astype(np.float32))
    with pytest.raises(FileProblem, match=r"which array is meant\? It holds bold, motion"):
        read(tmp_path / "a.npz", axes=["time", "region"])
    save(tmp_path / "b.npz", only=np.arange(12.0))
    assert read(tmp_path / "b.npz").data.shape == (1, 12)


def test_all_arrays_of_an_npz_with_their_types(tmp_path):
    held = {"map": NUMBERS.astype("f4"), "planted": NUMBERS > 0, "names": np.array(["insula", "précuneus"])}
    np.savez(tmp_path / "a.npz", **held)
    arrays = read_arrays(tmp_path / "a.npz")
    assert list(arrays) == list(held)
    for name, array in held.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
    with pytest.raises(FileProblem, match="it holds 636 bytes, 600 bytes at most"):
        read_arrays(tmp_path / "a.npz", 600)


def test_arrays_of_strangers_are_held_against_the_same_limits(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(FileProblem, match="Python objects"):
        read_arrays(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 9, 9, 2**31, 0, 0))
    with pytest.raises(FileProblem, match=r"table of contents has 2\.15 GB"):
        read_arrays(tmp_path / "b.npz")


def test_values_beyond_float32(tmp_path):
    np.save(tmp_path / "a.npy", np.array([1.0, -1e39]))
    with pytest.raises(FileProblem, match=r"values up to 1e\+39, beyond 3.4e38"):
        read(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.array([1.0, np.inf, np.nan]))
    np.testing.assert_array_equal(read(tmp_path / "b.npy").data, [[1, np.inf, np.nan]])


@pytest.mark.real_data
def test_real_kspace_is_no_series_and_a_real_lfp_is(real_data):
    with pytest.raises(FileProblem, match="of type complex64, expected real"):
        read(real_data / "kspace" / "brain_8coils_cartesian.npy")
    lfp = read(real_data / "lfp" / "neurodsp" / "sample_data_2.npy", sampling_rate=1000)
    assert lfp.data.shape == (1, 150_000)
    np.testing.assert_array_equal(lfp.data[0], np.load(real_data / "lfp" / "neurodsp" / "sample_data_2.npy"))
