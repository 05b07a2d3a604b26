"""Chance for a place: exact where it can be counted, and honest on maps that know nothing."""

import itertools
from functools import partial

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import roc_auc_score

from neuroloom.explanation.chance import (
    auc,
    drawn_answers,
    exchanged_regions,
    exchanged_values,
    moved_masks,
    p_of,
    patterns,
)
from neuroloom.explanation.frame import Frame
from neuroloom.explanation.gradient import Gradient
from neuroloom.explanation.integrated_gradients import IntegratedGradients
from neuroloom.explanation.readings import ANSWER, MEAN, TRUTH
from neuroloom.explanation.weights import Weights

SHAPE = (14, 12, 10)


def test_auc_is_sklearns():
    rng = np.random.default_rng(0)
    values, mask = rng.integers(0, 6, 200).astype(float), rng.random(200) < 0.3
    assert auc(values, mask) == pytest.approx(roc_auc_score(mask, values))


def ball(centre, radius):
    where = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"))
    return ((where - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0) <= radius**2


def test_moved_masks_are_the_aucs_of_all_rolls():
    rng = np.random.default_rng(1)
    values, mask, domain = rng.random((4, 3, 5)), np.zeros((4, 3, 5), bool), np.ones((4, 3, 5), bool)
    mask[1:3, 1, 2:4] = True
    domain[0, 0] = False
    expected = []
    for move in itertools.product(range(4), range(3), range(5)):
        moved = np.roll(mask, move, axis=(0, 1, 2)) & domain
        if any(move) and moved.sum() >= 0.75 * mask.sum():
            expected.append(roc_auc_score(moved[domain], values[domain]))
    np.testing.assert_allclose(sorted(moved_masks(values, mask, domain)), sorted(expected), atol=1e-9)


def false_alarms(p):
    """Return the share of p below 0.05, and the most that chance allows where the true share is 0.05."""
    return np.mean(np.array(p) < 0.05), 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(p))


def test_smooth_volumes_that_know_nothing_are_rarely_taken_for_a_find():
    rng, mask, domain = np.random.default_rng(2), ball((4, 4, 4), 2.5) | ball((9, 4, 4), 2.5), ball((7, 6, 5), 8)
    p = []
    for _ in range(300):
        values = np.abs(gaussian_filter(rng.standard_normal(SHAPE), 1.5))
        p.append(p_of(auc(values[domain], mask[domain]), moved_masks(values * domain, mask, domain)))
    share, most = false_alarms(p)
    assert share <= most


def test_strong_regions_are_rarely_taken_for_planted_edges():
    rng, n = np.random.default_rng(3), 20
    edges, domain = np.zeros((n, n), bool), np.triu(np.ones((n, n), bool), k=1)
    for a, b in ((0, 1), (0, 2), (0, 3), (4, 5), (4, 6)):
        edges[a, b] = edges[b, a] = True
    p = []
    for number in range(300):
        of_region = rng.standard_normal(n) ** 2
        matrix = np.outer(of_region, of_region) + 0.1 * np.abs(rng.standard_normal((n, n)))
        matrix = matrix + matrix.T
        drawn = exchanged_regions(matrix, edges, domain, n_draws=200, seed=number)
        p.append(p_of(auc(matrix[domain], edges[domain]), drawn))
    share, most = false_alarms(p)
    assert share <= most


CASES = [(Gradient(), MEAN), (IntegratedGradients(), ANSWER), (IntegratedGradients(), TRUTH), (Weights(), MEAN)]


@pytest.mark.parametrize(("method", "reading"), CASES)
def test_features_that_hang_together_are_rarely_taken_for_a_find(method, reading):
    """Features in five blocks, of which one is planted; a linear learner has learned answers drawn at random."""
    rng, block = np.random.default_rng(4), np.repeat(np.arange(5), 8)
    mask, everywhere, p, naive = block == 0, np.ones(40, bool), [], []
    of_linear = partial(method.of_linear, frame=Frame("table", (40,)))
    exchanged = exchanged_values(mask, 200)
    for number in range(200):
        people = rng.standard_normal((50, 5))[:, block] + 0.5 * rng.standard_normal((50, 40))
        apart = people - people.mean(axis=0)
        weights = np.linalg.solve(apart.T @ apart + 500 * np.eye(40), apart.T @ rng.standard_normal(50))
        others = rng.standard_normal(50) @ apart if reading == TRUTH else patterns(weights[None], apart)[0]
        values = np.abs(of_linear(weights[None], others[None])[0])
        drawn = drawn_answers(people, of_linear, reading, mask, everywhere, 100, seed=number)
        p.append(p_of(auc(values, mask), drawn))
        naive.append(p_of(auc(values, mask), exchanged))
    share, most = false_alarms(p)
    assert share <= most
    assert false_alarms(naive)[0] > most  # values exchanged one by one would be taken in


def test_a_planted_place_is_found():
    rng, mask, domain = np.random.default_rng(5), ball((4, 4, 4), 2.5), np.ones(SHAPE, bool)
    values = np.abs(gaussian_filter(rng.standard_normal(SHAPE), 1.0)) + 0.3 * mask
    assert p_of(auc(values[domain], mask[domain]), moved_masks(values, mask, domain)) < 0.01
