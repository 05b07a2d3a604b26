"""Small 3D convolutional network, for boxes of a few thousand voxels and cohorts of a few hundred people."""

import torch
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.models.shapes import check_axes, check_smallest

NORMS = {"batch": nn.BatchNorm3d, "instance": lambda width: nn.InstanceNorm3d(width, affine=True)}


class CNN3D(nn.Module):
    """Map a volume to logits through 3x3x3 convolutions, each but the last followed by a halving.

    With one channel, widths (8, 16, 32), a grid of one cell and 2 outputs it has 17,730 parameters
    (convolutions 224 + 3,472 + 13,856, batch normalisations 2 * 56, head 66).

    Parameters
    ----------
    in_shape : (channel, i, j, k)
    n_outputs : int
    widths : sequence of int
        Channels after each block.
    stem_stride : int
        Stride of the first convolution; 2 makes whole brains about four times cheaper.
    norm : {"batch", "instance"}
        Instance normalisation does not depend on the batch, but it takes away each map's own mean, which
        is what tells how much there is of a tissue; batch normalisation keeps it.
    grid : (int, int, int)
        The last maps are averaged within this many cells an axis; (1, 1, 1) forgets where, more cells
        keep a coarse place (for scans that lie in one space).
    dropout : float
        Probability of dropping a feature before the head.
    """

    kinds = ("volume",)

    def __init__(
        self,
        in_shape,
        n_outputs,
        *,
        widths=(8, 16, 32),
        stem_stride=1,
        norm="batch",
        grid=(1, 1, 1),
        dropout=0.2,
    ):
        super().__init__()
        check_cnn3d(in_shape, widths, stem_stride, norm, grid)
        blocks, channels = [], in_shape[0]
        for number, width in enumerate(widths):
            halving = [nn.MaxPool3d(2)] if number else []
            stride = 1 if number else stem_stride
            blocks += [*halving, *conv_block(channels, width, stride, NORMS[norm])]
            channels = width
        self.features = nn.Sequential(*blocks)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool3d(tuple(grid)), nn.Flatten(), nn.Dropout(dropout))
        self.n_features = channels * grid[0] * grid[1] * grid[2]
        self.head = nn.Linear(self.n_features, n_outputs)
        self.to(memory_format=torch.channels_last_3d)  # about 1.4 times faster on a CPU

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        x = x.contiguous(memory_format=torch.channels_last_3d)
        x = self.features(x)  # (batch, channel, i, j, k) -> (batch, last width, i', j', k')
        return self.pool(x)

    def forward(self, x, lengths=None):
        return self.head(self.embed(x))


def conv_block(in_channels, out_channels, stride, norm):
    conv = nn.Conv3d(in_channels, out_channels, 3, stride=stride, padding=1)
    return conv, norm(out_channels), nn.ReLU()


def check_cnn3d(in_shape, widths, stem_stride, norm, grid):
    """Raise an error when the settings do not fit the input or each other."""
    check_axes("cnn3d", in_shape, ("channel", "i", "j", "k"))
    if norm not in NORMS:
        raise NeuroloomError(f"cnn3d: norm is {norm!r}. Known: {', '.join(NORMS)}.")
    if not widths or len(grid) != 3:
        raise NeuroloomError("cnn3d needs at least one width, and a grid of three numbers.")
    halvings = len(widths) - 1
    smallest = stem_stride * (2**halvings - 1) + 1  # the strided stem rounds up, the poolings round down
    check_smallest("cnn3d", in_shape, smallest, "Give it fewer widths, stem_stride: 1, or a finer grid.")
