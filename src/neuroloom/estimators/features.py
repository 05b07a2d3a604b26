"""Features as linear models want them: centred, scaled, and no more of them than samples."""

import numpy as np

from neuroloom.known import check_known

OF_MEAN, OF_LARGEST = 1e-7, 1e-15  # of a feature's mean, and of the largest spread: a smaller spread is rounding


class Scaling:
    """Mean and spread of each feature over the fit part; a constant feature is set to zero.

    Parameters
    ----------
    by : str
        ``feature``: each by its own spread. ``all``: all by one number, the root of their mean variance, which keeps
        distances between samples, as of tangent vectors.
    """

    def __init__(self, by="feature"):
        check_known("scaling", by, ("feature", "all"))
        self.by = by

    def fit(self, x):
        """Take mean and spread of each feature in ``x`` (n, n_features); a constant feature gets the scale 0."""
        self.mean = x.mean(axis=0, dtype=np.float64)
        spread = x.std(axis=0, dtype=np.float64)
        least = np.maximum(OF_MEAN * np.abs(self.mean), OF_LARGEST * spread.max(initial=0.0))  # whatever the unit
        constant = spread <= least
        if self.by == "all":
            spread = np.full(spread.shape, np.sqrt(np.mean(spread**2)))
        self.scale = np.where(constant, 0.0, 1 / np.where(constant, 1.0, spread))
        return self

    def __call__(self, x):
        return (x - self.mean) * self.scale


def rotate(x):
    """Return x in the space of its own samples, and the rotation back.

    A linear model with an L2 penalty is the same in this space (the penalty and all inner products are
    kept), and it has no more than n_samples features, which is what makes voxels affordable.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_features)

    Returns
    -------
    rotated : ndarray of shape (n_samples, min(n_samples, n_features))
    back : ndarray of shape (min(n_samples, n_features), n_features)
        ``coefficients @ back`` are coefficients for x.
    """
    if x.shape[1] <= x.shape[0]:
        return x, np.eye(x.shape[1])
    left, size, right = np.linalg.svd(x, full_matrices=False)
    return left * size, right
