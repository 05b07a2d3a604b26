"""A patch network: each voxel is told from the patch about it, seen finely and, more widely, coarsely."""

import torch
import torch.nn.functional as F
from torch import nn

from neuroloom.models.shapes import check_axes


class DeepMedic(nn.Module):
    """Map a patch to logits at each of its voxels along two paths (Kamnitsas et al. 2017,
    doi:10.1016/j.media.2016.10.004).

    Each path has 3x3x3 convolutions without padding; the second sees the volume at a third of the resolution, and so
    three times as far. The patch is padded with zeros, so that every voxel gets an answer. With one channel and 5
    outputs the paper's two paths and 1x1x1 layers have 658,295 parameters here.

    Parameters
    ----------
    in_shape : (channel, i, j, k)
        Of a sample or patch; other sizes may be given later.
    n_outputs : int
        Classes, the background among them.
    widths : sequence of int
        Channels of each convolution of both paths.
    last : sequence of int
        Channels of the 1x1x1 convolutions that join them.
    coarse : int
        Voxels along an edge of a voxel of the second path.
    dropout : float
        Probability of dropping a channel before the joining layers.
    """

    kinds = ("volume",)

    def __init__(
        self, in_shape, n_outputs, *, widths=(30, 30, 40, 40, 40, 40, 50, 50), last=(150, 150), coarse=3, dropout=0.5
    ):
        super().__init__()
        check_axes("deepmedic", in_shape, ("channel", "i", "j", "k"))
        self.reach, self.coarse = len(widths), coarse  # voxels that the convolutions take from each side
        self.fine_path = path(in_shape[0], widths)
        self.coarse_path = path(in_shape[0], widths)
        layers, channels = [], 2 * widths[-1]
        for width in last:
            layers += [nn.Dropout3d(dropout), nn.Conv3d(channels, width, 1, bias=False), *normalised(width)]
            channels = width
        self.join = nn.Sequential(*layers)
        self.head = nn.Conv3d(channels, n_outputs, 1)
        self.to(memory_format=torch.channels_last_3d)

    def features(self, x):
        """Return features of each voxel: (batch, last width, i, j, k)."""
        x = x.contiguous(memory_format=torch.channels_last_3d)
        fine = self.fine_path(F.pad(x, [self.reach] * 6))
        wide = self.reach * self.coarse
        more = [-n % self.coarse for n in x.shape[2:]]  # to whole coarse voxels
        padded = F.pad(x, [side for n in reversed(more) for side in (wide, wide + n)])
        coarse = self.coarse_path(F.avg_pool3d(padded, self.coarse))
        coarse = F.interpolate(coarse, scale_factor=self.coarse, mode="nearest")
        i, j, k = x.shape[2:]
        return self.join(torch.cat([fine, coarse[:, :, :i, :j, :k]], dim=1))

    def forward(self, x):
        """Return logits (batch, n_outputs, i, j, k)."""
        return self.head(self.features(x))


def path(channels, widths):
    layers = []
    for width in widths:
        layers += [nn.Conv3d(channels, width, 3, bias=False), *normalised(width)]
        channels = width
    return nn.Sequential(*layers)


def normalised(width):
    return nn.BatchNorm3d(width), nn.PReLU(width)
