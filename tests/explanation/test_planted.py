"""The planted place on the grid, edges or features of a map."""

import numpy as np

from neuroloom.explanation.frame import Frame
from neuroloom.explanation.planted import mask_of_change, planted_place

FINE = np.diag([1.0, 1.0, 1.0, 1.0])
FINE[:3, 3] = [-20, -20, -20]


def ball(shape, affine, centre, radius):
    """Return the voxels whose centre lies within ``radius`` mm of a place."""
    voxels = np.indices(shape).reshape(3, -1)
    place = affine[:3, :3] @ voxels + affine[:3, 3:]
    return (np.linalg.norm(place - np.reshape(centre, (3, 1)), axis=0) <= radius).reshape(shape)


def test_a_mask_in_mm_is_found_on_a_coarse_grid_with_turned_axes():
    coarse = np.array([[-4.0, 0, 0, 18], [0, 0, 4, -18], [0, 4, 0, -18], [0, 0, 0, 1]])
    frame = Frame("volume", (10, 9, 8), None, coarse)
    mask = ball((41, 41, 41), FINE, (4, -3, 2), 9.0)
    place = planted_place({"maps": {"hippocampus": (FINE, mask.astype(np.float32))}}, "diagnosis", frame)
    expected = ball(frame.shape, coarse, (4, -3, 2), 9.0)
    np.testing.assert_array_equal(place.mask, expected)  # centres of coarse voxels lie on centres of fine ones
    assert place.text == "voxels of hippocampus"


def test_scans_without_a_common_space_have_no_planted_place():
    maps = {"ball": (FINE, ball((41, 41, 41), FINE, (0, 0, 0), 9.0))}
    assert planted_place({"maps": maps}, "diagnosis", Frame("volume", (10, 10, 10))) is None


def test_edges_by_name_and_dropped_regions_left_out():
    planted = {"edges": [("a", "c"), ("b", "c"), ("a", "gone")], "d": 0.7}
    place = planted_place(planted, "diagnosis", Frame("graph", (3, 3), ("a", "b", "c")))
    np.testing.assert_array_equal(place.mask, [[0, 0, 1], [0, 0, 1], [1, 1, 0]])
    assert place.effect
    assert not planted_place(planted | {"d": 0.0}, "diagnosis", Frame("graph", (3, 3), ("a", "b", "c"))).effect
    series = planted_place({"edges": [("a", "c")]}, "diagnosis", Frame("series", (4,), ("a", "b", "c", "d")))
    assert series.mask.tolist() == [True, False, True, False]


def test_slopes_are_compared_in_spreads_of_the_feature():
    names = ("a", "b", "c", "d")
    slopes = {"a": -0.2, "b": -0.1, "c": -0.1, "d": -0.2}
    place = planted_place({"slopes": slopes}, "age", Frame("table", (4,), names), np.array([2.0, 0.1, 0.1, 2.0]))
    assert place.mask.tolist() == [False, True, True, False]
    some = planted_place({"slopes": slopes | {"a": 0.0, "b": 0.0}}, "age", Frame("table", (4,), names))
    assert some.mask.tolist() == [False, False, True, True]
    assert planted_place({"slopes": dict.fromkeys(names, 0.0)}, "age", Frame("table", (4,), names)) is None


def test_an_effect_on_something_else_has_no_place():
    frame = Frame("table", (4,), ("a", "b", "c", "d"))
    planted = {"slopes": {"a": 1.0, "b": 1.0}}
    assert planted_place(planted, "sex", frame) is None
    assert planted_place(planted | {"target": "sex"}, "sex", frame).mask.tolist() == [True, True, False, False]


def test_real_cohorts_have_none():
    assert planted_place({}, "age", Frame("table", (4,), ("a", "b", "c", "d"))) is None


def test_half_of_a_change_lies_in_the_fewest_values():
    change = np.array([0.1, -4.0, 0.2, 3.0, 0.0, 0.5])  # 7.8 in all: 4 is just above half of it
    assert np.flatnonzero(mask_of_change(change, Frame("table", (6,)))).tolist() == [1]
    change[3] = 5.0  # 9.8 in all: 5 is half of it and more
    assert np.flatnonzero(mask_of_change(change, Frame("table", (6,)))).tolist() == [3]
    graph = np.array([[9.0, 1.0, 0.1], [1.0, 9.0, 0.2], [0.1, 0.2, 9.0]])
    np.testing.assert_array_equal(
        mask_of_change(graph, Frame("graph", (3, 3))), np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    )
    assert not mask_of_change(np.zeros(4), Frame("table", (4,))).any()
