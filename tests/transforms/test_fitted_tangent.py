import numpy as np
import pandas as pd
import pytest
from nilearn.connectome import ConnectivityMeasure
from scipy.linalg import logm, sqrtm

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.fitted_tangent import Tangent, geometric_mean
from neuroloom.transforms.series_covariance import connectivity


@pytest.fixture
def series():
    """Return series of 40 people, each with an own mixing of 10 regions, (person, region, time)."""
    rng = np.random.default_rng(0)
    mixing = np.eye(10) + 0.3 * rng.standard_normal((40, 10, 10))
    return mixing @ rng.standard_normal((40, 10, 120))


@pytest.fixture
def covariances(series):
    return np.array([connectivity(own, "ledoit_wolf") for own in series])


ROWS = pd.DataFrame(index=[f"sub-{n}" for n in range(40)])


def test_same_numbers_as_nilearn(series, covariances):
    expected = ConnectivityMeasure(kind="tangent")
    vectors = expected.fit_transform([own.T for own in series])
    tangent = Tangent().fit(covariances, ROWS)
    np.testing.assert_allclose(tangent.mean, expected.mean_, atol=1e-9)
    np.testing.assert_allclose(tangent.transform(covariances, ROWS), vectors, atol=1e-6)


def test_of_matrices_that_commute_the_mean_is_the_geometric_one():
    rng = np.random.default_rng(1)
    axes = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    values = rng.lognormal(size=(9, 6))
    mean, converged = geometric_mean((axes * values[:, None]) @ axes.T, tolerance=1e-14, max_iterations=100)
    assert converged
    np.testing.assert_allclose(mean, (axes * np.exp(np.log(values).mean(axis=0))) @ axes.T, rtol=1e-9, atol=1e-12)


def test_of_two_matrices_the_mean_lies_halfway(covariances):
    """A # B = A^1/2 (A^-1/2 B A^-1/2)^1/2 A^1/2."""
    a, b = covariances[:2]
    root = np.real(sqrtm(a))
    inverse = np.linalg.inv(root)
    expected = root @ np.real(sqrtm(inverse @ b @ inverse)) @ root
    np.testing.assert_allclose(geometric_mean(covariances[:2], 1e-14, 100)[0], expected, atol=1e-8)


def test_a_change_of_coordinates_only_turns_the_tangent_space(covariances):
    """With C -> A C A' the mean goes along, and lengths and angles of tangent vectors stay."""
    change = np.random.default_rng(2).standard_normal((10, 10))
    moved = change @ covariances @ change.T
    before, after = Tangent(1e-13, 200).fit(covariances, ROWS), Tangent(1e-13, 200).fit(moved, ROWS)
    np.testing.assert_allclose(after.mean, change @ before.mean @ change.T, rtol=1e-6, atol=1e-7)
    x, y = before.transform(covariances, ROWS), after.transform(moved, ROWS)
    np.testing.assert_allclose(np.einsum("aij,bij->ab", y, y), np.einsum("aij,bij->ab", x, x), atol=2e-4)


def test_tangent_vectors_are_logarithms_and_average_to_zero(covariances):
    tangent = Tangent(1e-13, 200).fit(covariances, ROWS)
    x = tangent.transform(covariances, ROWS)
    white = np.linalg.inv(np.real(sqrtm(tangent.mean)))
    np.testing.assert_allclose(x[3], np.real(logm(white @ covariances[3] @ white)), atol=1e-6)
    np.testing.assert_array_equal(x, x.swapaxes(1, 2))
    assert np.abs(x.mean(axis=0)).max() < 1e-6


def test_one_person_comes_out_the_same_alone_and_among_others(covariances):
    tangent = Tangent().fit(covariances[:30], ROWS[:30])
    alone = tangent.transform(covariances[35:36], ROWS[35:36])
    np.testing.assert_array_equal(tangent.transform(covariances, ROWS)[35:36], alone)


def test_what_has_no_logarithm_is_refused_by_name(covariances):
    x = covariances.copy()
    x[4] -= 10 * np.eye(10)
    with pytest.raises(NeuroloomError, match="1 of 40 are not: sub-4"):
        Tangent().fit(x, ROWS)
    x[4, 0] = np.nan
    with pytest.raises(NeuroloomError, match=r"1 of 40 samples: sub-4\. Put \{name: impute, strategy: covariance\}"):
        Tangent().fit(x, ROWS)
    with pytest.raises(NeuroloomError, match="covariances"):
        Tangent().fit(np.zeros((2, 3, 4)), ROWS[:2])


def test_a_mean_that_was_not_found_is_said(covariances):
    assert "not found" in Tangent(tolerance=1e-15, max_iterations=2).fit(covariances, ROWS).warnings[0]
