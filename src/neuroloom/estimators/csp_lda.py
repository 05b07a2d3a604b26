"""Common spatial patterns: filters whose power differs most between classes, and a shrunk LDA on its logarithm."""

import numpy as np
from scipy.linalg import eigh

from neuroloom.errors import NeuroloomError
from neuroloom.estimators.channels import Channels, check_power, covariances, log_power
from neuroloom.estimators.lda import LDA
from neuroloom.estimators.on_series import OnSeries


class CSPLDA(OnSeries):
    """Common spatial patterns (Ramoser et al. 2000, doi:10.1109/86.895946), log power, shrunk LDA.

    Each trial's covariance is divided by its trace, so that a loud trial does not outweigh the others. With more than two
    classes, filters of each class against the rest (Blankertz et al. 2008, doi:10.1109/MSP.2008.4408441). Series should
    be filtered to the band of interest in the input's chain.

    Parameters
    ----------
    pairs : int
        Filters from each end of the spectrum, of each class where there are more than two; fewer where the data vary in
        fewer directions.
    class_weight : str
        ``balanced`` or ``none``; a run takes the task's.
    """

    name = "csp_lda"

    def __init__(self, pairs=3, class_weight="balanced"):
        super().__init__(LDA(class_weight))
        self.pairs = checked_pairs(self.name, pairs)

    def learn(self, x, y):
        """Return filters and their patterns, how a source of each filter shows in the channels (filter, channel)."""
        channels = Channels(self.name).fit(x)
        self.warnings = channels.warnings
        trials = covariances(x, channels.project, "empirical")
        filters = csp_filters(trials, y, self.pairs, self.name) @ channels.project
        mean = covariances(x, np.eye(x.shape[1]), "empirical").mean(axis=0)
        return {"filters": filters, "patterns": patterns(filters, mean)}

    def features(self, x):
        """Return the log power behind each filter, shape (n, filter)."""
        return log_filtered(covariances(x, self.fitted["filters"], "empirical"))


def csp_filters(trials, y, pairs, name):
    """Return the filters with the largest and the smallest share of power, by turns: (filter, direction).

    Parameters
    ----------
    trials : ndarray of shape (n, direction, direction)
        Covariance of each trial, of full rank on average.
    y : ndarray of shape (n,)
    pairs : int
    name : str
        Of the estimator, for errors.
    """
    traces = np.trace(trials, axis1=1, axis2=2)
    check_power(traces)
    if trials.shape[1] < 2:
        raise NeuroloomError(f"{name}: the channels vary in one direction only; spatial filters need at least two.")
    shares = trials / traces[:, None, None]
    classes, pairs = np.unique(y), min(pairs, trials.shape[1] // 2)
    one_each = classes[1:] if len(classes) == 2 else classes
    return np.concatenate([_of_class(shares[y == value], shares[y != value], pairs) for value in one_each])


def _of_class(own, others, pairs):
    """Return w with (w' C_own w) / (w' (C_own + C_others) w) largest, smallest, next largest ...: (2 pairs, direction)."""
    mean = own.mean(axis=0)
    vectors = eigh(mean, mean + others.mean(axis=0))[1].T  # a row each; the share of power rises
    ends = np.stack([vectors[::-1][:pairs], vectors[:pairs]], axis=1)  # (pair, end, direction)
    return ends.reshape(2 * pairs, -1)


def log_filtered(trials):
    """Return the log power of filtered trials from their covariances (n, filter, filter): (n, filter)."""
    return log_power(np.diagonal(trials, axis1=1, axis2=2))


def patterns(filters, covariance):
    """Return how a source behind each filter shows in the channels, (filter, channel): A' of A = C W (W' C W)^-1.

    (Haufe et al. 2014, doi:10.1016/j.neuroimage.2013.10.067.)

    Parameters
    ----------
    filters : ndarray of shape (filter, channel)
    covariance : ndarray of shape (channel, channel)
    """
    return np.linalg.pinv(filters @ covariance @ filters.T, hermitian=True) @ filters @ covariance


def checked_pairs(name, pairs):
    """Return the number of pairs of filters, or say what it may be."""
    if int(pairs) != pairs or pairs < 1:
        raise NeuroloomError(f"{name}: pairs is a whole number of 1 or more, not {pairs}.")
    return int(pairs)
