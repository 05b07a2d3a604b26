"""Batch: what the loop hands to a network, a loss and an augmentation."""

from dataclasses import dataclass, field, replace

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Some items of a cohort, stacked.

    Parameters
    ----------
    inputs : dict of Tensor
        Input name -> (batch, *shape by kind); padded at the end of the last axis where lengths differ.
    target : dict of Tensor
        Target name -> (batch, ...): class numbers (int64), or numbers (float32).
    rows : Tensor of shape (batch,)
        Row of the cohort that each item comes from.
    present : dict of Tensor
        Input name -> (batch,) bool: whether the input was measured. An absent name means all are.
    lengths : dict of Tensor
        Input name -> (batch,) int64: valid samples of the last axis. An absent name means all are.
    """

    inputs: dict[str, Tensor]
    target: dict[str, Tensor] = field(default_factory=dict)
    rows: Tensor | None = None
    present: dict[str, Tensor] = field(default_factory=dict)
    lengths: dict[str, Tensor] = field(default_factory=dict)

    def with_inputs(self, **inputs):
        """Return a copy in which the named inputs are replaced."""
        return replace(self, inputs={**self.inputs, **inputs})

    def to(self, device):
        """Return the batch on another device."""

        def moved(tensors):
            return {name: tensor.to(device) for name, tensor in tensors.items()}

        rows = None if self.rows is None else self.rows.to(device)
        return Batch(moved(self.inputs), moved(self.target), rows, moved(self.present), moved(self.lengths))
