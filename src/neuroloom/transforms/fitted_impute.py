"""Fill in what was not measured, from the people fitted on."""

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.known import check_known
from neuroloom.transforms.fitted_arrays import are_graphs, as_bytes, check_shape, from_bytes, labelled, missing_regions

STRATEGIES = ("mean", "median", "covariance")
MOST_STEPS, TOLERANCE = 200, 1e-9  # of the group covariance's estimation
LEAST_EIGENVALUE = 1e-3  # of the mean eigenvalue, in its first guess only


class Impute:
    """Replace missing values (NaN) by what the fit people say.

    Parameters
    ----------
    strategy : {"mean", "median", "covariance"}
        ``mean``, ``median``: each value (edge, feature, voxel) by that of the fit people who have it.
        ``covariance``: for covariances and correlations, see Notes; the completed matrices are positive
        definite, so that `tangent` can follow.

    Notes
    -----
    ``covariance`` takes signals as Gaussian. The group covariance is the maximum-likelihood estimate from
    all fit people, each with the regions that they have (Dempster et al. 1977,
    doi:10.1111/j.2517-6161.1977.tb01600.x). A person's missing regions are then regressed on the regions
    that they have: with group covariance M, own covariance S, o observed and m missing regions and
    ``B = M_mo inv(M_oo)``, the missing blocks become ``B S_oo`` and ``M_mm - B M_om + B S_oo B'``. Of all
    completions this one is closest to the group (in Kullback-Leibler divergence); what was measured stays
    as it is. Where all fit people have unit variances (correlations), the regions filled in get them too.
    """

    def __init__(self, strategy="mean"):
        check_known("strategy of impute", strategy, STRATEGIES)
        self.strategy = strategy
        self.warnings = []

    def fit(self, x, rows, names=None):
        """Learn what stands for a missing value.

        Parameters
        ----------
        x : ndarray of shape (n, *shape)
        rows : DataFrame
        names : list of str or None
            Of the regions or features.
        """
        self.warnings = []
        missing = np.isnan(x)
        self._refuse_never_measured(missing.all(axis=0), names, len(x))
        if self.strategy == "covariance":
            self.fill = self._group_covariance(x, rows)
        else:
            average = np.nanmean if self.strategy == "mean" else np.nanmedian
            self.fill = average(x, axis=0).astype(np.float64)
        lacking = missing.reshape(len(x), -1).any(axis=1)
        if lacking.any():
            self.warnings.append(
                f"{lacking.sum()} of the {len(x)} people fitted on lack values ({missing.mean():.2%} of all), which "
                f"were imputed by the {'group covariance' if self.strategy == 'covariance' else self.strategy}."
            )
        return self

    def transform(self, x, rows):
        """Return the samples with nothing missing, float32."""
        check_shape("impute", x, self.fill.shape)
        if self.strategy != "covariance":
            return np.where(np.isnan(x), self.fill, x).astype(np.float32)
        missing = checked_missing(x, rows)
        filled = x.astype(np.float32)
        for person in np.flatnonzero(missing.any(axis=1)):
            filled[person] = completed(x[person], missing[person], self.fill)
        return filled

    def _refuse_never_measured(self, never, names, n):
        if never.any():
            lost = labelled(never, names)
            raise NeuroloomError(
                f"impute: {len(lost)} values are missing in all {n} people fitted on: {listed(lost)}. "
                "Leave them out: {name: drop_regions} before impute, or fewer columns."
            )

    def _group_covariance(self, x, rows):
        if not are_graphs(x):
            raise NeuroloomError(
                f"impute: strategy covariance works on symmetric matrices, but these samples are {x.shape[1:]}. "
                "Use strategy: mean."
            )
        fill = group_covariance(x.astype(np.float64), checked_missing(x, rows))
        if not np.linalg.eigvalsh(fill)[0] > 0:
            raise NeuroloomError(
                "impute: the mean of these matrices is not positive definite, so they are no covariances. "
                "Put {name: covariance, kind: ledoit_wolf} into the chain, or use strategy: mean."
            )
        return fill

    def state(self):
        """Return what missing values are filled with, and by which strategy."""
        return {"fill": self.fill, "strategy": as_bytes(self.strategy)}

    def load_state(self, state):
        """Take up what `state` returned."""
        self.fill, self.strategy = state["fill"], from_bytes(state["strategy"])
        return self


def checked_missing(x, rows):
    """Return which regions are missing (n, region); an edge missing between two regions that are not is an error."""
    missing = missing_regions(x)
    expected = missing[:, :, None] | missing[:, None, :]
    odd = (np.isnan(x) & ~expected).any(axis=(1, 2))
    if odd.any():
        raise NeuroloomError(
            f"impute: strategy covariance fills in whole regions, but single edges are missing in "
            f"{listed(rows.index[odd])}. Use strategy: mean."
        )
    return missing


def group_covariance(matrices, missing):
    """Return the maximum-likelihood covariance of people who each lack some regions.

    Parameters
    ----------
    matrices : ndarray of shape (n, region, region)
    missing : ndarray of shape (n, region), bool

    Returns
    -------
    ndarray of shape (region, region)
    """
    if not missing.any():
        return matrices.mean(axis=0)
    incomplete = np.flatnonzero(missing.any(axis=1))
    whole = matrices[~missing.any(axis=1)].sum(axis=0)
    group = first_guess(matrices)
    for _ in range(MOST_STEPS):
        filled = [completed(matrices[person], missing[person], group) for person in incomplete]
        better = (whole + np.sum(filled, axis=0)) / len(matrices)
        change = np.abs(better - group).max()
        group = better
        if change <= TOLERANCE * np.abs(group).max():
            break
    return group


def first_guess(matrices):
    """Return the mean over those who have each edge, with its eigenvalues kept above 0."""
    known = ~np.isnan(matrices)
    mean = np.where(known, matrices, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    values, vectors = np.linalg.eigh(mean)
    values = np.maximum(values, LEAST_EIGENVALUE * values.mean())
    return (vectors * values) @ vectors.T


def completed(matrix, missing, group):
    """Return one person's matrix with its missing regions filled in from the group's covariance, float64.

    Parameters
    ----------
    matrix, group : ndarray of shape (region, region)
    missing : ndarray of shape (region,), bool
    """
    known = ~missing
    own = matrix[np.ix_(known, known)].astype(np.float64)
    across = group[np.ix_(known, missing)]
    weights = np.linalg.solve(group[np.ix_(known, known)], across).T  # (missing, known)
    full = np.empty(group.shape)
    full[np.ix_(known, known)] = own
    full[np.ix_(missing, known)] = weights @ own
    full[np.ix_(known, missing)] = full[np.ix_(missing, known)].T
    left = group[np.ix_(missing, missing)] - weights @ across + weights @ own @ weights.T
    full[np.ix_(missing, missing)] = (left + left.T) / 2
    if np.allclose(np.diag(own), 1.0, atol=1e-6) and np.allclose(np.diag(group), 1.0, atol=1e-6):
        deviation = np.where(missing, np.sqrt(np.diag(full)), 1.0)
        full /= np.outer(deviation, deviation)
    return full
