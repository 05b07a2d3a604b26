"""Late fusion: one encoder an input, their features side by side, one head; inputs may be missing."""

import torch
from torch import nn

from neuroloom.errors import NeuroloomError


class LateFusion(nn.Module):
    """Map several inputs to logits.

    An input that was not measured is replaced by a learned token, and its encoder does not see the item, so
    that what stands in its place (zeros, NaN) can reach neither the output nor a batch statistic.

    Parameters
    ----------
    encoders : dict of nn.Module
        Input name -> model with ``embed`` and ``n_features``. Their heads are taken off.
    n_outputs : int
    widths : sequence of int
        Units of hidden layers between the features and the head.
    dropout : float
        Probability of dropping a unit after each hidden layer.
    drop_input : float
        Probability, in training, of taking a measured input for missing; each item keeps at least one.
    """

    def __init__(self, encoders, n_outputs, *, widths=(), dropout=0.5, drop_input=0.0):
        super().__init__()
        for encoder in encoders.values():
            encoder.head = nn.Identity()
        self.encoders = nn.ModuleDict(encoders)
        self.missing = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(encoder.n_features)) for name, encoder in encoders.items()}
        )
        self.drop_input = drop_input
        width = sum(encoder.n_features for encoder in encoders.values())
        layers = []
        for wider in widths:
            layers += [nn.Linear(width, wider), nn.ReLU(), nn.Dropout(dropout)]
            width = wider
        self.fuse = nn.Sequential(*layers)
        self.n_features = width
        self.head = nn.Linear(width, n_outputs)

    def embed(self, inputs, present=None, lengths=None):
        """Return features of shape (batch, n_features).

        Parameters
        ----------
        inputs : dict of Tensor
            Input name -> (batch, *shape by kind).
        present : dict of Tensor
            Input name -> (batch,) bool; an absent name means all are.
        lengths : dict of Tensor
            Input name -> (batch,) valid steps; an absent name means all are.
        """
        present = self._present(inputs, present or {})
        lengths = lengths or {}
        features = [self._encode(name, inputs[name], present[name], lengths.get(name)) for name in self.encoders]
        return self.fuse(torch.cat(features, dim=1))

    def forward(self, inputs, present=None, lengths=None):
        return self.head(self.embed(inputs, present, lengths))

    def _present(self, inputs, present):
        """Return a mask (batch,) for every input, with some taken away in training (``drop_input``)."""
        absent = [name for name in self.encoders if name not in inputs]
        if absent:
            raise NeuroloomError(
                f"late_fusion needs the inputs {', '.join(self.encoders)}; the batch lacks {absent[0]}."
            )
        x = next(iter(inputs.values()))
        known = torch.ones(len(x), dtype=torch.bool, device=x.device)
        masks = torch.stack([present.get(name, known).to(x.device) for name in self.encoders])  # (input, batch)
        if self.training and self.drop_input:
            chance = torch.rand(masks.shape, device=x.device).masked_fill(~masks, -1.0)
            kept = (chance >= self.drop_input) | (chance == chance.amax(dim=0))
            masks = masks & kept
        return dict(zip(self.encoders, masks, strict=True))

    def _encode(self, name, x, present, lengths):
        features = self.missing[name].expand(len(x), -1)
        if not present.any():
            return features
        if lengths is not None:
            lengths = lengths[present]
        known = self.encoders[name].embed(x[present], lengths)
        return features.to(known.dtype).index_put((present.nonzero()[:, 0],), known)
