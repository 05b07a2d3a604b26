"""Shrunk LDA on the time courses themselves: for evoked responses and slow potentials."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.estimators.channels import Channels
from neuroloom.estimators.lda import LDA
from neuroloom.estimators.on_series import OnSeries


class TimeLDA(OnSeries):
    """Means of each channel over short windows, shrunk LDA (Blankertz et al. 2011, doi:10.1016/j.neuroimage.2010.06.048).

    Parameters
    ----------
    rate : float
        Windows in a second; the trial is cut into windows as equal as its samples allow.
    class_weight : str
        ``balanced`` or ``none``; a run takes the task's.
    """

    name = "time_lda"
    needs_rate = True

    def __init__(self, rate=20.0, class_weight="balanced"):
        super().__init__(LDA(class_weight))
        self.rate = float(rate)
        if not self.rate > 0:
            raise NeuroloomError(f"{self.name}: rate is the number of windows in a second, more than 0, not {rate}.")

    def learn(self, x, y):
        """Return where the windows begin, and what each channel is divided by."""
        channels = Channels(self.name).fit(x)
        self.warnings = channels.flat_warnings
        n_times = x.shape[-1]
        n_windows = min(n_times, max(1, round(n_times / self.sampling_rate * self.rate)))
        edges = np.linspace(0, n_times, n_windows + 1).round().astype(np.int64)
        scale = np.zeros(x.shape[1])
        scale[channels.live] = 1 / channels.deviation[channels.live]
        return {"edges": edges, "scale": scale}

    def features(self, x):
        """Return the means, shape (n, channel and window)."""
        edges, scale = self.fitted["edges"], self.fitted["scale"]
        sums = np.stack([np.add.reduceat(trial, edges[:-1], axis=1) for trial in x])
        return (sums / np.diff(edges) * scale[:, None]).reshape(len(x), -1)

    def weights(self):
        """Return the weight of each channel at each time point in the answer, per V: (n_classes, channel * time)."""
        edges, scale = self.fitted["edges"], self.fitted["scale"]
        widths = np.diff(edges)
        each = (self.head.coefficients * self.head.scaling.scale).reshape(-1, len(scale), len(widths))
        spread = np.repeat(each / widths, widths, axis=2)  # (n_classes, channel, time)
        return (spread * scale[:, None]).reshape(len(each), -1)
