"""Patches of a volume to learn from: each is an item."""

import numpy as np

from neuroloom.errors import NeuroloomError


class Patches:
    """Cut volumes and label maps into boxes of one size, as indices into the store; nothing is copied.

    They lie at drawn places, new ones each epoch. What a network then answers for a scan is not answered in these patches:
    see `neuroloom.models.voxel_plan`.

    Parameters
    ----------
    shape : (int, int, int)
        Voxels along each axis. A smaller volume is filled up with zeros at its end.
    per_sample : int
        Patches drawn from each sample in an epoch.
    """

    draws = True

    def __init__(self, shape, per_sample=1):
        self.shape, self.per_sample = tuple(int(n) for n in shape), int(per_sample)
        if len(self.shape) != 3 or min(self.shape) < 1 or self.per_sample < 1:
            raise NeuroloomError(
                f"patches: shape must be three numbers and per_sample one, all 1 or more, not {shape} and {per_sample}."
            )

    def items(self, stores, rows, draw):
        """Return the patches of some rows: shape (n_items, 4), row and first voxel along i, j, k.

        Parameters
        ----------
        stores : dict
        rows : ndarray of int
        draw : numpy Generator
            Draws the places.
        """
        found = []
        for row in rows:
            size = _size(stores, int(row))
            room = [max(0, n - m) for n, m in zip(size, self.shape, strict=True)]
            places = draw.integers(0, np.array(room) + 1, size=(self.per_sample, 3))
            found += [(row, *place) for place in places]
        return np.array(found, dtype=np.int64).reshape(-1, 4)

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
