"""Windows that cover a volume and overlap, and how much each counts at each of its voxels."""

import numpy as np


def covering(size, length, overlap):
    """Return windows of one length that cover an axis, evenly laid, and their shares, which sum to 1 at each voxel.

    Parameters
    ----------
    size : int
        Voxels along the axis, at least ``length``.
    length : int
    overlap : float
        Least part of a window that the next one shares, at least 0 and less than 1.

    Returns
    -------
    list of (int, ndarray of shape (length,))
        First voxel of each window, rising, and its share. That is nothing within ``length * overlap / 4`` voxels of a border
        at which the volume goes on, where a network does not see what lies beyond, and rises from there.
    """
    room, step = size - length, max(1, int(length * (1 - overlap)))
    starts = np.linspace(0, room, -(-room // step) + 1).round().astype(int)
    weights = [_weight(length, start > 0, start < room, length * overlap / 4) for start in starts]
    total = np.zeros(size)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + length] += weight
    return [(int(at), (w / total[at : at + length]).astype(np.float32)) for at, w in zip(starts, weights, strict=True)]


def _weight(length, goes_on_before, goes_on_after, margin):
    """Return the distance of a window's voxels from those borders at which the volume goes on, less a margin."""
    distance = np.full(length, float(length))
    if goes_on_before:
        distance = np.minimum(distance, np.arange(length) + 0.5)
    if goes_on_after:
        distance = np.minimum(distance, length - np.arange(length) - 0.5)
    return np.clip(distance - margin, 0, None)
