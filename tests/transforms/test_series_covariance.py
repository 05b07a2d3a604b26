import numpy as np
import pytest
from nilearn.connectome import ConnectivityMeasure
from sklearn.covariance import EmpiricalCovariance, LedoitWolf

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.series_covariance import Covariance, connectivity, ledoit_wolf
from neuroloom.transforms.series_fisher_z import FisherZ


@pytest.fixture(params=[(12, 150), (60, 40)], ids=["long", "short"])
def series(request):
    """Return series (region, time) that share signals; more regions than samples in one case."""
    n_regions, n_timepoints = request.param
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((n_regions, n_regions)) / np.sqrt(n_regions) + np.eye(n_regions)
    return mixing @ rng.standard_normal((n_regions, n_timepoints))


@pytest.mark.parametrize(
    ("kind", "nilearn_kind", "estimator"),
    [
        ("ledoit_wolf", "covariance", None),
        ("empirical", "covariance", EmpiricalCovariance()),
        ("correlation", "correlation", EmpiricalCovariance()),
        ("partial_correlation", "partial correlation", None),
    ],
)
def test_same_numbers_as_nilearn(series, kind, nilearn_kind, estimator):
    expected = ConnectivityMeasure(kind=nilearn_kind, cov_estimator=estimator).fit_transform([series.T])[0]
    np.testing.assert_allclose(connectivity(series, kind), expected, atol=1e-10)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_ledoit_wolf_is_that_of_scikit_learn_at_any_unit(series, scale):
    centred = scale * (series - series.mean(axis=1, keepdims=True))
    expected = LedoitWolf(assume_centered=True).fit(centred.T).covariance_
    np.testing.assert_allclose(ledoit_wolf(centred), expected, rtol=1e-9, atol=1e-12 * scale**2)


def test_regions_without_signal_are_nan_and_named(series):
    lame = series.copy()
    lame[0], lame[3] = 0.0, 5.0
    lame[1, 2] = np.nan
    names = [f"r{number}" for number in range(len(series))]
    graph = Covariance()(Scan(lame.astype(np.float32), "series", {"names": names}))
    assert graph.kind == "graph"
    assert graph.data.dtype == np.float32
    assert graph.geometry["constant_regions"] == ["r0", "r3"]
    assert graph.geometry["missing_regions"] == ["r1"]
    gone = np.isin(np.arange(len(series)), [0, 1, 3])
    np.testing.assert_array_equal(np.isnan(graph.data), gone[:, None] | gone[None])
    kept = lame[~gone]
    expected = LedoitWolf().fit(kept.T).covariance_
    np.testing.assert_allclose(graph.data[np.ix_(~gone, ~gone)], expected, rtol=1e-4, atol=1e-5)


def test_names_are_made_where_there_are_none(series):
    assert Covariance()(Scan(series, "series")).geometry["names"][:2] == ["region 1", "region 2"]


def test_unknown_kind_and_empty_scan_are_refused():
    with pytest.raises(NeuroloomError, match="Did you mean 'ledoit_wolf'"):
        Covariance(kind="ledoit_wolff")
    with pytest.raises(NeuroloomError, match="none of the 3 regions"):
        Covariance()(Scan(np.zeros((3, 20), dtype=np.float32), "series"))


def test_fisher_z_is_the_inverse_hyperbolic_tangent(series):
    correlation = Covariance("correlation")(Scan(series.astype(np.float32), "series"))
    z = FisherZ()(correlation)
    off = ~np.eye(len(series), dtype=bool)
    np.testing.assert_allclose(np.tanh(z.data[off]), correlation.data[off], atol=1e-6)
    assert not np.diag(z.data).any()
    assert z.geometry["measure"] == "fisher_z"


def test_fisher_z_keeps_missing_regions_and_refuses_covariances(series):
    lame = series.astype(np.float32)
    lame[2] = 1.0
    z = FisherZ()(Covariance("correlation")(Scan(lame, "series"))).data
    assert np.isnan(z[2]).all()
    with pytest.raises(NeuroloomError, match="region 1 - region 2"):
        FisherZ()(Scan(np.full((2, 2), 1.5, dtype=np.float32), "graph"))


def test_standard_error_of_z_is_that_of_the_textbook():
    """Of independent normal series of n samples, Fisher z has variance 1 / (n - 3)."""
    n_timepoints, rng = 60, np.random.default_rng(3)
    draws = [rng.standard_normal((20, n_timepoints)) for _ in range(50)]
    z = np.array([FisherZ()(Covariance("correlation")(Scan(d, "series"))).data[np.triu_indices(20, 1)] for d in draws])
    assert z.var() * (n_timepoints - 3) == pytest.approx(1, abs=4 * np.sqrt(2 / z.size))
