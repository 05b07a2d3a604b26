"""Windows of a series: each is an item, and the answers of one sample are averaged."""

import numpy as np

from neuroloom.errors import NeuroloomError


class Windows:
    """Cut series into windows of equal length, as indices into the store; a window is read when it is asked for.

    Parameters
    ----------
    length : int
        Time points in a window.
    step : int
        Time points from one window's start to the next.
    """

    def __init__(self, length, step=None):
        self.length = length
        self.step = step or length
        if self.length < 1 or self.step < 1:
            raise NeuroloomError(f"windows: length and step must be 1 or more, not {self.length} and {self.step}.")

    def items(self, stores, rows):
        """Return the windows of some rows: shape (n_items, 2), row and first time point."""
        self._check_series(stores)
        store = next(iter(stores.values()))
        found = []
        for row in rows:
            last = store[int(row)].shape[-1] - self.length
            if last < 0:
                raise NeuroloomError(
                    f"{store.samples[row]}: {last + self.length} time points, but a window has {self.length}. "
                    f"Use --set sampling.length={last + self.length}, or leave this sample out."
                )
            found += [(row, start) for start in range(0, last + 1, self.step)]
        return np.array(found, dtype=np.int64)

    def _check_series(self, stores):
        other = [f"{name} ({store.kind})" for name, store in stores.items() if store.kind != "series"]
        if other:
            raise NeuroloomError(
                f"windows cut series along time, but of the inputs {', '.join(other)} is none. "
                "Use --set sampling.name=whole, or leave this input out of the model's inputs."
            )

    def cut(self, stores, item):
        """Return the window of each input: name -> (region, length)."""
        row, start = int(item[0]), int(item[1])
        return {n: s.stretch(row, start, start + self.length) for n, s in stores.items() if s.present[row]}

    def join(self, items, outputs):
        """Return the mean of the windows' answers for each row: (rows, outputs)."""
        rows, place = np.unique(items[:, 0], return_inverse=True)
        total = np.zeros((len(rows), *outputs.shape[1:]), dtype=np.float64)
        np.add.at(total, place, outputs)
        counts = np.bincount(place).reshape(-1, *[1] * (outputs.ndim - 1))
        return rows, (total / counts).astype(outputs.dtype)
