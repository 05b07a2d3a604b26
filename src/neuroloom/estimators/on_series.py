"""What the classifiers of series share: features of each trial, and a linear model on them."""

import numpy as np

from neuroloom.errors import NeuroloomError


class OnSeries:
    """A classifier of trials (n, channel, time), equal in length.

    A subclass says what is learned from the fit part, ``learn(x, y)`` -> dict of arrays (kept as ``fitted``, they are all
    that it later needs), and ``features(x)`` -> (n, features).

    Parameters
    ----------
    head : estimator
        Of features, as in `neuroloom.estimators`.
    """

    takes = "series"
    target_kind = "class"
    needs_rate = False  # whether `fit` needs the sampling rate

    def __init__(self, head):
        self.head = head
        self.warnings = []

    def fit(self, x, y, groups, seed=0, sampling_rate=None):
        """Fit on trials, class numbers (n,) and the unit of each trial (n,).

        Parameters
        ----------
        x : ndarray of shape (n, channel, time)
            EEG in V.
        y, groups : ndarray of shape (n,)
        seed : int
        sampling_rate : float or None
            In Hz.
        """
        if np.ndim(x) != 3:
            raise NeuroloomError(
                f"{self.name} looks at trials (n, channel, time), but was given an array {np.shape(x)}."
            )
        if self.needs_rate and sampling_rate is None:
            raise NeuroloomError(f"{self.name}: its settings are in Hz, so it needs the sampling rate of the series.")
        few = [int(value) for value, count in zip(*np.unique(y, return_counts=True), strict=True) if count < 2]
        if few:
            raise NeuroloomError(
                f"{self.name}: the fit part holds a single trial of class number {few[0] + 1}; it needs 2."
            )
        self.sampling_rate = sampling_rate
        self.fitted = self.learn(x, y)
        self.head.fit(self.features(x), y, groups, seed=seed)
        return self

    def predict(self, x):
        """Return probabilities, shape (n, n_classes)."""
        return self.head.predict(self.features(x))

    def state(self):
        return {**self.fitted, **{f"head.{key}": array for key, array in self.head.state().items()}}

    def load_state(self, state):
        self.fitted = {key: array for key, array in state.items() if not key.startswith("head.")}
        self.head.load_state({key[len("head.") :]: array for key, array in state.items() if key.startswith("head.")})
        return self
