"""New channels as weighted sums of channels: what picking, referencing, interpolating and unmixing share."""

import numpy as np

from neuroloom.scan import Scan
from neuroloom.transforms.series_walk import by_block


class Mixing:
    """Turn (channel, n) into ``matrix @ channels``, whatever n: its own stream.

    Rows that use the same channels are summed together, so that a channel with NaN reaches only the rows that
    use it, and a row that is one channel is that channel to the byte.

    Parameters
    ----------
    matrix : ndarray of shape (channel', channel)
    geometry : dict
        Of the channels that come out.
    """

    def __init__(self, matrix, geometry):
        self.geometry = geometry
        used = matrix != 0
        alone = used.sum(axis=1) == 1
        self.copies = np.flatnonzero(alone), np.argmax(used[alone], axis=1), matrix[used & alone[:, None]]
        self.groups = []
        for support in np.unique(used[~alone], axis=0):
            rows = np.flatnonzero((used == support).all(axis=1))
            self.groups.append((rows, np.flatnonzero(support), matrix[rows][:, support]))
        self.n_out = len(matrix)

    def __call__(self, chunk):
        out = np.zeros((self.n_out, chunk.shape[1]), dtype=np.float32)
        rows, sources, weights = self.copies
        out[rows] = chunk[sources] if (weights == 1).all() else weights[:, None] * chunk[sources]
        for rows, sources, weights in self.groups:
            out[rows] = weights @ chunk[sources].astype(np.float64)
        return out


def mixed(scan, mixing):
    """Return a recording whose channels are mixed, a stretch of time after the other."""
    return Scan(by_block(scan.data, mixing, n_channels=mixing.n_out), scan.kind, mixing.geometry)
