"""The lines of a series' spectrum, put together to columns over frequency."""

from dataclasses import dataclass

import numpy as np
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.explanation.series_frame import sampling_rate_of


@dataclass(frozen=True)
class Lines:
    """Lines of the spectrum of items, and the columns that they are in.

    Parameters
    ----------
    n_times : int
        Time points of an item.
    rate : float
        Hz.
    together : int
        Lines of a column.
    first, n : int
        Number of the first line that is in a column; of columns.
    """

    n_times: int
    rate: float
    together: int
    first: int
    n: int

    @property
    def edges(self):
        """Edges of the columns in Hz, half-way between lines."""
        numbers = self.first + self.together * np.arange(self.n + 1) - 0.5
        return np.maximum(numbers * self.rate / self.n_times, 0.0)

    @property
    def inside(self):
        """Which lines are in a column."""
        return slice(self.first, self.first + self.together * self.n)

    def added(self, of_lines):
        """Return values of all lines (..., line), those of each column added up: (..., column)."""
        return of_lines[..., self.inside].unflatten(-1, (self.n, self.together)).sum(dim=-1)

    def spread(self, of_columns, fill):
        """Return values of columns (..., column) as values of all lines, ``fill`` where a line is in none."""
        whole = of_columns.new_full((*of_columns.shape[:-1], self.n_times // 2 + 1), fill)
        whole[..., self.inside] = of_columns.repeat_interleave(self.together, dim=-1)
        return whole


def lines_of(asked, n_times, rate, lowest, highest, width):
    """Return the `Lines` from a lowest to a highest frequency (Hz), in columns about ``width`` Hz wide.

    Items of a second have lines one Hz apart: columns are no narrower than that.
    """
    apart = rate / n_times
    first = max(1, int(np.ceil(lowest / apart - 1e-9)))
    last = min((n_times - 1) // 2, int(np.floor(highest / apart + 1e-9)))  # the line at half the rate has no phase
    together = max(1, round(width / apart))
    n = (last - first + 1) // together
    if n < 2:
        raise NeuroloomError(
            f"explanation {asked!r}: items of {n_times / rate:g} s at {rate:g} Hz have no two columns of {width:g} Hz from "
            f"{lowest:g} to {highest:g} Hz: lines are {apart:.3g} Hz apart. Use longer items, or a wider range."
        )
    return Lines(n_times, rate, together, first, n)


def check_range(asked, lowest, highest, width):
    """Raise an error where frequencies are not a range."""
    if not (0 <= lowest < highest and width > 0):
        raise NeuroloomError(
            f"explanation {asked!r}: lowest, highest and width are Hz, 0 or more, lowest below highest and width above 0, "
            f"not {lowest}, {highest} and {width}."
        )


def lines_of_input(asked, learner, data, name, rows, lowest, highest, width):
    """Return the `Lines` of what a learner sees of a series at once (a sample, or a window of it).

    Parameters
    ----------
    asked : str
        The explanation, for errors.
    learner : Trained or Estimator
    data : Data
    name : str
        Of the input.
    rows : sequence of int
        People who have it.
    lowest, highest, width : float
        Hz.
    """
    rate = sampling_rate_of(data, name, [int(row) for row in rows], asked)
    store = learner.inputs.stores(data, np.asarray(rows))[name]
    lengths = {store[int(row)].shape[-1] for row in rows}
    n_times = getattr(data.sampling, "length", None) or min(lengths)
    if len(lengths) > 1 and getattr(data.sampling, "length", None) is None:
        raise NeuroloomError(
            f"explanation {asked!r}: the series of {name} differ in length ({min(lengths)} to {max(lengths)} time points), and "
            "so do the lines of their spectra. Put {name: crop_series, ...} into the input's chain, or use windows."
        )
    return lines_of(asked, n_times, rate, lowest, highest, width)


def attribution_of_lines(slopes, difference):
    """Return what each line of the spectrum adds where each time point adds slope times difference.

    The series is written as the sum of its lines (an inverse Fourier transform before the network; Vielhaben et al. 2024,
    doi:10.1016/j.patcog.2024.110309), so that gradients reach real and imaginary part of each. What all lines add is
    what all time points do (Parseval).

    Parameters
    ----------
    slopes, difference : Tensor of shape (..., time)

    Returns
    -------
    Tensor of shape (..., line)
    """
    n = slopes.shape[-1]
    both = (torch.fft.rfft(difference.double()) * torch.fft.rfft(slopes.double()).conj()).real / n
    twice = torch.full((n // 2 + 1,), 2.0, dtype=both.dtype)  # a line and its mirror
    twice[0] = 1.0
    if n % 2 == 0:
        twice[-1] = 1.0
    return both * twice
