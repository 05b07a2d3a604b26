"""How many channels of a recording are linearly independent."""

import numpy as np

from neuroloom.formats import spacious

N_STRETCHES = 20
STRETCH = 5_000  # samples
LEAST = 1e-8  # of the correlations' eigenvalues: float32 leaves 1e-12, a dense cap's least is about 1e-5


def measured_rank(data, channels):
    """Return the rank of some channels, over stretches spread evenly over the recording.

    It falls below the number of channels by what was lost: one for a reference, one an interpolated channel.

    Parameters
    ----------
    data : ndarray of shape (channel, time)
    channels : ndarray of int

    Returns
    -------
    int
    """
    starts = np.unique(np.linspace(0, max(0, data.shape[1] - STRETCH), N_STRETCHES).astype(int))
    covariance = np.zeros((len(channels), len(channels)))
    for start in starts:
        covariance += _covariance(data[channels, start : start + STRETCH].astype(np.float64))
        spacious.let_go(data)
    spread = np.sqrt(np.diag(covariance))
    known = np.isfinite(spread) & (spread > 0)
    if not known.any():
        return 0
    correlation = covariance[np.ix_(known, known)] / np.outer(spread[known], spread[known])
    return int((np.linalg.eigvalsh(correlation) > LEAST).sum())


def _covariance(series):
    centred = series - series.mean(axis=1, keepdims=True)
    return centred @ centred.T
