"""Volumes from the command line: numbers, people, references, earlier scans."""

import json

import numpy as np
import pandas as pd
import pytest
from phantom import HIPPOCAMPUS, LUMP_MM, grid, head, intensity, threshold_weights
from typer.testing import CliRunner

from neuroloom.anatomy import volumes as anatomy_volumes
from neuroloom.anatomy.answer import Answer, names_of_outputs
from neuroloom.anatomy.measures import structure_ml
from neuroloom.anatomy.prior import FALSE_ALARMS, changes
from neuroloom.anatomy.volumes import people_of, person_of
from neuroloom.cli import app
from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats.nifti import write_nifti
from neuroloom.formats.tables import read_table
from neuroloom.norms.fit import fit_norms
from neuroloom.scan import Scan
from neuroloom.scan_jobs import Job

SPHERE = 4 / 3 * np.pi * LUMP_MM**3 / 1000


@pytest.fixture
def thresholds(monkeypatch):
    monkeypatch.setattr(anatomy_volumes, "load_weights", lambda path: threshold_weights())


def command(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def reference(n=240):
    """Return norms of a hippocampus that is 8 % of the intracranial volume at all ages, with a spread of 0.5 %."""
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "participant_id": [f"s{i}" for i in range(n)],
            "age": draw.uniform(20, 90, n),
            "sex": draw.choice(["F", "M"], n),
        }
    )
    table[f"{HIPPOCAMPUS}_percent_of_icv"] = draw.normal(8, 0.5, n)
    return fit_norms(table, [f"{HIPPOCAMPUS}_percent_of_icv"], name="eight percent")


def test_a_scan_with_a_person_and_a_reference(thresholds, tmp_path):
    write_nifti(tmp_path / "sub-1_T1w.nii.gz", head(*grid()))
    reference().save(tmp_path / "norms.json")
    words = ("--age", 60, "--sex", "female", "--norms", tmp_path / "norms.json", "--out", tmp_path / "out")
    done = command("volumes", tmp_path / "sub-1_T1w.nii.gz", *words)
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "out" / "sub-1_volumes.json").read_text())
    hippocampus = next(one for one in told["structures"] if one["name"] == HIPPOCAMPUS)
    assert hippocampus["left_ml"] == pytest.approx(SPHERE, rel=0.15)
    assert hippocampus["right_ml"] < 1
    assert (told["age"], told["sex"], told["norms"]["name"], told["norms"]["n"]) == (60, "F", "eight percent", 240)
    place = hippocampus["percentile"]
    true = hippocampus["percent_of_icv"]  # about 5 %: six spreads below
    assert true < 6
    assert place["value"] < 1
    assert place["of"] == "percent_of_icv"
    np.testing.assert_allclose(place["curve"]["centiles"]["50"], 8, atol=0.25)
    row = read_table(tmp_path / "out" / "volumes.tsv").iloc[0]
    assert row["left_hippocampus_ml"] == pytest.approx(hippocampus["left_ml"])
    assert row["hippocampus_percent_of_icv"] == pytest.approx(true)
    assert row["intracranial_ml"] == pytest.approx(4 / 3 * np.pi * 62 * 78 * 64 / 1000, rel=0.05)
    page = (tmp_path / "out" / "sub-1_report.html").read_text()
    assert "eight percent" in page
    assert (tmp_path / "out" / "sub-1_view.html").exists()


def test_no_percentile_without_age(thresholds, tmp_path):
    write_nifti(tmp_path / "a.nii.gz", head(*grid()))
    reference().save(tmp_path / "norms.json")
    words = ("--sex", "F", "--norms", tmp_path / "norms.json", "--out", tmp_path / "out")
    done = command("volumes", tmp_path / "a.nii.gz", *words)
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "out" / "a_volumes.json").read_text())
    assert all(one["percentile"] is None for one in told["structures"])
    assert "age" in told["norms"]["reason"]


def on_both_sides(lump_mm):
    """Return a head with a lump left and one right: a structure that is not found on a side is not called changed."""
    mirror = np.array([-1.0, 1.0, 1.0])[:, None, None, None]
    return lambda points: np.maximum(intensity(points, lump_mm), intensity(mirror * points, lump_mm))


@pytest.mark.slow
def test_growth_since_an_earlier_scan_and_none(thresholds, tmp_path):
    moved = grid((2.4, 2.3, 2.8), (78, 92, 74), -5.0)
    write_nifti(tmp_path / "before.nii.gz", head(*grid(), on_both_sides(LUMP_MM)))
    write_nifti(tmp_path / "same.nii.gz", head(*moved, on_both_sides(LUMP_MM)))
    grown = head(*moved, on_both_sides(29.0))
    write_nifti(tmp_path / "grown.nii.gz", grown)
    found = {}
    for name in ("same", "grown"):
        words = ("--prior", tmp_path / "before.nii.gz", "--years", 2, "--out", tmp_path / "out")
        done = command("volumes", tmp_path / f"{name}.nii.gz", *words)
        assert done.exit_code == 0, done.output
        told = json.loads((tmp_path / "out" / f"{name}_volumes.json").read_text())["prior"]
        assert told["scan"] == "before"
        assert told["years"] == 2
        found[name] = {one["name"]: one for one in told["changes"]}
    assert not any(one["changed"] for one in found["same"].values())
    assert found["grown"][HIPPOCAMPUS]["changed"]
    expected = 200 * (29.0**3 - 25.0**3) / (29.0**3 + 25.0**3) / 2
    assert found["grown"][HIPPOCAMPUS]["percent_per_year"] == pytest.approx(expected, rel=0.25)
    assert not found["grown"]["thalamus"]["changed"]


def test_false_alarms_of_change_are_as_rare_as_is_said():
    """Brains that do not change, measured with the error that is told, which was itself seen in 16 pairs only."""
    draw, names = (
        np.random.default_rng(1),
        [name for name in names_of_outputs() if name.startswith(("left_", "right_"))],
    )
    alarms = 0
    for _ in range(600):
        pairs = draw.normal(0, 0.02, (16, 2, len(names)))
        percent = {}
        for base in {name.split("_", 1)[1] for name in names}:
            own = [n for n, name in enumerate(names) if name.endswith(f"_{base}")]
            means = 1 + pairs[:, :, own].mean(axis=2)
            percent[base] = float(100 * np.sqrt((((means[:, 0] - means[:, 1]) / means.mean(axis=1)) ** 2).mean() / 2))
        before, after = (dict(zip(names, 10 * (1 + draw.normal(0, 0.02, len(names))), strict=True)) for _ in range(2))
        alarms += any(one["changed"] for one in changes(before, after, 1.5, {"pairs": 16, "percent": percent}))
    assert alarms / 600 < FALSE_ALARMS + 3 * np.sqrt(FALSE_ALARMS * (1 - FALSE_ALARMS) / 600)
    assert alarms > 0


def test_people_of_a_table(tmp_path):
    jobs = [Job("sub-01_T1w", tmp_path), Job("sub-02_T1w", tmp_path), Job("other", tmp_path)]
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\tAge\tgender\nsub-01\t34.5\tmale\n02\t61\tF\n")
    found = people_of(path, jobs)
    assert (found["sub-01_T1w"].age, found["sub-01_T1w"].sex) == (34.5, "M")
    assert (found["sub-02_T1w"].age, found["sub-02_T1w"].sex) == (61, "F")
    assert "other" not in found
    path.write_text("participant_id\tage\nsub-09\t34\n")
    with pytest.raises(FileProblem, match="none of its rows is of a scan"):
        people_of(path, jobs)
    path.write_text("who\tage\nsub-01\t34\n")
    with pytest.raises(FileProblem, match="no column participant_id"):
        people_of(path, jobs)
    with pytest.raises(NeuroloomError, match="expected years between 0 and 120"):
        person_of(1974, None, "table: sub-01")
    with pytest.raises(NeuroloomError, match="sex is '3'"):
        person_of(34, "3", "table: sub-01")


def test_what_does_not_go_together(thresholds, tmp_path):
    for name in ("a", "b"):
        write_nifti(tmp_path / f"{name}.nii.gz", head(*grid((4.0, 4.0, 4.0), (50, 50, 46))))
    two = (tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", "--out", tmp_path / "out")
    assert "of one person, and 2 scans" in str(command("volumes", *two, "--age", 50).exception)
    assert "compared with one scan" in str(
        command("volumes", *two, "--prior", tmp_path / "a.nii.gz", "--years", 1).exception
    )
    one = (tmp_path / "a.nii.gz", "--out", tmp_path / "out")
    assert "Say it with --years" in str(command("volumes", *one, "--prior", tmp_path / "b.nii.gz").exception)
    assert "name that with --prior" in str(command("volumes", *one, "--years", 2).exception)
    assert not (tmp_path / "out").exists()


def test_volumes_count_borders_in_part_and_nothing_beyond_the_field_of_view():
    p = np.zeros((33, 4, 4, 4), dtype=np.float32)
    p[0], p[1] = 0.75, 0.25  # nowhere the likeliest
    inside = np.zeros((4, 4, 4), dtype=bool)
    inside[:, :, :2] = True
    answer = Answer(Scan(p, "volume", {"affine": np.diag([2.0, 2.0, 2.0, 1.0])}), inside)
    assert structure_ml(answer)[names_of_outputs()[1]] == pytest.approx(0.25 * 32 * 0.008)
