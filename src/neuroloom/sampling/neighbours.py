"""Neighbours: windows of a recording in a row make an item, in which a network answers for each of them."""

import numpy as np

from neuroloom.errors import NeuroloomError

NOT_ASKED = -100  # target of a window that is seen and not learned from, which torch's cross-entropy leaves out
ROUNDING = 1e-5  # s


class Neighbours:
    """Put windows that follow on each other side by side, ``windows`` at a time, the next item half of them later.

    A window of a recording that is none of those asked about (left out of a fit part, say) is seen by its neighbours and has no
    target itself. Where the recording has no more windows, or one is missing, the item ends in zeros.

    Parameters
    ----------
    recording : ndarray of shape (n_rows,)
        The recording of each row; rows of one recording follow on each other in time.
    onset : ndarray of shape (n_rows,)
        Of each window, s.
    windows : int
        In an item.
    """

    def __init__(self, recording, onset, windows):
        self.windows = windows
        self.run = _runs(np.asarray(recording), np.asarray(onset, dtype=np.float64))

    def seen(self, rows):
        """Return the rows that are looked at where some are asked about: all of their runs."""
        return np.flatnonzero(np.isin(self.run, self.run[np.asarray(rows, dtype=np.int64)]))

    def items(self, stores, rows):
        """Return items (n_items, 1 + 2 windows): a row that is asked about; the row of each window, -1 for none; whether asked."""
        self._check_series(stores)
        rows = np.asarray(rows, dtype=np.int64)
        asked = np.zeros(len(self.run), dtype=bool)
        asked[rows] = True
        found = []
        for number in np.unique(self.run[rows]):
            run = np.flatnonzero(self.run == number)
            for start in _starts(len(run), self.windows):
                seen = np.full(self.windows, -1)
                seen[: len(run) - start] = run[start : start + self.windows]
                own = (seen >= 0) & asked[seen]
                if own.any():
                    found.append([seen[own][0], *seen, *own])
        return np.array(found, dtype=np.int64).reshape(-1, 1 + 2 * self.windows)

    def _check_series(self, stores):
        other = [f"{name} ({store.kind})" for name, store in stores.items() if store.kind != "series"]
        if other:
            raise NeuroloomError(f"windows in a row are series, but {', '.join(other)} is none. Leave this input out.")

    def cut(self, stores, item):
        """Return the windows of an item side by side: name -> (channel, time)."""
        seen = self._seen(item)[0]
        rows, made = seen[seen >= 0], {}
        for name, store in stores.items():
            pieces = [np.asarray(store[int(row)]) for row in rows]
            beyond = self.windows * pieces[0].shape[-1] - sum(piece.shape[-1] for piece in pieces)
            made[name] = np.pad(np.concatenate(pieces, axis=-1), ((0, 0), (0, beyond)))
        return made

    def targets(self, values, items):
        """Return the class number of each window of items, (n_items, windows); `NOT_ASKED` where none is asked for."""
        seen, asked = self._seen(items)
        return np.where(asked, values[seen], NOT_ASKED)

    def join(self, items, answers):
        """Return the mean of the answers to each row: the rows, and (rows, outputs) of (n_items, outputs, windows)."""
        seen, asked = self._seen(items)
        rows, place = np.unique(seen[asked], return_inverse=True)
        total = np.zeros((len(rows), answers.shape[1]), dtype=np.float64)
        np.add.at(total, place, answers.transpose(0, 2, 1)[asked])
        return rows, (total / np.bincount(place)[:, None]).astype(answers.dtype)

    def _seen(self, items):
        """Return of items (..., 1 + 2 windows) the row of each window and whether it is asked about."""
        return items[..., 1 : 1 + self.windows], items[..., 1 + self.windows :].astype(bool)


def _starts(n_windows, of_item):
    """Return where items begin in a run: every half of an item, the last one so that it ends with the run."""
    if n_windows <= of_item:
        return [0]
    return [*range(0, n_windows - of_item, of_item // 2), n_windows - of_item]


def _runs(recording, onset):
    """Return a number for each row: rows of one recording that follow on each other without a gap share it."""
    same = recording[1:] == recording[:-1]
    steps = np.diff(onset)
    forward = same & (steps > 0)
    step = steps[forward].min() if forward.any() else 0.0
    following = forward & (np.abs(steps - step) < 0.5 * step)
    if following.any() and np.ptp(steps[following]) > ROUNDING:
        raise NeuroloomError(
            f"windows in a row must follow evenly, but these begin {steps[following].min():g} to {steps[following].max():g} s "
            "after each other. Make trials.every a whole number of time points at the rate of the input's chain."
        )
    return np.concatenate([[0], np.cumsum(~following)])
