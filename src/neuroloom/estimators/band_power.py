"""Band power: how much each channel holds of each band of frequencies, on a logarithmic scale."""

import numpy as np
from scipy import signal

from neuroloom.errors import NeuroloomError
from neuroloom.estimators.bands import checked_bands
from neuroloom.estimators.channels import Channels, log_power
from neuroloom.estimators.lda import LDA
from neuroloom.estimators.logistic import Logistic
from neuroloom.estimators.on_series import OnSeries
from neuroloom.known import check_known

BANDS = ((1, 4), (4, 8), (8, 13), (13, 30), (30, 45))  # Hz: delta, theta, alpha, beta, gamma
HEADS = {"lda": LDA, "logistic": Logistic}


class BandPower(OnSeries):
    """Logarithm of each channel's power in bands (Welch 1967, doi:10.1109/TAU.1967.1161901), and a linear model.

    Parameters
    ----------
    bands : list of [float, float]
        Edges in Hz, the upper one not in the band.
    segment : float
        Length in s of the pieces whose spectra are averaged (Hann window, half overlapping); a shorter trial is one piece.
    parts : int
        Equal parts of a trial whose powers are features of their own, for example epochs of sleep side by side.
    head : str
        ``lda`` (shrunk) or ``logistic`` (penalty chosen inside the fit part).
    class_weight : str
        ``balanced`` or ``none``; a run takes the task's.
    """

    name = "band_power"
    needs_rate = True

    def __init__(self, bands=BANDS, segment=2.0, parts=1, head="lda", class_weight="balanced"):
        check_known(f"head of {self.name}", head, HEADS)
        super().__init__(HEADS[head](class_weight=class_weight))
        if not (isinstance(parts, int) and parts >= 1):
            raise NeuroloomError(f"{self.name}: parts must be 1 or more, but is {parts!r}.")
        self.bands, self.segment, self.parts = checked_bands(self.name, bands), float(segment), parts

    def learn(self, x, y):
        """Return which channels carry a signal, the bands and the rate."""
        channels = Channels(self.name).fit(x)
        self.warnings = channels.flat_warnings
        if x.shape[-1] % self.parts:
            raise NeuroloomError(
                f"{self.name}: trials of {x.shape[-1]} time points cannot be cut into {self.parts} equal parts. Correct parts, "
                "or start and stop of the trials."
            )
        length = min(x.shape[-1] // self.parts, max(1, round(self.segment * self.sampling_rate)))
        return {
            "live": np.flatnonzero(channels.live),
            "bands": self.bands,
            "rate_length": np.array([self.sampling_rate, length]),
            "parts": np.array([self.parts]),  # weights are kept as arrays of one axis or more
        }

    def features(self, x):
        """Return the log of the mean power density, shape (n, channel, part and band)."""
        (rate, length), parts = self.fitted["rate_length"], int(self.fitted["parts"][0])
        frequency = np.fft.rfftfreq(int(length), 1 / rate)
        of_bands = [(frequency >= low) & (frequency < high) for low, high in self.fitted["bands"]]
        self._check(of_bands, rate, length)
        power = np.empty((len(x), len(self.fitted["live"]), parts, len(of_bands)))
        for place, trial in zip(power, x, strict=True):
            cut = trial[self.fitted["live"]].reshape(power.shape[1], parts, -1)
            density = signal.welch(cut, rate, nperseg=int(length))[1]  # (channel, part, frequency)
            place[:] = np.stack([density[..., own].mean(axis=-1) for own in of_bands], axis=-1)
        return log_power(power).reshape(len(x), -1)

    def _check(self, of_bands, rate, length):
        for own, (low, high) in zip(of_bands, self.fitted["bands"], strict=True):
            if high > rate / 2 or not own.any():
                raise NeuroloomError(
                    f"{self.name}: the band {low:g} to {high:g} Hz cannot be seen in pieces of {length / rate:g} s at "
                    f"{rate:g} Hz: frequencies there are {rate / length:g} Hz apart and end at {rate / 2:g} Hz. Give other "
                    "bands, or longer trials."
                )
