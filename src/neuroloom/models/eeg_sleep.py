"""Sleep stages in context: one encoder for each 30 s, and a recurrent unit over the epochs around the one asked about."""

from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.models.eeg_items import check_duration, check_items, shortest_input

LATER = (8, 3)  # kernel and number of the convolutions behind the first pool


class SleepContext(nn.Module):
    """Map several epochs of a night, side by side in time, to logits of the middle one.

    After Supratak et al. (2017, doi:10.1109/TNSRE.2017.2721116; the encoder is that of their smaller network of 2020,
    doi:10.1109/EMBC44109.2020.9176741, with channels first mixed by its first filters): convolutions read each epoch by
    itself, a gated recurrent unit reads epochs in both directions, and its answer is added to the middle epoch's own
    features. Amplitudes are kept: give items that were scaled once a recording, not once an item. Kernels and pools are in
    samples, the defaults those of the paper (half a second, steps of 1/16 s) at 64 Hz. With 6 channels, 5 epochs of 1,920
    samples and 5 outputs it has 98,021 parameters.

    Parameters
    ----------
    in_shape : (channel, time)
    n_outputs : int
    parts : int
        Epochs in an item, an odd number; the middle one is the one asked about. 1 is without context.
    width : int
        Filters of each convolution, and features of an epoch.
    kernel_size, step : int
        Samples of the first filters, and from one of their outputs to the next.
    pools : (int, int)
        Steps of which the largest is kept, after the first convolution and after the last.
    hidden : int
        Units of the recurrent unit in each direction.
    dropout : float
        After the first pool, after the encoder and before the head.
    """

    kinds = ("series",)

    def __init__(
        self, in_shape, n_outputs, *, parts=5, width=48, kernel_size=32, step=4, pools=(8, 4), hidden=48, dropout=0.5
    ):
        super().__init__()
        kernel, n_later = LATER
        check_duration(
            "sleep_context", in_shape, parts * shortest_input([(kernel_size, step), *[(p, p) for p in pools]])
        )
        if parts < 1 or parts % 2 == 0 or in_shape[1] % parts:
            raise NeuroloomError(
                f"sleep_context asks about the middle of an odd number of equal parts, but items of {in_shape[1]} samples "
                f"are to be {parts} parts. Correct parts, or start and stop of the trials."
            )
        self.in_shape, self.parts = tuple(in_shape), parts
        layers = [*block(in_shape[0], width, kernel_size, step), nn.MaxPool1d(pools[0]), nn.Dropout(dropout)]
        for _ in range(n_later):
            layers += [nn.ZeroPad1d(((kernel - 1) // 2, kernel // 2)), *block(width, width, kernel, 1)]
        self.encoder = nn.Sequential(*layers, nn.MaxPool1d(pools[1]), nn.Dropout(dropout))
        self.gru = nn.GRU(width, hidden, batch_first=True, bidirectional=True)
        self.project = nn.Linear(2 * hidden, width)
        self.dropout = nn.Dropout(dropout)
        self.n_features = width
        self.head = nn.Linear(width, n_outputs)

    def encode(self, x):
        """Return the features of each epoch by itself, (batch, parts, width), of (batch, channel, time)."""
        epochs = x.unflatten(2, (self.parts, -1)).transpose(1, 2)  # (batch, parts, channel, time of an epoch)
        return self.encoder(epochs.flatten(0, 1)).mean(dim=2).unflatten(0, (-1, self.parts))

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features) of the middle epoch in its context."""
        check_items("sleep_context", self.in_shape, x, lengths)
        own = self.encode(x)
        states, middle = self.gru(own)[0], self.parts // 2
        return self.dropout(own[:, middle] + self.project(states[:, middle]))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))


def block(narrow, wide, kernel_size, step):
    """Return a convolution without bias, batch norm and ReLU."""
    return nn.Conv1d(narrow, wide, kernel_size, stride=step, bias=False), nn.BatchNorm1d(wide), nn.ReLU()
