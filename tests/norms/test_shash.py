"""The sinh-arcsinh law against closed forms and other libraries."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import kv

from neuroloom.norms import shash

LAWS = [(0.0, 0.0), (0.5, -0.3), (-1.2, 0.4), (0.8, 0.2)]  # skewness, log of delta


def parameters(skew, log_tail, median=1.5, log_scale=-0.4, n=1):
    return np.tile(np.array([[median], [log_scale], [skew], [log_tail]]), n)


def test_it_is_the_normal_law_without_skewness_and_with_plain_tails():
    y = np.linspace(-2, 5, 15)
    found = shash.log_density(y, parameters(0, 0, n=15))
    np.testing.assert_allclose(found, stats.norm(1.5, np.exp(-0.4)).logpdf(y), rtol=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_score_and_quantile_undo_each_other(law):
    z = np.linspace(-4, 4, 33)
    y = shash.quantile(z, parameters(*law, n=33))
    np.testing.assert_allclose(np.sinh(shash.arcsinh_score(y, parameters(*law, n=33))), z, atol=1e-10)


@pytest.mark.parametrize("law", LAWS)
def test_median_and_middle_68_percent_are_the_parameters(law):
    low, middle, high = shash.quantile(np.array([-1.0, 0.0, 1.0]), parameters(*law, n=3))
    assert middle == pytest.approx(1.5, abs=1e-12)
    assert (high - low) / 2 == pytest.approx(np.exp(-0.4), rel=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_the_density_integrates_to_the_share_below(law):
    def density(y):
        return float(np.exp(shash.log_density(np.array([y]), parameters(*law)))[0])

    ends = shash.quantile(np.array([-2.0, 1.0]), parameters(*law, n=2))
    assert quad(density, *ends)[0] == pytest.approx(stats.norm.cdf(1) - stats.norm.cdf(-2), abs=1e-8)


@pytest.mark.parametrize(("skew", "log_tail"), LAWS)
def test_the_mean_is_that_of_jones_and_pewsey(skew, log_tail):
    """Their standard law has E = sinh(eps / delta) P(1 / delta), P by Bessel functions (2009, section 2.2)."""
    delta = np.exp(log_tail)
    bessel = kv((1 / delta + 1) / 2, 0.25) + kv((1 / delta - 1) / 2, 0.25)
    theirs = np.sinh(skew / delta) * np.exp(0.25) / np.sqrt(8 * np.pi) * bessel
    law = parameters(skew, log_tail, median=0.0, log_scale=0.0)
    ours = quad(lambda z: shash.quantile(np.array([z]), law)[0] * stats.norm.pdf(z), -12, 12)[0]
    middle, one = np.sinh(skew / delta), np.sinh((np.arcsinh(1) + skew) / delta)
    other = np.sinh((np.arcsinh(-1) + skew) / delta)
    assert middle + ours * (one - other) / 2 == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("law", LAWS)
def test_derivatives_are_those_of_differences(law):
    y, step = np.linspace(-1, 4, 7), 1e-6
    at = parameters(*law, n=7)
    for function, found in (
        (shash.log_density, shash.gradient(y, at)),
        (shash.arcsinh_score, shash.arcsinh_score_gradient(y, at)),
    ):
        for place in range(4):
            moved = np.zeros_like(at)
            moved[place] = step
            measured = (function(y, at + moved) - function(y, at - moved)) / (2 * step)
            np.testing.assert_allclose(found[place], measured, rtol=1e-6, atol=1e-7)
    slope = (shash.arcsinh_score(y + step, at) - shash.arcsinh_score(y - step, at)) / (2 * step)
    np.testing.assert_allclose(shash.arcsinh_score_slope(y, at), slope, rtol=1e-6)


def test_the_curvature_is_minus_the_hessian():
    y, at, step = np.array([0.3, 2.0, 4.0]), parameters(0.5, -0.3, n=3), 1e-3
    found = shash.curvature(y, at)
    for i, j in ((0, 0), (1, 2), (3, 3), (0, 3)):
        a, b = np.zeros_like(at), np.zeros_like(at)
        a[i], b[j] = step, step
        f = [shash.log_density(y, at + p * a + q * b) for p, q in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
        np.testing.assert_allclose(found[i, j], -(f[0] - f[1] - f[2] + f[3]) / (4 * step**2), rtol=1e-4, atol=1e-4)


def test_absurd_values_have_no_density_and_no_noise():
    with np.errstate(all="raise"):
        assert shash.log_density(np.array([1e300]), parameters(0, 1.0))[0] == -np.inf
