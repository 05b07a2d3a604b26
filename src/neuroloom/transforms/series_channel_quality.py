"""How well each EEG channel measures: amplitude, agreement with the others, noise; in windows of a second.

After the PREP pipeline (Bigdely-Shamlo 2015, doi:10.3389/fninf.2015.00016), in one walk through the recording.
"""

from dataclasses import dataclass

import numpy as np

from neuroloom.formats import spacious
from neuroloom.transforms.series_sections import Forward, butterworth

DRIFTS, BRAIN = 1.0, 50.0  # Hz: what lies below is drift, what lies above is mostly noise
WINDOW = 1.0  # s
AGREEING = 98  # percentile over the other channels of the correlation with them
LEAST_SPREAD = 0.139  # of log amplitudes: z = 5 is at least half or twice the others
ORDER = 4


@dataclass(frozen=True)
class Quality:
    """What was measured on channels, by channel.

    Parameters
    ----------
    amplitude : ndarray of shape (channel,)
        Standard deviation above 1 Hz, the median over windows, in the recording's unit.
    agreement : ndarray of shape (window, channel)
        Correlation with the channels that agree most, between 1 and 50 Hz.
    noise : ndarray of shape (channel,) or None
        Amplitude above 50 Hz to that below, the median over windows; None where the sampling rate is too low.
    """

    amplitude: np.ndarray
    agreement: np.ndarray
    noise: np.ndarray | None


def channel_quality(data, rate, channels):
    """Measure some channels of a recording (channel, time) of ``rate`` Hz; see `Quality`."""
    window = max(2, round(WINDOW * rate))
    n_windows = data.shape[1] // window
    above, below, noise_filter = _filters(rate)
    amplitude, noise, agreement = (np.zeros((n_windows, len(channels)), dtype=np.float32) for _ in range(3))
    for some in spacious.blocks(n_windows, window * len(channels)):
        x = data[channels, some.start * window : some.stop * window].astype(np.float64)
        x = above(x)
        amplitude[some] = _windows(x, window).std(axis=2).T
        brain = below(x) if below else x
        agreement[some] = _agreement(_windows(brain, window))
        if noise_filter:
            noise[some] = (_spread(noise_filter(x), window) / np.maximum(_spread(brain, window), 1e-30)).T
        spacious.let_go(data)
    return Quality(np.median(amplitude, axis=0), agreement, np.median(noise, axis=0) if noise_filter else None)


def robust_z(values):
    """Return how far the logarithms of amplitudes lie from their median, in robust standard deviations."""
    logs = np.log(values)
    away = logs - np.median(logs)
    return away / max(1.4826 * np.median(np.abs(away)), LEAST_SPREAD)


def _filters(rate):
    """Return the filters that keep what is no drift, what is brain, what is noise; None where the rate is too low."""
    above = Forward(butterworth("bad_channels", rate, DRIFTS, None, ORDER))
    if rate / 2 <= 1.1 * BRAIN:
        return above, None, None
    below, noise = ((None, BRAIN), (BRAIN, None))
    return above, *(Forward(butterworth("bad_channels", rate, *edges, ORDER)) for edges in (below, noise))


def _windows(x, window):
    return x.reshape(len(x), -1, window)  # (channel, window, sample)


def _spread(x, window):
    return _windows(x, window).std(axis=2)


def _agreement(x):
    """Return the correlation of each channel with those that agree most with it, shape (window, channel)."""
    x = x.transpose(1, 0, 2) - x.mean(axis=2).T[:, :, None]  # (window, channel, sample)
    norm = np.sqrt((x**2).sum(axis=2, keepdims=True))
    x = np.divide(x, norm, out=np.zeros_like(x), where=norm > 0)
    correlation = np.abs(x @ x.transpose(0, 2, 1))
    n = correlation.shape[1]
    others = correlation[:, ~np.eye(n, dtype=bool)].reshape(-1, n, n - 1)
    return np.percentile(others, AGREEING, axis=2)
