"""What is opened, believed and allocated."""

import json
import os
from types import SimpleNamespace

import numpy as np
import pytest

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats import limits, read


def test_memory_is_asked_before_it_is_taken(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", np.zeros((1000, 100)))
    monkeypatch.setattr(limits, "available_memory", lambda: 500_000)
    with pytest.raises(FileProblem, match=r"a\.npy: its array needs 800 kB of memory; 500 kB are free"):
        read(tmp_path / "a.npy", axes=["time", "region"])


def test_memory_of_a_container_counts(monkeypatch):
    files = {"memory.max": "1000\n", "memory.current": "700\n"}
    files["memory.stat"] = "anon 300\nfile 400\ninactive_file 200\nactive_file 100\n"
    monkeypatch.setattr(limits.Path, "read_text", lambda path: files[path.name])
    monkeypatch.setattr(limits.psutil, "virtual_memory", lambda: SimpleNamespace(available=10_000))
    assert limits.available_memory() == 600
    files["memory.max"] = "max\n"
    assert limits.available_memory() == 10_000
    files["memory.max"], files["memory.current"] = "1000\n", "1500\n"
    assert limits.available_memory() == 0


@pytest.mark.parametrize(
    ("n_bytes", "words"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (2_500_000, "2.5 MB"), (4e13, "40 TB")]
)
def test_sizes_in_words(n_bytes, words):
    assert limits.in_words(n_bytes) == words


def test_an_empty_mask_is_no_bomb(tmp_path):
    """256 x 256 x 256 zeros of float64 pack at 1000:1 and must stay readable; ten times as many are refused."""
    limits.check_declared("mask.nii.gz", 8 * 256**3, 8 * 256**3 // 1000)
    with pytest.raises(FileProblem, match="unpack"):
        limits.check_declared("mask.nii.gz", 80 * 256**3, 80 * 256**3 // 1000)
    with pytest.raises(FileProblem, match="can hold"):
        limits.check_declared("mask.nii.gz", 1033, 1)


@pytest.mark.parametrize("path", ["a.nii", "sub-01/anat/a.nii", "./a.nii", "a..b.nii", "..a/b.nii", "a b/ü.nii"])
def test_paths_under_the_folder(tmp_path, path):
    assert limits.inside(tmp_path, path) == (tmp_path / path).resolve()


@pytest.mark.parametrize(
    "path",
    [
        "../a",
        "a/../../b",
        "a/..",
        "/etc/passwd",
        "~/a",
        "~root/a",
        "C:\\a",
        "C:a",
        "\\\\server\\a",
        "a\\..\\..\\b",
        "",
        " ",
        "a\0b",
        "a\nb",
    ],
)
def test_paths_that_lead_out(tmp_path, path):
    with pytest.raises(NeuroloomError):
        limits.inside(tmp_path, path)


def test_links_may_stay_inside_but_not_lead_out(tmp_path):
    root, other = tmp_path / "data", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    (root / "objects").mkdir()
    (root / "objects" / "a.nii").write_bytes(b"x")
    (root / "a.nii").symlink_to("objects/a.nii")  # as DataLad does
    (root / "out").symlink_to(other)
    (tmp_path / "alias").symlink_to(root)
    assert limits.inside(tmp_path / "alias", "a.nii") == root / "objects" / "a.nii"
    with pytest.raises(FileProblem, match="leads out of the data folder"):
        limits.inside(root, "out/b.nii")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1", "''=1", "|cmd", "\n=1"])
def test_formulas_are_escaped_and_come_back(text):
    written = limits.escape_cell(text)
    assert written == "'" + text
    assert limits.unescape_cell(written) == text


@pytest.mark.parametrize("text", ["sub-01", "", "'quoted'", "a=b", "1", "O'Neill", "'"])
def test_other_text_is_left_alone(text):
    assert limits.escape_cell(text) == text
    assert limits.unescape_cell(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1.0e-3", 1e-3),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("+7", 7),
        ("0", 0),
        ("007", "007"),
        ("007.5", "007.5"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2020-01-31", "2020-01-31"),
        ("true", True),
        ("False", False),
        ("y", "y"),
        ("null", None),
        ("~", None),
        ("", None),
        (".inf", float("inf")),
        ("[1, [2, {a: b}]]", [1, [2, {"a": "b"}]]),
        ("{1: M, 2: F}", {1: "M", 2: "F"}),
        ("'no'", "no"),
        ("<<: 1", {"<<": 1}),
        ("on: 1", {"on": 1}),
    ],
)
def test_yaml_means_what_it_says(text, value):
    loaded = limits.load_yaml(text)
    assert loaded == value
    assert type(loaded) is type(value)


@pytest.mark.parametrize("word", ["yes", "No", "ON", "off"])
def test_yaml_asks_what_half_truths_mean(word):
    with pytest.raises(NeuroloomError, match=f"recipe: line 1, column 10: {word} may be text or a truth"):
        limits.load_yaml(f"detrend: {word}", "recipe")
    assert limits.load_yaml(f"detrend: '{word}'") == {"detrend": word}


def test_yaml_from_a_file_names_file_line_and_column(tmp_path):
    path = tmp_path / "cohort.yaml"
    path.write_text("table: a.csv\ncolumns: {age: [}\n")
    with pytest.raises(FileProblem, match=r"cohort\.yaml: line 2, column 17: "):
        limits.load_yaml(path, "cohort file")
    path.write_text("table: ü.csv\r\nseed: 1\r\n", encoding="utf-8-sig")
    assert limits.load_yaml(path) == {"table": "ü.csv", "seed": 1}


def test_yaml_text_is_bounded():
    with pytest.raises(NeuroloomError, match=r"--set: more than 1.05 MB of YAML"):
        limits.load_yaml("a" * (1024**2 + 1), "--set")


def test_json_is_read_bounded(tmp_path):
    path = tmp_path / "bold.json"
    told = {"RepetitionTime": 2.0, "SliceTiming": [0, 0.5], "none": None, "deep": [[[{}]]]}
    path.write_text(json.dumps(told), encoding="utf-8-sig")
    assert limits.read_json(path) == told
    path.write_text("[" * 30 + "]" * 30)
    limits.read_json(path)
    path.write_text("[" * 31 + "]" * 31)
    with pytest.raises(FileProblem, match="nested deeper than 30"):
        limits.read_json(path)


def test_arrays_are_read_to_the_last_byte(tmp_path):
    values = np.arange(24, dtype="<i2").reshape(2, 3, 4)
    path = tmp_path / "raw"
    path.write_bytes(values.tobytes(order="F"))
    with open(path, "rb") as stream:
        np.testing.assert_array_equal(limits.read_array(stream, (2, 3, 4), values.dtype, path, order="F"), values)
    with open(path, "rb") as stream, pytest.raises(FileProblem, match="cut: 50 bytes of data declared, 48 bytes found"):
        limits.read_array(stream, (25,), values.dtype, path)


def test_memory_that_the_system_refuses(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise MemoryError

    path = tmp_path / "raw"
    path.write_bytes(bytes(8))
    monkeypatch.setattr(limits.np, "empty", refused)
    with open(path, "rb") as stream, pytest.raises(FileProblem, match="no memory for 8 bytes"):
        limits.read_array(stream, (8,), np.dtype("u1"), path)


def test_text_counts_lines_of_bad_bytes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("a,b\r\n1,2\r\né,3\r\n".encode("latin-1"))
    with pytest.raises(FileProblem, match="line 3 has the byte 0xe9"):
        limits.read_text(path, 1000)
    with pytest.raises(FileProblem, match="it has 15 bytes, but a table may have 10 bytes at most"):
        limits.read_text(path, 10, "table")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_the_right_to_read(tmp_path):
    (tmp_path / "a.csv").write_text("1,2\n")
    (tmp_path / "a.csv").chmod(0)
    with pytest.raises(FileProblem, match="you may not read it"):
        read(tmp_path / "a.csv")
