"""Evoked responses in the tangent space: xDAWN filters, covariances with the mean responses, logistic regression."""

import numpy as np
from scipy.linalg import eigh

from neuroloom.errors import NeuroloomError
from neuroloom.estimators.channels import Channels, check_power
from neuroloom.estimators.logistic import Logistic
from neuroloom.estimators.on_series import OnSeries
from neuroloom.estimators.tangent_space import reference, tangent_vectors
from neuroloom.transforms.series_covariance import connectivity


class XdawnTangent(OnSeries):
    """xDAWN filters (Rivet et al. 2009, doi:10.1109/TBME.2009.2012869), covariance with the mean responses, logistic.

    Each class's mean response is filtered so that it stands out most from all the rest. A trial, filtered so, is set below
    those mean responses, and the covariance of both tells how much of each response the trial holds, and when
    (Barachant & Congedo 2014, doi:10.48550/arXiv.1409.0107). It is taken as a tangent vector at the geometric mean.

    Parameters
    ----------
    n_filters : int
        Of each class; fewer where the data vary in fewer directions.
    strengths : list of float
        Inverse penalties C to choose from.
    class_weight : str
        ``balanced`` or ``none``; a run takes the task's.
    """

    name = "xdawn_tangent"

    def __init__(self, n_filters=4, strengths=(1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0), class_weight="balanced"):
        super().__init__(Logistic(strengths, class_weight, scale_by="all"))
        self.n_filters = int(n_filters)
        if self.n_filters < 1:
            raise NeuroloomError(f"{self.name}: n_filters is 1 or more, not {n_filters}.")

    def learn(self, x, y):
        """Return the filters (filter, channel), the mean responses behind them, and the mean's inverse root."""
        channels = Channels(self.name).fit(x)
        project, everything = channels.project, over_all_time(x)
        filters, responses = [], []
        for value in np.unique(y):
            mean = project @ x[y == value].mean(axis=0)  # (direction, time)
            own = xdawn_filters(mean, project @ everything @ project.T)[: self.n_filters]
            filters.append(own @ project)
            responses.append(own @ mean)
        learned = {"filters": np.concatenate(filters), "responses": np.concatenate(responses)}
        whitening, late = reference(with_responses(x, **learned), self.name)
        self.warnings = channels.warnings + late
        return {**learned, "whitening": whitening}

    def features(self, x):
        """Return tangent vectors, shape (n, edges)."""
        trials = with_responses(x, self.fitted["filters"], self.fitted["responses"])
        return tangent_vectors(trials, self.fitted["whitening"])


def with_responses(x, filters, responses):
    """Return the covariance of mean responses (filter, time) and each filtered trial together: (n, 2 filters, 2 filters)."""
    made = np.stack([connectivity(np.concatenate([responses, filters @ trial]), "ledoit_wolf") for trial in x])
    check_power(np.diagonal(made, axis1=1, axis2=2))
    return made


def xdawn_filters(mean, everything):
    """Return filters of unit length in which a mean response stands out most, the best first: (direction, direction).

    Parameters
    ----------
    mean : ndarray of shape (direction, time)
        The mean response of a class.
    everything : ndarray of shape (direction, direction)
        Covariance of all that was measured.
    """
    vectors = eigh(connectivity(mean, "empirical"), everything)[1].T[::-1]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def over_all_time(x):
    """Return the covariance over channels of all trials (n, channel, time) set end to end: (channel, channel)."""
    centre = np.mean([trial.mean(axis=1) for trial in x], axis=0)[:, None]
    total = sum((trial - centre) @ (trial - centre).T for trial in x)
    return total / (len(x) * x.shape[2])
