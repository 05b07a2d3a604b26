import numpy as np
import pandas as pd
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.fitted_impute import Impute, completed, group_covariance


def rows(n):
    return pd.DataFrame(index=[f"sub-{number}" for number in range(n)])


def covariances(n, n_regions, freedom=60, seed=0):
    """Return Wishart draws around one covariance, (n, region, region), and that covariance."""
    rng = np.random.default_rng(seed)
    mixing = 0.5 * rng.standard_normal((n_regions, n_regions)) / np.sqrt(n_regions) + np.eye(n_regions)
    signals = mixing @ rng.standard_normal((n, n_regions, freedom))
    return signals @ signals.swapaxes(1, 2) / freedom, mixing @ mixing.T


def without(x, missing):
    lame = x.copy()
    for person, regions in missing.items():
        lame[person, regions], lame[person, :, regions] = np.nan, np.nan
    return lame


def as_correlations(x):
    deviation = np.sqrt(np.einsum("nii->ni", x))
    return x / (deviation[:, :, None] * deviation[:, None])


@pytest.mark.parametrize(("strategy", "average"), [("mean", np.mean), ("median", np.median)])
def test_a_missing_feature_becomes_the_average_of_the_fit_people(strategy, average):
    x = np.random.default_rng(0).lognormal(size=(30, 4)).astype(np.float32)
    lame = x.copy()
    lame[:5, 2] = np.nan
    impute = Impute(strategy).fit(lame, rows(30))
    np.testing.assert_allclose(impute.transform(lame, rows(30))[:5, 2], average(x[5:, 2]), rtol=1e-6)
    np.testing.assert_array_equal(impute.transform(x, rows(30)), x)
    assert "5 of the 30 people" in impute.warnings[0]


def test_a_feature_that_no_one_has_is_refused_by_name():
    x = np.zeros((4, 3), dtype=np.float32)
    x[:, 1] = np.nan
    with pytest.raises(NeuroloomError, match="1 values are missing in all 4 people fitted on: iq"):
        Impute().fit(x, rows(4), ["age", "iq", "height"])
    graphs = np.zeros((4, 3, 3), dtype=np.float32)
    graphs[:, 0, 2] = graphs[:, 2, 0] = np.nan
    with pytest.raises(NeuroloomError, match=r"1 values .* a - c"):
        Impute().fit(graphs, rows(4), ["a", "b", "c"])


@pytest.mark.parametrize("kind", ["covariance", "correlation"])
def test_completed_matrices_are_positive_definite_and_keep_what_was_measured(kind):
    x, _ = covariances(30, 12, freedom=14)
    x = as_correlations(x) if kind == "correlation" else x
    lame = without(x, {0: [1, 5], 3: [2], 4: list(range(2, 12))})
    filled = Impute("covariance").fit(lame, rows(30)).transform(lame, rows(30))
    assert np.linalg.eigvalsh(filled.astype(np.float64)).min() > 0
    known = ~np.isnan(lame)
    np.testing.assert_allclose(filled[known], x[known], rtol=1e-6)
    if kind == "correlation":
        np.testing.assert_allclose(np.einsum("nii->ni", filled), 1, atol=1e-6)


def test_completion_is_the_one_closest_to_the_group():
    """It keeps the group's precision wherever a missing region takes part (Dempster 1972, covariance selection)."""
    x, _ = covariances(20, 8)
    lame = without(x, {2: [0, 6]})
    impute = Impute("covariance").fit(lame, rows(20))
    filled = np.linalg.inv(completed(lame[2], np.isin(np.arange(8), [0, 6]), impute.fill))
    group = np.linalg.inv(impute.fill)
    np.testing.assert_allclose(filled[[0, 6]], group[[0, 6]], atol=1e-10)


def test_group_covariance_is_the_mean_where_nothing_is_missing_and_unbiased_where_something_is():
    x, truth = covariances(400, 6, freedom=40)
    np.testing.assert_allclose(group_covariance(x, np.zeros((400, 6), bool)), x.mean(axis=0))
    rng = np.random.default_rng(1)
    missing = rng.random((400, 6)) < 0.2
    estimate = group_covariance(without(x, {p: np.flatnonzero(m) for p, m in enumerate(missing)}), missing)
    error = np.sqrt((np.outer(np.diag(truth), np.diag(truth)) + truth**2) / (400 * 40))  # Wishart, all known
    assert np.all(np.abs(estimate - truth) < 4 * error / (1 - 0.2))


def test_single_missing_edges_and_other_shapes_are_refused():
    x, _ = covariances(5, 4)
    lame = x.copy()
    lame[1, 0, 2] = lame[1, 2, 0] = np.nan
    with pytest.raises(NeuroloomError, match="single edges are missing in sub-1"):
        Impute("covariance").fit(lame, rows(5))
    with pytest.raises(NeuroloomError, match="strategy: mean"):
        Impute("covariance").fit(np.zeros((5, 3)), rows(5))
    with pytest.raises(NeuroloomError, match="no covariances"):
        Impute("covariance").fit(x - 5 * np.eye(4), rows(5))
    with pytest.raises(NeuroloomError, match="Did you mean 'median'"):
        Impute("medain")
