"""Riemannian geometry: covariances of trials in the tangent space, and a linear support vector machine."""

from neuroloom.estimators.channels import Channels, covariances
from neuroloom.estimators.linear_svm import LinearSVM
from neuroloom.estimators.on_series import OnSeries
from neuroloom.estimators.tangent_space import reference, tangent_vectors


class RiemannSVM(OnSeries):
    """Covariances in the tangent space at their geometric mean, linear SVM (Barachant et al. 2012, doi:10.1109/TBME.2011.2172210).

    Each trial's covariance is shrunk as its own noise asks for (Ledoit-Wolf). Tangent vectors are not scaled one by one,
    so that answers do not depend on the units of channels or on how they are referenced. Series should be filtered to the
    band of interest in the input's chain.

    Parameters
    ----------
    strengths : list of float
        Values of C to choose from.
    class_weight : str
        ``balanced`` or ``none``; a run takes the task's.
    """

    name = "riemann_svm"

    def __init__(self, strengths=(1e-3, 1e-2, 1e-1, 1.0, 10.0), class_weight="balanced"):
        super().__init__(LinearSVM(strengths, class_weight, scale_by="all"))

    def learn(self, x, y):
        """Return the directions in which the channels vary, and the inverse root of the mean covariance."""
        channels = Channels(self.name).fit(x)
        whitening, late = reference(covariances(x, channels.project, "ledoit_wolf"), self.name)
        self.warnings = channels.warnings + late
        return {"project": channels.project, "whitening": whitening}

    def features(self, x):
        """Return tangent vectors, shape (n, edges)."""
        trials = covariances(x, self.fitted["project"], "ledoit_wolf")
        return tangent_vectors(trials, self.fitted["whitening"])
