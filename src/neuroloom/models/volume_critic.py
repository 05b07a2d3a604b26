"""A critic of label maps: told a scan and what is said to be where, it judges whether that is the truth."""

import torch
from torch import nn


class PatchCritic(nn.Module):
    """Map a scan and the share of each class in each voxel to scores, one for each small patch.

    Three 3x3x3 convolutions that halve the volume (Isola et al. 2017, doi:10.1109/CVPR.2017.632, in three dimensions),
    then a score; each score sees 15 voxels an axis. Each convolution's maps are normalised together (one group, Wu & He 2018,
    arXiv:1803.08494), not channel by channel, so that how much there is of a class can still be seen. Any size of volume
    will do. With one channel of scan and 33 classes it has 84,209 parameters.

    Parameters
    ----------
    in_channels : int
        Channels of the scan, and classes with the background.
    widths : sequence of int
        Channels after each convolution.
    """

    def __init__(self, in_channels, *, widths=(16, 32, 64)):
        super().__init__()
        layers = []
        for width in widths:
            conv = nn.Conv3d(in_channels, width, 3, stride=2, padding=1)
            layers += [conv, nn.GroupNorm(1, width), nn.LeakyReLU(0.2)]
            in_channels = width
        self.layers = nn.Sequential(*layers, nn.Conv3d(in_channels, 1, 1))

    def forward(self, scan, shares):
        """Return scores (batch, 1, i', j', k') of a scan (batch, channel, i, j, k) and shares (batch, class, i, j, k)."""
        return self.layers(torch.cat([scan, shares], dim=1))


class Judged(nn.Module):
    """A network that answers each voxel, and the critic that it is trained against; answering needs the network alone.

    Parameters
    ----------
    network : VoxelNetwork
    critic : PatchCritic
    """

    def __init__(self, network, critic):
        super().__init__()
        self.network = network
        self.critic = critic

    def forward(self, inputs, present=None, lengths=None):
        """Return what the network answers."""
        return self.network(inputs, present, lengths)

    def scores(self, inputs, shares):
        """Return what the critic says of shares of each class, given the scan that the network sees."""
        return self.critic(inputs[self.network.input_name], shares)
