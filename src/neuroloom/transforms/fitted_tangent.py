"""Tangent space: covariances as departures from the mean covariance of the people fitted on."""

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.transforms.fitted_arrays import check_known, check_shape

CHUNK = 32  # matrices worked on together: enough for LAPACK, little memory


class Tangent:
    r"""Map each covariance to the tangent space at the geometric mean of the fit people.

    With that mean :math:`M`, a person's :math:`C` becomes
    :math:`\log(M^{-1/2} C M^{-1/2})` (Varoquaux et al. 2010, doi:10.1007/978-3-642-15705-9_25): symmetric, 0
    for the mean person, and open to linear models. Output has the shape of the input, float32.

    Parameters
    ----------
    tolerance : float
        The mean is found when the length of the gradient, divided by the number of matrix entries, is below
        this. 1e-7 is nilearn's; smaller is closer to the exact mean.
    max_iterations : int
    """

    def __init__(self, tolerance=1e-7, max_iterations=30):
        self.tolerance = tolerance
        self.max_iterations = max_iterations
        self.warnings = []

    def fit(self, x, rows, names=None):
        """Find the geometric mean.

        Parameters
        ----------
        x : ndarray of shape (n, region, region)
            Positive definite.
        rows : DataFrame
            Names the samples in errors.
        names : list of str or None
            Not used.
        """
        check_covariances(x, rows)
        self.mean, converged = geometric_mean(x, self.tolerance, self.max_iterations)
        self.whitening = roots(self.mean)[1]
        self.warnings = [] if converged else [
            f"tangent: the geometric mean of {len(x)} matrices was not found to {self.tolerance:g} in "
            f"{self.max_iterations} steps; it is used as it is."
        ]  # fmt: skip
        return self

    def transform(self, x, rows):
        """Return tangent vectors as symmetric matrices, shape (n, region, region), float32."""
        check_shape("tangent", x, self.whitening.shape)
        check_covariances(x, rows)
        out = np.empty(x.shape, dtype=np.float32)
        for chunk in chunks(len(x)):
            out[chunk] = logarithms(x[chunk], self.whitening)
        return (out + out.swapaxes(1, 2)) / 2

    def state(self):
        """Return the geometric mean of the fit people and its inverse square root, (region, region) each."""
        return {"mean": self.mean, "whitening": self.whitening}

    def load_state(self, state):
        """Take up what `state` returned."""
        self.mean, self.whitening = state["mean"], state["whitening"]
        return self


def geometric_mean(matrices, tolerance=1e-7, max_iterations=30):
    """Return the geometric (Karcher) mean of positive definite matrices, and whether it was found.

    Gradient descent on the manifold from the arithmetic mean, the step halved when the gradient grows
    (Fletcher & Joshi 2007, doi:10.1016/j.sigpro.2005.12.018).

    Parameters
    ----------
    matrices : ndarray of shape (n, region, region)
    tolerance : float
        Of the gradient's length per matrix entry.
    max_iterations : int

    Returns
    -------
    mean : ndarray of shape (region, region), float64
    converged : bool
    """
    mean = matrices.mean(axis=0, dtype=np.float64)
    step, shortest = 1.0, np.inf
    for _ in range(max_iterations):
        root, whitening = roots(mean)
        gradient = mean_logarithm(matrices, whitening)
        length = np.linalg.norm(gradient)
        values, vectors = np.linalg.eigh(gradient)
        mean = root @ ((vectors * np.exp(step * values)) @ vectors.T) @ root
        mean = (mean + mean.T) / 2
        if length / mean.size < tolerance:
            return mean, True
        if length > shortest:
            step /= 2
        shortest = min(length, shortest)
    return mean, False


def mean_logarithm(matrices, whitening):
    """Return the mean of log(W C W) over matrices C (n, region, region)."""
    n_regions = len(whitening)
    total = np.zeros((n_regions, n_regions))
    for chunk in chunks(len(matrices)):
        values, vectors = whitened(matrices[chunk], whitening)
        side = vectors.transpose(1, 0, 2).reshape(n_regions, -1)  # (region, n * region): one product for all
        total += (side * np.log(values).reshape(-1)) @ side.T
    return total / len(matrices)


def logarithms(matrices, whitening):
    """Return log(W C W) of matrices C (n, region, region), float64."""
    values, vectors = whitened(matrices, whitening)
    return (vectors * np.log(values)[:, None, :]) @ vectors.swapaxes(1, 2)


def whitened(matrices, whitening):
    """Return eigenvalues (n, region) and eigenvectors (n, region, region) of W C W."""
    return np.linalg.eigh(whitening @ matrices.astype(np.float64) @ whitening)


def roots(matrix):
    """Return the square root of a positive definite matrix, and the inverse of that root."""
    values, vectors = np.linalg.eigh(matrix)
    root = np.sqrt(values)
    return (vectors * root) @ vectors.T, (vectors / root) @ vectors.T


def chunks(n):
    """Return slices of at most `CHUNK` that cover ``n`` matrices."""
    return [slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]


def check_covariances(x, rows):
    """Raise an error that names the samples whose matrix is incomplete or not positive definite."""
    if x.ndim != 3 or x.shape[1] != x.shape[2]:
        raise NeuroloomError(f"tangent works on covariances (region, region), but these samples are {x.shape[1:]}.")
    check_known("tangent", x, rows, "Put {name: impute, strategy: covariance} before tangent.")
    odd = [sample for sample, matrix in zip(rows.index, x, strict=True) if not is_positive(matrix)]
    if odd:
        raise NeuroloomError(
            f"tangent needs positive definite matrices, but {len(odd)} of {len(x)} are not: {listed(odd)}. "
            "Use {name: covariance, kind: ledoit_wolf}, and {name: impute, strategy: covariance} where regions are "
            "missing."
        )


def is_positive(matrix):
    """Return whether a symmetric matrix is positive definite."""
    try:
        np.linalg.cholesky(matrix.astype(np.float64))
    except np.linalg.LinAlgError:
        return False
    return True
