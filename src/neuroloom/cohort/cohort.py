"""Cohort: a table with one row a sample, and for each input where its data lie. It holds no arrays."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from neuroloom.errors import NeuroloomError, listed
from neuroloom.formats import parts, read
from neuroloom.scan import Scan


class Source(Protocol):
    """Where one input of a cohort lies."""

    kind: str

    def load(self, sample: str) -> Scan: ...

    def identity(self, sample: str) -> str:
        """Return a short text that changes when the sample's data change (cheap: no reading)."""
        ...

    def available(self, sample: str) -> bool: ...


@dataclass(frozen=True)
class FileSource:
    """One file a sample; ``arguments`` are passed to the reader (``axes``, ``sampling_rate`` ...), tables as `Path`."""

    kind: str
    paths: dict[str, Path]
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def load(self, sample):
        """Read the file of a sample."""
        return read(self.paths[sample], kind=self.kind, **self.arguments.get(sample, {}))

    def identity(self, sample):
        """Return a text that changes with the file, its place, its time or its reader's arguments; the cache is keyed by it."""
        path = Path(self.paths[sample]).resolve()
        told = sorted(self.arguments.get(sample, {}).items())
        tables = [value for _, value in told if isinstance(value, Path)]  # that the reader reads too
        when = "|".join(_when(file) for file in (*parts(path), *tables))
        return f"{self.kind}|{path.name}|{path.parent}|{when}|{told}"

    def available(self, sample):
        return sample in self.paths


def _when(path):
    """Return size and time of a file, or of all files of a folder, as text."""
    status = path.stat()
    if not path.is_dir():
        return f"{status.st_size}|{status.st_mtime_ns}"
    digest = hashlib.blake2b(digest_size=12)
    for file in sorted(one for one in path.rglob("*") if one.is_file()):
        digest.update(f"{file.relative_to(path)}|{_when(file)}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class ArraySource:
    """One array (or list of arrays) in memory, a row a sample."""

    kind: str
    samples: tuple[str, ...]
    arrays: Any
    geometry: dict[str, Any] = field(default_factory=dict)

    def load(self, sample):
        return Scan(np.asarray(self.arrays[self._row[sample]]), self.kind, dict(self.geometry))

    def identity(self, sample):
        """Return a text that changes with any value of the array, its type or its geometry; the cache is keyed by it."""
        array = np.ascontiguousarray(self.arrays[self._row[sample]])
        told = json.dumps(self.geometry, sort_keys=True, default=lambda value: np.asarray(value).tolist())
        values = hashlib.blake2b(array.tobytes(), digest_size=12).hexdigest()
        return f"{self.kind}|array|{array.shape}|{array.dtype}|{values}|{told}"

    def available(self, sample):
        return sample in self._row

    @property
    def _row(self):
        rows = self.__dict__.get("_rows")
        if rows is None:
            rows = {sample: row for row, sample in enumerate(self.samples)}
            object.__setattr__(self, "_rows", rows)
        return rows


@dataclass(frozen=True)
class DrawnSource:
    """Samples drawn by a simulator when asked for.

    ``draw(sample)`` returns the scan, the same one at each call, and can be pickled; ``recipe`` states
    everything that the draw depends on (simulator, arguments, seed, version).
    """

    kind: str
    samples: frozenset[str]
    draw: Callable[[str], Scan]
    recipe: str

    def load(self, sample):
        return self.draw(sample)

    def identity(self, sample):
        """Return a text that changes with what the draw is told; the cache is keyed by it."""
        return f"{self.kind}|drawn|{self.recipe}|{sample}"

    def available(self, sample):
        return sample in self.samples


@dataclass(frozen=True)
class Cohort:
    """Who, and where their data lie.

    Parameters
    ----------
    table : DataFrame
        Index ``sample_id`` (str); column ``participant_id`` and, where known, ``session_id``, ``site``,
        ``family_id``, ``age`` (years), ``sex`` (M or F), targets and confounds.
    inputs : dict
        Input name -> `Source`.
    name : str
        What a reader of the report calls it.
    notes : tuple of str
        What was taken for what when the cohort was read ("column 'gender' taken as sex").
    known_truth : DataFrame, callable or None
        Simulated cohorts only: the planted quantities, a row a sample; or what measures them when they are
        asked for. Read it as ``truth``.
    planted : dict
        Simulated cohorts only: the planted places and sizes, by name (arrays or numbers), and under
        ``"ceiling"`` the best score that the planted truth allows, metric -> value.
    simulated : bool
        Whether a simulator made it.
    taken_from : dict
        Column of ``table`` -> the user's own column that it was taken from, where that has another name.
    identity : {"known", "unknown"}
        Whether ``participant_id`` tells people apart; unknown where files of one person may have several names.
    """

    table: pd.DataFrame
    inputs: dict[str, Source]
    name: str = "cohort"
    notes: tuple[str, ...] = ()
    known_truth: pd.DataFrame | Callable[[], pd.DataFrame] | None = None
    planted: dict[str, Any] = field(default_factory=dict)
    simulated: bool = False
    taken_from: dict[str, str] = field(default_factory=dict)
    identity: str = "known"

    def __post_init__(self):
        if self.table.index.name != "sample_id" or not self.table.index.is_unique:
            twice = self.table.index[self.table.index.duplicated()].unique()
            raise NeuroloomError(f"{self.name}: sample_id must name each row once; named twice: {listed(twice)}.")
        if "participant_id" not in self.table:
            raise NeuroloomError(f"{self.name}: the cohort table has no column participant_id.")

    def __len__(self):
        return len(self.table)

    @property
    def samples(self):
        return list(self.table.index)

    def load(self, name, sample):
        """Return one input of one sample."""
        if name not in self.inputs:
            raise NeuroloomError(f"{self.name} has no input {name!r}. It has: {', '.join(self.inputs) or 'none'}.")
        return self.inputs[name].load(sample)

    def subset(self, rows):
        """Return the cohort of some rows (numbers or a mask); the inputs stay where they are."""
        table = self.table.iloc[np.flatnonzero(rows) if np.asarray(rows).dtype == bool else rows]
        return replace(self, table=table)

    @property
    def truth(self):
        """Return the planted quantities, a row a sample; None for people who are not simulated."""
        if self.known_truth is None:
            return None
        whole = self.known_truth() if callable(self.known_truth) else self.known_truth
        return whole.loc[self.table.index]

    def fingerprint(self):
        """Return a text that changes when the table or any file of the cohort changes."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(self.table.to_csv().encode())
        for name, source in sorted(self.inputs.items()):
            for sample in self.samples:
                told = source.identity(sample) if source.available(sample) else "absent"
                digest.update(f"{name}|{sample}|{told}\n".encode())
        return digest.hexdigest()
