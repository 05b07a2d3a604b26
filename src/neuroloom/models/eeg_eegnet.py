"""EEGNet: a compact network of depthwise and separable convolutions."""

from torch import nn

from neuroloom.models.eeg_depthwise import depthwise_same
from neuroloom.models.eeg_filters import DepthwiseBank, xavier
from neuroloom.models.eeg_items import check_duration, check_items, length_after, limit_norms, shortest_input


class EEGNet(nn.Module):
    """Map an EEG trial to logits (Lawhern et al. 2018, doi:10.1088/1741-2552/aace8c, the version called EEGNet-8,2).

    Kernels and pools are in samples, the defaults those of the paper at 128 Hz: ``kernel_size`` is half a second. At 250 Hz
    the same times are ``kernel_size=125, pools=(8, 8)``. Convolutions are padded as in the paper ("same"), where others pad
    even kernels by half their length at both ends. Running averages of batch norms follow in 1/10 a batch, not 1/100, so
    that short trainings reach them. With 22 channels, 1,125 samples and 4 outputs it has 3,700 parameters.

    Parameters
    ----------
    in_shape : (channel, time)
    n_outputs : int
    filters : int
        Filters over time (F1).
    depth : int
        Spatial filters for each filter over time (D).
    pointwise : int
        Channels of the separable convolution (F2).
    kernel_size, separable_size : int
        Samples of the filters over time, and of the separable convolution behind the first pool.
    pools : (int, int)
        Samples averaged after the spatial filters, and after the separable convolution.
    dropout : float
        The paper takes 0.5 within and 0.25 across people.
    spatial_norm, head_norm : float or None
        Largest norm of each spatial filter, and of the weights of each output.
    """

    kinds = ("series",)

    def __init__(
        self, in_shape, n_outputs, *, filters=8, depth=2, pointwise=16, kernel_size=64, separable_size=16,
        pools=(4, 8), dropout=0.5, spatial_norm=1.0, head_norm=0.25,
    ):  # fmt: skip
        super().__init__()
        steps = [(pool, pool) for pool in pools]
        check_duration("eegnet", in_shape, shortest_input(steps))
        self.in_shape, self.norms = tuple(in_shape), (spatial_norm, head_norm)
        n_maps = filters * depth
        self.bank = DepthwiseBank(in_shape[0], filters, kernel_size, depth, eps=1e-3)
        self.first = nn.Sequential(
            nn.BatchNorm1d(n_maps, eps=1e-3), nn.ELU(), nn.AvgPool1d(pools[0]), nn.Dropout(dropout)
        )
        self.along_time = nn.Parameter(xavier((n_maps, 1, separable_size))[:, 0])
        self.second = nn.Sequential(
            nn.Conv1d(n_maps, pointwise, 1, bias=False),
            nn.BatchNorm1d(pointwise, eps=1e-3), nn.ELU(), nn.AvgPool1d(pools[1]), nn.Dropout(dropout),
        )  # fmt: skip
        self.n_features = pointwise * length_after(in_shape[1], steps)
        self.head = nn.Linear(self.n_features, n_outputs)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        check_items("eegnet", self.in_shape, x, lengths)
        x = self.first(self.bank(x))  # (batch, filters * depth, time / first pool)
        return self.second(depthwise_same(x, self.along_time)).flatten(1)

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))

    def constrain(self):
        """Limit the norms of the weights; called after each step of a training."""
        spatial, head = self.norms
        self.bank.limit(spatial)
        if isinstance(self.head, nn.Linear):  # a fusion takes it off
            limit_norms(self.head.weight, head)
