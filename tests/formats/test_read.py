"""`read` finds the reader, and says what is wrong before it opens anything."""

import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest

from neuroloom.errors import FileProblem
from neuroloom.formats import READERS, extension, known_arguments, read, stem
from neuroloom.formats.series import Meaning
from neuroloom.known import locate


@pytest.mark.parametrize("ending", READERS)
def test_every_reader_is_there_and_says_how_it_is_used(ending):
    reader = locate("format", READERS, ending)
    assert callable(reader)
    assert "Returns" in reader.__doc__ or "arguments are those" in reader.__doc__


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.nii", ".nii"),
        ("a.nii.gz", ".nii.gz"),
        ("A.NII.GZ", ".nii.gz"),
        ("b.mgz", ".mgz"),
        ("c.1d", ".1D"),
        ("x.y.csv", ".csv"),
        ("00042.IMA", ".ima"),
    ],
)
def test_longest_ending_wins_in_any_case(name, ending):
    assert extension(name) == ending


def test_unknown_ending_names_the_known_ones():
    with pytest.raises(FileProblem, match=r"scan\.img: no reader for files that end in '\.img'\..*\.nii, \.nii\.gz"):
        extension("scan.img")
    with pytest.raises(FileProblem, match=r"\(nothing\)"):
        extension("README")


def test_a_folder_is_read_as_dicom(tmp_path):
    assert extension(tmp_path) == ".dcm"
    assert known_arguments(tmp_path) == ["series"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("sub-01_T1w.nii.gz", "sub-01_T1w"),
        ("a.b.NII", "a.b"),
        ("norm.mgz", "norm"),
        ("IM.dcm", "IM"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_stem_is_the_name_without_its_ending(tmp_path, file, name):
    (tmp_path / file).write_bytes(bytes(128) + b"DICM")
    assert stem(tmp_path / file) == name


def test_stem_is_the_links_own_name(tmp_path):
    (tmp_path / "MD5-0815.nii.gz").write_bytes(b"content of git-annex")
    (tmp_path / "sub-01_T1w.nii.gz").symlink_to(tmp_path / "MD5-0815.nii.gz")
    assert stem(tmp_path / "sub-01_T1w.nii.gz") == "sub-01_T1w"


def test_stem_of_a_folder_is_its_name(tmp_path, monkeypatch):
    (tmp_path / "anna.s").mkdir()
    monkeypatch.chdir(tmp_path / "anna.s")
    assert stem(".") == stem(tmp_path / "anna.s") == "anna.s"


def test_unknown_argument_names_the_file_and_the_closest_one(tmp_path):
    with pytest.raises(FileProblem, match=r"a\.csv: Unknown argument of a \.csv file: 'axis'. Did you mean 'axes'?"):
        read(tmp_path / "a.csv", axis=["time", "region"])


def test_unknown_and_unfitting_kinds(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 4)))
    with pytest.raises(FileProblem, match="Did you mean 'series'"):
        read(tmp_path / "a.npy", kind="serie")
    with pytest.raises(FileProblem, match="hold series, graph, table; volume was asked"):
        read(tmp_path / "a.npy", kind="volume")


def test_missing_file_names_its_neighbour(tmp_path):
    (tmp_path / "sub-01_bold.csv").write_text("1,2\n")
    with pytest.raises(FileProblem, match=r"no such file. Did you mean 'sub-01_bold.csv'"):
        read(tmp_path / "sub-01_bild.csv")
    with pytest.raises(FileProblem, match="Nor is there a folder"):
        read(tmp_path / "absent" / "a.csv")


def test_failing_disk_is_the_users_to_read(tmp_path, monkeypatch):
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.float32), np.eye(4)), tmp_path / "a.nii")

    def failing(*_, **__):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("neuroloom.formats.nifti.volume.read_voxels", failing)
    with pytest.raises(FileProblem, match=r"a\.nii: reading it failed: Input/output error"):
        read(tmp_path / "a.nii")


def test_table_of_readers_imports_no_reader():
    heavy = ("nibabel", "scipy", "pandas", "torch", "yaml")
    code = f"import sys, neuroloom.formats; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("a.1D", ["axes", "sampling_rate", "sampling_period", "symmetric", "measure", "unit", "events", "event_label"]),
        (
            "a.npz",
            [
                "variable",
                "axes",
                "sampling_rate",
                "sampling_period",
                "symmetric",
                "measure",
                "unit",
                "events",
                "event_label",
            ],
        ),
        ("a.nii", ["orientation", "sampling_rate", "sampling_period"]),
    ],
)
def test_what_an_array_means_is_told_word_by_word(name, known):
    assert known_arguments(name) == known


def test_a_meaning_makes_the_scan_that_reading_makes(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6.0).reshape(3, 2))
    meaning = Meaning(axes=["time", "region"], sampling_period=0.5)
    one = meaning.scan("a.npy", np.arange(6.0).reshape(3, 2), None)
    other = read(tmp_path / "a.npy", axes=["time", "region"], sampling_period=0.5)
    assert one.data.tolist() == other.data.tolist() == [[0, 2, 4], [1, 3, 5]]
    assert one.geometry == other.geometry == {"sampling_rate": 2.0}
