"""Stores: one input of a whole cohort, after its per-scan chain, a row a sample."""

import json
import math
import os
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import zip_longest
from pathlib import Path

import numpy as np

from neuroloom.errors import NeuroloomError, listed


@dataclass(frozen=True)
class MappedStore:
    """Samples that lie in the cache, one memory-mapped file each; nothing is held in memory.

    Parameters
    ----------
    kind : str
        Kind of the samples, see `neuroloom.scan.KINDS`.
    samples : tuple of str
        Sample of each row.
    paths : tuple of Path or None
        The cached array of each row; None where the input was not measured.
    """

    kind: str
    samples: tuple[str, ...]
    paths: tuple[Path | None, ...]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, row):
        if self.paths[row] is None:
            raise NeuroloomError(f"{self.samples[row]}: this input was not measured.")
        return mapped(self.paths[row])

    def stretch(self, row, start, stop):
        """Return some steps of the last axis of a row, read into memory."""
        return read_stretch(self.paths[row], start, stop)

    def geometry(self, row):
        """Return what is known beside the data of a row (affine, names, sampling rate), after the chain."""
        return self._told(row)["geometry"]

    def facts(self, row):
        """Return what was measured on the raw scan of a row (length, voxel size, constant regions)."""
        return self._told(row)["facts"]

    def _told(self, row):
        path = self.paths[row].with_suffix(".json")
        return _read_told(path, path.stat().st_mtime_ns)

    @cached_property
    def present(self):
        """Whether each row has data, (n,)."""
        return np.array([path is not None for path in self.paths])

    @property
    def names(self):
        return self.geometry(int(np.argmax(self.present))).get("names")

    def stack(self, rows):
        """Return some rows as one array (n, *shape); an absent row is NaN. Ragged rows are an error."""
        return stack_rows(self, rows)


@lru_cache(maxsize=256)
def _read_told(path, when):
    """Return what is written beside an array; ``when`` the file was written makes it another one."""
    return json.loads(path.read_text())


@dataclass(frozen=True)
class ArrayStore:
    """Samples in one array in memory, for example after a fitted transform; `rows` says whose they are."""

    kind: str
    samples: tuple[str, ...]
    values: dict[int, np.ndarray]
    names: list[str] | None = None
    told: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, row):
        return self.values[row]

    def stretch(self, row, start, stop):
        """Return some steps of the last axis of a row, a view."""
        return self.values[row][..., start:stop]

    def geometry(self, row):
        return self.told.get(row, {"names": self.names} if self.names else {})

    @cached_property
    def present(self):
        """Whether each row has data, (n,)."""
        return np.array([row in self.values for row in range(len(self))])

    def stack(self, rows):
        return stack_rows(self, rows)


def mapped(path):
    """Return the array of a .npy file, memory-mapped; nothing stays open when it is let go.

    Reading the header takes longer than mapping what follows, and a series is opened again for each of its windows: what
    the headers of the last files said is remembered.
    """
    dtype, shape, order, offset = _header(path, *_version(path))
    return np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape, order=order)


def read_stretch(path, start, stop):
    """Return the steps from ``start`` up to ``stop`` of the last axis of the array in a .npy file, read into memory.

    For windows at random places of a long recording: the pages of a map are found one by one, which takes several times as
    long as reading, and they stay. Where all channels of a time point lie together (order F) one read is enough.
    """
    dtype, shape, order, offset = _header(path, *_version(path))
    if not shape:
        return np.array(mapped(path))
    start, stop, _ = slice(start, stop).indices(shape[-1])
    if order == "F":
        of_step = math.prod(shape[:-1])
        made = np.empty(of_step * max(0, stop - start), dtype=dtype)
        with open(path, "rb", buffering=0) as file:
            file.seek(offset + start * of_step * dtype.itemsize)
            file.readinto(made)
        return made.reshape((*shape[:-1], max(0, stop - start)), order="F")
    made = np.empty((math.prod(shape[:-1]), max(0, stop - start)), dtype=dtype)
    with open(path, "rb", buffering=0) as file:
        for number, channel in enumerate(made):
            file.seek(offset + (number * shape[-1] + start) * dtype.itemsize)
            file.readinto(channel)
    return made.reshape(*shape[:-1], made.shape[1])


def _version(path):
    told = os.stat(path)
    return told.st_mtime_ns, told.st_size


@lru_cache(maxsize=4096)
def _header(path, changed, size):
    """Return type, shape, order and start of the data of a .npy file as it was when it was last changed."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise NeuroloomError(f"{path}: is no whole array ({error}). Delete it; the next run makes it anew.") from None
    return array.dtype, array.shape, "C" if array.flags.c_contiguous else "F", array.offset


def stack_rows(store, rows):
    """Return rows of a store as one array (n, *shape), NaN where the input was not measured."""
    present = store.present
    known = [int(row) for row in rows if present[row]]
    if not known:
        raise NeuroloomError("None of these samples has this input.")
    shapes = {row: store[row].shape for row in known}
    if len(set(shapes.values())) > 1:
        raise NeuroloomError(ragged_message(store, shapes))
    first = store[known[0]]
    stacked = np.empty((len(rows), *first.shape), dtype=first.dtype)
    for position, row in enumerate(rows):
        stacked[position] = store[row] if present[row] else np.nan
    return stacked


def check_names(store):
    """Raise an error where some samples name their regions or features otherwise, or in another order, than the rest."""
    told = {int(row): store.geometry(int(row)).get("names") for row in np.flatnonzero(store.present)}
    known = {row: names for row, names in told.items() if names is not None}
    first = next(iter(known), None)
    odd = [row for row in known if known[row] != known[first]]
    if odd:
        number, expected, found = first_difference(known[first], known[odd[0]])
        raise NeuroloomError(
            f"{store.kind} samples differ in their names: number {number} is {expected!r} in {store.samples[first]}, "
            f"but {found!r} in {store.samples[odd[0]]}; other than the first are {listed(store.samples[r] for r in odd)}. "
            "Bring the files to the same names in the same order."
        )


def first_difference(names, others):
    """Return (number, name, other name) of the first place where two lists of names differ; None behind an end."""
    both = enumerate(zip_longest(names, others), start=1)
    return next((number, *pair) for number, pair in both if pair[0] != pair[1])


def ragged_message(store, shapes, fitted=None):
    """Return what is wrong when samples differ in shape, from each other or from those fitted on; whose; the way out."""
    common = fitted or max(set(shapes.values()), key=list(shapes.values()).count)
    most = "most are" if fitted is None else "this learner was fitted on"
    odd = [f"{store.samples[row]} {shape}" for row, shape in shapes.items() if shape != common]
    way_out = {
        "volume": "Put {name: crop_box, ...} or {name: resample, ...} into the input's chain.",
        "series": "Put {name: covariance} or {name: crop_series, ...} into the input's chain.",
    }.get(store.kind, "Bring them to one shape in the input's chain.")
    return f"{store.kind} samples differ in shape: {most} {common}, but {listed(odd)}. {way_out}"
