"""What the networks on series share: which steps of a padded batch are real."""

import torch

from neuroloom.errors import NeuroloomError


def item_lengths(x, lengths):
    """Return the valid steps of each item of ``x`` (batch, channel, time), shape (batch,)."""
    if lengths is None:
        return torch.full((len(x),), x.shape[-1], device=x.device)
    if int(lengths.min()) < 1 or int(lengths.max()) > x.shape[-1]:
        raise NeuroloomError(
            f"Lengths of series must lie between 1 and the {x.shape[-1]} steps of the batch, but they run "
            f"from {int(lengths.min())} to {int(lengths.max())}."
        )
    return lengths.to(x.device)


def valid_steps(x, lengths):
    """Return a mask (batch, time) that is true on the steps that belong to each series."""
    return torch.arange(x.shape[-1], device=x.device)[None] < item_lengths(x, lengths)[:, None]


def masked_mean(x, valid):
    """Return the mean over the valid steps: (batch, channel, time), (batch, time) -> (batch, channel)."""
    kept = x.masked_fill(~valid[:, None], 0.0)
    return kept.sum(dim=2) / valid.sum(dim=1, keepdim=True)


def last_steps(states, n_layers):
    """Return the last layer's final state, directions side by side: (layer * direction, batch, width)."""
    last = states.unflatten(0, (n_layers, -1))[-1]  # (direction, batch, width)
    return last.transpose(0, 1).flatten(1)
