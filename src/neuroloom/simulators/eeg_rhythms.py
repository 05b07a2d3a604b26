"""Gaussian noise of any spectrum, drawn in steps without an end: background, rhythms, drifts, sensors."""

import numpy as np
import scipy.fft

STEP = 8192  # samples drawn at a time
FADE = 1024  # samples over which one draw passes into the next


def coloured(density, n_rows, rate, rng):
    """Yield independent rows of stationary Gaussian noise, step by step, without an end.

    Each draw has the spectrum exactly, at multiples of rate / (STEP + FADE); it passes into the next with weights
    whose squares sum to 1, so that variance and spectrum are the same everywhere.

    Parameters
    ----------
    density : callable
        Frequencies (Hz, above 0) -> one-sided power density, per Hz. The variance is its integral from the lowest
        multiple to half the rate.
    n_rows : int
    rate : float
        In Hz.
    rng : numpy.random.Generator

    Yields
    ------
    ndarray of shape (row, STEP), float32
    """
    length = STEP + FADE
    frequencies = np.fft.rfftfreq(length, 1 / rate)
    size = np.zeros(len(frequencies))
    size[1:] = np.sqrt(density(frequencies[1:]) * rate / length) * length / 2
    if length % 2 == 0:
        size[-1] = 0.0  # half the rate: its phase is not free
    size = size.astype(np.float32)
    phase = np.arange(FADE, dtype=np.float32) + 0.5
    rise, fall = np.sin(0.5 * np.pi * phase / FADE), np.cos(0.5 * np.pi * phase / FADE)
    last = _draw(size, n_rows, length, rng)[:, STEP:]
    while True:
        drawn = _draw(size, n_rows, length, rng)
        out = drawn[:, :STEP]
        out[:, :FADE] = rise * out[:, :FADE] + fall * last
        last = drawn[:, STEP:].copy()
        yield out


def _draw(size, n_rows, length, rng):
    normal = rng.standard_normal((n_rows, len(size), 2), dtype=np.float32)
    return scipy.fft.irfft(normal.view(np.complex64)[..., 0] * size, n=length, axis=1)


def aperiodic(exponent, knee=0.7):
    r"""Return the density of a background :math:`(f^2 + f_k^2)^{-x/2}`, of variance 1 from 1 to 40 Hz.

    Parameters
    ----------
    exponent : float
        :math:`x`; 0.8 to 2 in awake people (Donoghue et al. 2020, doi:10.1038/s41593-020-00744-x).
    knee : float
        :math:`f_k`, below which it grows no further, in Hz.
    """
    band = np.linspace(1.0, 40.0, 2000)
    total = np.trapezoid((band**2 + knee**2) ** (-exponent / 2), band)
    return lambda f: (f**2 + knee**2) ** (-exponent / 2) / total


def peak(frequency, width):
    """Return the density of a rhythm of variance 1: a Gaussian peak, its standard deviation ``width`` (Hz)."""
    return lambda f: np.exp(-0.5 * ((f - frequency) / width) ** 2) / (width * np.sqrt(2 * np.pi))


def degrees_of_freedom(width, duration):
    r"""Return how many independent squares a mean power over a time holds, for a rhythm as `peak` describes.

    Twice the duration times the statistical bandwidth :math:`(\int S)^2 / \int S^2 = 2\sqrt{\pi}\,width`.
    """
    return 2 * duration * 2 * np.sqrt(np.pi) * width


def white(frequencies):
    """Return a flat density of 1 per Hz."""
    return np.ones_like(frequencies)


def band(low, high, rate):
    """Return the density of noise of variance 1, flat from low to high (Hz, cut at half the rate)."""
    high = min(high, rate / 2)
    return lambda f: ((f >= low) & (f <= high)) / (high - low)
