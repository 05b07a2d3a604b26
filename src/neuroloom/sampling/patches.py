"""Patches of a volume: each is an item, and the answers for a sample's voxels are put together again."""

import itertools

import numpy as np

from neuroloom.errors import NeuroloomError


class Patches:
    """Cut volumes and label maps into boxes of one size, as indices into the store; nothing is copied.

    Learning takes patches at drawn places, new ones each epoch; answering takes patches that cover the volume and
    overlap, and averages where several answer, those near a patch's middle counting more.

    Parameters
    ----------
    shape : (int, int, int)
        Voxels along each axis. A smaller volume is filled up with zeros at its end.
    per_sample : int
        Patches drawn from each sample in an epoch.
    overlap : float
        Share of a patch's edge that the next one shares, when answering.
    """

    draws = True

    def __init__(self, shape, per_sample=1, overlap=0.25):
        self.shape, self.per_sample, self.overlap = tuple(int(n) for n in shape), int(per_sample), float(overlap)
        if len(self.shape) != 3 or min(self.shape) < 1 or self.per_sample < 1:
            raise NeuroloomError(
                f"patches: shape must be three numbers and per_sample one, all 1 or more, not {shape} and {per_sample}."
            )
        if not 0 <= self.overlap < 1:
            raise NeuroloomError(f"patches: overlap must be at least 0 and less than 1, not {overlap}.")

    def items(self, stores, rows, draw=None):
        """Return the patches of some rows: shape (n_items, 4), row and first voxel along i, j, k.

        Parameters
        ----------
        stores : dict
        rows : ndarray of int
        draw : numpy Generator or None
            Draws the places, to learn from; without it the patches cover each volume.
        """
        found = []
        for row in rows:
            size = _size(stores, int(row))
            room = [max(0, n - m) for n, m in zip(size, self.shape, strict=True)]
            if draw is not None:
                places = draw.integers(0, np.array(room) + 1, size=(self.per_sample, 3))
            else:
                along = [self._starts(n, m) for n, m in zip(room, self.shape, strict=True)]
                places = itertools.product(*along)
            found += [(row, *place) for place in places]
        return np.array(found, dtype=np.int64).reshape(-1, 4)

    def _starts(self, room, length):
        """Return evenly laid first voxels that cover an axis, neighbours overlapping by at least the share asked for."""
        step = max(1, int(length * (1 - self.overlap)))
        return np.linspace(0, room, -(-room // step) + 1).round().astype(int)

    def cut(self, stores, item):
        """Return the patch of each input: name -> ([channel,] i, j, k)."""
        row, *start = (int(number) for number in item)
        box = tuple(slice(at, at + n) for at, n in zip(start, self.shape, strict=True))
        cut = {name: store[row][(..., *box)] for name, store in stores.items() if store.present[row]}
        return {name: self._filled(array) for name, array in cut.items()}

    def _filled(self, array):
        short = [m - n for n, m in zip(array.shape[-3:], self.shape, strict=True)]
        if not any(short):
            return array
        return np.pad(array, [(0, 0)] * (array.ndim - 3) + [(0, n) for n in short])

    def join(self, items, outputs):
        """Return the answers for each row's voxels: (rows, answers), an array ([class,] i, j, k) a row.

        Rows whose patches reach equally far come out in one shape; what was filled up is still there.
        """
        rows = np.unique(items[:, 0])
        weight = self._weight()
        return rows, [self._joined(items[items[:, 0] == row, 1:], outputs[items[:, 0] == row], weight) for row in rows]

    def _joined(self, starts, answers, weight):
        size = starts.max(axis=0) + self.shape
        total = np.zeros((*answers.shape[1:-3], *size), dtype=np.float32)
        weights = np.zeros(size, dtype=np.float32)
        for start, answer in zip(starts, answers, strict=True):
            box = tuple(slice(at, at + n) for at, n in zip(start, self.shape, strict=True))
            total[(..., *box)] += answer * weight
            weights[box] += weight
        return total / weights

    def _weight(self):
        """Return how much a patch's answer counts at each of its voxels: most in the middle."""
        along = [1 - np.abs((np.arange(n) + 0.5) / n - 0.5) * 1.8 for n in self.shape]
        return np.einsum("i,j,k->ijk", *along).astype(np.float32)


def _size(stores, row):
    """Return the voxels along each axis of a row's volumes, which must lie on one grid."""
    sizes = {name: tuple(store[row].shape[-3:]) for name, store in stores.items() if store.present[row]}
    flat = [name for name, size in sizes.items() if len(size) < 3]
    if flat:
        raise NeuroloomError(f"patches are cut from volumes and label maps, but {flat[0]} is of another kind.")
    if len(set(sizes.values())) > 1:
        sample = next(iter(stores.values())).samples[row]
        raise NeuroloomError(
            f"{sample}: its inputs lie on different grids: {sizes}. Bring them to one with {{name: crop_box, ...}}."
        )
    return next(iter(sizes.values()))
