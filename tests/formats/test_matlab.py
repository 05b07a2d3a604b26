"""MATLAB's files: the same numbers as SciPy's, by the name of the variable."""

import sys

import numpy as np
import pytest
import scipy.io

from neuroloom.errors import FileProblem
from neuroloom.formats import read

NUMBERS = np.random.default_rng(0).standard_normal((12, 3))
TIME_FIRST = ["time", "region"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?"])
def test_numbers_are_those_saved(tmp_path, packed, dtype):
    values = np.abs(NUMBERS * 50).astype(dtype)
    scipy.io.savemat(tmp_path / "a.mat", {"x": values, "other": {"a": 1}}, do_compression=packed)
    scan = read(tmp_path / "a.mat", variable="x", axes=TIME_FIRST, sampling_rate=20)
    np.testing.assert_array_equal(scan.data, values.T.astype(np.float32))
    assert scan.geometry == {"sampling_rate": 20.0}


def test_doubles_that_matlab_stored_as_bytes(tmp_path):
    """MATLAB keeps whole doubles in the smallest type that holds them; class and stored type then differ."""
    scipy.io.savemat(tmp_path / "a.mat", {"x": np.arange(16, dtype="u1").reshape(4, 4)})
    content = bytearray((tmp_path / "a.mat").read_bytes())
    assert content[144] == 9  # class uint8
    content[144] = 6  # class double, stored as uint8 ("MAT-File Format", table 1-3)
    (tmp_path / "a.mat").write_bytes(content)
    scan = read(tmp_path / "a.mat", axes=TIME_FIRST)
    np.testing.assert_array_equal(scan.data, np.arange(16).reshape(4, 4).T)


def test_big_endian_files(tmp_path):
    """Written by hand: SciPy writes the machine's own order alone."""

    def element(kind, data):
        return np.array([kind, len(data)], ">u4").tobytes() + data + bytes(-len(data) % 8)

    flags = element(6, bytes([0, 0, 0, 6, 0, 0, 0, 0]))
    shape, name = element(5, np.array([3, 2], ">i4").tobytes()), element(1, b"x")
    numbers = element(9, np.arange(6, dtype=">f8").tobytes())
    content = b"MATLAB 5.0".ljust(124) + b"\1\0MI" + element(14, flags + shape + name + numbers)
    (tmp_path / "a.mat").write_bytes(content)
    assert read(tmp_path / "a.mat", axes=TIME_FIRST).data.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_long_names_and_many_variables(tmp_path):
    held = {f"{'v' * 25}_{i}": np.full((2, 3), i) for i in range(50)}
    scipy.io.savemat(tmp_path / "a.mat", held)
    assert (read(tmp_path / "a.mat", variable="v" * 25 + "_37", axes=TIME_FIRST).data == 37).all()
    with pytest.raises(FileProblem, match=r"It holds v+_0 \(2, 3\), .* and 42 more. Name it with variable"):
        read(tmp_path / "a.mat", axes=TIME_FIRST)


def test_three_axes_are_no_series(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"x": np.zeros((4, 5, 6))})
    with pytest.raises(FileProblem, match=r"3 axes \(4, 5, 6\), but a series has two"):
        read(tmp_path / "a.mat", axes=TIME_FIRST)


def test_other_kinds(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"x": np.eye(4)})
    np.testing.assert_array_equal(read(tmp_path / "a.mat", kind="graph").data, np.eye(4))


def test_version_73_needs_h5py(tmp_path, monkeypatch):
    (tmp_path / "a.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(1024))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(FileProblem, match=r"a\.mat: .*pip install h5py; or: Save it in MATLAB with save"):
        read(tmp_path / "a.mat")


@pytest.fixture
def hdf5(tmp_path):
    """Return a function that writes a .mat file of version 7.3 as MATLAB does, its axes in reverse."""
    h5py = pytest.importorskip("h5py", reason="MATLAB 7.3 files need h5py")

    def write(fill):
        path = tmp_path / "a.mat"
        with h5py.File(path, "w", userblock_size=512) as file:
            fill(file)
        with open(path, "r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")
        return path

    return write


def test_version_73_numbers(hdf5):
    def fill(file):
        file.create_dataset("x", data=NUMBERS.T, compression="gzip")
        file.create_group("#refs#")

    path = hdf5(fill)
    np.testing.assert_array_equal(read(path, axes=TIME_FIRST).data, NUMBERS.T.astype(np.float32))


@pytest.mark.parametrize("place", ["link", "storage", "virtual"])
def test_version_73_numbers_in_another_file_are_refused(hdf5, tmp_path, place):
    import h5py

    def fill(file):
        if place == "link":
            file["x"] = h5py.ExternalLink("/etc/other.h5", "/x")
        elif place == "storage":
            file.create_dataset("x", (4, 4), "f8", external=[("/etc/passwd", 0, 128)])
        else:
            layout = h5py.VirtualLayout((4, 4), "f8")
            layout[:] = h5py.VirtualSource("/etc/other.h5", "x", (4, 4))
            file.create_virtual_dataset("x", layout)

    with pytest.raises(FileProblem, match=r"a\.mat: (variable 'x' is a link|the numbers of 'x' lie in another file)"):
        read(hdf5(fill), variable="x", axes=TIME_FIRST)


def test_version_73_that_declares_more_than_it_holds(hdf5):
    path = hdf5(lambda file: file.create_dataset("x", (10**6, 10**6), "f8", chunks=(1000, 1000)))
    with pytest.raises(FileProblem, match="declares 8 TB, more than"):
        read(path, axes=TIME_FIRST)


def test_version_73_structs_are_no_numbers(hdf5):
    path = hdf5(lambda file: file.create_group("x"))
    with pytest.raises(FileProblem, match="'x' is no array of real numbers"):
        read(path, axes=TIME_FIRST)


@pytest.mark.parametrize("number_class", ["char", "cell", "struct", "function_handle"])
def test_version_73_of_other_classes_is_refused(hdf5, number_class):
    def fill(file):
        file.create_dataset("x", data=np.array([[104, 105]], "u2")).attrs["MATLAB_class"] = np.bytes_(number_class)

    with pytest.raises(FileProblem, match=f"'x' is of MATLAB's class {number_class}, .* Save the numbers themselves"):
        read(hdf5(fill), axes=TIME_FIRST)


def test_version_73_empty_arrays_are_refused(hdf5):
    def fill(file):
        dataset = file.create_dataset("x", data=np.array([0, 5], "u8"))  # the shape, as MATLAB stores it
        dataset.attrs["MATLAB_class"], dataset.attrs["MATLAB_empty"] = np.bytes_("double"), np.uint8(1)

    with pytest.raises(FileProblem, match="'x' is an empty array"):
        read(hdf5(fill), axes=TIME_FIRST)


def test_version_73_numbers_say_their_class(hdf5):
    def fill(file):
        file.create_dataset("x", data=NUMBERS.T).attrs["MATLAB_class"] = np.bytes_("double")

    np.testing.assert_array_equal(read(hdf5(fill), axes=TIME_FIRST).data, NUMBERS.T.astype(np.float32))


@pytest.mark.real_data
def test_real_spikes_need_their_name(real_data):
    path = real_data / "spikes" / "m1_reaching.mat"
    with pytest.raises(
        FileProblem, match=r"It holds time \(1, 15536\), spikes \(171, 15536\), handVel .*variable: NAME"
    ):
        read(path, axes=["region", "time"])
    scan = read(path, variable="spikes", axes=["region", "time"], sampling_period=0.05)
    assert scan.data.shape == (171, 15_536)
    assert scan.geometry == {"sampling_rate": 20.0}
    np.testing.assert_array_equal(scan.data, scipy.io.loadmat(path)["spikes"].astype(np.float32))
    assert (scan.data >= 0).all()
    assert (scan.data == scan.data.round()).all()  # counts


@pytest.mark.real_data
def test_real_mat_files_are_scipys_or_say_what_they_are(real_data):
    paths = sorted(real_data.rglob("*.mat"))
    assert len(paths) > 150
    for path in paths[::5]:
        for name, shape, number_class in scipy.io.whosmat(path):
            if number_class in ("double", "single", "uint8", "int16") and len(shape) == 2 and min(shape) > 0:
                expected = scipy.io.loadmat(path, variable_names=[name])[name]
                if max(shape) > 1:
                    axes = TIME_FIRST if shape[0] > 1 else ["region", "time"]
                    data = read(path, variable=name, axes=axes).data
                    data = data.T if axes == TIME_FIRST else data
                    np.testing.assert_array_equal(data, expected.astype(np.float32))
            elif number_class == "cell":
                with pytest.raises(FileProblem, match="is a cell array, expected real numbers"):
                    read(path, variable=name)
