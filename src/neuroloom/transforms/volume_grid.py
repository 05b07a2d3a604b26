"""Grids of volumes: axis order, and resampling once from a scan's own affine onto another grid."""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation
from scipy.sparse import csr_array

from neuroloom.errors import NeuroloomError
from neuroloom.formats.volume import FLATTEST

SLAB_BYTES = 2**23  # of a volume, resampled at a time


def affine_of(scan):
    """Return the (4, 4) affine of a volume or label scan, voxel numbers to mm; without one it is an error."""
    if scan.kind not in ("volume", "labels"):
        raise NeuroloomError(f"This transform works on volumes and label maps, but the scan is of kind {scan.kind!r}.")
    if scan.geometry.get("affine") is None:
        raise NeuroloomError("The scan has no affine, so where its voxels lie is not known. Give it one in its header.")
    affine = np.asarray(scan.geometry["affine"], dtype=np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or _is_flat(affine):
        raise NeuroloomError(f"The scan's affine is not an invertible (4, 4) matrix: {affine.tolist()}.")
    return affine


def _is_flat(affine):
    """Return whether two axes point the same way, or one nowhere, however small the voxels are."""
    sizes = voxel_sizes(affine)
    return sizes.min() == 0 or abs(np.linalg.det(affine[:3, :3] / sizes)) < FLATTEST


def voxel_sizes(affine):
    """Return the length of a voxel's edges in mm, one an axis."""
    return np.sqrt((np.asarray(affine)[:3, :3] ** 2).sum(axis=0))


def ras(scan):
    """Return the scan with its axes flipped and permuted, so that they run to the right, front and top.

    The data are a view of the scan's own: a head at 1 mm is not copied.
    """
    affine = affine_of(scan)
    turns = io_orientation(affine)
    spatial = scan.data.shape[-3:]
    data = scan.data if scan.kind == "labels" else np.moveaxis(scan.data, 0, -1)  # (i, j, k[, channel])
    data = apply_orientation(data, turns)
    data = data if scan.kind == "labels" else np.moveaxis(data, -1, 0)
    return scan.with_data(data, affine=affine @ inv_ornt_aff(turns, spatial))


def box_grid(lower, upper, voxel_size):
    """Return shape and affine of the grid that fills a box with cubes; corners are outer voxel edges, in mm."""
    lower, upper = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    if lower.shape != (3,) or upper.shape != (3,) or (upper <= lower).any():
        raise NeuroloomError(f"A box needs three lower and three higher upper corners in mm, not {lower} and {upper}.")
    shape = np.maximum(1, np.round((upper - lower) / voxel_size).astype(int))
    affine = np.diag([voxel_size, voxel_size, voxel_size, 1.0])
    affine[:3, 3] = (lower + upper) / 2 - (shape - 1) / 2 * voxel_size  # the box's centre stays where it is
    return tuple(int(n) for n in shape), affine


def resample_onto(scan, shape, affine, displacement=None):
    """Return the scan on another grid: one resampling, from its own affine, 0 outside its field of view.

    Where the new voxels are larger than the old ones, each is the mean over its own volume (as in a
    scanner), taken at as many points as old voxels fit along its edges. Label maps take the nearest label.

    Parameters
    ----------
    scan : Scan
        Volume (channel, i, j, k) or labels (i, j, k).
    shape : tuple of int
    affine : ndarray of shape (4, 4)
        Of the new grid, voxel numbers to mm.
    displacement : ndarray of shape (3, i, j, k) or None
        By how many mm (RAS) from each voxel of the new grid the scan is looked at; None is nowhere.

    Returns
    -------
    Scan
    """
    affine = np.asarray(affine, dtype=np.float64)
    from_mm = np.linalg.inv(affine_of(scan))
    to_old = from_mm @ affine  # new voxel numbers -> old voxel numbers
    moved = None if displacement is None else np.einsum("ab,bijk->aijk", from_mm[:3, :3], displacement)  # old voxels
    if scan.kind == "labels":
        data = _nearest(scan.data, shape, to_old, moved)
    else:
        data = _mean_over_voxels(scan.data, shape, to_old, moved)
    return scan.with_data(data, affine=affine)


def _nearest(labels, shape, to_old, moved=None):
    where = np.indices(shape).reshape(3, -1)
    old = to_old[:3, :3] @ where + to_old[:3, 3:]
    old = np.rint(old if moved is None else old + moved.reshape(3, -1)).astype(int)
    inside = ((old >= 0) & (old < np.array(labels.shape)[:, None])).all(axis=0)
    out = np.zeros(where.shape[1], dtype=labels.dtype)
    out[inside] = labels[tuple(old[:, inside])]
    return out.reshape(shape)


def _mean_over_voxels(data, shape, to_old, moved=None):
    if moved is None and np.allclose(to_old[:3, :3], np.diag(np.diag(to_old[:3, :3])), atol=1e-6):
        return _axis_by_axis(data, shape, to_old)
    volume = torch.from_numpy(np.ascontiguousarray(data, dtype=np.float32))[None]  # (1, channel, i, j, k)
    size = np.array(data.shape[1:])
    scale = 2.0 / np.maximum(size - 1, 1)  # old voxel number -> -1 .. 1, the form that grid_sample asks for
    matrix, shift = scale[:, None] * to_old[:3, :3], scale * to_old[:3, 3] - 1.0
    where = _lattice(shape, matrix, shift)
    if moved is not None:
        where += torch.from_numpy(np.moveaxis((scale[:, None, None, None] * moved)[::-1], 0, -1).astype(np.float32))
    points = [sub_positions(step) for step in np.abs(to_old[:3, :3]).max(axis=0)]
    total = torch.zeros((1, data.shape[0], *shape))
    for offset in itertools.product(*points):
        moved = where + torch.tensor((matrix @ offset)[::-1].copy(), dtype=torch.float32)
        total += F.grid_sample(volume, moved, mode="bilinear", padding_mode="zeros", align_corners=True)
    return (total[0] / np.prod([len(p) for p in points])).numpy()


def _axis_by_axis(data, shape, to_old):
    """Return the means over new voxels whose axes are those of the old ones: one axis after the other.

    The first two are done slab by slab, so that beside the old volume only slabs of its size are held.
    """
    weights = [axis_weights(data.shape[n + 1], shape[n], to_old[n, n], to_old[n, 3]) for n in range(3)]
    flat = np.empty((len(data), *shape[:2], data.shape[3]), dtype=np.float32)
    n_slabs = min(data.shape[3], data.nbytes // SLAB_BYTES + 1)
    for at in np.array_split(np.arange(data.shape[3]), n_slabs):
        slab = np.asarray(data[..., at[0] : at[-1] + 1], dtype=np.float32)
        flat[..., at] = _along(weights[1], _along(weights[0], slab, 1), 2)
    return np.ascontiguousarray(_along(weights[2], flat, 3))


def _along(weights, data, axis):
    """Return a volume (channel, i, j, k) with one axis weighted together anew."""
    moved = np.moveaxis(data, axis, 0)
    flat = weights @ moved.reshape(len(moved), -1)
    return np.moveaxis(flat.reshape(len(flat), *moved.shape[1:]), 0, axis)


def axis_weights(n_old, n_new, step, start):
    """Return the weights (n_new, n_old) of linear interpolation averaged over each new voxel, 0 outside.

    ``start + step * new`` is the place of a new voxel in old voxel numbers.
    """
    points = sub_positions(abs(step))
    place = start + step * (np.arange(n_new)[:, None] + points)  # (n_new, n_points)
    low = np.floor(place).astype(int)
    rows = np.broadcast_to(np.arange(n_new)[:, None], low.shape)
    weights = csr_array((n_new, n_old), dtype=np.float32)
    for old, weight in ((low, 1 - (place - low)), (low + 1, place - low)):
        known = (old >= 0) & (old < n_old)
        part = (weight[known] / len(points)).astype(np.float32), (rows[known], old[known])
        weights = weights + csr_array(part, shape=(n_new, n_old))
    return weights


def sub_positions(step):
    """Return where along a new voxel's edge to sample (-0.5 .. 0.5), ``step`` being its length in old voxels."""
    n = max(1, int(np.ceil(step - 0.01)))
    return (np.arange(n) + 0.5) / n - 0.5


def _lattice(shape, matrix, shift):
    """Return ``matrix @ (i, j, k) + shift`` at each voxel, last axis first, shape (1, *shape, 3)."""
    axes = [np.arange(n) for n in shape]
    out = np.empty((*shape, 3), dtype=np.float32)
    for row in range(3):
        i, j, k = (matrix[row, axis] * axes[axis] for axis in range(3))
        out[..., 2 - row] = i[:, None, None] + j[None, :, None] + k[None, None, :] + shift[row]
    return torch.from_numpy(out)[None]
