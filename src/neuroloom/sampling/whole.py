"""One sample, one item: the network sees the whole of it."""

import numpy as np


class Whole:
    """Items are the samples themselves."""

    def items(self, stores, rows):
        """Return the items of some rows: shape (n_items, 1), the row of each."""
        return np.asarray(rows, dtype=np.int64)[:, None]

    def cut(self, stores, item):
        """Return what the network sees of an item: input name -> array."""
        row = int(item[0])
        return {name: store[row] for name, store in stores.items() if store.present[row]}

    def join(self, items, outputs):
        """Return one answer a row: (rows, outputs)."""
        return items[:, 0], outputs
