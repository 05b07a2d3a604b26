"""Recursive filters as second-order sections: their design, and their pass forward, and forward and backward."""

import numpy as np
from scipy import signal

from neuroloom.errors import NeuroloomError
from neuroloom.formats import spacious
from neuroloom.transforms.series_channels import check_finite


def butterworth(step, rate, high_pass, low_pass, order):
    """Return a Butterworth filter as sections, shape (n, 6), that keeps what lies between two edges.

    Parameters
    ----------
    step : str
        Whose edges they are, for the error.
    rate, high_pass, low_pass : float
        Hz; one of the edges may be None.
    order : int
        Of each edge.
    """
    nyquist = rate / 2
    edges = [edge for edge in (high_pass, low_pass) if edge is not None]
    if not all(0 < edge < nyquist for edge in edges) or sorted(set(edges)) != edges:
        raise NeuroloomError(
            f"{step}: high_pass {high_pass} Hz, low_pass {low_pass} Hz. At one sample each {1 / rate:g} s "
            f"they must lie in this order between 0 and {nyquist:g} Hz (Nyquist)."
        )
    kind = "bandpass" if len(edges) == 2 else "lowpass" if high_pass is None else "highpass"
    return signal.butter(order, edges if len(edges) == 2 else edges[0], kind, fs=rate, output="sos")


def notches(step, rate, frequencies, width):
    """Return sections, shape (n, 6), that take out single frequencies (Hz), each ``width`` Hz wide at -3 dB."""
    wrong = [frequency for frequency in frequencies if not width / 2 < frequency < rate / 2]
    if wrong:
        raise NeuroloomError(
            f"{step}: notch {wrong} Hz, {width:g} Hz wide, does not lie between 0 and {rate / 2:g} Hz (Nyquist)."
        )
    made = [signal.tf2sos(*signal.iirnotch(one, one / width, fs=rate)) for one in frequencies]
    return np.concatenate([np.zeros((0, 6)), *made])


def least_padding(sections):
    """Return the samples that must be padded at each end, as scipy counts them."""
    return 3 * (2 * len(sections) + 1 - min((sections[:, 2] == 0).sum(), (sections[:, 5] == 0).sum()))


def forward_backward(sections, series, padding):
    """Return one series (time,) float64 filtered forward, then backward: twice the attenuation, no delay.

    The ends are continued by their point reflection, ``padding`` samples long; the answer is that of
    `scipy.signal.sosfiltfilt`, at a fraction of its memory.
    """
    before = 2 * series[0] - series[padding:0:-1]
    after = 2 * series[-1] - series[-2 : -padding - 2 : -1]
    padded = np.concatenate([before, series, after])
    for direction in (padded, padded[::-1]):
        _pass(sections, direction)
    return padded[padding : len(padded) - padding]


def _pass(sections, series):
    """Filter a series in its place, from its first sample to its last."""
    state = signal.sosfilt_zi(sections) * series[0]
    for some in spacious.blocks(len(series), 1):
        series[some], state = signal.sosfilt(sections, series[some], zi=state)


class Forward:
    """Filter stretches (channel, n) float64 forward; the state is kept.

    It starts as if the first sample had always been there.

    Parameters
    ----------
    sections : ndarray of shape (n, 6)
    """

    def __init__(self, sections):
        self.sections, self.state = sections, None

    def __call__(self, x):
        if self.state is None:
            self.state = signal.sosfilt_zi(self.sections)[:, None, :] * x[None, :, :1]
        out, self.state = signal.sosfilt(self.sections, x, axis=1, zi=self.state)
        return out


class SectionsStream:
    """Filter chunks (channel, n) of a recording forward, whatever n.

    Parameters
    ----------
    sections : ndarray of shape (n, 6)
    geometry : dict
        Of what comes in, and of what comes out.
    chosen : ndarray of bool
        Channels that are filtered; the others go through.
    step : str
        Whose filter it is, for errors.
    """

    def __init__(self, sections, geometry, chosen, step):
        self.geometry, self.chosen, self.step = geometry, chosen, step
        self.forward = Forward(sections)

    def __call__(self, chunk):
        out = np.array(chunk, dtype=np.float32)
        if chunk.shape[1] and self.chosen.any():
            check_finite(chunk, self.geometry, self.step)
            out[self.chosen] = self.forward(chunk[self.chosen].astype(np.float64))
        return out
