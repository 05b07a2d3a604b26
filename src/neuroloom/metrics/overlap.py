"""How well label maps agree, structure by structure."""

import numpy as np


def overlap(truth, answer, n_classes):
    """Return for each class the voxels of the truth, of the answer, and of both: (class, 3) int64.

    Parameters
    ----------
    truth, answer : ndarray of one shape
        Class numbers, 0 to ``n_classes`` - 1.
    n_classes : int
    """
    pairs = np.bincount(truth.ravel().astype(np.int64) * n_classes + answer.ravel(), minlength=n_classes**2)
    together = pairs.reshape(n_classes, n_classes)
    return np.stack([together.sum(axis=1), together.sum(axis=0), together.diagonal()], axis=1)


def dice(counts):
    """Return the Dice overlap 2 |A and B| / (|A| + |B|) of voxel counts (..., 3), see `overlap`.

    A class that is nowhere in the truth has none (NaN): nothing can be said about finding it. (Dice 1945,
    doi:10.2307/1932409.)
    """
    counts = np.asarray(counts, dtype=np.float64)
    in_truth, in_answer, in_both = np.moveaxis(counts, -1, 0)
    with np.errstate(invalid="ignore"):
        return np.where(in_truth > 0, 2 * in_both / (in_truth + in_answer), np.nan)
