"""Answers at each voxel of one grid, brought to another: the likeliest class there, without holding all of them."""

import numpy as np
import torch

from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import affine_of, axis_weights, resample_onto

SLAB_BYTES = 2**27  # of posteriors on the new grid, held at a time


def likeliest_onto(posteriors, shape, affine):
    """Return the likeliest class of each voxel of another grid, each class interpolated from affine to affine.

    Parameters
    ----------
    posteriors : Scan
        ``volume`` (class, i, j, k), the first class being none of the others; outside its field of view is that.
    shape : tuple of int
    affine : ndarray of shape (4, 4)
        Of the other grid.

    Returns
    -------
    ndarray of shape ``shape``, uint8
        Class numbers.
    """
    best = np.zeros(shape, dtype=np.uint8)
    for start, slab in slabs_onto(posteriors, shape, affine):
        best[start : start + slab.shape[1]] = slab.argmax(dim=0).numpy()
    return best


def slabs_onto(posteriors, shape, affine):
    """Yield (start, posteriors (class, some of i, j, k)) along the first axis of another grid.

    Where both grids have the same axes, in whatever order and direction, they are interpolated axis by axis.
    """
    to_old = np.linalg.inv(affine_of(posteriors)) @ np.asarray(affine, dtype=np.float64)
    axes = _axes(to_old[:3, :3])
    step = max(1, SLAB_BYTES // (4 * len(posteriors.data) * shape[1] * shape[2]))
    if axes is not None:
        weights, data = _weights(posteriors.data, shape, to_old, axes)
    for start in range(0, shape[0], step):
        n = min(step, shape[0] - start)
        if axes is not None:
            yield start, _interpolated(data, weights[0][start : start + n], weights[1], weights[2])
        else:
            moved = np.array(affine, dtype=np.float64)
            moved[:3, 3] += moved[:3, 0] * start
            yield start, torch.from_numpy(resample_onto(posteriors, (n, *shape[1:]), moved).data)


def _axes(matrix):
    """Return which old axis each new axis runs along, or None where one runs between them."""
    axes = np.abs(matrix).argmax(axis=0)
    along = np.zeros_like(matrix)
    along[axes, range(3)] = matrix[axes, range(3)]
    same = len(set(axes.tolist())) == 3 and np.allclose(matrix, along, atol=1e-4 * np.abs(matrix).max())
    return axes if same else None


def _weights(data, shape, to_old, axes):
    """Return dense weights (new, old) of each new axis, and the data with its axes in the new order."""
    turned = np.ascontiguousarray(data.transpose(0, *(axes + 1)), dtype=np.float32)
    weights = [
        axis_weights(turned.shape[n + 1], shape[n], to_old[axes[n], n], to_old[axes[n], 3]).toarray() for n in range(3)
    ]
    return [torch.from_numpy(w) for w in weights], torch.from_numpy(turned)


def _interpolated(data, along_i, along_j, along_k):
    """Return data (class, a, b, c) weighted along each axis, (class, i, j, k); where a class is nowhere costs nothing."""
    out = torch.zeros((len(data), len(along_i), len(along_j), len(along_k)))
    near = _ends(along_i, 0)
    if near.stop == near.start:
        return out
    for number, one in enumerate(data[:, near]):
        old = [_reach(one.amax(dim=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
        if any(ends.stop <= ends.start for ends in old):
            continue
        sliced = [w[:, ends] for w, ends in zip((along_i[:, near], along_j, along_k), old, strict=True)]
        new = [_ends(w, 1) for w in sliced]
        x = torch.tensordot(sliced[0][new[0]], one[tuple(old)], dims=1)  # (i, b, c)
        x = torch.matmul(sliced[1][new[1]], x)  # (i, j, c)
        out[(number, *new)] = torch.matmul(x, sliced[2][new[2]].T)
    return out


def _ends(weights, axis):
    """Return from where to where an axis of weights has any, ``axis`` 1 being the new voxels and 0 the old ones."""
    return _reach((weights != 0).any(dim=axis))


def _reach(there):
    found = torch.nonzero(there).flatten()
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def on_grid(posteriors, shape, affine):
    """Return the posteriors on another grid, (class, i, j, k) float32, as a Scan."""
    whole = np.empty((len(posteriors.data), *shape), dtype=np.float32)
    for start, slab in slabs_onto(posteriors, shape, affine):
        whole[:, start : start + slab.shape[1]] = slab.numpy()
    return Scan(whole, "volume", {"affine": np.asarray(affine, dtype=np.float64)})
