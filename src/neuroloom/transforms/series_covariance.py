"""Functional connectivity: from regional series to a matrix of covariances or correlations."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.scan import Scan
from neuroloom.transforms.series_regions import check_series, constant_regions, named, region_names, unknown_regions

KINDS = ("ledoit_wolf", "empirical", "correlation", "partial_correlation")


@dataclass(frozen=True)
class Covariance:
    """Turn a series into a connectome; each scan by itself.

    A region without a signal has no covariance: its row and column are NaN (not zero), and it is named in
    ``geometry["constant_regions"]`` or, where its series holds NaN, in ``geometry["missing_regions"]``.

    Parameters
    ----------
    kind : {"ledoit_wolf", "empirical", "correlation", "partial_correlation"}
        ``ledoit_wolf``: covariance shrunk towards a multiple of the identity, always positive definite
        (Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4). ``empirical``: the plain covariance.
        ``correlation``: Pearson's. ``partial_correlation``: of each pair given all other regions, from the
        inverse of the Ledoit-Wolf covariance.
    """

    kind: str = "ledoit_wolf"

    def __post_init__(self):
        check_known("kind of covariance", self.kind, KINDS)

    def __call__(self, scan: Scan) -> Scan:
        check_series(scan, "covariance")
        constant, unknown = constant_regions(scan.data), unknown_regions(scan.data)
        usable = ~(constant | unknown)
        if not usable.any():
            raise NeuroloomError(f"covariance: none of the {len(usable)} regions has a signal.")
        n_regions = len(usable)
        matrix = np.full((n_regions, n_regions), np.nan, dtype=np.float32)
        matrix[np.ix_(usable, usable)] = connectivity(scan.data[usable].astype(np.float64), self.kind)
        geometry = {
            "names": region_names(scan),
            "measure": self.kind,
            "constant_regions": named(scan, constant),
            "missing_regions": named(scan, unknown),
        }
        return Scan(matrix, "graph", geometry)


def connectivity(series, kind):
    """Return the connectivity of series (region, time) that all change, shape (region, region), float64."""
    centred = series - series.mean(axis=1, keepdims=True)
    if kind == "empirical":
        return empirical(centred)
    if kind == "correlation":
        return as_correlation(empirical(centred))
    shrunk = ledoit_wolf(centred)
    return shrunk if kind == "ledoit_wolf" else as_partial(shrunk)


def empirical(centred):
    """Return the covariance of centred series (region, time), the number of samples in its denominator."""
    return centred @ centred.T / centred.shape[1]


def ledoit_wolf(centred):
    """Return the covariance of centred series (region, time), shrunk as much as its own noise asks for.

    Parameters
    ----------
    centred : ndarray of shape (region, time)

    Returns
    -------
    ndarray of shape (region, region)
        ``(1 - s) S + s m I`` with ``S`` the empirical covariance, ``m`` its mean variance, and ``s`` the
        estimate of the best weight between 0 and 1 (lemma 3.2 to 3.5 of the paper).
    """
    n_regions, n_samples = centred.shape
    covariance = empirical(centred)
    mean_variance = np.trace(covariance) / n_regions
    target = mean_variance * np.eye(n_regions)
    size = (covariance**2).sum()
    spread = size - n_regions * mean_variance**2  # squared distance of S from its target
    fourth = ((centred**2).sum(axis=0) ** 2).sum() / n_samples  # mean squared size of one sample's x x'
    noise = (fourth - size) / n_samples  # expected squared distance of S from the truth
    weight = 0.0 if spread <= 0 else min(max(noise, 0.0), spread) / spread
    return (1 - weight) * covariance + weight * target


def as_correlation(covariance):
    """Return a covariance (region, region) divided by its standard deviations; the diagonal is exactly 1."""
    deviation = np.sqrt(np.diag(covariance))
    correlation = np.clip(covariance / np.outer(deviation, deviation), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def as_partial(covariance):
    """Return partial correlations from a positive definite covariance; the diagonal is exactly 1."""
    precision = np.linalg.inv(covariance)
    partial = -as_correlation(precision)
    np.fill_diagonal(partial, 1.0)
    return (partial + partial.T) / 2
