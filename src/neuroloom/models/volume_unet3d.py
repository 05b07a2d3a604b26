"""3D U-Net: an answer for each voxel."""

import itertools

import torch
import torch.nn.functional as F
from torch import nn

from neuroloom.models.shapes import check_axes, check_smallest


class UNet3D(nn.Module):
    """Map a volume to logits at each voxel (Cicek et al. 2016, doi:10.1007/978-3-319-46723-8_49).

    Each level has two 3x3x3 convolutions with instance normalisation and leaky ReLU; levels below the first start
    with a halving, and come up again by linear interpolation and the level's own maps beside them. Axes need not
    be multiples of anything. With one channel, widths (16, 32, 64, 128) and 33 outputs it has 1,460,833 parameters.

    Parameters
    ----------
    in_shape : (channel, i, j, k)
        Of a sample or patch; other sizes may be given later.
    n_outputs : int
        Classes, the background among them.
    widths : sequence of int
        Channels of each level, the finest first.
    deep_supervision : bool
        Also answer at the levels between the finest and the coarsest (in training), for losses there.
    """

    kinds = ("volume",)

    def __init__(self, in_shape, n_outputs, *, widths=(16, 32, 64, 128), deep_supervision=False):
        super().__init__()
        check_axes("unet3d", in_shape, ("channel", "i", "j", "k"))
        check_smallest("unet3d", in_shape, 2 ** (len(widths) - 1), "Give it fewer widths, or larger patches.")
        self.down = nn.ModuleList()
        channels = in_shape[0]
        for width in widths:
            self.down.append(two_convolutions(channels, width))
            channels = width
        self.up = nn.ModuleList(two_convolutions(wide + width, width) for width, wide in itertools.pairwise(widths))
        self.head = nn.Conv3d(widths[0], n_outputs, 1)
        between = widths[1:-1] if deep_supervision else ()
        self.side_heads = nn.ModuleList(nn.Conv3d(width, n_outputs, 1) for width in between)
        self.to(memory_format=torch.channels_last_3d)  # about 1.2 times faster on a CPU, and safe beyond 2**31 bytes

    def levels(self, x):
        """Return the maps of each level on the way up, the finest first: (batch, width, i', j', k')."""
        x = x.contiguous(memory_format=torch.channels_last_3d)
        kept = []
        for number, block in enumerate(self.down):
            x = block(F.max_pool3d(x, 2) if number else x)
            kept.append(x)
        found = [x]
        for skip, block in zip(kept[-2::-1], list(self.up)[::-1], strict=True):
            x = F.interpolate(x, size=skip.shape[2:], mode="trilinear", align_corners=False)
            x = block(torch.cat([skip, x], dim=1))
            found.insert(0, x)
        return found

    def features(self, x):
        """Return features of each voxel: (batch, first width, i, j, k)."""
        return self.levels(x)[0]

    def forward(self, x):
        """Return logits (batch, n_outputs, i, j, k)."""
        return self.head(self.features(x))

    def with_sides(self, x):
        """Return logits at each voxel, then those of coarser levels, the finest first."""
        maps = self.levels(x)
        return [self.head(maps[0]), *(head(m) for head, m in zip(self.side_heads, maps[1:], strict=False))]


def two_convolutions(in_channels, out_channels):
    """Return two 3x3x3 convolutions, each with instance normalisation and leaky ReLU."""
    layers = []
    for channels in (in_channels, out_channels):
        layers += [
            nn.Conv3d(channels, out_channels, 3, padding=1, bias=False),
            nn.InstanceNorm3d(out_channels, affine=True),
            nn.LeakyReLU(0.01, inplace=True),
        ]
    return nn.Sequential(*layers)
