"""Multilayer perceptron for table rows and for connectomes, which it reads as a row of edges."""

from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.models.shapes import square_side
from neuroloom.transforms.flatten import flatten


class MLP(nn.Module):
    """Map a row of features, or the edges of a connectome, to logits.

    With 200 regions, 64 hidden units and 2 outputs it has 1,286,594 parameters:
    (200 * 201 / 2 + 1) * 64 + (64 + 1) * 2.

    Parameters
    ----------
    in_shape : (feature,) or (region, region)
        Of a connectome the upper triangle with its diagonal is read, see `neuroloom.transforms.flatten`.
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
        self.kind, width = row_length(in_shape)
        layers = []
        for wider in widths:
            layers += [nn.Linear(width, wider), *normalisation(norm, wider), nn.ReLU(), nn.Dropout(dropout)]
            width = wider
        self.features = nn.Sequential(*layers)
        self.n_features = width
        self.head = nn.Linear(width, n_outputs)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        return self.features(flatten(x, self.kind))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x))


def row_length(in_shape):
    """Return the kind of a sample of this shape, and how many features `flatten` makes of it."""
    if len(in_shape) == 1:
        return "table", in_shape[0]
    n_regions = square_side("mlp", in_shape)
    return "graph", n_regions * (n_regions + 1) // 2


def normalisation(norm, width):
    """Return the layers (none or one) of a normalisation of ``width`` units."""
    makers = {"none": None, "batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
    if norm not in makers:
        raise NeuroloomError(f"mlp: norm is {norm!r}. Known: {', '.join(makers)}.")
    return [] if makers[norm] is None else [makers[norm](width)]
