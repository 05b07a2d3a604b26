"""Trials as estimators of series see them: which channels carry a signal, and the directions in which they vary."""

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.transforms.series_covariance import connectivity

RANK = 1e-8  # of the largest variance; a float32 average reference leaves 1e-14, a channel's own noise is above 1e-5
LEAST_CHANGE = 1e-14  # of a channel's power: a variance that is rounding


class FlatTrials(NeuroloomError):
    """Some trials have no signal where one is needed.

    Parameters
    ----------
    trials : iterable of int
        Their numbers, counted from 0.
    """

    problem = (
        "no power in one of the channels, filters or bands that are looked at: a flat channel, or none but zeros. Leave the "
        "trials out, or drop or interpolate the channel in the input's chain."
    )

    def __init__(self, trials):
        self.trials = [int(number) for number in trials]
        super().__init__(f"trials number {listed(number + 1 for number in self.trials)}: {self.problem}")


class Channels:
    """The channels of the fit part: those that change, and the directions in which they vary.

    After an average reference, an interpolated channel or a removed component the data of n channels vary in fewer than n
    directions. Filters and covariances then live in those, found from the eigenvectors of the correlations over
    channels; else in the channels themselves. What is left out is said in ``warnings`` (of channels: ``flat_warnings``).

    Parameters
    ----------
    name : str
        Of the estimator, for what is said.
    """

    def __init__(self, name):
        self.name = name

    def fit(self, x):
        """Fit on trials (n, channel, time).

        Sets ``live`` (channel,) bool, ``deviation`` (channel,), the mean standard deviation inside a trial, and
        ``project`` (direction, channel).
        """
        covariance, power = mean_covariance(x), np.mean([np.mean(trial**2, axis=1) for trial in x], axis=0)
        variance = covariance.diagonal()
        self.live = variance > LEAST_CHANGE * power
        if not self.live.any():
            raise NeuroloomError(
                f"{self.name}: none of the {len(self.live)} channels changes in any trial of the fit part."
            )
        self.deviation = np.sqrt(np.where(self.live, variance, 0.0))
        each = np.eye(len(self.live))[self.live]  # (live, channel)
        scaled = each[:, self.live] / self.deviation[self.live][:, None] @ each
        values, vectors = np.linalg.eigh(scaled @ covariance @ scaled.T)
        kept = values > RANK * values[-1]
        self.project = each if kept.all() else vectors[:, kept].T @ scaled
        self.flat_warnings = self._flat()
        self.warnings = [*self.flat_warnings, *self._of_rank(int(kept.sum()))]
        return self

    def _flat(self):
        flat = [str(number + 1) for number in np.flatnonzero(~self.live)]
        return flat and [
            f"{self.name}: {len(flat)} of {len(self.live)} channels never change in the fit part (number "
            f"{', '.join(flat)}) and are left out."
        ]

    def _of_rank(self, rank):
        n_live = int(self.live.sum())
        return [] if rank == n_live else [
            f"{self.name}: {n_live} channels vary in {rank} directions only, as after an average reference or an "
            "interpolation; spatial filters are sought in those."
        ]  # fmt: skip


def mean_covariance(x):
    """Return the covariance over channels inside a trial, mean over trials (n, channel, time): (channel, channel)."""
    total = np.zeros((x.shape[1], x.shape[1]))
    for trial in x:
        total += connectivity(trial, "empirical")
    return total / len(x)


def covariances(x, project, kind):
    """Return the covariance of each trial (n, channel, time) in the projected directions: (n, direction, direction)."""
    return np.stack([connectivity(project @ trial, kind) for trial in x])


def log_power(power):
    """Return the logarithm of powers (n, ...); a trial without any is an error."""
    check_power(power)
    return np.log(power)


def check_power(power):
    """Raise an error where a trial has no power in one of its channels, filters or bands (n, ...)."""
    flat = (power <= 0).reshape(len(power), -1).any(axis=1)
    if flat.any():
        raise FlatTrials(np.flatnonzero(flat))
