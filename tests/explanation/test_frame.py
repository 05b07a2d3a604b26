"""Maps in one frame: edges counted once, regions found again by name."""

import numpy as np

from neuroloom.explanation.frame import Frame, common_affine, domain_of, joined, laid, placed, placed_mask


def test_an_edge_holds_what_both_triangles_do():
    values = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    np.testing.assert_array_equal(laid(values, "graph"), [[[1, 5], [5, 4]]])
    upper = np.triu(laid(values, "graph")[0])
    assert upper.sum() == values.sum()  # so that contributions still add up


def test_channels_and_time_points_are_added_up():
    assert laid(np.ones((2, 3, 4, 5, 6)), "volume").shape == (2, 4, 5, 6)
    assert laid(np.ones((2, 3, 4, 5, 6)), "volume")[0, 0, 0, 0] == 3
    series = np.ones((2, 3, 7))
    series[1, :, 4:] = np.nan  # a shorter series
    series[0] = np.nan  # not measured
    np.testing.assert_array_equal(laid(series, "series"), [[np.nan] * 3, [4, 4, 4]])


def test_a_series_by_window_has_one_value_for_all_regions_of_each():
    values = np.arange(12.0).reshape(1, 2, 6)  # regions 0..5 and 6..11
    np.testing.assert_array_equal(laid(values, "series", window=4), [[9.0, 15.0]])  # means of 6 8 10 12, and of 14 16


def test_regions_that_some_folds_dropped_are_found_by_name():
    one, two = Frame("graph", (2, 2), ("a", "c")), Frame("graph", (2, 2), ("b", "c"))
    frame, where = joined([one, two])
    assert frame.names == ("a", "c", "b")
    assert frame.shape == (3, 3)
    whole = placed(np.array([[1.0, 2.0], [2.0, 3.0]]), where[1], frame)
    expected = [[np.nan, np.nan, np.nan], [np.nan, 3, 2], [np.nan, 2, 1]]
    np.testing.assert_array_equal(whole, expected)
    assert placed_mask(np.ones((2, 2), bool), where[1], frame).sum() == 4


def test_scans_of_different_spaces_have_no_common_affine():
    here, there = np.eye(4), np.eye(4)
    there[0, 3] = 2.0
    assert common_affine([{"affine": here}, {"affine": there}]) is None
    assert common_affine([{"affine": here}, {}]) is None
    np.testing.assert_array_equal(common_affine([{"affine": here.tolist()}, {"affine": here}]), here)
    frames = [Frame("volume", (2, 2, 2), None, affine) for affine in (here, there)]
    assert joined(frames)[0].affine is None


def test_a_graph_is_compared_edge_by_edge_without_its_diagonal():
    assert domain_of(Frame("graph", (4, 4)), np.ones((4, 4), bool)).sum() == 6
