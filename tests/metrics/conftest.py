"""Predictions drawn once, for the tests of every metric."""

import numpy as np
import pytest


@pytest.fixture
def two_classes():
    """Truth (n,) and probabilities (n, 2) with many ties."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 80)
    positive = np.round(np.clip(rng.normal(0.4 + 0.2 * truth, 0.2), 0.01, 0.99), 1)
    return truth, np.column_stack([1 - positive, positive])


@pytest.fixture
def three_classes():
    """Truth (n,) and probabilities (n, 3)."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 120)
    return truth, rng.dirichlet(np.ones(3), 120) * 0.7 + 0.3 * (truth[:, None] == np.arange(3))


@pytest.fixture
def numbers():
    """Truth and prediction (n,) in years, rounded so that there are ties."""
    rng = np.random.default_rng(2)
    truth = np.round(rng.uniform(20, 80, 90))
    return truth, np.round(0.6 * truth + 20 + 8 * rng.standard_normal(90))


@pytest.fixture
def copies():
    """How often each of n people is drawn, and the same as an index of copies."""

    def draw(n):
        weight = np.random.default_rng(3).integers(0, 4, n)
        return weight[None, :].astype(float), np.repeat(np.arange(n), weight)

    return draw
