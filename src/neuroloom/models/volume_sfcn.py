"""SFCN: the simple fully convolutional network of brain-age prediction."""

import torch
from torch import nn

from neuroloom.models.shapes import check_axes, check_smallest


class SFCN(nn.Module):
    """Map a brain volume to logits (Peng et al. 2021, doi:10.1016/j.media.2020.101871).

    At the paper's size (one channel, 40 outputs) it has 2,952,936 parameters, the paper's "3 million". The
    paper's input is 160 x 192 x 160 voxels at 1 mm; its average pooling over the last 5 x 6 x 5 maps is the
    mean over all places here, so that other sizes fit too.

    Parameters
    ----------
    in_shape : (channel, i, j, k)
        Every axis needs 2 ** (number of widths - 1) voxels: 32 with the six widths of the paper.
    n_outputs : int
        Number of classes, or of age bins.
    widths : sequence of int
        Channels after each block. All but the last block halve the volume.
    dropout : float
        Probability of dropping a feature before the head.
    """

    kinds = ("volume",)

    def __init__(self, in_shape, n_outputs, *, widths=(32, 64, 128, 256, 256, 64), dropout=0.5):
        super().__init__()
        check_axes("sfcn", in_shape, ("channel", "i", "j", "k"))
        check_smallest("sfcn", in_shape, 2 ** (len(widths) - 1), too_small(in_shape, widths))
        *halving, last = widths
        blocks, channels = [], in_shape[0]
        for width in halving:
            blocks += conv_block(channels, width, kernel_size=3, pool=[nn.MaxPool3d(2)])
            channels = width
        self.features = nn.Sequential(*blocks, *conv_block(channels, last, kernel_size=1, pool=[]))
        self.dropout = nn.Dropout(dropout)
        self.n_features = last
        self.head = nn.Linear(last, n_outputs)
        self.to(memory_format=torch.channels_last_3d)  # about 1.4 times faster on a CPU

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        x = x.contiguous(memory_format=torch.channels_last_3d)
        x = self.features(x)  # (batch, channel, i, j, k) -> (batch, last width, i', j', k')
        return self.dropout(x.mean(dim=(2, 3, 4)))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x))


def conv_block(in_channels, out_channels, kernel_size, pool):
    """Return convolution, batch normalisation, pooling and ReLU, in the order of the paper's code."""
    conv = nn.Conv3d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
    return conv, nn.BatchNorm3d(out_channels), *pool, nn.ReLU()


def too_small(in_shape, widths):
    """Return the way out for a volume that is too small for these widths."""
    halvings = min(in_shape[1:]).bit_length() - 1
    fitting = [*widths[:halvings], widths[-1]]
    return f"Give it fewer widths, for example widths: {fitting}, or a finer grid."
