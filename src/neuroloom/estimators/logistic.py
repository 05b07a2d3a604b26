"""Logistic regression with the penalty chosen inside the fit part."""

import warnings

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from neuroloom.estimators.features import Scaling, rotate
from neuroloom.estimators.tuning import best_setting, inner_folds
from neuroloom.estimators.weights import class_mean, weight_of


class Logistic:
    """Logistic regression with an L2 penalty.

    Parameters
    ----------
    strengths : list of float
        Inverse penalties C to choose from, on standardised features.
    class_weight : str
        ``balanced`` (each class has the same total weight) or ``none``; a run takes the task's.
    scale_by : str
        ``feature`` or ``all``, see `neuroloom.estimators.features.Scaling`.
    """

    target_kind = "class"

    def __init__(self, strengths=(1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0), class_weight="balanced", scale_by="feature"):
        self.strengths = list(strengths)
        self.class_weight = class_weight
        self.scale_by = scale_by

    def fit(self, x, y, groups, seed=0):
        """Fit on features (n_samples, n_features), class numbers and the unit of each sample."""
        self.scaling = Scaling(self.scale_by).fit(x)
        rotated, back = rotate(self.scaling(x))
        folds = inner_folds(y, groups, is_class=True, seed=seed)

        def error(strength, train, held_out):
            coefficients, intercept = _solve(rotated[train], y[train], strength, self.class_weight)
            chance = log_softmax(rotated[held_out] @ coefficients.T + intercept, axis=1)
            return class_mean(-chance[np.arange(len(held_out)), y[held_out]], y[held_out], self.class_weight)

        self.strength = best_setting(self.strengths, folds, error)
        coefficients, self.intercept = _solve(rotated, y, self.strength, self.class_weight)
        self.coefficients = coefficients @ back
        return self

    def predict(self, x):
        """Return probabilities, shape (n_samples, n_classes)."""
        return softmax(self.scaling(x) @ self.coefficients.T + self.intercept, axis=1)

    def state(self):
        """Return what was fitted: scaling, coefficients, intercepts, the penalty that was chosen."""
        return {
            "mean": self.scaling.mean,
            "scale": self.scaling.scale,
            "coefficients": self.coefficients,
            "intercept": self.intercept,
            "strength": np.array([self.strength]),
        }

    def load_state(self, state):
        """Take up what `state` returned."""
        self.scaling = Scaling()
        self.scaling.mean, self.scaling.scale = state["mean"], state["scale"]
        self.coefficients, self.intercept = state["coefficients"], state["intercept"]
        self.strength = float(state["strength"][0])
        return self


def _solve(x, y, strength, class_weight):
    """Return coefficients (n_classes, n_features) and intercepts; two classes are written as two rows."""
    model = LogisticRegression(C=strength, class_weight=weight_of(class_weight), max_iter=2000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a weak penalty on separable data has no optimum
        model.fit(x, y)
    return a_row_a_class(model)


def a_row_a_class(model):
    """Return coefficients and intercepts of a linear model of scikit-learn, a row a class: two classes are two rows too."""
    if len(model.classes_) > 2:
        return model.coef_, model.intercept_
    half, offset = model.coef_[0] / 2, model.intercept_[0] / 2  # softmax of (-z/2, z/2) is the logistic of z
    return np.stack([-half, half]), np.array([-offset, offset])
