"""Ridge regression with the penalty chosen inside the fit part."""

import numpy as np

from neuroloom.estimators.features import Scaling, rotate
from neuroloom.estimators.tuning import best_setting, inner_folds


class Ridge:
    """Linear regression with an L2 penalty (Hoerl & Kennard 1970, doi:10.1080/00401706.1970.10488634).

    Parameters
    ----------
    alphas : list of float
        Penalties to choose from, on standardised features, relative to the number of samples.
    """

    target_kind = "number"

    def __init__(self, alphas=(1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)):
        self.alphas = list(alphas)

    def fit(self, x, y, groups, seed=0):
        """Fit on features (n_samples, n_features), numbers (n_samples,) and the unit of each sample."""
        self.scaling = Scaling().fit(x)
        rotated, back = rotate(self.scaling(x))
        folds = inner_folds(y, groups, is_class=False, seed=seed)

        def error(alpha, train, held_out):
            coefficients, intercept = _solve(rotated[train], y[train], alpha)
            return np.mean((rotated[held_out] @ coefficients + intercept - y[held_out]) ** 2)

        self.alpha = best_setting(self.alphas, folds, error)
        coefficients, self.intercept = _solve(rotated, y, self.alpha)
        self.coefficients = coefficients @ back
        return self

    def predict(self, x):
        """Return numbers, shape (n_samples,)."""
        return self.scaling(x) @ self.coefficients + self.intercept

    def state(self):
        """Return what was fitted: scaling, coefficients, intercept, the penalty that was chosen."""
        return {
            "mean": self.scaling.mean,
            "scale": self.scaling.scale,
            "coefficients": self.coefficients,
            "intercept_alpha": np.array([self.intercept, self.alpha]),
        }

    def load_state(self, state):
        """Take up what `state` returned."""
        self.scaling = Scaling()
        self.scaling.mean, self.scaling.scale = state["mean"], state["scale"]
        self.coefficients = state["coefficients"]
        self.intercept, self.alpha = map(float, state["intercept_alpha"])
        return self


def _solve(x, y, alpha):
    """Return coefficients and intercept of the penalised least squares, penalty alpha per sample."""
    centre, mean = x.mean(axis=0), y.mean()
    centred = x - centre
    gram = centred.T @ centred + alpha * len(x) * np.eye(x.shape[1])
    coefficients = np.linalg.solve(gram, centred.T @ (y - mean))
    return coefficients, float(mean - centre @ coefficients)
