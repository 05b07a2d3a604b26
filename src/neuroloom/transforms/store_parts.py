"""Stores that are parts of other stores: trials of recordings, and one scan for all trials of its recording."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from neuroloom.transforms.store import stack_rows

KEPT_OPEN = 32  # recordings whose maps are kept, and a file of each


@dataclass(frozen=True)
class PartStore:
    """Rows that are (stretches of time of) the rows of another store; nothing is copied.

    Parameters
    ----------
    store : store
        Of the recordings.
    samples : tuple of str
        Sample of each row of this store.
    source : ndarray of int
        Row of ``store`` that each row lies in.
    first, n_times : ndarray of int or None
        First time point and number of them of each row; None is the whole.
    """

    store: Any
    samples: tuple[str, ...]
    source: np.ndarray
    first: np.ndarray | None = None
    n_times: np.ndarray | None = None

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, row):
        if self.first is None:
            return self._whole(int(self.source[row]))
        return self.stretch(row, 0, int(self.n_times[row]))  # of a map the pages that were seen would stay in memory

    def stretch(self, row, start, stop):
        """Return some time points of a row, read into memory."""
        first = 0 if self.first is None else int(self.first[row])
        return self.store.stretch(int(self.source[row]), first + start, first + stop)

    def geometry(self, row):
        """Return what is known beside the data of a row; the events of a whole recording are not those of a part."""
        told = self.store.geometry(int(self.source[row]))
        return told if self.first is None else {name: one for name, one in told.items() if name != "events"}

    @property
    def kind(self):
        return self.store.kind

    @property
    def names(self):
        return self.store.names

    def __getstate__(self):
        """Return what makes the store; what it keeps of the recordings does not go to other processes."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def _whole(self, source):
        """Return a recording; a few stay open, since each has many parts."""
        if source not in self._opened:
            if len(self._opened) >= KEPT_OPEN:
                self._opened.clear()
            self._opened[source] = self.store[source]
        return self._opened[source]

    @cached_property
    def _opened(self):
        return {}

    @cached_property
    def present(self):
        """Whether each row has data, (n,)."""
        return self.store.present[self.source]

    def stack(self, rows):
        return stack_rows(self, rows)
