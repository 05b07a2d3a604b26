"""EEG Conformer: a shallow convolution makes tokens, self-attention relates them."""

import torch.nn.functional as F
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.models.eeg_filters import FilterBank
from neuroloom.models.eeg_items import check_duration, check_items, length_after, shortest_input
from neuroloom.models.eeg_pooling import mean_pool


class EEGConformer(nn.Module):
    """Map an EEG trial to logits (Song et al. 2023, doi:10.1109/TNSRE.2022.3230250).

    Kernels and pools are in samples, the defaults those of the paper at 250 Hz. As in the authors' code, attention is scaled
    by the root of the whole embedding and not of a head. The paper trains with {name: eeg, recombine: 8}. With 22 channels,
    1,000 samples and 4 outputs it has 789,572 parameters.

    Parameters
    ----------
    in_shape : (channel, time)
    n_outputs : int
    width : int
        Filters over time and over channels, and size of a token.
    kernel_size, pool, pool_step : int
        Samples of the filters over time, of a token, and from one token to the next.
    layers, heads : int
        Of the self-attention.
    hidden : (int, int)
        Units of the two layers before the head.
    dropout, attention_dropout : float
        After the convolution; in the self-attention.
    hidden_dropout : (float, float)
        After each of the two layers before the head.
    """

    kinds = ("series",)

    def __init__(
        self, in_shape, n_outputs, *, width=40, kernel_size=25, pool=75, pool_step=15, layers=6, heads=10,
        hidden=(256, 32), dropout=0.5, attention_dropout=0.5, hidden_dropout=(0.5, 0.3),
    ):  # fmt: skip
        super().__init__()
        steps = [(kernel_size, 1), (pool, pool_step)]
        check_duration("eeg_conformer", in_shape, shortest_input(steps))
        if width % heads:
            raise NeuroloomError(f"eeg_conformer: width {width} cannot be shared by {heads} heads; use a multiple.")
        self.in_shape, self.pool = tuple(in_shape), (pool, pool_step)
        self.bank = FilterBank(in_shape[0], width, kernel_size, width, spatial_bias=True)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(width, width)
        self.encoder = nn.Sequential(*(ConformerLayer(width, heads, attention_dropout) for _ in range(layers)))
        size, dense = width * length_after(in_shape[1], steps), []
        for units, share in zip(hidden, hidden_dropout, strict=True):
            dense += [nn.Linear(size, units), nn.ELU(), nn.Dropout(share)]
            size = units
        self.dense = nn.Sequential(*dense)
        self.n_features = size
        self.head = nn.Linear(size, n_outputs)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        check_items("eeg_conformer", self.in_shape, x, lengths)
        x = mean_pool(F.elu(self.norm(self.bank(x))), *self.pool)
        tokens = self.project(self.dropout(x).transpose(1, 2))  # (batch, token, width)
        return self.dense(self.encoder(tokens).flatten(1))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))


class ConformerLayer(nn.Module):
    """Self-attention and a feed-forward layer of four times the width, each added to what came in."""

    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.attention_norm, self.feed_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries, self.keys, self.values, self.project = (nn.Linear(width, width) for _ in range(4))
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(4 * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, tokens):
        tokens = tokens + self._attended(self.attention_norm(tokens))
        return tokens + self.feed(self.feed_norm(tokens))

    def _attended(self, tokens):
        share = self.dropout if self.training else 0.0
        q, k, v = (split_heads(made(tokens), self.heads) for made in (self.queries, self.keys, self.values))
        found = F.scaled_dot_product_attention(q, k, v, dropout_p=share, scale=tokens.shape[-1] ** -0.5)
        return F.dropout(self.project(found.transpose(1, 2).flatten(2)), share)


def split_heads(tokens, heads):
    """Return (batch, head, token, width of a head) of (batch, token, width)."""
    return tokens.unflatten(2, (heads, -1)).transpose(1, 2)
