"""From a plain array of numbers to a series, a graph or a table row: what its axes mean, and how fast it ran."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Real
from pathlib import Path

import numpy as np

from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats import limits
from neuroloom.formats.channels import type_by_name, volts
from neuroloom.formats.recording_events import read_event_table
from neuroloom.known import check_known
from neuroloom.scan import Scan

KINDS_READ = ("series", "graph", "table")
SAMPLING_ARGUMENTS = ("sampling_rate", "sampling_period")  # of a reader: Hz, or s
SERIES, GRAPH = (
    ("axes", *SAMPLING_ARGUMENTS, "unit", "events", "event_label"),
    ("symmetric", "measure"),
)  # what is told of them alone
ASYMMETRY = 1e-4  # of the largest value: what rounding to four decimals leaves


def sampling_of(path, sampling_rate, sampling_period):
    """Return ``{"sampling_rate": Hz}`` from a rate (Hz) or a period (s); empty where neither is given."""
    told = {"sampling_rate": sampling_rate, "sampling_period": sampling_period}
    told = {name: value for name, value in told.items() if value is not None}
    if len(told) > 1:
        raise FileProblem(path, "sampling_rate and sampling_period are both given.", "Keep one of them.")
    for name, value in told.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < float("inf"):
            raise FileProblem(path, f"{name} must be a number above 0, but is {value!r}.", "Correct it.")
    if sampling_period is not None:
        return {"sampling_rate": 1 / float(sampling_period)}
    return {name: float(value) for name, value in told.items()}


@dataclass(frozen=True)
class Meaning:
    """What an array of numbers from a file means, where the file itself does not say it.

    Parameters
    ----------
    axes : sequence of two of "time", "region" (or "channel"), or None
        What the two axes of a series are; nothing is guessed from the shape. One axis alone is time.
    sampling_rate, sampling_period : float or None
        Hz, or s.
    symmetric : bool
        Whether a graph must be symmetric.
    measure : str or None
        What the values of a graph are, for example "correlation".
    unit : {"V", "mV", "uV", "nV"} or None
        Of a series of voltages (EEG), which is then given in V, with the types that its channels' names tell.
    events : str or None
        Of a series: a table (.tsv, .csv) with onset, duration and a label, see `read_event_table`; from the file's folder where
        the path is relative.
    event_label : str or None
        Column of that table that names the events.
    """

    axes: Sequence[str] | None = None
    sampling_rate: float | None = None
    sampling_period: float | None = None
    symmetric: bool = True
    measure: str | None = None
    unit: str | None = None
    events: str | None = None
    event_label: str | None = None

    def scan(self, path, values, kind, *, column_names=None, row_names=None):
        """Return the scan that an array makes.

        Parameters
        ----------
        values : ndarray
            Real numbers, one or two axes.
        kind : {"series", "graph", "table"} or None
            None is ``series``.
        column_names, row_names : list of str or None
            Names along the second and the first axis, where the file has them.

        Returns
        -------
        Scan
        """
        kind = kind or "series"
        if kind not in KINDS_READ:
            raise FileProblem(
                path,
                f"files of this format hold {', '.join(KINDS_READ)}; {kind} was asked.",
                "Correct the input's kind.",
            )
        self._check_told(path, kind)
        if values.size == 0:
            raise FileProblem(path, f"its array is empty, shape {values.shape}.", "Export it again.")
        values = limits.to_float32(values, path)
        if kind == "graph":
            return _graph(path, values, self.symmetric, self.measure, column_names or row_names)
        if kind == "table":
            return _row(path, values, column_names)
        series, names = _region_by_time(path, values, self.axes, column_names, row_names)
        geometry = {
            **sampling_of(path, self.sampling_rate, self.sampling_period),
            **({"names": names} if names else {}),
        }
        series = np.ascontiguousarray(series)
        if self.unit is not None:
            series = series * np.float32(volts(path, self.unit))
            geometry |= {
                "unit": "V",
                "types": [type_by_name(name) for name in names or [""] * len(series)],
                "events": [],
            }
        if self.events is not None:
            geometry["events"] = read_event_table(Path(path).parent / self.events, self.event_label)
        return Scan(series, "series", geometry)

    def _check_told(self, path, kind):
        foreign = {"series": GRAPH, "graph": SERIES, "table": (*SERIES, *GRAPH)}[kind]
        for one in fields(self):
            if one.name in foreign and getattr(self, one.name) != one.default:
                raise FileProblem(path, f"{one.name} is given, but means nothing for kind {kind}.", "Leave it out.")


def check_axes(path, axes):
    """Return axes as a tuple with 'channel' called 'region', or raise."""
    known = {"time": "time", "region": "region", "channel": "region"}
    told = [axes] if isinstance(axes, str) or not hasattr(axes, "__iter__") else list(axes)
    named = tuple(known.get(axis) if isinstance(axis, str) else None for axis in told)
    if sorted(map(str, named)) != ["region", "time"]:
        raise FileProblem(
            path, f"axes is {axes!r}, expected two words: [time, region] or [region, time].", "Correct it."
        )
    return named


def _region_by_time(path, values, axes, column_names, row_names):
    """Return (region, time) and the names of the regions; a single row of numbers is one region."""
    if axes is not None:
        axes = check_axes(path, axes)
    if values.ndim == 1:
        values, axes, column_names = values[None], ("region", "time"), None
    if values.ndim != 2:
        raise FileProblem(
            path, f"{values.ndim} axes {values.shape}, but a series has two.", "Save one recording a file."
        )
    if axes is None:
        n, m = values.shape
        raise FileProblem(
            path,
            f"shape {values.shape} may be {n} times x {m} regions or {n} regions x {m} times.",
            "Say which: axes: [time, region], or axes: [region, time].",
        )
    series, names = (values.T, column_names) if axes[0] == "time" else (values, row_names)
    if series.shape[1] < 2:
        raise FileProblem(
            path, f"{series.shape[0]} regions and 1 time are no series.", f"Are axes: [{', '.join(axes)}] right?"
        )
    return series, names


def _graph(path, values, symmetric, measure, names):
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise FileProblem(path, f"shape {values.shape}; a graph is square (region, region).", "Is kind right?")
    if not isinstance(symmetric, bool):
        raise FileProblem(path, f"symmetric must be true or false, but is {symmetric!r}.", "Correct it.")
    known = np.isfinite(values) & np.isfinite(values.T)
    apart = np.abs(np.where(known, values, 0) - np.where(known, values.T, 0))
    if symmetric and apart.max() > ASYMMETRY * max(np.abs(values[known]).max(initial=0), 1e-30):
        i, j = np.unravel_index(apart.argmax(), apart.shape)
        raise FileProblem(
            path,
            f"it is not symmetric: ({i + 1}, {j + 1}) is {values[i, j]:g}, ({j + 1}, {i + 1}) is {values[j, i]:g}.",
            "If its edges have a direction, say symmetric: false.",
        )
    geometry = {"symmetric": symmetric, "names": names, "measure": measure}
    return Scan(np.ascontiguousarray(values), "graph", {k: v for k, v in geometry.items() if v is not None})


def _row(path, values, names):
    if (values.ndim == 2 and len(values) != 1) or values.ndim > 2:
        raise FileProblem(
            path, f"shape {values.shape}; kind table wants one row a file.", "Name a table of many people as table:."
        )
    return Scan(np.ascontiguousarray(values.reshape(-1)), "table", {"names": names} if names else {})


def check_names(path, names):
    """Return names of columns, each given and given once, or raise."""
    if "" in names:
        raise FileProblem(
            path, f"column {names.index('') + 1} has no name.", "Name it, or say which to keep with columns: [...]."
        )
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise FileProblem(path, f"columns of the same name: {listed(twice)}.", "Rename them.")
    return names


def chosen(path, what, asked, held):
    """Return which of several named arrays of a file is meant; one alone need not be named.

    Parameters
    ----------
    what : str
        What the format calls an array.
    asked : str or None
    held : dict
        Name -> shape, or None where it is not known.
    """
    if asked is None and len(held) == 1:
        return next(iter(held))
    if asked is None:
        told = [name if shape is None else f"{name} {shape}" for name, shape in held.items()]
        raise FileProblem(
            path, f"which {what} is meant? It holds {listed(told) or 'none'}.", "Name it with variable: NAME."
        )
    try:
        check_known(what, asked, held)
    except NeuroloomError as error:
        raise FileProblem(path, str(error)) from None
    return asked
