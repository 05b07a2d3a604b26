"""Percentiles from bins beside numpy's of the values themselves."""

import numpy as np
import pytest

from neuroloom.live.latencies import Latencies


def counted(values):
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    return latencies


@pytest.mark.parametrize("n", [1, 2, 7, 5000])
@pytest.mark.parametrize("q", [0, 50, 99, 100])
def test_percentiles_are_numpys_within_a_step(n, q):
    values = np.random.default_rng(n).gamma(2.0, 0.004, n)  # s, all far below 1
    assert values.max() < 1
    assert counted(values).percentile(q) == pytest.approx(np.percentile(values, q), abs=1e-4)


def test_beyond_a_second_they_are_numpys_within_two_in_a_thousand():
    values = np.random.default_rng(0).uniform(1.0, 3600.0, 3000)
    latencies = counted(values)
    told = [latencies.percentile(q) for q in (1, 50, 99)]
    np.testing.assert_allclose(told, np.percentile(values, [1, 50, 99]), rtol=2.1e-3)  # ln(86400) / 5699 = 0.002


def test_what_took_longer_than_a_day_counts_as_a_day():
    assert counted([1e6, 1e7]).percentile(50) == pytest.approx(86400.0, rel=2.1e-3)


def test_memory_does_not_grow_with_what_is_counted():
    latencies = Latencies()
    size = latencies.counts.nbytes
    for value in np.random.default_rng(1).exponential(0.5, 20_000):
        latencies.add(value)
    assert latencies.n == latencies.counts.sum() == 20_000
    assert latencies.counts.nbytes == size < 200_000
