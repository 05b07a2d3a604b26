"""Where the values of a series' map lie: channels with their places on the head, and columns over time or frequency."""

from dataclasses import dataclass

import numpy as np

from neuroloom.cohort.cut_windows import PARTLY
from neuroloom.errors import NeuroloomError

MOST_COLUMNS = 64  # over time


@dataclass(frozen=True)
class Columns:
    """The second axis of a map of a series.

    Parameters
    ----------
    unit : str
        ``s`` from the event, or ``Hz``.
    edges : tuple of float
        Of the columns, rising; one more than there are columns.
    """

    unit: str
    edges: tuple[float, ...]

    def __len__(self):
        return len(self.edges) - 1

    def like(self, other):
        """Return whether both go over the same."""
        return (self.unit, len(self)) == (other.unit, len(other)) and np.allclose(self.edges, other.edges)


def series_frame(learner, data, name, store, rows, method):
    """Return what a `Frame` is told of the maps that a method makes of a series.

    Parameters
    ----------
    learner : Trained or Estimator
    data : Data
    name : str
        Of the input.
    store : store
        Of what the learner sees of it.
    rows : list of int
        People who have it.
    method : explanation
        Its ``axis`` says what its maps go over: ``region``, ``window``, ``time`` or ``frequency``.

    Returns
    -------
    dict
        ``shape``, ``names``; where known ``columns`` and ``positions``.
    """
    n_channels, n_times = store[rows[0]].shape[0], max(store[row].shape[-1] for row in rows)
    start, rate = trial_start(data, name, rows), data.stores[name].geometry(rows[0]).get("sampling_rate")
    if method.axis == "window":
        windows = window_names(n_times, method.window, start, rate)
        return {"shape": (len(windows),), "names": windows}
    names = learner.inputs.names.get(name)
    names = tuple(map(str, names)) if names is not None else None
    told = {"shape": (n_channels,), "names": names, "positions": positions_of(data.stores[name], rows[0], names)}
    columns = None
    if method.axis == "frequency":
        columns = Columns("Hz", tuple(method.lines(learner, data, name, rows).edges))
    elif method.axis == "time" and start is not None:
        columns = Columns("s", tuple(time_edges(n_times, start, rate)))
    return told if columns is None else told | {"shape": (n_channels, len(columns)), "columns": columns}


def trial_start(data, name, rows):
    """Return when samples begin, s after their event; None where they are not trials cut at events."""
    store, table = data.stores[name], data.cohort.table
    first = getattr(store, "first", None)
    if first is None or PARTLY in table or "onset" not in table:
        return None
    rate = float(store.geometry(rows[0])["sampling_rate"])
    return round(float(np.mean(first[rows] / rate - table["onset"].to_numpy(dtype=np.float64)[rows])), 3)


def time_edges(n_times, start, rate):
    """Return the edges of at most 64 nearly equal columns over time, in s from the event."""
    return start + column_starts(n_times, min(n_times, MOST_COLUMNS)) / rate


def column_starts(n_times, n_columns):
    """Return the first time point of each column, and the end: (n_columns + 1,)."""
    return np.round(np.linspace(0, n_times, n_columns + 1)).astype(int)


def binned(values, n_columns, mean=False):
    """Return attributions (n, channel, time) with the time points of each column added up, or averaged."""
    starts = column_starts(values.shape[-1], n_columns)
    total = np.add.reduceat(values, starts[:-1], axis=-1)  # NaN where an input was not measured
    return total / np.diff(starts) if mean else total


def window_names(n_times, window, start, rate):
    """Return the names of windows: from when to when after the event where that is known, else their time points."""
    starts = range(0, n_times, window)
    if start is None:
        return tuple(f"time points {first} to {first + window - 1}" for first in starts)
    ends = [min(first + window, n_times) for first in starts]
    return tuple(
        f"{_written(start + a / rate)} to {_written(start + b / rate)} s" for a, b in zip(starts, ends, strict=True)
    )


def _written(seconds):
    return f"{round(seconds, 2) + 0.0:.2f}"  # no minus before a zero


def positions_of(store, row, names):
    """Return the place of each channel, m in the head frame; None where one of them is not known."""
    told = store.geometry(row)
    if names is None or not told.get("positions") or not told.get("names"):
        return None
    known = dict(zip(map(str, told["names"]), told["positions"], strict=True))
    places = tuple(tuple(known[name]) if known.get(name) is not None else None for name in names)
    return None if None in places else places


def sampling_rate_of(data, name, rows, asked):
    """Return the sampling rate that series share, Hz; an error where one is not known or they differ."""
    rates = {data.stores[name].geometry(row).get("sampling_rate") for row in rows}
    if len(rates) != 1 or None in rates:
        told = "unknown" if None in rates else " and ".join(f"{rate:g} Hz" for rate in sorted(rates))
        raise NeuroloomError(
            f"explanation {asked!r}: the sampling rate of {name} is {told}, and a map over frequency needs one. Give "
            "sampling_rate in cohort.yaml, or put {name: resample_series, rate: 128.0} into the input's chain."
        )
    return float(rates.pop())
