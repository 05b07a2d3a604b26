"""From many people's attributions to one map."""

import numpy as np

from neuroloom.cohort.target import Target
from neuroloom.explanation.readings import ANSWER, MEAN, TRUTH, read, truth_of

ANSWERS = np.array([-1.0, -1, 1, 1])
TRUTHS = np.array([0.0, 1, 0, 1])
VALUES = np.stack([ANSWERS, 3 * TRUTHS, np.full(4, 7.0)], axis=1)


def test_a_contribution_that_does_not_go_along_counts_nothing():
    np.testing.assert_allclose(read(ANSWER, VALUES, ANSWERS, TRUTHS), [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(read(TRUTH, VALUES, ANSWERS, TRUTHS), [0, 3, 0], atol=1e-12)
    np.testing.assert_allclose(read(MEAN, VALUES, ANSWERS, TRUTHS), [0, 1.5, 7])


def test_against_the_truth_is_the_difference_of_class_means():
    values, rng = np.random.default_rng(0).standard_normal((30, 2, 3)), np.random.default_rng(1)
    target = Target("dx", "class", rng.integers(3, size=30), ("a", "b", "c"))
    for number in range(3):
        inside = target.values == number
        expected = values[inside].mean(axis=0) - values[~inside].mean(axis=0)
        found = read(TRUTH, values, np.zeros(30), truth_of(target, np.arange(30), number))
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_where_nothing_differs_the_map_is_zero():
    assert not read(ANSWER, VALUES, np.ones(4), TRUTHS).any()
    assert not read(TRUTH, VALUES, ANSWERS, np.ones(4)).any()
