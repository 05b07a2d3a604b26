"""The place turned over the head: right as often as it says on maps that are as smooth as a head's, and a find is found."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.stats import binom

from neuroloom.explanation.chance import auc, directions, p_of, turned_masks


def cap(n=40, seed=0):
    """Return electrodes spread over the upper part of a sphere of 95 mm about a point above the origin."""
    number = np.arange(n) + 0.5
    height, angle = 1 - 1.2 * number / n, np.pi * (1 + 5**0.5) * number
    ring = np.sqrt(1 - height**2)
    return 0.095 * np.column_stack([ring * np.cos(angle), ring * np.sin(angle), height]) + [0.0, 0.01, 0.04]


def smooth_map(positions, n_columns, rng):
    """Return noise that is alike within 4 cm, and along the other axis."""
    apart = np.linalg.norm(positions[:, None] - positions, axis=-1)
    return gaussian_filter1d(
        np.exp(-0.5 * (apart / 0.04) ** 2) @ rng.standard_normal((len(positions), n_columns)), 2, 1, mode="wrap"
    )


def mask_of(positions, n_columns):
    near = np.linalg.norm(positions - positions[12], axis=1) < 0.045
    return near[:, None] & (np.arange(n_columns) // 6 == 1)


def test_electrodes_lie_on_the_sphere_that_fits_them():
    positions = cap()
    np.testing.assert_allclose(directions(positions) * 0.095 + [0.0, 0.01, 0.04], positions, atol=1e-9)


@pytest.mark.parametrize("n_columns", [1, 24])
def test_smooth_maps_that_know_nothing_are_called_a_find_one_time_in_twenty(n_columns):
    positions, rng, called = cap(), np.random.default_rng(0), 0
    mask = mask_of(positions, 24) if n_columns == 24 else mask_of(positions, 24).any(axis=1, keepdims=True)
    domain = np.ones(mask.shape, bool)
    for seed in range(120):
        strength = (
            np.abs(smooth_map(positions, n_columns, rng))
            if n_columns > 1
            else np.abs(smooth_map(positions, 24, rng)[:, :1])
        )
        drawn = turned_masks(strength, mask, domain, positions, n_draws=150, seed=seed)
        called += p_of(auc(strength[domain], mask[domain]), drawn) < 0.05
    assert called <= binom.ppf(0.999, 120, 0.05)


def test_maps_that_are_stronger_at_low_frequencies_are_no_find_there():
    """Moved along frequency, the place would be called found wherever maps are strong at all."""
    positions, rng, called = cap(), np.random.default_rng(0), {True: 0, False: 0}
    mask = np.roll(mask_of(positions, 24), -6, axis=1)  # the first six columns
    domain = np.ones(mask.shape, bool)
    for seed in range(120):
        strength = np.abs(smooth_map(positions, 24, rng)) * np.linspace(1, 0.1, 24)
        for moves in called:
            drawn = turned_masks(strength, mask, domain, positions, n_draws=100, seed=seed, moves=moves)
            called[moves] += p_of(auc(strength[domain], mask[domain]), drawn) < 0.05
    assert called[False] <= binom.ppf(0.999, 120, 0.05) < called[True], called


def test_a_map_that_is_strong_there_is_a_find_and_is_none_elsewhere():
    positions, rng = cap(), np.random.default_rng(1)
    mask = mask_of(positions, 24)
    strength, domain = np.abs(smooth_map(positions, 24, rng)), np.ones(mask.shape, bool)
    strength = strength / strength.std() + 4 * mask
    drawn = turned_masks(strength, mask, domain, positions)
    assert p_of(auc(strength[domain], mask[domain]), drawn) < 0.01
    elsewhere = np.roll(mask, 12, axis=1)
    drawn = turned_masks(strength, elsewhere, domain, positions)
    assert p_of(auc(strength[domain], elsewhere[domain]), drawn) > 0.05
