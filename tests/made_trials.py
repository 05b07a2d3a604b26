"""Trials of EEG with a known truth: sources of one rhythm each, seen through a drawn mixture, in V."""

import numpy as np
from scipy import signal

RATE, N_CHANNELS, N_TIMES = 128.0, 8, 192  # 1.5 s
UNIT = 1e-5  # V


def rhythmic(n, ratio=1.0, n_classes=2, seed=0):
    """Return trials in which a 10-Hz source of class c has ``ratio`` times the power, classes, and the mixture.

    Parameters
    ----------
    n : int
    ratio : float
        Of the power of source c in class c to its power in the others.
    n_classes, seed : int

    Returns
    -------
    x : ndarray of shape (n, channel, time)
    y : ndarray of shape (n,)
    mixture : ndarray of shape (channel, source)
        Source c is that of class c (of two classes: source 1 that of class 1).
    """
    rng = np.random.default_rng(seed)
    mixture = np.random.default_rng(100).normal(size=(N_CHANNELS, N_CHANNELS))  # the same head for every seed
    y = rng.permutation(np.arange(n) % n_classes)
    narrow = signal.butter(2, [8, 12], "bandpass", fs=RATE, output="sos")
    rhythms = signal.sosfilt(narrow, rng.normal(size=(n, n_classes, N_TIMES + 256)))[..., 256:]
    rhythms /= rhythms.std()
    sources = rng.normal(size=(n, N_CHANNELS, N_TIMES))
    for source in range(n_classes):
        loud = np.where(y == source, np.sqrt(ratio), 1.0) if n_classes > 2 or source == 1 else 1.0
        sources[:, source] = rhythms[:, source] * np.reshape(loud, (-1, 1)) + 0.3 * sources[:, source]
    return UNIT * (mixture @ sources), y, mixture


def evoked(n, size=0.0, seed=0):
    """Return trials in which class 1 has a response of ``size`` standard deviations of the noise at its peak (0.3 s)."""
    x, y, mixture = rhythmic(n, seed=seed)
    time = np.arange(N_TIMES) / RATE
    response = size * UNIT * np.exp(-((time - 0.3) ** 2) / (2 * 0.05**2))
    return x + (y == 1)[:, None, None] * mixture[:, [2]] * response, y, mixture
