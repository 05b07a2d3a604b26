"""BrainNetCNN: convolutions along the rows and columns of a connectome."""

from torch import nn

from neuroloom.models.shapes import square_side

SLOPE = 0.33  # of the leaky ReLU, in the authors' code


class BrainNetCNN(nn.Module):
    """Map a connectome to logits (Kawahara et al. 2017, doi:10.1016/j.neuroimage.2016.09.046).

    The defaults are the sizes of E2Enet-sml in the authors' code: one edge-to-edge layer of 32 filters, an
    edge-to-node layer of 64 and a node-to-graph layer of 30. With 90 regions and 2 outputs it has 363,100
    parameters: 2 (d f + f) + (f d n + n) + (n d g + g) + (g + 1) 2 for d regions and f, n, g filters.

    Parameters
    ----------
    in_shape : (region, region)
    n_outputs : int
    edge_to_edge : sequence of int
        Filters of each edge-to-edge layer; may be empty (the authors' E2Nnet).
    edge_to_node : int
    node_to_graph : int
    dense : sequence of int
        Units of further layers before the head; (128, 30) in the authors' larger nets.
    dropout : float
        Probability of dropping a value after the edge-to-node and every later layer.
    """

    kinds = ("graph",)

    def __init__(
        self,
        in_shape,
        n_outputs,
        *,
        edge_to_edge=(32,),
        edge_to_node=64,
        node_to_graph=30,
        dense=(),
        dropout=0.5,
    ):
        super().__init__()
        n_regions = square_side("brainnetcnn", in_shape)
        layers, width = [], 1
        for wider in edge_to_edge:
            layers += [EdgeToEdge(width, wider, n_regions), nn.LeakyReLU(SLOPE)]
            width = wider
        layers += [EdgeToNode(width, edge_to_node, n_regions), nn.Dropout(dropout), nn.LeakyReLU(SLOPE)]
        layers += [nn.Flatten()]  # (batch, region, filter) -> (batch, region * filter)
        width = edge_to_node * n_regions
        for wider in (node_to_graph, *dense):
            layers += [nn.Linear(width, wider), nn.LeakyReLU(SLOPE), nn.Dropout(dropout)]
            width = wider
        self.features = nn.Sequential(*layers)
        self.n_features = width
        self.head = nn.Linear(width, n_outputs)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        return self.features(x[:, :, None])  # (batch, region, region) -> (batch, region, 1, region)

    def forward(self, x, lengths=None):
        return self.head(self.embed(x))


class EdgeToEdge(nn.Module):
    """Give each edge (i, j) a weighted sum of the edges (i, .), plus one of the edges (., j).

    Maps are laid out as (batch, region i, channel, region j), so that both sums are matrix products.
    """

    def __init__(self, in_channels, out_channels, n_regions):
        super().__init__()
        self.row = nn.Linear(in_channels * n_regions, out_channels)
        self.column = nn.Linear(in_channels * n_regions, out_channels)

    def forward(self, x):
        row = self.row(x.flatten(2))  # (batch, i, channel * j) -> (batch, i, filter)
        column = self.column.weight @ x.flatten(1, 2)  # (batch, i * channel, j) -> (batch, filter, j)
        column = column + self.column.bias[:, None]
        return row[..., None] + column[:, None]  # (batch, i, filter, j)


class EdgeToNode(nn.Module):
    """Give each region i a weighted sum of its edges (i, .): (batch, i, channel, j) -> (batch, i, filter)."""

    def __init__(self, in_channels, out_channels, n_regions):
        super().__init__()
        self.edges = nn.Linear(in_channels * n_regions, out_channels)

    def forward(self, x):
        return self.edges(x.flatten(2))
