"""Multilayer perceptron for table rows and for connectomes, which it reads as a row of edges."""

import torch
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.models.shapes import square_side


class MLP(nn.Module):
    """Map a row of features, or the edges of a connectome, to logits.

    With 200 regions, 64 hidden units and 2 outputs it has 1,286,594 parameters:
    (200 * 201 / 2 + 1) * 64 + (64 + 1) * 2.

    Parameters
    ----------
    in_shape : (feature,) or (region, region)
        Of a connectome the upper triangle with its diagonal is read, row by row.
    n_outputs : int
    widths : sequence of int
        Units of each hidden layer; none makes it a linear model.
    dropout : float
        Probability of dropping a unit after each hidden layer.
    norm : {"none", "batch", "layer"}
        Normalisation before each hidden layer's ReLU.
    """

    kinds = ("table", "graph")

    def __init__(self, in_shape, n_outputs, *, widths=(64,), dropout=0.5, norm="none"):
        super().__init__()
        self.flatten = flattening(in_shape)
        width = self.flatten.n_features
        layers = []
        for wider in widths:
            layers += [nn.Linear(width, wider), *normalisation(norm, wider), nn.ReLU(), nn.Dropout(dropout)]
            width = wider
        self.features = nn.Sequential(*layers)
        self.n_features = width
        self.head = nn.Linear(width, n_outputs)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        return self.features(self.flatten(x))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x))


def flattening(in_shape):
    """Return the module that reads a sample of this shape as a row."""
    if len(in_shape) == 1:
        return TableRow(in_shape[0])
    return EdgeRow(square_side("mlp", in_shape))


def normalisation(norm, width):
    """Return the layers (none or one) of a normalisation of ``width`` units."""
    makers = {"none": None, "batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
    if norm not in makers:
        raise NeuroloomError(f"mlp: norm is {norm!r}. Known: {', '.join(makers)}.")
    return [] if makers[norm] is None else [makers[norm](width)]


class TableRow(nn.Module):
    """Pass a (batch, feature) table on."""

    def __init__(self, n_features):
        super().__init__()
        self.n_features = n_features

    def forward(self, x):
        return x


class EdgeRow(nn.Module):
    """Read the upper triangle, with the diagonal, of (batch, region, region) as (batch, edge)."""

    def __init__(self, n_regions):
        super().__init__()
        rows, columns = torch.triu_indices(n_regions, n_regions)
        self.register_buffer("place", rows * n_regions + columns, persistent=False)
        self.n_features = n_regions * (n_regions + 1) // 2

    def forward(self, x):
        return x.flatten(1).index_select(1, self.place)
