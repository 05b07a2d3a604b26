"""Linear support vector machine, with probabilities from held-out decision values."""

import numpy as np
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from neuroloom.estimators.features import Scaling, rotate
from neuroloom.estimators.tuning import best_setting, inner_folds
from neuroloom.estimators.weights import class_mean, weight_of


class LinearSVM:
    """Linear support vector machine, one class against the rest.

    Probabilities come from a logistic curve over decision values held out inside the fit part
    (Platt 1999); decisions, and so the AUC, are those of the machine.

    Parameters
    ----------
    strengths : list of float
        Values of C to choose from, for features of unit mean norm.
    class_weight : str
        ``balanced`` (machine and curve give each class the same total weight) or ``none``; a run takes the task's.
    scale_by : str
        ``feature`` or ``all``, see `neuroloom.estimators.features.Scaling`.
    """

    target_kind = "class"

    def __init__(self, strengths=(1e-3, 1e-2, 1e-1, 1.0, 10.0), class_weight="balanced", scale_by="feature"):
        self.strengths = list(strengths)
        self.class_weight = class_weight
        self.scale_by = scale_by

    def fit(self, x, y, groups, seed=0):
        """Fit on features (n_samples, n_features), class numbers and the unit of each sample."""
        self.scaling = Scaling(self.scale_by).fit(x)
        scaled = self.scaling(x)
        self.scaling.scale = self.scaling.scale / max(np.sqrt(np.mean(np.sum(scaled**2, axis=1))), 1e-12)
        rotated, back = rotate(self.scaling(x))
        folds = inner_folds(y, groups, is_class=True, seed=seed)
        n_classes = int(y.max()) + 1

        def error(strength, train, held_out):
            coefficients, intercept = self._solve(rotated[train], y[train], strength, n_classes)
            chosen = _choose(rotated[held_out] @ coefficients.T + intercept)
            return class_mean(chosen != y[held_out], y[held_out], self.class_weight)

        self.strength = best_setting(self.strengths, folds, error)
        held = np.zeros((len(y), 1 if n_classes == 2 else n_classes))
        for train, held_out in folds:
            coefficients, intercept = self._solve(rotated[train], y[train], self.strength, n_classes)
            held[held_out] = rotated[held_out] @ coefficients.T + intercept
        self.curve = self._curve(held, y, fitted=bool(folds))
        coefficients, self.intercept = self._solve(rotated, y, self.strength, n_classes)
        self.coefficients = coefficients @ back
        return self

    def _solve(self, x, y, strength, n_classes):
        """Return coefficients and intercepts: one row for two classes, one a class for more."""
        positives, weight = [1] if n_classes == 2 else range(n_classes), weight_of(self.class_weight)
        machines = [SVC(C=strength, kernel="linear", class_weight=weight).fit(x, y == value) for value in positives]
        return np.concatenate([m.coef_ for m in machines]), np.concatenate([m.intercept_ for m in machines])

    def _curve(self, decision, y, fitted):
        """Return slope and intercept of the logistic curve of each decision; slopes never turn the order."""
        if not fitted:
            return np.tile([1.0, 0.0], (decision.shape[1], 1))
        positives, weight = [1] if decision.shape[1] == 1 else range(decision.shape[1]), weight_of(self.class_weight)
        lines = []
        for column, value in enumerate(positives):
            centre, spread = decision[:, column].mean(), decision[:, column].std() or 1.0
            standard = (decision[:, [column]] - centre) / spread
            curve = LogisticRegression(C=10.0, class_weight=weight).fit(standard, y == value)
            slope = max(curve.coef_[0, 0], 1e-3) / spread
            lines.append([slope, curve.intercept_[0] - slope * centre])
        return np.array(lines)

    def predict(self, x):
        """Return probabilities, shape (n_samples, n_classes)."""
        decision = self.scaling(x) @ self.coefficients.T + self.intercept  # (n, 1), or (n, n_classes)
        curved = decision * self.curve[:, 0] + self.curve[:, 1]
        if curved.shape[1] > 1:
            return softmax(curved, axis=1)
        positive = expit(curved[:, 0])
        return np.stack([1 - positive, positive], axis=1)

    def state(self):
        """Return what was fitted: scaling, plane, the curve from distance to probability, the penalty that was chosen."""
        return {
            "mean": self.scaling.mean,
            "scale": self.scaling.scale,
            "coefficients": self.coefficients,
            "intercept": self.intercept,
            "curve": self.curve,
            "strength": np.array([self.strength]),
        }

    def load_state(self, state):
        """Take up what `state` returned."""
        self.scaling = Scaling()
        self.scaling.mean, self.scaling.scale = state["mean"], state["scale"]
        self.coefficients, self.intercept = state["coefficients"], state["intercept"]
        self.curve, self.strength = state["curve"], float(state["strength"][0])
        return self


def _choose(decision):
    return (decision[:, 0] > 0).astype(int) if decision.shape[1] == 1 else decision.argmax(axis=1)
