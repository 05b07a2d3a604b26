"""The command: what it writes agrees with each other and with the scans, and what is wrong is said by name."""

import json
import sys

import matplotlib.image
import numpy as np
import pytest

from neuroloom import cli
from neuroloom.api import register_files
from neuroloom.errors import NeuroloomError
from neuroloom.formats import read
from neuroloom.formats.nifti import write_nifti
from neuroloom.registration.affine import distance
from neuroloom.scan import Scan
from neuroloom.simulators.t1w import simulate_t1w
from neuroloom.transforms.volume_grid import affine_of, resample_onto

pytest.importorskip("SimpleITK")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two visits of a head as files, a map of three labels in the second, and the map from first to second."""
    folder = tmp_path_factory.mktemp("scans")
    cohort = simulate_t1w(n_participants=1, native=True, seed=4, voxel_size=4.0, visits=2)
    first, second = (cohort.load("t1w", sample) for sample in cohort.samples)
    one, other = (cohort.inputs["t1w"].draw.pose(sample) for sample in cohort.samples)
    levels = np.digitize(second.data[0] / second.data.max(), (0.2, 0.4, 0.6)).astype(np.uint16)
    write_nifti(folder / "first.nii.gz", first)
    write_nifti(folder / "second.nii", second)
    write_nifti(folder / "second_dseg.nii.gz", Scan(levels, "labels", second.geometry))
    return folder, other @ np.linalg.inv(one)


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["neuroloom", *map(str, words)])
    with pytest.raises(SystemExit) as done:
        cli.main()
    return done.value.code


@pytest.mark.slow
def test_what_is_written_is_one_registration(files, tmp_path, monkeypatch, capsys):
    folder, true = files
    words = ["register", folder / "second.nii", folder / "first.nii.gz", "--out", tmp_path]
    words += ["--labels", folder / "second_dseg.nii.gz"]
    assert run(monkeypatch, *words) == 0
    assert "Look at the picture" in capsys.readouterr().err
    told = json.loads((tmp_path / "second_space-first.json").read_text())
    matrix = np.array(told["matrix"]["rows"])
    first = read(folder / "first.nii.gz")
    assert distance(matrix, true, first) < 0.4
    assert told["likeness"]["after"]["correlation_in_head"] > told["likeness"]["before"]["correlation_in_head"] + 0.1
    for name, kind in (("second.nii", "volume"), ("second_dseg.nii.gz", "labels")):  # moved by the matrix that is told
        source = read(folder / name, kind=kind)
        source = source.with_data(source.data, affine=np.linalg.inv(matrix) @ affine_of(source))
        expected = resample_onto(source, first.data.shape[1:], affine_of(first))
        written = read(tmp_path / f"{name.split('.')[0]}_space-first.nii.gz", kind=kind)
        np.testing.assert_allclose(written.data, expected.data, rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(affine_of(written), affine_of(first), atol=1e-4)
    picture = matplotlib.image.imread(tmp_path / "second_space-first.png")
    assert (picture[..., 0] - picture[..., 2] > 0.3).sum() > 1000  # edges are drawn, in orange
    assert run(monkeypatch, *words) == 1
    assert "it exists already" in capsys.readouterr().err


@pytest.mark.slow
def test_a_deformation_is_written_with_its_field(files, tmp_path):
    folder, _ = files
    told = register_files(folder / "second.nii", folder / "first.nii.gz", tmp_path, degrees="rigid", deformable=True)
    assert told["displacement"]["folded_share"] == 0
    low, _, high = told["displacement"]["jacobian_in_head_5_50_95_percent"]
    assert told["displacement"]["jacobian_smallest"] <= low < 1 < high <= told["displacement"]["jacobian_largest"]
    first, second = read(folder / "first.nii.gz"), read(folder / "second.nii")
    field = read(tmp_path / "second_space-first_displacement.nii.gz")
    assert field.data.shape[0] == 3
    matrix = np.array(told["matrix"]["rows"])
    second = second.with_data(second.data, affine=np.linalg.inv(matrix) @ affine_of(second))
    grid = first.data.shape[1:], affine_of(first)
    expected = resample_onto(second, *grid, resample_onto(field, *grid).data)
    written = read(tmp_path / "second_space-first.nii.gz")
    np.testing.assert_allclose(written.data, expected.data, rtol=1e-3, atol=1e-3 * expected.data.max())
    after, before = (told["likeness"][when]["mutual_information"] for when in ("after", "before"))
    assert after > before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"moving": "none.nii"}, r"none\.nii: there is no such file"),
        ({"degrees": "rigit"}, "Did you mean 'rigid'"),
        ({"labels": "elsewhere.nii.gz"}, r"elsewhere\.nii\.gz: 0% of its labels lie in the moving scan"),
        ({"labels": "empty.nii.gz"}, r"empty\.nii\.gz: it has no labels"),
        ({"labels": "second.nii"}, "it has the name of the moving scan"),
        ({"fixed": "flat.nii.gz"}, r"second\.nii to .*flat\.nii\.gz: The fixed scan has one value everywhere"),
    ],
)
def test_what_is_wrong_is_said_by_name(files, tmp_path, change, says):
    folder, _ = files
    far = np.diag([4.0, 4.0, 4.0, 1.0])
    far[:3, 3] = 5000
    write_nifti(folder / "elsewhere.nii.gz", Scan(np.ones((5, 5, 5), np.uint16), "labels", {"affine": far}))
    write_nifti(folder / "empty.nii.gz", Scan(np.zeros((5, 5, 5), np.uint16), "labels", {"affine": far}))
    write_nifti(folder / "flat.nii.gz", Scan(np.ones((1, 9, 9, 9), np.float32), "volume", {"affine": np.eye(4)}))
    told = {"moving": "second.nii", "fixed": "first.nii.gz", **change}
    paths = {what: folder / name for what, name in told.items() if what != "degrees"}
    with pytest.raises(NeuroloomError, match=says):
        register_files(paths.pop("moving"), paths.pop("fixed"), tmp_path, degrees=told.get("degrees"), **paths)
    assert list(tmp_path.iterdir()) == []


def registered(monkeypatch, folder, out, **told):
    """Register with an identity map in place of the search; return what is told."""

    def identity(_moving, fixed, _degrees, deformable, _names):
        still = fixed.with_data(np.zeros((3, *fixed.data.shape[1:]), np.float32))
        return np.eye(4), still if deformable else None

    monkeypatch.setattr("neuroloom.registration.register._found", identity)
    return register_files(folder / "second.nii", folder / "first.nii.gz", out, **told)


def test_what_an_earlier_registration_left_does_not_stay_beside_another(files, tmp_path, monkeypatch):
    folder, _ = files
    (tmp_path / "other_space-first.nii.gz").write_bytes(b"of another scan")
    told = registered(monkeypatch, folder, tmp_path, deformable=True, labels=folder / "second_dseg.nii.gz")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"other_space-first.nii.gz", *told["files"].values()}
    assert {"second_space-first_displacement.nii.gz", "second_dseg_space-first.nii.gz"} < names
    told = registered(monkeypatch, folder, tmp_path, force=True)
    assert {path.name for path in tmp_path.iterdir()} == {"other_space-first.nii.gz", *told["files"].values()}
    assert set(told["files"]) == {"scan", "record", "picture"}
    (tmp_path / "second_space-first.json").write_text('{"files": {"labels": "../x_space-first.nii.gz"}}')
    (tmp_path.parent / "x_space-first.nii.gz").write_bytes(b"of somebody else")
    registered(monkeypatch, folder, tmp_path, force=True)
    assert (tmp_path.parent / "x_space-first.nii.gz").exists()


def test_outside_of_what_was_seen_there_is_the_least_value_of_the_scan(files, tmp_path, monkeypatch):
    folder, _ = files
    second = read(folder / "second.nii")
    hounsfield = second.with_data(second.data / second.data.max() * 1000 - 1024, affine=affine_of(second) + shifted(40))
    write_nifti(tmp_path / "ct.nii", hounsfield)
    monkeypatch.setattr("neuroloom.registration.register._found", lambda *_: (np.eye(4), None))
    register_files(tmp_path / "ct.nii", folder / "first.nii.gz", tmp_path / "out")
    moved = read(tmp_path / "out" / "ct_space-first.nii.gz").data[0]
    first = read(folder / "first.nii.gz")
    to_moving = np.linalg.inv(affine_of(hounsfield)) @ affine_of(first)
    at = to_moving[:3, :3] @ np.indices(moved.shape).reshape(3, -1) + to_moving[:3, 3:]
    unseen = ((at < -2) | (at > np.array(hounsfield.data.shape[1:])[:, None] + 1)).any(axis=0).reshape(moved.shape)
    assert unseen.mean() > 0.05
    np.testing.assert_allclose(moved[unseen], hounsfield.data.min(), atol=1e-2)
    assert moved.min() >= hounsfield.data.min() - 1e-2


def shifted(mm):
    shift = np.zeros((4, 4))
    shift[:3, 3] = mm
    return shift


def test_files_without_an_ending_keep_their_name_and_readers_notes_are_told(files, tmp_path, monkeypatch, capsys):
    made = pytest.importorskip("made_dicom")
    folder, _ = files
    made.save(
        tmp_path / "IM0001", made.enhanced(made.planted(), made.oblique(), PhotometricInterpretation="MONOCHROME1")
    )
    monkeypatch.setattr("neuroloom.registration.register._found", lambda *_: (np.eye(4), None))
    out = tmp_path / "out"
    assert run(monkeypatch, "register", tmp_path / "IM0001", folder / "first.nii.gz", "--out", out) == 0
    told = json.loads((out / "IM0001_space-first.json").read_text())
    assert [note.split(":")[0] for note in told["notes"]] == ["IM0001"]
    assert "MONOCHROME1" in told["notes"][0]
    assert told["notes"][0] in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_told_before_the_work(files, monkeypatch):
    folder, _ = files
    monkeypatch.setattr("neuroloom.registration.register._found", None)
    with pytest.raises(NeuroloomError, match=r"first\.nii\.gz is a file, no folder"):
        register_files(folder / "second.nii", folder / "first.nii.gz", folder / "first.nii.gz" / "out")
