"""ATCNet: attention and a causal temporal convolution over sliding windows of convolved EEG."""

import torch
import torch.nn.functional as F
from torch import nn

from neuroloom.models.eeg_conformer import split_heads
from neuroloom.models.eeg_filters import DepthwiseBank
from neuroloom.models.eeg_items import check_duration, check_items, length_after, limit_norms


class ATCNet(nn.Module):
    """Map an EEG trial to logits (Altaheri et al. 2023, doi:10.1109/TII.2022.3197419).

    Kernels and pools are in samples, the defaults those of the paper at 250 Hz. Windows' features are laid side by side
    before the head, as in the paper; the authors' code averages a head for each window, which is the same function of
    n_windows - 1 times n_outputs biases more. Dropout is that of the authors' code. With 22 channels, 1,125 samples and 4
    outputs it has 113,716 parameters (the authors count 115,172, with these biases and 1,440 running averages).

    Parameters
    ----------
    in_shape : (channel, time)
    n_outputs : int
    filters, depth : int
        Filters over time, and spatial filters for each; their product is the width of what follows.
    kernel_size, second_size : int
        Samples of the filters over time, and of the convolution behind the first pool.
    pools : (int, int)
        Samples averaged after each of the two.
    windows : int
        Sliding windows, a step of the pooled time from one to the next.
    heads, head_width : int
        Of the self-attention in each window.
    layers, causal_size : int
        Residual blocks of causal convolutions in each window, and their samples; the gaps double from block to block.
    dropout, attention_dropout : float
        In the convolutions; of attention weights.
    spatial_norm, head_norm : float or None
        Largest norm of each spatial filter, and of the weights of each output.
    """

    kinds = ("series",)

    def __init__(
        self, in_shape, n_outputs, *, filters=16, depth=2, kernel_size=64, second_size=16, pools=(8, 7), windows=5,
        heads=2, head_width=8, layers=2, causal_size=4, dropout=0.3, attention_dropout=0.5,
        spatial_norm=1.0, head_norm=0.25,
    ):  # fmt: skip
        super().__init__()
        check_duration("atcnet", in_shape, windows * pools[0] * pools[1])
        self.in_shape, self.norms, width = tuple(in_shape), (spatial_norm, head_norm), filters * depth
        self.window = length_after(in_shape[1], [(pool, pool) for pool in pools]) - windows + 1
        self.bank = DepthwiseBank(in_shape[0], filters, kernel_size, depth, eps=1e-4)
        self.convolved = nn.Sequential(
            *after(width, pools[0], dropout),
            nn.ZeroPad1d(((second_size - 1) // 2, second_size // 2)), nn.Conv1d(width, width, second_size, bias=False),
            *after(width, pools[1], dropout),
        )  # fmt: skip
        self.windows = nn.ModuleList(
            nn.Sequential(
                WindowAttention(width, heads, head_width, attention_dropout),
                *(CausalBlock(width, causal_size, 2**layer, dropout) for layer in range(layers)),
            )
            for _ in range(windows)
        )
        self.n_features = width * windows
        self.head = nn.Linear(self.n_features, n_outputs)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features): the last step of each window's answer."""
        check_items("atcnet", self.in_shape, x, lengths)
        x = self.convolved(self.bank(x))  # (batch, width, pooled time)
        views = (x[..., start : start + self.window] for start in range(len(self.windows)))
        return torch.cat([made(view)[..., -1] for made, view in zip(self.windows, views, strict=True)], dim=1)

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))

    def constrain(self):
        """Limit the norms of the weights; called after each step of a training."""
        spatial, head = self.norms
        self.bank.limit(spatial)
        if isinstance(self.head, nn.Linear):  # a fusion takes it off
            limit_norms(self.head.weight, head)


def after(width, pool, dropout):
    """Return what follows each convolution."""
    return nn.BatchNorm1d(width, eps=1e-4), nn.ELU(), nn.AvgPool1d(pool), nn.Dropout(dropout)


class WindowAttention(nn.Module):
    """Self-attention over the steps of a window, added to what came in: (batch, width, time) -> the same."""

    def __init__(self, width, heads, head_width, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.queries, self.keys, self.values = (nn.Linear(width, heads * head_width) for _ in range(3))
        self.project = nn.Linear(heads * head_width, width)
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        steps = self.norm(x.transpose(1, 2))  # (batch, time, width)
        q, k, v = (split_heads(made(steps), self.heads) for made in (self.queries, self.keys, self.values))
        found = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout if self.training else 0.0)
        return x + self.drop(self.project(found.transpose(1, 2).flatten(2))).transpose(1, 2)


class CausalBlock(nn.Module):
    """Two convolutions that see no later step, added to what came in (Bai et al. 2018, arXiv:1803.01271)."""

    def __init__(self, width, size, gap, dropout):
        super().__init__()
        layers = []
        for _ in range(2):
            conv = nn.Conv1d(width, width, size, dilation=gap)
            nn.init.kaiming_uniform_(conv.weight)
            layers += [nn.ZeroPad1d(((size - 1) * gap, 0)), conv, nn.BatchNorm1d(width), nn.ELU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return F.elu(x + self.layers(x))
