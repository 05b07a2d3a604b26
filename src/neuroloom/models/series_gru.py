"""Gated recurrent network over regional series of any length."""

from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from neuroloom.errors import NeuroloomError
from neuroloom.models.series_lengths import item_lengths, last_steps, masked_mean, valid_steps
from neuroloom.models.shapes import check_axes


class SeriesGRU(nn.Module):
    """Map a series to logits by a gated recurrent unit (Cho et al. 2014, doi:10.3115/v1/D14-1179).

    Series are packed by their lengths, so that padding is never seen. With 200 regions, 64 units, both
    directions and 2 outputs it has 102,402 parameters: 2 * 3 * 64 * (200 + 64 + 2) + (128 + 1) * 2.

    Parameters
    ----------
    in_shape : (region, time)
        The time is that of the longest series; each item may be shorter, see ``lengths``.
    n_outputs : int
    width : int
        Hidden units of each direction.
    layers : int
    both_directions : bool
        Whether a second unit reads the series from its end.
    pool : {"mean", "last"}
        Features are the mean of the states over time, or the last state of each direction.
    dropout : float
        Probability of dropping a feature before the head, and between layers.
    """

    kinds = ("series",)

    def __init__(self, in_shape, n_outputs, *, width=64, layers=1, both_directions=True, pool="mean", dropout=0.5):
        super().__init__()
        check_axes("gru", in_shape, ("region", "time"))
        if pool not in ("mean", "last"):
            raise NeuroloomError(f"gru: pool is {pool!r}. Known: mean, last.")
        self.pool = pool
        self.gru = nn.GRU(
            in_shape[0],
            width,
            layers,
            batch_first=True,
            bidirectional=both_directions,
            dropout=dropout if layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(dropout)
        self.n_features = width * (2 if both_directions else 1)
        self.head = nn.Linear(self.n_features, n_outputs)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features).

        ``lengths`` (batch,) are the valid steps of each item; what lies behind them is not looked at.
        """
        steps = item_lengths(x, lengths).cpu()  # packing wants them there
        packed = pack_padded_sequence(x.transpose(1, 2), steps, batch_first=True, enforce_sorted=False)
        states, last = self.gru(packed)
        if self.pool == "last":
            return self.dropout(last_steps(last, self.gru.num_layers))
        states, _ = pad_packed_sequence(states, batch_first=True, total_length=x.shape[-1])
        return self.dropout(masked_mean(states.transpose(1, 2), valid_steps(x, lengths)))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))
