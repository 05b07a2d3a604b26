"""Scale features by the mean and spread of the people fitted on."""

import numpy as np

from neuroloom.errors import listed
from neuroloom.transforms.fitted_arrays import check_shape, labelled

LEAST_SPREAD = 1e-6  # of a feature's mean size: what float32 leaves of a constant


class Standardize:
    """Bring each feature (value, edge, voxel) to mean 0 and standard deviation 1 over the fit people.

    A feature that is the same in all of them carries nothing: it becomes 0 for everyone, and is named in
    ``warnings``, as is one that nobody has (NaN stays NaN). Missing values are left out of mean and spread,
    and stay missing.

    Parameters
    ----------
    with_std : bool
        False only takes the mean away.
    """

    def __init__(self, with_std=True):
        self.with_std = with_std
        self.warnings = []

    def fit(self, x, rows, names=None):
        """Learn mean and spread.

        Parameters
        ----------
        x : ndarray of shape (n, *shape)
        rows : DataFrame
            Not used.
        names : list of str or None
            Of the regions or features.
        """
        known = ~np.isnan(x)
        n = known.sum(axis=0)
        total = np.where(known, x, 0).sum(axis=0, dtype=np.float64)
        self.mean = np.where(n > 0, total / np.maximum(n, 1), np.nan)
        squares = (np.where(known, x - self.mean, 0) ** 2).sum(axis=0, dtype=np.float64)
        spread = np.sqrt(squares / np.maximum(n, 1))
        constant = (spread <= LEAST_SPREAD * np.abs(self.mean)) | (spread == 0)
        scale = 1 / np.where(constant, 1.0, spread) if self.with_std else np.ones_like(spread)
        self.scale = np.where(constant & (n > 0), 0.0, scale)
        self.warnings = self._warnings(constant & (n > 0), n == 0, names, len(x))
        return self

    def transform(self, x, rows):
        """Return the scaled samples, float32."""
        check_shape("standardize", x, self.mean.shape)
        return ((x - self.mean) * self.scale).astype(np.float32)

    def _warnings(self, constant, absent, names, n):
        found = {"the same": constant, "missing": absent}
        return [
            f"standardize: {len(features)} features are {what} in all {n} people fitted on: {listed(features)}."
            for what, mask in found.items()
            if (features := labelled(mask, names))
        ]

    def state(self):
        """Return mean and scale of each feature."""
        return {"mean": self.mean, "scale": self.scale}

    def load_state(self, state):
        """Take up what `state` returned."""
        self.mean, self.scale = state["mean"], state["scale"]
        return self
