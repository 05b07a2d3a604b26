"""Shares of a map's strength by region."""

import numpy as np
import pytest

from neuroloom.atlases import coarse_regions
from neuroloom.explanation.frame import Frame
from neuroloom.explanation.regions import ELSEWHERE, by_region

AFFINE = np.array([[4.0, 0, 0, -70], [0, 4, 0, -104], [0, 0, 4, -60], [0, 0, 0, 1]])


def test_an_edge_is_shared_by_its_regions():
    matrix = np.zeros((3, 3))
    matrix[0, 1] = matrix[1, 0] = -3.0
    matrix[1, 2] = matrix[2, 1] = 1.0
    names, shares = by_region(matrix, Frame("graph", (3, 3), ("a", "b", "c")))
    assert names == ["a", "b", "c"]
    np.testing.assert_allclose(shares, [3 / 8, 4 / 8, 1 / 8])


def test_a_voxel_at_a_regions_centre_counts_for_it():
    frame = Frame("volume", (36, 44, 36), None, AFFINE)
    values = np.zeros(frame.shape)
    voxel = np.rint(np.linalg.inv(AFFINE) @ [*coarse_regions()["left_insula"].centre, 1])[:3].astype(int)
    values[tuple(voxel)] = -2.0
    shares = dict(zip(*by_region(values, frame), strict=True))
    assert max(shares, key=shares.get) == "left_insula"
    assert sum(shares.values()) == pytest.approx(1)


def test_shares_add_up_and_the_rest_is_told():
    frame = Frame("volume", (36, 44, 36), None, AFFINE)
    names, shares = by_region(np.ones(frame.shape), frame)
    assert names[-1] == ELSEWHERE
    assert shares.sum() == pytest.approx(1)
    assert shares[names.index("left_hippocampus")] == pytest.approx(shares[names.index("right_hippocampus")], rel=0.1)


def test_scans_outside_a_common_space_have_no_regions():
    assert by_region(np.ones((4, 4, 4)), Frame("volume", (4, 4, 4))) is None
    assert by_region(np.ones(5), Frame("table", (5,), tuple("abcde"))) is None
