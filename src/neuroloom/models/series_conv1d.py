"""1D convolutional network over regional series of any length."""

import itertools

import torch
from torch import nn

from neuroloom.models.series_lengths import masked_mean, valid_steps
from neuroloom.models.shapes import check_axes


class Conv1D(nn.Module):
    """Map a series to logits by convolutions over time; padding never changes the output.

    With 200 regions, widths (64, 64, 64), a kernel of 5 and 2 outputs it has 105,666 parameters.

    Parameters
    ----------
    in_shape : (region, time)
        The time is that of the longest series; each item may be shorter, see ``lengths``.
    n_outputs : int
    widths : sequence of int
        Channels of each block. All but the last block halve the time axis, rounding up.
    kernel_size : int
        Time steps that a convolution sees; odd.
    dropout : float
        Probability of dropping a feature before the head.
    """

    kinds = ("series",)

    def __init__(self, in_shape, n_outputs, *, widths=(64, 64, 64), kernel_size=5, dropout=0.5):
        super().__init__()
        check_axes("conv1d", in_shape, ("region", "time"))
        channels = [in_shape[0], *widths]
        self.blocks = nn.ModuleList(
            MaskedBlock(narrow, wide, kernel_size) for narrow, wide in itertools.pairwise(channels)
        )
        self.halve = nn.MaxPool1d(2, ceil_mode=True)
        self.dropout = nn.Dropout(dropout)
        self.n_features = channels[-1]
        self.head = nn.Linear(channels[-1], n_outputs)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features).

        ``lengths`` (batch,) are the valid steps of each item; what lies behind them is not looked at.
        """
        valid = valid_steps(x, lengths)
        for number, block in enumerate(self.blocks):
            if number:
                x, valid = (
                    self.halve(x),
                    valid[:, ::2],
                )  # x is >= 0 and 0 where padded: a maximum ignores padding
            x = block(x, valid)
        return self.dropout(masked_mean(x, valid))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))


class MaskedBlock(nn.Module):
    """Convolution, batch normalisation over the valid steps only, ReLU; padded steps come out as 0."""

    def __init__(self, in_channels, out_channels, kernel_size):
        super().__init__()
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, x, valid):
        x = x.masked_fill(~valid[:, None], 0.0)  # padding looks like the zeros beyond the end of a series
        x = self.conv(x).transpose(1, 2)  # (batch, channel, time) -> (batch, time, channel)
        known = torch.relu(self.norm(x[valid]))  # (valid steps of the batch, channel)
        return torch.zeros_like(x).masked_scatter(valid[:, :, None], known).transpose(1, 2)
