"""Agreement: the two-way table of McGraw and Wong, and the example of Shrout and Fleiss."""

import numpy as np
import pytest

from neuroloom.metrics.agreement import icc

# Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420: six people, of four judges the first and the last
FIRST, LAST = np.array([9.0, 6, 8, 7, 10, 6]), np.array([8.0, 2, 6, 9, 7, 4])


def by_analysis_of_variance(x, y):
    """Return ICC(A,1) from the mean squares of rows, columns and error."""
    table = np.stack([x, y], axis=1)
    n, k, mean = len(x), 2, table.mean()
    rows = k * ((table.mean(axis=1) - mean) ** 2).sum() / (n - 1)
    columns = n * ((table.mean(axis=0) - mean) ** 2).sum() / (k - 1)
    residual = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + mean
    error = (residual**2).sum() / ((n - 1) * (k - 1))
    return (rows - error) / (rows + (k - 1) * error + k / n * (columns - error))


def test_it_is_that_of_the_analysis_of_variance():
    assert icc(FIRST, LAST) == pytest.approx(by_analysis_of_variance(FIRST, LAST), abs=1e-12)
    draw = np.random.default_rng(0)
    x = draw.normal(5, 2, 40)
    y = 0.7 * x + 3 + draw.normal(size=40)
    assert icc(x, y) == pytest.approx(by_analysis_of_variance(x, y), abs=1e-12)


def test_only_the_same_numbers_agree():
    assert icc(FIRST, FIRST) == pytest.approx(1.0)
    assert icc(FIRST, FIRST + 3) < icc(FIRST, FIRST + 1) < 1  # they correlate perfectly all the same
    assert icc(FIRST, 2 * FIRST) < 0.5
    assert icc(FIRST, np.full(6, 7.0)) == pytest.approx(0.0, abs=1e-12)  # all are told the same: no agreement
    assert np.isnan(icc(np.full(6, 7.0), FIRST))  # they do not differ: nothing to agree on


def test_of_many_people_it_is_the_share_of_the_variance_between_them():
    draw = np.random.default_rng(1)
    true = draw.normal(0, 2, 4000)
    x, y = true + draw.normal(size=4000), true + 0.5 + draw.normal(size=4000)
    share = 4 / (4 + 1 + 0.5**2 / 2)  # columns 0 and 0.5: variance 0.125 about their mean, n - 1 in its denominator
    assert icc(x, y) == pytest.approx(share, abs=4 * (1 - share**2) / np.sqrt(4000))
