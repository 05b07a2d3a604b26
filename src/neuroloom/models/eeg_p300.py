"""The convolutional network for the P300 of Cecotti and Gräser."""

import torch
from torch import nn

from neuroloom.models.eeg_items import check_duration, check_items, length_after


class P300CNN(nn.Module):
    """Map an EEG trial to logits (Cecotti & Gräser 2011, doi:10.1109/TPAMI.2010.125, the network called CNN-1).

    Spatial filters, filters over time whose step is their length, a layer of sigmoid units. Defaults are those of the paper,
    which has 650 ms at 120 Hz; at 250 Hz ``kernel_size=27`` is the same time. The paper's output layer is sigmoid and learns
    by least squares; here it gives logits for the task's loss. Inputs of zero mean and unit variance are expected. With 64
    channels, 78 samples and 2 outputs it has 37,502 parameters.

    Parameters
    ----------
    in_shape : (channel, time)
    n_outputs : int
    spatial_filters, filters : int
        Filters over channels, and over time.
    kernel_size : int
        Samples of each filter over time, and from one to the next.
    hidden : int
        Units before the head.
    dropout : float
        Probability of dropping a unit before the head; none in the paper.
    """

    kinds = ("series",)

    def __init__(self, in_shape, n_outputs, *, spatial_filters=10, filters=50, kernel_size=13, hidden=100, dropout=0.0):
        super().__init__()
        check_duration("p300_cnn", in_shape, kernel_size)
        self.in_shape = tuple(in_shape)
        self.spatial = nn.Conv1d(in_shape[0], spatial_filters, 1)
        self.temporal = nn.Conv1d(spatial_filters, filters, kernel_size, stride=kernel_size)
        self.hidden = nn.Linear(filters * length_after(in_shape[1], [(kernel_size, kernel_size)]), hidden)
        self.dropout = nn.Dropout(dropout)
        self.n_features = hidden
        self.head = nn.Linear(hidden, n_outputs)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        check_items("p300_cnn", self.in_shape, x, lengths)
        x = scaled_tanh(self.temporal(scaled_tanh(self.spatial(x))))  # (batch, filters, steps)
        return self.dropout(torch.sigmoid(self.hidden(x.flatten(1))))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))


def scaled_tanh(x):
    """Return 1.7159 tanh(2 x / 3), which maps ±1 to ±1 (LeCun et al. 1998, doi:10.1007/3-540-49430-8_2)."""
    return 1.7159 * torch.tanh(x * 2 / 3)
