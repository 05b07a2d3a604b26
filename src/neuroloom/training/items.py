"""Items of some rows as batches of tensors, read from memory-mapped stores."""

import numpy as np
import torch

from neuroloom.batch import Batch
from neuroloom.errors import NeuroloomError
from neuroloom.transforms.store import ragged_message

IN_MEMORY = 32 * 2**20  # a part smaller than this is read once and kept; the rest comes from the mapped files


class Items:
    """What a network sees of some rows.

    Parameters
    ----------
    stores : dict
        Input name -> store, after the fitted transforms.
    sampling : object
        Cuts samples into items.
    rows : ndarray of int
    target : ndarray or None
        Truth of every row of the cohort, or None where it is not asked for.
    shapes : dict or None
        Input name -> shape of an item, for inputs that perhaps none of these rows has.
    draw : numpy Generator or None
        Draws which items are seen, where the sampling draws them; see `redraw`.
    """

    def __init__(self, stores, sampling, rows, target=None, shapes=None, draw=None):
        self.stores, self.sampling, self.rows, self.target = stores, sampling, rows, target
        self.items = self._items_of(draw)
        self.blank = {name: np.zeros(shape, dtype=np.float32) for name, shape in (shapes or {}).items()}
        self.blank |= {name: np.zeros_like(array) for name, array in self._examples().items()}
        self._kept = self._read_all() if self._small() else None

    def __len__(self):
        return len(self.items)

    def redraw(self, draw):
        """See other items from now on, as many as before, where the sampling draws them."""
        if getattr(self.sampling, "draws", False):
            self.items, self._kept = self._items_of(draw), None

    def _items_of(self, draw):
        of_sampling = [draw] if getattr(self.sampling, "draws", False) else []
        return self.sampling.items(self.stores, self.rows, *of_sampling)

    def batch(self, numbers, device="cpu"):
        """Return the items of these numbers as one batch on a device."""
        samples = [self._sample(int(number)) for number in numbers]
        inputs, present, lengths = {}, {}, {}
        for name in self.stores:
            arrays = [sample.get(name) for sample in samples]
            self._check_shapes(name, arrays, numbers)
            inputs[name], present[name], lengths[name] = _collated(arrays, self.blank[name])
        rows = torch.as_tensor(self.items[numbers, 0])
        target = {} if self.target is None else {"target": _target(self._truth(self.items[numbers]))}
        return Batch(inputs, target, rows, present, lengths).to(device)

    def batches(self, batch_size, order=None):
        """Yield numbers of items in batches of nearly equal size, none larger than asked."""
        order = np.arange(len(self)) if order is None else order
        yield from np.array_split(order, -(-len(order) // batch_size))

    def joined(self, answers):
        """Return answers of all items (n_items, ...) as one a row, in the order of the rows: (rows, ...)."""
        found, values = self.sampling.join(self.items, answers)
        place = {int(row): number for number, row in enumerate(found)}
        return values[[place[int(row)] for row in self.rows]]

    def _truth(self, items):
        """Return the truth of items: that of their rows, or of all windows of an item, where the sampling tells it."""
        several = getattr(self.sampling, "targets", None)
        return several(self.target, items) if several else self.target[items[:, 0]]

    def _sample(self, number):
        return self._kept[number] if self._kept is not None else self._cut(number)

    def _cut(self, number):
        """Return what the network sees of one item; a value that is not a number is an error that names whose."""
        cut = self.sampling.cut(self.stores, self.items[number])
        for name, array in cut.items():
            if not np.isfinite(array).all():
                raise NeuroloomError(
                    f"{self.stores[name].samples[self.items[number][0]]}: {int((~np.isfinite(array)).sum())} of "
                    f"{array.size} values of {name} are NaN or infinite. Put {{name: impute}} at the end of the "
                    "input's chain, mend the file, or leave the sample out with cohort.where."
                )
        return cut

    def _small(self):
        return sum(array.nbytes for array in self.blank.values()) * len(self.items) < IN_MEMORY

    def _examples(self):
        """Return for each input what the first item that has it sees of it."""
        rows = self.items[:, 0] if len(self.items) else np.array([], dtype=np.int64)
        having = {name: np.flatnonzero(store.present[rows]) for name, store in self.stores.items()}
        first = {name: int(numbers[0]) for name, numbers in having.items() if len(numbers)}
        return {name: self.sampling.cut(self.stores, self.items[number])[name] for name, number in first.items()}

    def _check_shapes(self, name, arrays, numbers):
        """Raise an error where items differ in more than the length of a series, which alone may be padded."""
        store, cut = self.stores[name], -1 if self.stores[name].kind == "series" else None
        shapes = {int(self.items[n][0]): a.shape for n, a in zip(numbers, arrays, strict=True) if a is not None}
        if len({shape[:cut] for shape in shapes.values()}) > 1:
            raise NeuroloomError(ragged_message(store, shapes))

    def _read_all(self):
        return [{name: np.array(array) for name, array in self._cut(n).items()} for n in range(len(self))]


def _collated(arrays, blank):
    """Return (tensor, present, lengths) of one input; absent items are zeros, short series padded at the end.

    ``blank`` stands for the shape and the type where nobody has the input.
    """
    known = [array for array in arrays if array is not None] or [blank]
    present = torch.tensor([array is not None for array in arrays])
    shape = max((array.shape for array in known), key=lambda shape: shape[-1])
    lengths = torch.tensor([0 if array is None else array.shape[-1] for array in arrays])
    stacked = torch.zeros((len(arrays), *shape), dtype=as_tensor(known[0][..., :0]).dtype)
    for place, array in zip(stacked, arrays, strict=True):
        if array is not None:
            place.numpy()[..., : array.shape[-1]] = array
    return stacked, present, lengths


def as_tensor(array):
    """Return a copy of an array as a tensor; label maps as int32, since torch knows little of uint16."""
    return torch.from_numpy(array.astype(np.int32) if array.dtype == np.uint16 else array.copy())


def _target(values):
    return torch.as_tensor(values, dtype=torch.int64 if values.dtype.kind in "iu" else torch.float32)
