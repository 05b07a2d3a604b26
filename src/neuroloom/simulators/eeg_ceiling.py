"""The best a linear rule can do where features are normal around class means."""

import numpy as np
from scipy.stats import norm

from neuroloom.seeds import generator


def linear_accuracy(means, covariance, n_draws=20_000):
    """Return the accuracy of the best linear rule for equally frequent classes of normal features.

    Two classes: Phi(d / 2), d the Mahalanobis distance; more: by Gaussian draws, the same ones at each call.

    Parameters
    ----------
    means : ndarray of shape (class, feature)
    covariance : ndarray of shape (feature, feature)
        The same in all classes.

    Returns
    -------
    float
    """
    if not np.ptp(means, axis=0).any():
        return 1 / len(means)
    weights = np.linalg.solve(covariance, means.T).T  # (class, feature)
    if len(means) == 2:
        return float(norm.cdf(np.sqrt((means[0] - means[1]) @ (weights[0] - weights[1])) / 2))
    drawn = generator(0, "ceiling").standard_normal((n_draws, len(covariance))) @ np.linalg.cholesky(covariance).T
    offset = -0.5 * (weights * means).sum(axis=1)
    right = [((drawn + mean) @ weights.T + offset).argmax(axis=1) == c for c, mean in enumerate(means)]
    return float(np.mean(right))
