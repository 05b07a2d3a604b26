"""Shallow ConvNet: the power of filtered and mixed channels, as filter bank common spatial patterns measure it."""

import torch
from torch import nn

from neuroloom.models.eeg_filters import FilterBank, xavier
from neuroloom.models.eeg_items import check_duration, check_items, length_after, shortest_input
from neuroloom.models.eeg_pooling import mean_pool

LEAST_POWER = 1e-6  # under the logarithm


class ShallowConvNet(nn.Module):
    """Map an EEG trial to logits (Schirrmeister et al. 2017, doi:10.1002/hbm.23730, fig. 2).

    Kernels and pools are in samples, the defaults those of the paper at 250 Hz; inputs of about unit variance are expected
    (the paper standardises by exponential running averages). Trained on whole trials, not on crops. With 22 channels, 1,125
    samples and 4 outputs it has 47,364 parameters.

    Parameters
    ----------
    in_shape : (channel, time)
    n_outputs : int
    filters, spatial_filters : int
        Filters over time, and over channels.
    kernel_size : int
        Samples of the filters over time.
    pool, pool_step : int
        Samples that the power is averaged over, and from one average to the next.
    dropout : float
    """

    kinds = ("series",)

    def __init__(
        self, in_shape, n_outputs, *, filters=40, spatial_filters=40, kernel_size=25, pool=75, pool_step=15, dropout=0.5
    ):
        super().__init__()
        steps = [(kernel_size, 1), (pool, pool_step)]
        check_duration("shallow_convnet", in_shape, shortest_input(steps))
        self.in_shape, self.pool = tuple(in_shape), (pool, pool_step)
        self.bank = FilterBank(in_shape[0], filters, kernel_size, spatial_filters, spatial_bias=False)
        self.norm = nn.BatchNorm1d(spatial_filters)
        self.dropout = nn.Dropout(dropout)
        n_pooled = length_after(in_shape[1], steps)
        self.n_features = spatial_filters * n_pooled
        self.head = nn.Linear(self.n_features, n_outputs)
        self.head.weight.data = xavier((n_outputs, spatial_filters, n_pooled)).flatten(1)
        nn.init.zeros_(self.head.bias)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features): the logarithm of the power, filter by filter."""
        check_items("shallow_convnet", self.in_shape, x, lengths)
        power = mean_pool(self.norm(self.bank(x)).square(), *self.pool)  # (batch, filter, time)
        return self.dropout(torch.log(power.clamp(min=LEAST_POWER))).flatten(1)

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))
