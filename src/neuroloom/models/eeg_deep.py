"""Deep ConvNet: four blocks of convolution and max pooling."""

import itertools

from torch import nn

from neuroloom.models.eeg_filters import FilterBank, xavier
from neuroloom.models.eeg_items import check_duration, check_items, length_after, shortest_input


class DeepConvNet(nn.Module):
    """Map an EEG trial to logits (Schirrmeister et al. 2017, doi:10.1002/hbm.23730, fig. 1).

    Kernels and pools are in samples, the defaults those of the paper at 250 Hz; inputs of about unit variance are expected.
    Trained on whole trials, not on crops. With 22 channels, 1,125 samples and 4 outputs it has 284,479 parameters.

    Parameters
    ----------
    in_shape : (channel, time)
    n_outputs : int
    widths : sequence of int
        Filters of each block; the first has as many over time and over channels.
    kernel_size : int
        Samples of each convolution.
    pool : int
        Samples of which each block keeps the largest, and its step.
    dropout : float
        Before each block but the first.
    """

    kinds = ("series",)

    def __init__(self, in_shape, n_outputs, *, widths=(25, 50, 100, 200), kernel_size=10, pool=3, dropout=0.5):
        super().__init__()
        steps = [(kernel_size, 1), (pool, pool)] * len(widths)
        check_duration("deep_convnet", in_shape, shortest_input(steps))
        self.in_shape = tuple(in_shape)
        bank = FilterBank(in_shape[0], widths[0], kernel_size, widths[0], spatial_bias=False)
        blocks = [nn.Sequential(bank, *after(widths[0], pool))]
        for narrow, wide in itertools.pairwise(widths):
            conv = nn.Conv1d(narrow, wide, kernel_size, bias=False)
            nn.init.xavier_uniform_(conv.weight)
            blocks.append(nn.Sequential(nn.Dropout(dropout), conv, *after(wide, pool)))
        self.blocks = nn.Sequential(*blocks)
        n_pooled = length_after(in_shape[1], steps)
        self.n_features = widths[-1] * n_pooled
        self.head = nn.Linear(self.n_features, n_outputs)
        self.head.weight.data = xavier((n_outputs, widths[-1], n_pooled)).flatten(1)
        nn.init.zeros_(self.head.bias)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        check_items("deep_convnet", self.in_shape, x, lengths)
        return self.blocks(x).flatten(1)

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))


def after(width, pool):
    """Return what follows each convolution."""
    return nn.BatchNorm1d(width), nn.ELU(), nn.MaxPool1d(pool)
