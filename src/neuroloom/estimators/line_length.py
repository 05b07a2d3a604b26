"""Line length: how long the curve of each channel is, which seizures make longer."""

import numpy as np

from neuroloom.estimators.band_power import HEADS
from neuroloom.estimators.channels import Channels, log_power
from neuroloom.estimators.on_series import OnSeries
from neuroloom.known import check_known


class LineLength(OnSeries):
    """Logarithm of each channel's line length, and a linear model.

    The line length of a trial is the sum of the absolute differences between neighbouring time points, here per time point
    (Esteller et al. 2001, doi:10.1109/IEMBS.2001.1020545).

    Parameters
    ----------
    head : str
        ``lda`` (shrunk) or ``logistic`` (penalty chosen inside the fit part).
    class_weight : str
        ``balanced`` or ``none``; a run takes the task's.
    """

    name = "line_length"

    def __init__(self, head="lda", class_weight="balanced"):
        check_known(f"head of {self.name}", head, HEADS)
        super().__init__(HEADS[head](class_weight=class_weight))

    def learn(self, x, y):
        """Return which channels carry a signal."""
        channels = Channels(self.name).fit(x)
        self.warnings = channels.flat_warnings
        return {"live": np.flatnonzero(channels.live)}

    def features(self, x):
        """Return the log of the mean absolute step, shape (n, channel)."""
        steps = np.empty((len(x), len(self.fitted["live"])))
        for place, trial in zip(steps, x, strict=True):
            place[:] = np.abs(np.diff(trial[self.fitted["live"]], axis=-1)).mean(axis=-1)
        return log_power(steps)
