"""Volumes from posteriors, by hand."""

import numpy as np
import pytest

from neuroloom.anatomy.answer import Answer, names_of_outputs
from neuroloom.anatomy.measures import measured, structure_ml, tissue_of
from neuroloom.anatomy.quality import confidence
from neuroloom.anatomy.weight_tests import variation
from neuroloom.scan import Scan


def volumes(**ml):
    return {name: ml.get(name, 0.0) for name in names_of_outputs()[1:]}


def test_a_voxel_on_the_border_counts_in_part():
    p = np.zeros((33, 4, 4, 4), dtype=np.float32)
    p[0] = 1
    stem = names_of_outputs().index("brain_stem")
    p[stem, 1, 1, 1], p[0, 1, 1, 1] = 1, 0
    p[stem, 1, 1, 2], p[0, 1, 1, 2] = 0.25, 0.75
    answer = Answer(Scan(p, "volume", {"affine": np.diag([2.0, 2.0, 2.0, 1.0])}), np.ones((4, 4, 4), bool))
    assert structure_ml(answer)["brain_stem"] == pytest.approx(1.25 * 0.008)


def test_sides_asymmetry_share_and_occupancy():
    told = measured(volumes(left_hippocampus=3.0, right_hippocampus=5.0, left_inferior_lateral_ventricle=1.0, csf=91.0))
    hippocampus = next(one for one in told["structures"] if one["name"] == "hippocampus")
    assert hippocampus["total_ml"] == 8
    assert hippocampus["asymmetry_percent"] == pytest.approx(-50)  # 100 (3 - 5) / 4
    assert hippocampus["percent_of_icv"] == pytest.approx(8)
    assert told["hippocampal_occupancy"] == {"left": 0.75, "right": 1.0, "total": pytest.approx(8 / 9)}
    assert told["tissues"] == {"grey_ml": 8, "white_ml": 0, "csf_ml": 92}
    assert told["brain_ml"] == 8
    assert told["intracranial_ml"] == 100
    fluid = next(one for one in told["structures"] if one["name"] == "csf")
    assert fluid["left_ml"] is None
    assert fluid["asymmetry_percent"] is None


def test_every_structure_has_a_tissue():
    assert {tissue_of(name) for name in names_of_outputs()[1:]} == {"grey", "white", "csf"}
    assert tissue_of("right_thalamus") == "grey"
    assert tissue_of("brain_stem") == "white"
    assert tissue_of("left_lateral_ventricle") == "csf"


def test_confidence_is_the_dice_that_calibrated_posteriors_give():
    draw = np.random.default_rng(0)
    p = draw.dirichlet([0.3, 0.2, 0.1], size=60_000).T.reshape(3, 30, 40, 50)
    truth = (draw.random(p.shape[1:]) > p.cumsum(axis=0)).sum(axis=0)
    answered = p.argmax(axis=0)
    true = [2 * ((truth == n) & (answered == n)).sum() / ((truth == n).sum() + (answered == n).sum()) for n in range(3)]
    np.testing.assert_allclose(confidence(p), true, atol=0.01)


def test_variation_of_pairs():  # within-pair standard deviation of 3 and 5 is 2 / sqrt 2, over their mean 4
    pairs = [(volumes(left_thalamus=3.0, right_thalamus=5.0), volumes(left_thalamus=5.0, right_thalamus=3.0))]
    with np.errstate(invalid="ignore"):
        found = variation(pairs)
    assert found["left_thalamus"] == pytest.approx(100 * 2 / np.sqrt(2) / 4)
    assert found["thalamus"] == 0
