"""Many scans from the command line: files, a broken one among them, headers that lie."""

import json

import numpy as np
import pytest
from phantom import HIPPOCAMPUS, grid, head, intensity, threshold_weights
from typer.testing import CliRunner

from neuroloom.anatomy import scans as anatomy_scans
from neuroloom.anatomy.answer import Answerer, names_of_outputs
from neuroloom.anatomy.measures import structure_ml
from neuroloom.anatomy.orientation import doubt_of_header
from neuroloom.anatomy.quality import confidence, judged
from neuroloom.anatomy.scan_outputs import Segmented, file_names, tissue_maps
from neuroloom.cli import app
from neuroloom.errors import NeuroloomError
from neuroloom.formats import read
from neuroloom.formats.nifti import write_nifti
from neuroloom.formats.tables import read_table
from neuroloom.models import voxel_plan
from neuroloom.scan import Scan


@pytest.fixture
def thresholds(monkeypatch):
    monkeypatch.setattr(anatomy_scans, "load_weights", lambda path: threshold_weights())


def command(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_one_broken_scan_of_three(thresholds, tmp_path):
    write_nifti(tmp_path / "sub-1_T1w.nii.gz", head(*grid()))
    write_nifti(tmp_path / "sub-2_FLAIR.nii.gz", head(*grid((1.2, 1.2, 5.0), (130, 150, 36), 0.0)))
    (tmp_path / "broken.nii.gz").write_bytes((tmp_path / "sub-1_T1w.nii.gz").read_bytes()[:5000])
    names = ("sub-1_T1w.nii.gz", "broken.nii.gz", "sub-2_FLAIR.nii.gz")
    done = command("segment", *(tmp_path / name for name in names), "--out", tmp_path / "out", "--tissues")
    assert done.exit_code == 1
    assert "broken.nii.gz" in done.output
    assert "Traceback" not in done.output
    table = read_table(tmp_path / "out" / "scans.tsv").set_index("sample_id")
    assert table["status"].to_dict() == {
        "sub-1_T1w": "poor",
        "broken": "failed",
        "sub-2_FLAIR": "poor",
    }  # of 18 it finds 2
    labels = read(tmp_path / "out" / "sub-1_dseg.nii.gz", kind="labels")
    own = read(tmp_path / "sub-1_T1w.nii.gz")
    np.testing.assert_allclose(labels.geometry["affine"], own.geometry["affine"], atol=1e-5)
    assert set(np.unique(labels.data)) == {0, 2, 17, 41}
    brain = read(tmp_path / "out" / "sub-1_desc-brain_T1w.nii.gz").data[0]
    mask = read(tmp_path / "out" / "sub-1_desc-brain_mask.nii.gz", kind="labels").data
    np.testing.assert_array_equal(brain[mask > 0], own.data[0][mask > 0])
    assert not brain[mask == 0].any()
    grey, white = (read(tmp_path / "out" / f"sub-1_label-{key}_probseg.nii.gz").data for key in ("GM", "WM"))
    assert (grey + white).max() <= 1 + 1e-5
    assert grey[0][labels.data == 17].mean() > 0.9
    told = json.loads((tmp_path / "out" / "sub-1_quality.json").read_text())
    assert told["structures"]["thalamus"]["flag"] == "it was not found"
    assert told["window"] == "whole"
    assert str(tmp_path) not in (tmp_path / "out" / "scans.tsv").read_text()
    again = command("segment", tmp_path / "sub-1_T1w.nii.gz", "--out", tmp_path / "out")
    assert isinstance(again.exception, NeuroloomError)
    assert "it exists already" in str(again.exception)
    (tmp_path / "broken.nii.gz").write_bytes((tmp_path / "sub-1_T1w.nii.gz").read_bytes())
    mended = command("segment", *(tmp_path / name for name in names), "--out", tmp_path / "out", "--skip-done")
    assert mended.exit_code == 0
    assert "1 scans: 1 poor" in mended.output
    table = read_table(tmp_path / "out" / "scans.tsv").set_index("sample_id")
    assert table["status"].to_dict() == dict.fromkeys(("sub-1_T1w", "broken", "sub-2_FLAIR"), "poor")


def test_what_a_scan_left_goes_where_it_fails_when_done_anew(thresholds, tmp_path):
    write_nifti(tmp_path / "a.nii.gz", head(*grid()))
    assert command("segment", tmp_path / "a.nii.gz", "--out", tmp_path / "out").exit_code == 0
    (tmp_path / "a.nii.gz").write_bytes(b"broken")
    assert command("segment", tmp_path / "a.nii.gz", "--out", tmp_path / "out", "--force").exit_code == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["dseg.tsv", "scans.tsv"]


def test_a_fault_of_ours_does_not_cost_the_other_scans(thresholds, tmp_path, monkeypatch):
    for name in ("a", "b"):
        write_nifti(tmp_path / f"{name}.nii.gz", head(*grid()))
    ask, asked = Answerer.__call__, []

    def once(self, scan):
        asked.append(scan)
        if len(asked) == 1:
            raise RuntimeError("DefaultCPUAllocator: not enough memory")
        return ask(self, scan)

    monkeypatch.setattr(Answerer, "__call__", once)
    done = command("segment", tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "not enough memory" in done.output
    assert read_table(tmp_path / "out" / "scans.tsv")["status"].tolist() == ["failed", "poor"]


def test_ct_beyond_its_field_of_view_is_air():
    """Hounsfield units: air is -1000, and a head that is cut off must not go on in water."""
    affine, shape = grid((2.0, 2.0, 2.0), (84, 100, 56), 0.0)
    asked = Answerer(threshold_weights())
    units = {0.0: -1000.0, 0.3: -40.0, 0.6: 150.0, 1.0: 425.0}  # of the phantom's parts, as bright within the window
    plain = head(affine, shape)
    ct = plain.with_data(np.vectorize(lambda x: units[round(float(x), 1)])(plain.data).astype(np.float32))
    assert sum(structure_ml(asked(ct)).values()) == pytest.approx(sum(structure_ml(asked(plain)).values()), rel=0.05)


def test_scans_that_cannot_be_asked_about(thresholds, tmp_path):
    write_nifti(
        tmp_path / "empty.nii.gz",
        Scan(np.zeros((1, 40, 40, 40), np.float32), "volume", {"affine": np.diag([4.0, 4, 4, 1])}),
    )
    write_nifti(
        tmp_path / "flat.nii.gz",
        Scan(np.ones((1, 60, 60, 1), np.float32), "volume", {"affine": np.diag([3.0, 3, 3, 1])}),
    )
    done = command("segment", tmp_path / "empty.nii.gz", tmp_path / "flat.nii.gz", "--out", tmp_path / "out")
    assert done.exit_code == 1
    table = read_table(tmp_path / "out" / "scans.tsv").set_index("sample_id")
    assert "empty.nii.gz" in table.loc["empty", "reason"]
    assert "one value everywhere" in table.loc["empty", "reason"]
    assert table.loc["flat", "status"] == "failed"
    missing = command("segment", tmp_path / "none.nii.gz", "--out", tmp_path / "out2")
    assert "there is no such file" in str(missing.exception)


def test_too_little_memory_is_told_and_nothing_crashes(thresholds, tmp_path, monkeypatch):
    monkeypatch.setattr(voxel_plan, "available_memory", lambda: 50_000_000)
    write_nifti(tmp_path / "sub-1_T1w.nii.gz", head(*grid()))
    done = command("segment", tmp_path / "sub-1_T1w.nii.gz", "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    reason = read_table(tmp_path / "out" / "scans.tsv")["reason"][0]
    assert "sub-1_T1w.nii.gz: an answer for" in reason
    assert "50 MB are free" in reason


def test_a_field_of_view_that_ends_within_the_lump_is_told():
    affine, shape = grid((2.0, 2.0, 2.0), (84, 100, 90), 0.0)
    whole = head(affine, shape)
    cut = whole.with_data(
        whole.data[:, 26:], affine=affine @ np.array([[1, 0, 0, 26], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    )
    answerer = Answerer(threshold_weights())
    found = {}
    for name, scan in (("whole", whole), ("cut", cut)):
        found[name] = judged(answerer(scan), scan, answerer.weights.card["quality"])[1]
    assert found["whole"].get(HIPPOCAMPUS) is None or "field of view" not in found["whole"][HIPPOCAMPUS]
    assert found["cut"][HIPPOCAMPUS] == "the field of view ends within it"


def test_a_header_upside_down_is_told_and_nothing_turned():
    class KnowsUp:
        """Surer of a head whose bright lump is at the top."""

        def __call__(self, scan):
            weight = scan.data[0].sum(axis=(0, 1))
            up = (weight * np.arange(len(weight))).sum() / weight.sum() > len(weight) / 2
            p = np.full((33, 4, 4, 4), 0.1 if up else 0.9)
            p[1:] = (1 - p[0]) / 32
            p[np.arange(64) % 33, *np.unravel_index(np.arange(64), (4, 4, 4))] += 5 if up else 0.2
            return type("A", (), {"posteriors": scan.with_data(p / p.sum(axis=0))})

    asked, (affine, shape) = KnowsUp(), grid((4.0, 4.0, 4.0), (40, 46, 42), 0.0)
    upright = head(
        affine,
        shape,
        lambda p: intensity(p) + 2 * (((p - np.array([0, 0, 50])[:, None, None, None]) ** 2).sum(axis=0) < 400),
    )
    flipped = upright.with_data(np.ascontiguousarray(upright.data[..., ::-1]))
    sure = {
        name: float(confidence(asked(scan).posteriors.data)[1:].mean())
        for name, scan in (("up", upright), ("down", flipped))
    }
    assert doubt_of_header(asked, upright, sure["up"]) is None
    assert "top and bottom" in doubt_of_header(asked, flipped, sure["down"])


def test_names_of_files_are_those_of_bids_derivatives():
    names = file_names("sub-01_ses-2_acq-x_T1w")
    assert names["labels"] == "sub-01_ses-2_acq-x_dseg.nii.gz"
    assert names["brain"] == "sub-01_ses-2_acq-x_desc-brain_T1w.nii.gz"
    assert file_names("head")["brain"] == "head_desc-brain.nii.gz"


def test_tissue_maps_are_sums_of_posteriors():
    scan = head(*grid((2.0, 2.0, 2.0), (84, 100, 90), 0.0))
    answer = Answerer(threshold_weights())(scan)
    found = tissue_maps(Segmented.of(scan, answer))
    at = names_of_outputs().index(f"left_{HIPPOCAMPUS}")
    assert found["GM"].data.sum() * 0.008 == pytest.approx(answer.posteriors.data[at].sum() * answer.voxel_ml, rel=0.02)
    assert found["CSF"].data.max() < 0.01
