"""Spectra over time, read as pictures: a short-time Fourier transform and a convolutional network on it."""

import torch
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.models.eeg_items import check_duration, check_items

LEAST_POWER = 1e-18  # under the logarithm; the power of EEG in V is some 1e-12
FIRST, LATER = (16, 5), ((32, 3), (64, 3))  # filters and their size, of the first convolution and of those after it


class StftCNN(nn.Module):
    """Map a window of EEG to logits (Truong et al. 2018, doi:10.1016/j.neunet.2018.04.018).

    The logarithm of the power in pieces of ``window`` samples, half overlapping and without the mean, is a picture of
    time and frequency for each channel, on which three convolutions with pools and two full layers follow, as in the
    paper. Other than there, each frequency of each channel is normalised by itself, because power falls steeply with
    frequency (so that any unit will do, V too), and small pictures are padded. With 19 channels, 1,920 samples, ``window=64`` and 2 outputs it has
    163,906 parameters.

    Parameters
    ----------
    in_shape : (channel, time)
    n_outputs : int
    window : int
        Samples of a piece, an even number: as many as a second has, in the paper.
    hidden : int
        Units of the full layer.
    dropout : float
        Before each full layer.
    """

    kinds = ("series",)

    def __init__(self, in_shape, n_outputs, *, window=64, hidden=256, dropout=0.5):
        super().__init__()
        if window < 8 or window % 2:
            raise NeuroloomError(f"stft_cnn: window must be an even number of samples, 8 or more, but is {window}.")
        check_duration("stft_cnn", in_shape, 8 * window)
        self.in_shape, self.window = tuple(in_shape), window
        self.register_buffer("taper", torch.hann_window(window), persistent=False)
        n_channels, n_frequencies = in_shape[0], window // 2
        self.norm = nn.BatchNorm1d(n_channels * n_frequencies)
        width, size = FIRST
        layers = [nn.Conv2d(n_channels, width, size, stride=2, padding=size // 2), nn.ReLU(), nn.MaxPool2d(2)]
        for wide, size in LATER:
            layers += [nn.BatchNorm2d(width), nn.Conv2d(width, wide, size, padding=size // 2), nn.ReLU()]
            layers += [nn.MaxPool2d(2, ceil_mode=True)]
            width = wide
        self.convolutions = nn.Sequential(*layers)
        with torch.no_grad():
            shape = self.convolutions.eval()(torch.zeros(1, n_channels, self.n_pieces, n_frequencies)).shape
        self.convolutions.train()
        self.full = nn.Sequential(nn.Dropout(dropout), nn.Linear(shape[1:].numel(), hidden), nn.Sigmoid())
        self.dropout = nn.Dropout(dropout)
        self.n_features = hidden
        self.head = nn.Linear(hidden, n_outputs)

    @property
    def n_pieces(self):
        """Number of pieces of an item."""
        return (self.in_shape[1] - self.window) // (self.window // 2) + 1

    def spectra(self, x):
        """Return the logarithm of the power, (batch, channel, piece, frequency), of (batch, channel, time)."""
        pieces = x.unfold(2, self.window, self.window // 2) * self.taper
        power = torch.fft.rfft(pieces)[..., 1:].abs().square() / self.taper.square().sum()
        return torch.log(power + LEAST_POWER)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        check_items("stft_cnn", self.in_shape, x, lengths)
        pictures = self.spectra(x)
        flat = pictures.transpose(2, 3).flatten(1, 2)  # (batch, channel and frequency, piece)
        normal = self.norm(flat).unflatten(1, (pictures.shape[1], -1)).transpose(2, 3)
        return self.dropout(self.full(self.convolutions(normal).flatten(1)))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))
