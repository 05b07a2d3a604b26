"""Label maps of new scans: on the scan's own grid, whatever its axes; and what is refused."""

import numpy as np
import pytest
from typer.testing import CliRunner

import neuroloom
from neuroloom.api import segment_files
from neuroloom.cli import app
from neuroloom.errors import NeuroloomError
from neuroloom.formats import read
from neuroloom.formats.nifti import write_nifti
from neuroloom.formats.tables import read_table
from neuroloom.metrics.overlap import dice, overlap
from neuroloom.recipe import Recipe
from neuroloom.scan import Scan

SHAPE, N = (18, 20, 17), 9
FILES = """
inputs:
  t1w: {kind: volume, files: "{participant_id}_T1w.nii.gz"}
  mask: {kind: labels, files: "{participant_id}_mask.nii.gz"}
"""
RECIPE = {
    "id": "balls", "title": "a bright ball", "source": "https://doi.org/10.1/test", "cohort": {"name": "user"},
    "inputs": {"t1w": [{"name": "to_ras"}], "mask": [{"name": "to_ras"}]}, "target": {"input": "mask"},
    "task": {"name": "segment", "classes": ["ball"]}, "sampling": {"name": "patches", "shape": [16, 16, 16]},
    "model": {"name": "unet3d", "inputs": ["t1w"], "widths": [4, 8]},
    "baselines": [{"name": "average_map", "inputs": ["t1w"]}],
    "training": {"epochs": 25, "batch_size": 4, "learning_rate": 0.02, "choose": "last"},
    "validation": {"folds": 3, "permutations": 0, "tune": 0.0},
}  # fmt: skip


def ball(seed):
    """Return a volume with a bright ball at a drawn place in noise, and its mask, 2 mm, away from the origin."""
    draw, place = np.random.default_rng(seed), np.indices(SHAPE)
    centre = draw.uniform(5, 12, size=3)[:, None, None, None]
    mask = ((place - centre) ** 2).sum(axis=0) < 16
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = [-30, 12, 5]
    volume = (draw.normal(size=SHAPE) + 3.0 * mask).astype(np.float32)
    return Scan(volume[None], "volume", {"affine": affine}), Scan(mask.astype(np.uint16), "labels", {"affine": affine})


def turned(scan):
    """Return the same scan stored with its axes in another order, two of them running the other way."""
    lead = scan.data.ndim - 3
    spatial = scan.data[..., ::-1, :, ::-1].transpose(*range(lead), *(lead + np.array([2, 0, 1])))
    n_i, _, n_k = scan.data.shape[-3:]
    back = np.array([[0, -1, 0, n_i - 1], [0, 0, 1, 0], [-1, 0, 0, n_k - 1], [0, 0, 0, 1.0]])
    return Scan(np.ascontiguousarray(spatial), scan.kind, {"affine": scan.geometry["affine"] @ back})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("balls")
    (folder / "data").mkdir()
    (folder / "data" / "cohort.yaml").write_text(FILES)
    for seed in range(N):
        for scan, suffix in zip(ball(seed), ("T1w", "mask"), strict=True):
            write_nifti(folder / "data" / f"p{seed}_{suffix}.nii.gz", scan)
    recipe = Recipe.model_validate(RECIPE)
    return neuroloom.run(recipe, folder / "data", out=folder / "run", cache=folder / "cache", jobs=1)


@pytest.mark.slow
def test_the_run_beats_what_the_others_maps_say(run):
    scores = {name: told["scores"]["dice"]["value"] for name, told in run.metrics["learners"].items()}
    assert scores["unet3d"] > 0.8 > scores["average_map"] + 0.2
    page = (run.folder / "report.html").read_text()
    assert "this is better than average_map" in run.metrics["sentence"]
    assert ">Ball<" in page


@pytest.mark.slow
def test_the_label_map_lies_on_the_scans_own_grid_whatever_its_axes(run, tmp_path):
    scan, mask = ball(99)
    write_nifti(tmp_path / "plain.nii.gz", scan)
    write_nifti(tmp_path / "other.nii.gz", turned(scan))
    told = segment_files(run.folder, [tmp_path / "plain.nii.gz", tmp_path / "other.nii.gz"], tmp_path / "out")
    assert told["status"].tolist() == ["done", "done"]
    table = read_table(tmp_path / "out" / "volumes.tsv")
    plain, other = (read(tmp_path / "out" / f"{name}_dseg.nii.gz", kind="labels") for name in ("plain", "other"))
    assert dice(overlap(mask.data, plain.data, 2))[1] > 0.8
    np.testing.assert_array_equal(turned(plain).data, other.data)
    np.testing.assert_allclose(other.geometry["affine"], turned(scan).geometry["affine"])
    assert table["ball_ml"].tolist() == pytest.approx([(plain.data == 1).sum() * 0.008] * 2)
    assert table["sample_id"].tolist() == ["plain", "other"]


@pytest.mark.slow
def test_from_the_command_line(run, tmp_path):
    write_nifti(tmp_path / "plain.nii.gz", ball(99)[0])
    words = ["predict", str(run.folder), str(tmp_path / "plain.nii.gz")]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert "1 scans: 1 done" in done.output
    again = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out")])
    assert isinstance(again.exception, NeuroloomError)
    assert "it exists already" in str(again.exception)
    assert CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out"), "--force"]).exit_code == 0
    without = CliRunner().invoke(app, words)
    assert "name a folder for them with --out" in str(without.exception)


@pytest.mark.slow
def test_a_broken_scan_does_not_cost_the_others(run, tmp_path):
    for name in ("a", "b", "c"):
        write_nifti(tmp_path / f"{name}.nii.gz", ball(99)[0])
    words = ["predict", str(run.folder), *(str(tmp_path / f"{name}.nii.gz") for name in ("a", "b", "c"))]
    assert CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out")]).exit_code == 0
    (tmp_path / "b.nii.gz").write_bytes(b"no scan")
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out"), "--force"])
    assert done.exit_code == 1
    assert "3 scans: 2 done, 1 failed" in done.output
    assert "b.nii.gz" in done.output
    told = read_table(tmp_path / "out" / "scans.tsv").set_index("sample_id")
    assert told["status"].to_dict() == {"a": "done", "b": "failed", "c": "done"}
    assert str(tmp_path) not in told.loc["b", "reason"]
    assert read_table(tmp_path / "out" / "volumes.tsv")["sample_id"].tolist() == ["a", "c"]
    left = ["a_dseg.nii.gz", "c_dseg.nii.gz", "scans.tsv", "volumes.tsv"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == left


@pytest.mark.slow
def test_volumes_of_other_classes_are_not_mixed_in(run, tmp_path):
    write_nifti(tmp_path / "a.nii.gz", ball(99)[0])
    (tmp_path / "volumes.tsv").write_text("sample_id\tcube_ml\nx\t1.0\n")
    with pytest.raises(NeuroloomError, match="it holds cube_ml, and this run tells ball_ml"):
        segment_files(run.folder, [tmp_path / "a.nii.gz"], tmp_path)
    assert not (tmp_path / "a_dseg.nii.gz").exists()


@pytest.mark.slow
def test_what_cannot_be_answered(run, tmp_path):
    write_nifti(tmp_path / "a.nii.gz", ball(99)[0])
    (tmp_path / "b").mkdir()
    write_nifti(tmp_path / "b" / "a.nii.gz", ball(98)[0])
    out, file = tmp_path / "out", tmp_path / "a.nii.gz"
    with pytest.raises(NeuroloomError, match="does not look at scans"):
        segment_files(run.folder, [file], out, learner="average_map")
    with pytest.raises(NeuroloomError, match="there is no such file"):
        segment_files(run.folder, [tmp_path / "c.nii.gz"], out)
    with pytest.raises(NeuroloomError, match="several scans are called a"):
        segment_files(run.folder, [file, tmp_path / "b" / "a.nii.gz"], out)
    with pytest.raises(NeuroloomError, match="label maps, not with a table"):
        neuroloom.predict(run.folder, [file])
    assert not out.exists()
