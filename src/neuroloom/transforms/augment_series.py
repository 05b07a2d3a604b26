"""Augmentation of series on a batch: noise, a masked stretch, a window."""

from dataclasses import replace

import torch
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.augment_draws import (
    check_not_negative,
    check_share,
    chosen_rows,
    named_inputs,
    normal_like,
    replaced,
    uniform,
)


class Series(nn.Module):
    """Change series (batch, region, time): a shorter window, a stretch without signal, added noise.

    Parameters
    ----------
    probability : float
        Chance that an item is augmented at all; the others keep their bytes.
    crop : float
        Largest part of a series that is cut away; a window of the rest moves to the start, zeros follow, and
        the batch's ``lengths`` say so.
    mask : float
        Largest part of a series that is replaced, in all regions at once, by each region's mean.
    noise : float
        Largest standard deviation of the noise, in standard deviations of each region.
    inputs : list of str or None
        Inputs to augment; None takes all with three axes, which must be series.
    """

    def __init__(self, *, probability=1.0, crop=0.0, mask=0.1, noise=0.1, inputs=None):
        super().__init__()
        check_share("series", probability=probability, crop=crop, mask=mask)
        check_not_negative("series", noise=noise)
        if crop == 1:
            raise NeuroloomError("augmentation 'series': crop is 1, which may leave nothing of a series.")
        self.probability, self.crop, self.mask, self.noise = probability, crop, mask, noise
        self.inputs = inputs

    @torch.no_grad()
    def forward(self, batch, generator):
        """Return the batch with its series, and where they are cropped their lengths, changed."""
        inputs, lengths = dict(batch.inputs), dict(batch.lengths)
        for name in named_inputs("series", batch, self.inputs, has_three_axes):
            x = inputs[name]
            check_no_connectome(name, x)
            steps = lengths.get(name, torch.full((len(x),), x.shape[-1], device=x.device))
            inputs[name], steps = self._changed(x, steps, generator)
            if self.crop:
                lengths[name] = steps
        return replace(batch, inputs=inputs, lengths=lengths)

    def _changed(self, x, steps, generator):
        rows = chosen_rows(generator, len(x), self.probability, x.device)
        if not len(rows):
            return x, steps
        new, kept = x[rows].float(), steps[rows]
        if self.crop:
            new, kept = window(new, kept, self.crop, generator)
        valid = torch.arange(x.shape[-1], device=x.device) < kept[:, None]  # (n, time)
        mean, std = mean_and_std(new, valid)
        if self.mask:
            new = torch.where(stretch(kept, x.shape[-1], self.mask, generator)[:, None], mean, new)
        if self.noise:
            level = uniform(generator, (len(rows), 1, 1), 0.0, self.noise, x.device) * std
            new = new + normal_like(new, generator) * level
        new = new.masked_fill(~valid[:, None], 0.0)
        return replaced(x, rows, new.to(x.dtype)), replaced(steps, rows, kept.to(steps.dtype))


def window(x, steps, crop, generator):
    """Return a window of each series, moved to the start, and its length.

    Parameters
    ----------
    x : Tensor of shape (n, region, time)
    steps : Tensor of shape (n,)
        Valid steps of each series.
    crop : float
        Largest part that is cut away.
    """
    share = uniform(generator, (2, len(x)), 0.0, 1.0, x.device)
    kept = (steps * (1 - crop * share[0])).ceil().long()
    start = ((steps - kept + 1) * share[1]).long().clamp(max=steps - kept)
    place = (start[:, None] + torch.arange(x.shape[-1], device=x.device)).clamp(max=x.shape[-1] - 1)
    return x.gather(2, place[:, None].expand(-1, x.shape[1], -1)), kept


def stretch(steps, n_steps, mask, generator):
    """Return a mask (n, time) of one stretch inside each series, at most this part of it."""
    share = uniform(generator, (2, len(steps)), 0.0, 1.0, steps.device)
    length = (steps * mask * share[0]).round().long()
    start = ((steps - length + 1) * share[1]).long().clamp(max=steps - length)
    step = torch.arange(n_steps, device=steps.device)
    return (step >= start[:, None]) & (step < (start + length)[:, None])


def mean_and_std(x, valid):
    """Return each region's mean and standard deviation over its valid steps, both (n, region, 1)."""
    known, count = valid[:, None], valid.sum(dim=1)[:, None, None]
    mean = torch.where(known, x, 0.0).sum(dim=2, keepdim=True) / count
    square = torch.where(known, x - mean, 0.0).square().sum(dim=2, keepdim=True) / count
    return mean, square.sqrt()


def has_three_axes(x):
    return x.ndim == 3 and x.is_floating_point()


def check_no_connectome(name, x):
    """Raise an error when an input is square and symmetric: a connectome has no time axis."""
    if x.shape[1] == x.shape[2] > 1 and torch.equal(x[0], x[0].T):
        raise NeuroloomError(
            f"augmentation 'series': input {name!r} is square and symmetric, a connectome rather than a series. "
            "Name the series with inputs: [...], or use {name: connectome}."
        )
