"""Means over overlapping stretches of time."""

import torch.nn.functional as F


def mean_pool(x, length, step):
    """Return means over ``length`` samples, every ``step``: (batch, channel, time) -> (batch, channel, pooled time).

    Where the step divides the length, each sample is summed once, and means share these sums.
    """
    if length % step:
        return F.avg_pool1d(x, length, step)
    n_parts = x.shape[2] // step
    parts = x[..., : n_parts * step].unflatten(2, (n_parts, step)).sum(dim=3)
    n_means, each = n_parts - length // step + 1, length // step
    return sum(parts[..., first : first + n_means] for first in range(each)) / length
