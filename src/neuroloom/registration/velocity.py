"""Stationary velocity fields on batches, differentiable: what flows along them, and volumes moved by the flow.

Fields are (batch, 3, i, j, k) in voxels along the axes of their grid. A displacement u moves a volume so that the result
shows at x what the volume has at x + u(x).
"""

import torch
import torch.nn.functional as F

from neuroloom.errors import NeuroloomError

SQUARINGS = 7


def flow(velocity, squarings=SQUARINGS):
    """Return the displacement of points that flow along a velocity field for one unit of time.

    Scaling and squaring (Arsigny et al. 2006, doi:10.1007/11866565_113): a step of 1 / 2**squarings, then doubled so many
    times. The flow of ``-velocity`` is the inverse. Beyond the grid the velocity is that of its edge.

    Parameters
    ----------
    velocity : Tensor of shape (batch, 3, i, j, k)
        In voxels per unit of time.
    squarings : int

    Returns
    -------
    Tensor of shape (batch, 3, i, j, k)
        In voxels.
    """
    displacement = velocity / 2**squarings
    for _ in range(squarings):
        displacement = displacement + moved(displacement, displacement)
    return displacement


def moved(x, displacement, mode="bilinear"):
    """Return volumes (batch, channel, i, j, k) looked up at each voxel's place plus its displacement.

    Beyond the grid they are what they are at its edge. ``mode`` is that of `torch.nn.functional.grid_sample`.
    """
    shape = displacement.shape[2:]
    if x.shape[2:] != shape or displacement.shape[1] != 3 or min(shape) < 2:
        raise NeuroloomError(
            f"volumes of shape {tuple(x.shape)} cannot be moved by a displacement of shape {tuple(displacement.shape)}: "
            "expected (batch, channel, i, j, k) and (batch, 3, i, j, k) on one grid, with at least 2 voxels an axis."
        )
    half = torch.tensor([(n - 1) / 2 for n in shape], device=x.device)
    axes = [torch.linspace(-1, 1, n, device=x.device) for n in shape]
    own = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)  # (i, j, k, 3)
    where = (own + displacement.movedim(1, -1) / half).flip(-1)  # `grid_sample` wants k, j, i
    return F.grid_sample(x, where, mode=mode, padding_mode="border", align_corners=True)


def roughness(field):
    """Return the mean squared slope of a field (batch, 3, i, j, k) along the axes, voxels a voxel."""
    return sum(field.diff(dim=axis).square().mean() for axis in (2, 3, 4)) / 3
