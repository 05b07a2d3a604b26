"""Gaussian-process regression: linear and smooth dependence."""

import warnings

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel

from neuroloom.estimators.features import Scaling


class GaussianProcess:
    """Gaussian process with a linear and a squared-exponential kernel and noise.

    Hyperparameters maximise the marginal likelihood of the fit part (Rasmussen & Williams 2006, ch. 5).

    Parameters
    ----------
    restarts : int
        Further starts of the optimiser from drawn points.
    """

    target_kind = "number"

    def __init__(self, restarts=0):
        self.restarts = restarts

    def fit(self, x, y, groups, seed=0):
        """Fit on features (n_samples, n_features) and numbers (n_samples,)."""
        self.scaling = Scaling().fit(x)
        self.known = self.scaling(x) / np.sqrt(x.shape[1])  # squared distances are then about 2
        self.mean, self.spread = float(y.mean()), float(y.std()) or 1.0
        kernel = (
            ConstantKernel(1.0, (1e-4, 1e4)) * DotProduct(0.0, "fixed")
            + ConstantKernel(1.0, (1e-4, 1e3)) * RBF(1.0, (0.1, 100.0))
            + WhiteKernel(0.5, (1e-3, 10.0))
        )
        process = GaussianProcessRegressor(kernel, n_restarts_optimizer=self.restarts, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a kernel that is not needed goes to its bound
            process.fit(self.known, (y - self.mean) / self.spread)
        self.weights = process.alpha_
        linear, smooth = process.kernel_.k1.k1, process.kernel_.k1.k2
        self.kernel = np.array([linear.k1.constant_value, smooth.k1.constant_value, smooth.k2.length_scale])
        return self

    def predict(self, x):
        """Return the posterior mean, shape (n_samples,)."""
        asked = self.scaling(x) / np.sqrt(self.known.shape[1])
        linear, smooth, length = self.kernel
        kernel = linear * asked @ self.known.T + smooth * np.exp(
            -cdist(asked, self.known, "sqeuclidean") / (2 * length**2)
        )
        return kernel @ self.weights * self.spread + self.mean

    def state(self):
        """Return what was fitted: scaling, the people known with their weights, the kernel, mean and spread of the target."""
        return {
            "mean": self.scaling.mean,
            "scale": self.scaling.scale,
            "known": self.known,
            "weights": self.weights,
            "kernel": self.kernel,
            "target": np.array([self.mean, self.spread]),
        }

    def load_state(self, state):
        """Take up what `state` returned."""
        self.scaling = Scaling()
        self.scaling.mean, self.scaling.scale = state["mean"], state["scale"]
        self.known, self.weights, self.kernel = state["known"], state["weights"], state["kernel"]
        self.mean, self.spread = map(float, state["target"])
        return self
