"""Smooth fields over a volume from a few control points: separable cubic B-splines, as matrix products."""

import functools

import torch


@functools.lru_cache(maxsize=64)
def spline_matrix(n_voxels, n_points):
    """Return the weights of control points at each voxel of one axis, shape (n_voxels, n_points), float32.

    The points lie evenly from one spacing before the first voxel to one behind the last; a field that is
    linear in the points is linear in the voxels.
    """
    place = torch.linspace(0, n_points - 3, n_voxels, dtype=torch.float64)
    cell = place.floor().clamp(max=n_points - 4)
    f = place - cell
    weights = torch.stack([(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3], dim=1)
    matrix = torch.zeros(n_voxels, n_points, dtype=torch.float64)
    columns = cell.long()[:, None] + torch.arange(4)
    return matrix.scatter_(1, columns, weights / 6).float()


def point_positions(n_points, device):
    """Return where the control points lie when the first voxel is -1 and the last is 1, shape (n_points,)."""
    spacing = 2 / (n_points - 3)
    return torch.arange(-1, n_points - 1, device=device) * spacing - 1


def spline_field(points, shape):
    """Return a field on every voxel: (..., p, q, r) control points -> (..., i, j, k), ``shape`` being i, j, k."""
    planes = spline_planes(points, shape[1:])  # (..., p, j, k)
    along_i = spline_matrix(shape[0], points.shape[-3]).to(points.device)
    return (along_i @ planes.flatten(-2)).unflatten(-1, tuple(shape[1:]))


def spline_planes(points, shape):
    """Return control points with the last two axes filled in: (..., p, q, r) -> (..., p, j, k)."""
    along_j = spline_matrix(shape[0], points.shape[-2]).to(points.device)
    along_k = spline_matrix(shape[1], points.shape[-1]).to(points.device)
    return along_j @ (points @ along_k.T)
