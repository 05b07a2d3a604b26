"""The two ways in which EEG networks begin: filters over time, then filters over the channels of each."""

import torch
import torch.nn.functional as F
from torch import nn

from neuroloom.models.eeg_depthwise import depthwise_same, padded_blocks
from neuroloom.models.eeg_items import limit_norms


class FilterBank(nn.Module):
    """Filters over time, then spatial filters over all of them (Schirrmeister et al. 2017, doi:10.1002/hbm.23730).

    Nothing stands between the two layers, so that they are computed as one convolution with their product as its kernel.

    Parameters
    ----------
    n_channels, n_temporal, length, n_spatial : int
        Channels, filters over time, their samples, spatial filters.
    spatial_bias : bool
    """

    def __init__(self, n_channels, n_temporal, length, n_spatial, *, spatial_bias):
        super().__init__()
        self.temporal = nn.Parameter(xavier((n_temporal, 1, length))[:, 0])
        self.temporal_bias = nn.Parameter(torch.zeros(n_temporal))
        self.spatial = nn.Parameter(xavier((n_spatial, n_temporal, n_channels)))
        self.spatial_bias = nn.Parameter(torch.zeros(n_spatial)) if spatial_bias else None

    def forward(self, x):
        """Return (batch, n_spatial, time - length + 1) of (batch, n_channels, time)."""
        kernel = torch.einsum("sfc,fk->sck", self.spatial, self.temporal)
        bias = self.spatial.sum(dim=2) @ self.temporal_bias
        return F.conv1d(x, kernel, bias if self.spatial_bias is None else bias + self.spatial_bias)


class DepthwiseBank(nn.Module):
    """Filters over time, batch norm, then spatial filters for each of them (Lawhern 2018, doi:10.1088/1741-2552/aace8c).

    Filtering every channel with every filter only to sum the channels afterwards costs most of EEGNet's time. The layers are
    linear, so that the channels are summed first here. The batch norm needs mean and variance of the filtered channels all
    the same: they follow exactly from the covariance of neighbouring samples, w' C w for a filter w (in float64).

    Parameters
    ----------
    n_channels, n_filters, length, depth : int
        Channels, filters over time, their samples, spatial filters for each.
    eps : float
        Added to the variance of the batch norm.
    """

    def __init__(self, n_channels, n_filters, length, depth, *, eps):
        super().__init__()
        self.temporal = nn.Parameter(xavier((n_filters, 1, length))[:, 0])
        self.norm = nn.BatchNorm1d(n_filters, eps=eps)
        self.spatial = nn.Parameter(xavier((n_filters * depth, 1, n_channels)).view(n_filters, depth, n_channels))

    def forward(self, x):
        """Return (batch, n_filters * depth, time) of (batch, n_channels, time)."""
        mean, variance = self._moments(x) if self.training else (self.norm.running_mean, self.norm.running_var)
        scale = self.norm.weight / torch.sqrt(variance + self.norm.eps)
        shift = self.norm.bias - scale * mean
        mixed = self.spatial.flatten(0, 1) @ x  # (batch, filter * depth, time)
        kernels = (self.temporal * scale[:, None]).repeat_interleave(self.spatial.shape[1], dim=0)
        level = (self.spatial.sum(dim=2) * shift[:, None]).flatten()
        return depthwise_same(mixed, kernels) + level[:, None]

    def limit(self, largest):
        """Limit the norm of each spatial filter."""
        limit_norms(self.spatial.data.flatten(0, 1), largest)

    def _moments(self, x):
        """Return mean and variance (n_filters,) of the filtered channels of a batch, and let the running ones follow."""
        n_values = x.numel()
        mean, second = seen_moments(x, self.temporal.shape[1])
        weight = self.temporal.to(mean.dtype)
        variance = torch.einsum("fk,kl,fl->f", weight, second - mean[:, None] * mean, weight).clamp(min=0)
        mean = weight @ mean
        with torch.no_grad():
            self.norm.num_batches_tracked += 1
            self.norm.running_mean.lerp_(mean.to(x.dtype), self.norm.momentum)
            unbiased = (variance * n_values / max(1, n_values - 1)).to(x.dtype)
            self.norm.running_var.lerp_(unbiased, self.norm.momentum)
        return mean.to(x.dtype), variance.to(x.dtype)


def seen_moments(x, length):
    """Return what a "same" filter sees of all channels: mean (length,) and second moment (length, length) of its samples.

    The first row of the second moment is summed over the batch; each further diagonal entry gains the sample that enters the
    filter's view at the end and loses the one that leaves it at the start.

    Parameters
    ----------
    x : Tensor of shape (batch, channel, time)
    length : int
        Samples of the filter.
    """
    wide = torch.float32 if x.device.type == "mps" else torch.float64  # Apple's GPUs have no float64
    n_times, n_values = x.shape[2], x.numel()
    blocks = padded_blocks(x.flatten(0, 1).to(wide), length)  # (series, block, length)
    padded = blocks.flatten(1)[:, : n_times + length - 1]
    starts = F.pad(padded[:, :n_times], (0, blocks[0].numel() - n_times)).view(-1, length)
    blocks = blocks.flatten(0, 1)  # the last of each series meets zeros in ``starts``
    products = torch.cat([starts.T @ blocks, starts[:-1].T @ blocks[1:]], dim=1)  # (length, 2 length)
    lag = torch.arange(length, device=x.device)
    first = products.gather(1, lag[:, None] + lag).sum(dim=0)
    entering, leaving = padded[:, n_times:], padded[:, : length - 1]
    change = F.pad(entering.T @ entering - leaving.T @ leaving, (0, 1, 0, 1))  # (length, length)
    along = change.gather(1, (lag[:, None] + lag).clamp(max=length - 1)).cumsum(dim=0)  # (place, lag)
    gained = F.pad(along, (0, 0, 1, 0))
    apart, place = (lag[:, None] - lag).abs(), torch.minimum(lag[:, None], lag)
    mean = padded.sum(dim=0).unfold(0, n_times, 1).sum(dim=1)
    return mean / n_values, (first[apart] + gained[place, apart]) / n_values


def xavier(shape):
    """Return weights (out, in, length) drawn as Glorot and Bengio (2010) say."""
    return nn.init.xavier_uniform_(torch.empty(shape))
