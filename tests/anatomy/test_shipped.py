"""The weights that ship: small enough, those of their card, and as good as the study says."""

import importlib.util
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

from neuroloom.anatomy.answer import Answerer, names_of_outputs
from neuroloom.anatomy.weight_card import SHIPPED, load_weights
from neuroloom.atlases.anatomy import base_name
from neuroloom.cli import app
from neuroloom.formats.tables import read_table

STUDY = Path(__file__).parents[2] / "studies" / "anatomy_accuracy"
SUBJECT = Path("t1w_with_labels") / "freesurfer_subject"


def test_they_fit_into_the_package_and_say_what_they_are():
    weights = load_weights()
    card, parameters = weights.card, sum(parameter.numel() for parameter in weights.network.parameters())
    assert SHIPPED.with_suffix(".safetensors").stat().st_size < 12e6
    assert parameters < 5.9e6
    assert not set(card["held_out"]) & set(card["learned_from"])
    assert len(card["held_out"]) == 4
    for key in ("data", "licence", "machine", "recipe", "limits", "steps"):
        assert card.get(key) or card["training"].get(key), key
    names = names_of_outputs()[1:]
    assert set(card["quality"]) == set(names)
    assert set(card["change"]["percent"]) == set(card["repeatability_percent"]) == {*names, *map(base_name, names)}


def study():
    spec = importlib.util.spec_from_file_location("anatomy_accuracy", STUDY.with_suffix(".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, json.loads(STUDY.with_suffix(".json").read_text())


@pytest.mark.slow
@pytest.mark.real_data
def test_dice_on_a_real_scan_is_what_the_study_says(real_data):
    module, told = study()
    weights = load_weights()
    assert told["weights"] == weights.card["sha256"][:12]
    found = module.freesurfer_subject(Answerer(weights), real_data / SUBJECT)
    assert found["mean"] == pytest.approx(told["real"]["freesurfer_subject"]["mean"], abs=0.01)
    assert found["brain_mask"] == pytest.approx(told["real"]["freesurfer_subject"]["brain_mask"], abs=0.01)


@pytest.mark.slow
@pytest.mark.real_data
def test_volumes_of_a_real_scan_from_the_command_line(real_data, tmp_path):
    scan = real_data / SUBJECT / "norm.mgz"
    done = CliRunner().invoke(app, ["volumes", str(scan), "--out", str(tmp_path), "--age", "60", "--sex", "F"])
    assert done.exit_code == 0, done.output
    truth = np.asarray(nib.load(real_data / SUBJECT / "aparc.a2009s+aseg.mgz").dataobj)
    row = read_table(tmp_path / "volumes.tsv").iloc[0]
    true = (truth == 10).sum() / 1000, (truth == 49).sum() / 1000  # ml of the thalami, voxels of 1 mm
    assert row["left_thalamus_ml"] == pytest.approx(true[0], rel=0.3)
    assert row["right_thalamus_ml"] == pytest.approx(true[1], rel=0.3)
    assert 1000 < row["brain_ml"] < 1500
    assert (tmp_path / "norm_report.html").exists()
