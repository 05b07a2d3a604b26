"""Resampling of a batch along drawn affine maps and elastic warps."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from neuroloom.transforms.augment_fields import point_positions, spline_matrix, spline_planes

SLAB_BYTES = 2**23  # coordinates held at a time on a CPU: they stay in its cache, whatever the volume's size


@dataclass(frozen=True)
class Draw:
    """How items are moved: the output at u shows the input at ``linear u + offset + elastic(u)``.

    Coordinates run from -1 to 1 between the first and the last voxel of each axis (i, j, k).

    Parameters
    ----------
    flipped : Tensor of shape (n,), bool
    linear : Tensor of shape (n, 3, 3)
    offset : Tensor of shape (n, 3)
    elastic : Tensor of shape (n, 3, p, p, p)
        Displacement of the control points of a cubic B-spline.
    """

    flipped: Tensor
    linear: Tensor
    offset: Tensor
    elastic: Tensor


def resampled(inputs, modes, draw, shape, padding):
    """Return float inputs (n, channel, i, j, k) as the draw moves them, slab by slab along i."""
    new = {name: torch.empty_like(x) for name, x in inputs.items()}
    for start, stop, coordinates in coordinate_slabs(draw, shape):
        for name, x in inputs.items():
            new[name][:, :, start:stop] = F.grid_sample(
                x, coordinates, mode=modes[name], padding_mode=padding, align_corners=True
            )
    return new


def coordinate_slabs(draw, shape):
    """Yield (start, stop, coordinates (n, stop - start, j, k, 3)) as `grid_sample` wants them.

    A B-spline reproduces linear maps exactly, so the affine part goes into the control points, and one
    product of small matrices makes displacement and affine map together.
    """
    n, device, n_points = len(draw.linear), draw.linear.device, draw.elastic.shape[-1]
    mirror = torch.ones(n, 3, device=device)
    mirror[draw.flipped, 0] = -1.0
    points = (draw.elastic + affine_points(draw, mirror, n_points)).flip(1)  # `grid_sample` wants k, j, i
    planes = spline_planes(points, shape[1:]).flatten(3)  # (n, 3, p, j * k)
    planes = torch.cat([planes, own_planes(mirror, shape)], dim=2)
    along_i = own_matrix(shape[0], n_points, device)  # (3, i, p + 1)
    step = slab_thickness(n, shape, device)
    for start in range(0, shape[0], step):
        stop = min(start + step, shape[0])
        slab = (along_i[:, start:stop] @ planes).unflatten(3, shape[1:])  # (n, 3, slab, j, k)
        yield start, stop, slab.permute(0, 2, 3, 4, 1)


def affine_points(draw, mirror, n_points):
    """Return ``linear u + offset - mirror u`` at every control point, (n, 3, p, p, p).

    Only what differs from the voxel's own (mirrored) place goes through the spline, so that nothing moved is
    exactly nothing moved.
    """
    place = point_positions(n_points, draw.linear.device)
    u = torch.stack(torch.meshgrid(place, place, place, indexing="ij"))  # (3, p, p, p)
    moved = ((draw.linear - torch.diag_embed(mirror)) @ u.flatten(1)).unflatten(2, u.shape[1:])
    return moved + draw.offset[:, :, None, None, None]


def own_planes(mirror, shape):
    """Return what adds a voxel's own place to its coordinates (k, j, i): (n, 3, 1, j * k).

    For k and j it is the place itself; for i it is the sign, which `own_matrix` multiplies with the place.
    """
    k = torch.linspace(-1, 1, shape[2], device=mirror.device).expand(shape[1:])
    j = torch.linspace(-1, 1, shape[1], device=mirror.device)[:, None].expand(shape[1:])
    planes = torch.stack([k, j, torch.ones_like(k)]).flatten(1)[:, None]  # (3, 1, j * k)
    return planes * mirror.flip(1)[:, :, None, None]


def own_matrix(n_voxels, n_points, device):
    """Return the spline's matrix along i with one column more, which weighs `own_planes`: (3, i, p + 1)."""
    matrix = spline_matrix(n_voxels, n_points).to(device).expand(3, -1, -1)
    own = torch.ones(3, n_voxels, 1, device=device)
    own[2, :, 0] = torch.linspace(-1, 1, n_voxels, device=device)
    return torch.cat([matrix, own], dim=2)


def slab_thickness(n_items, shape, device):
    """Return how many planes of coordinates are made at a time: all on an accelerator, few on a CPU."""
    if device.type != "cpu":
        return shape[0]
    return max(1, SLAB_BYTES // (12 * n_items * shape[1] * shape[2]))
