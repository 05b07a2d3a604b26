"""VoxelMorph: the velocity field that brings one volume onto another, in one pass of a network."""

import torch
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.models.volume_unet3d import UNet3D
from neuroloom.registration.velocity import flow, moved

FIRST_STD = 1e-5  # of the last layer's weights: an untrained network moves nothing


class VoxelMorph(nn.Module):
    """Map two volumes to a stationary velocity field (Balakrishnan et al. 2019, doi:10.1109/TMI.2019.2897538).

    The two stand as channels of `UNet3D`, whose three outputs are the velocity at each voxel of the grid; its flow is
    smooth and one-to-one where the field is smooth (Dalca et al. 2019, doi:10.1016/j.media.2019.07.006). It differs from
    theirs in the U-Net (instance normalisation) and in that the field is of the volumes' own resolution.

    Parameters
    ----------
    in_shape : (channel, i, j, k)
        Of one of the two volumes; other sizes may be given later.
    widths : sequence of int
        Channels of each level of the U-Net, the finest first.
    """

    def __init__(self, in_shape, *, widths=(16, 32, 32)):
        super().__init__()
        self.unet = UNet3D((2 * in_shape[0], *in_shape[1:]), 3, widths=widths)
        nn.init.normal_(self.unet.head.weight, std=FIRST_STD)
        nn.init.zeros_(self.unet.head.bias)

    def forward(self, moving, fixed):
        """Return the velocity (batch, 3, i, j, k), voxels, whose flow brings the moving volumes onto the fixed ones.

        Parameters
        ----------
        moving, fixed : Tensor of shape (batch, channel, i, j, k)
        """
        if moving.shape != fixed.shape:
            raise NeuroloomError(
                f"voxelmorph takes two volumes of one grid, but the moving one is {tuple(moving.shape)} and the fixed one "
                f"{tuple(fixed.shape)}. Resample one onto the other, after an affine registration."
            )
        return self.unet(torch.cat([moving, fixed], dim=1))

    @torch.inference_mode()
    def register(self, moving, fixed):
        """Return (moved, displacement): the moving volumes on the fixed ones, and how they were moved, in voxels."""
        self.eval()
        displacement = flow(self(moving, fixed))
        return moved(moving, displacement), displacement
