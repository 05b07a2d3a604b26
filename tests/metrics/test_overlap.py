import numpy as np

from neuroloom.metrics.overlap import dice, overlap


def test_voxels_are_counted_class_by_class():
    truth = np.array([[0, 1, 1], [2, 2, 2]])
    answer = np.array([[1, 1, 1], [2, 0, 2]])
    assert overlap(truth, answer, 4).tolist() == [[1, 1, 0], [2, 3, 2], [3, 2, 2], [0, 0, 0]]


def test_dice_is_twice_the_shared_over_the_sum():
    np.testing.assert_allclose(dice([[2, 3, 2], [3, 2, 2], [5, 0, 0]]), [0.8, 0.8, 0.0])


def test_of_what_is_not_there_nothing_is_said():
    assert np.isnan(dice([0, 7, 0]))


def test_agreement_with_the_definition_on_drawn_maps():
    draw = np.random.default_rng(0)
    truth, answer = draw.integers(3, size=(2, 6, 7, 8))
    for number, found in enumerate(dice(overlap(truth, answer, 3))):
        a, b = truth == number, answer == number
        assert found == 2 * (a & b).sum() / (a.sum() + b.sum())
