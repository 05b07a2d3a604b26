"""Linear discriminant analysis with a shrunk covariance: no setting to choose."""

import numpy as np
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from neuroloom.estimators.features import Scaling
from neuroloom.estimators.logistic import a_row_a_class


class LDA:
    """Linear discriminant analysis; the covariance inside the classes is shrunk by as much as its own noise asks for.

    (Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4; for EEG Blankertz et al. 2011,
    doi:10.1016/j.neuroimage.2010.06.048.)

    Parameters
    ----------
    class_weight : str
        ``balanced`` (the classes are taken to be equally frequent) or ``none`` (as in the fit part); a run takes the
        task's.
    """

    target_kind = "class"

    def __init__(self, class_weight="balanced"):
        self.class_weight = class_weight

    def fit(self, x, y, groups=None, seed=0):
        """Fit on features (n_samples, n_features) and class numbers; nothing is drawn, and no units are held out."""
        self.scaling = Scaling().fit(x)
        n_classes = int(y.max()) + 1
        priors = np.full(n_classes, 1 / n_classes) if self.class_weight == "balanced" else None
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=priors).fit(self.scaling(x), y)
        self.coefficients, self.intercept = a_row_a_class(model)
        return self

    def predict(self, x):
        """Return probabilities, shape (n_samples, n_classes)."""
        return softmax(self.scaling(x) @ self.coefficients.T + self.intercept, axis=1)

    def state(self):
        return {
            "mean": self.scaling.mean,
            "scale": self.scaling.scale,
            "coefficients": self.coefficients,
            "intercept": self.intercept,
        }

    def load_state(self, state):
        self.scaling = Scaling()
        self.scaling.mean, self.scaling.scale = state["mean"], state["scale"]
        self.coefficients, self.intercept = state["coefficients"], state["intercept"]
        return self
