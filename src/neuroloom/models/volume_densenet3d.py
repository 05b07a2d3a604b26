"""3D densely connected networks."""

import torch
from torch import nn

from neuroloom.models.shapes import check_axes, check_smallest


class DenseNet3D(nn.Module):
    """Map a volume to logits: each layer of a block reads the maps of all layers before it.

    Huang et al. 2017, doi:10.1109/CVPR.2017.243, with 3D convolutions. With one channel and 2 outputs
    DenseNet-121 has 11,244,674 parameters, as MONAI's.

    Parameters
    ----------
    in_shape : (channel, i, j, k)
        Every axis needs 29 voxels with the four blocks of the paper, which halve the volume five times.
    n_outputs : int
    blocks : sequence of int
        Layers of each dense block; (6, 12, 24, 16) is DenseNet-121.
    growth : int
        Maps that each layer adds.
    stem_width : int
        Maps after the first convolution.
    bottleneck : int
        A layer's 1x1x1 convolution makes this many times ``growth`` maps.
    dropout : float
        Probability of dropping a feature before the head.
    """

    kinds = ("volume",)

    def __init__(
        self,
        in_shape,
        n_outputs,
        *,
        blocks=(6, 12, 24, 16),
        growth=32,
        stem_width=64,
        bottleneck=4,
        dropout=0.0,
    ):
        super().__init__()
        check_axes("densenet3d", in_shape, ("channel", "i", "j", "k"))
        # the stem halves twice, rounding up; the transitions halve rounding down
        smallest = 4 * (2 ** (len(blocks) - 1) - 1) + 1
        check_smallest("densenet3d", in_shape, smallest, "Give it fewer blocks, or a finer grid.")
        layers, channels = [*stem(in_shape[0], stem_width)], stem_width
        for number, count in enumerate(blocks):
            if number:
                layers += transition(channels, channels // 2)
                channels //= 2
            for _ in range(count):
                layers.append(DenseLayer(channels, growth, bottleneck))
                channels += growth
        self.features = nn.Sequential(*layers, nn.BatchNorm3d(channels), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.n_features = channels
        self.head = nn.Linear(channels, n_outputs)
        self.apply(initialise)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        x = self.features(x)  # (batch, channel, i, j, k) -> (batch, last maps, i', j', k')
        return self.dropout(x.mean(dim=(2, 3, 4)))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x))


def stem(in_channels, width):
    conv = nn.Conv3d(in_channels, width, 7, stride=2, padding=3, bias=False)
    return conv, nn.BatchNorm3d(width), nn.ReLU(), nn.MaxPool3d(3, 2, padding=1)


def transition(in_channels, out_channels):
    conv = nn.Conv3d(in_channels, out_channels, 1, bias=False)
    return nn.BatchNorm3d(in_channels), nn.ReLU(), conv, nn.AvgPool3d(2)


class DenseLayer(nn.Module):
    """Add ``growth`` maps to those that come in."""

    def __init__(self, in_channels, growth, bottleneck):
        super().__init__()
        inner = growth * bottleneck
        self.path = nn.Sequential(
            nn.BatchNorm3d(in_channels),
            nn.ReLU(),
            nn.Conv3d(in_channels, inner, 1, bias=False),
            nn.BatchNorm3d(inner),
            nn.ReLU(),
            nn.Conv3d(inner, growth, 3, padding=1, bias=False),
        )

    def forward(self, x):
        return torch.cat([x, self.path(x)], dim=1)


def initialise(module):
    """Draw a convolution's weights for ReLU networks (He et al. 2015, doi:10.1109/ICCV.2015.123)."""
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight)
    elif isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
