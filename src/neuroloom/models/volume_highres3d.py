"""A fully convolutional network of dilated residual blocks: an answer for each voxel, at full resolution throughout."""

import torch
import torch.nn.functional as F
from torch import nn

from neuroloom.models.shapes import check_axes, check_smallest


class HighRes3D(nn.Module):
    """Map a volume to logits at each voxel without ever halving it (Li et al. 2017, doi:10.1007/978-3-319-59050-9_28).

    At the paper's size (one channel, 160 outputs) it has 821,744 parameters, the paper's "0.81 million" and its
    batch normalisations. It needs more memory a voxel than a U-Net, and keeps fine detail.

    Parameters
    ----------
    in_shape : (channel, i, j, k)
        Of a sample or patch; other sizes may be given later.
    n_outputs : int
        Classes, the background among them.
    widths : sequence of int
        Channels of each stage; stage n has convolutions of dilation 2 ** n.
    blocks : int
        Residual blocks a stage, two convolutions each.
    last : int
        Channels of the 1x1x1 convolution before the answer.
    """

    kinds = ("volume",)

    def __init__(self, in_shape, n_outputs, *, widths=(16, 32, 64), blocks=3, last=80):
        super().__init__()
        check_axes("highres3d", in_shape, ("channel", "i", "j", "k"))
        check_smallest("highres3d", in_shape, 3, "Give it larger patches.")
        layers = [nn.Conv3d(in_shape[0], widths[0], 3, padding=1, bias=False), nn.BatchNorm3d(widths[0]), nn.ReLU()]
        channels = widths[0]
        for number, width in enumerate(widths):
            for _ in range(blocks):
                layers.append(DilatedBlock(channels, width, 2**number))
                channels = width
        layers += [nn.Conv3d(channels, last, 1, bias=False), nn.BatchNorm3d(last), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv3d(last, n_outputs, 1)
        self.to(memory_format=torch.channels_last_3d)

    def features(self, x):
        """Return features of each voxel: (batch, last, i, j, k)."""
        return self.body(x.contiguous(memory_format=torch.channels_last_3d))

    def forward(self, x):
        """Return logits (batch, n_outputs, i, j, k)."""
        return self.head(self.features(x))


class DilatedBlock(nn.Module):
    """Two dilated convolutions, each after normalisation and ReLU, added to what came in."""

    def __init__(self, in_channels, out_channels, dilation):
        super().__init__()
        self.more = out_channels - in_channels
        layers = []
        for channels in (in_channels, out_channels):
            conv = nn.Conv3d(channels, out_channels, 3, padding=dilation, dilation=dilation, bias=False)
            layers += [nn.BatchNorm3d(channels), nn.ReLU(), conv]
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return F.pad(x, (0, 0, 0, 0, 0, 0, 0, self.more)) + self.body(x)
