"""Intensity augmentation on a batch of volumes: what differs between scanners, in one pass."""

import math

import torch
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.augment_draws import (
    check_not_negative,
    check_share,
    chosen_rows,
    full_precision,
    named_inputs,
    normal_like,
    replaced,
    uniform,
)
from neuroloom.transforms.augment_fields import spline_field

PIECE_BYTES = 2**23  # voxels worked on at a time on a CPU, so that every step finds them in its cache
FWHM = 2 * math.sqrt(2 * math.log(2))  # full width at half maximum of a Gaussian, in standard deviations


class Intensity(nn.Module):
    """Change contrast, shading, resolution and noise of volumes, each input and channel for itself.

    Strengths are drawn evenly, for each item, up to the value given. What is multiplied (gamma, bias field) is
    the intensity above the item's own minimum, so that scans around zero (z-scored) are shaded as raw ones are.
    The order is that of acquisition: resolution, gamma, bias field, noise, then contrast and brightness.

    Parameters
    ----------
    probability : float
        Chance that an item is augmented at all; the others keep their bytes.
    resolution : float
        Largest slice thickness, in voxels: a Gaussian slice profile of this full width at half maximum along
        one axis drawn for each item. 0 changes nothing.
    gamma : float
        Intensities, as a part of the item's range, are raised to a power between exp(-gamma) and exp(gamma);
        minimum and maximum stay.
    bias : float
        Largest log gain of the shading field, a cubic polynomial along each axis: gains lie between exp(-bias)
        and exp(bias).
    noise : float
        Largest standard deviation of the noise, in standard deviations of the item.
    noise_kind : {"gaussian", "rician"}
        Rician is the noise of magnitude images: the length of the signal with noise in its two channels.
    contrast : float
        Intensities are stretched about their mean by a factor between 1 / (1 + contrast) and 1 + contrast.
    brightness : float
        Largest shift, in standard deviations of the item.
    inputs : list of str or None
        Inputs to augment; None takes all volumes (batch, channel, i, j, k). One-hot labels must be left out.
    """

    def __init__(
        self,
        *,
        probability=1.0,
        resolution=0.0,
        gamma=0.2,
        bias=0.3,
        noise=0.1,
        noise_kind="gaussian",
        contrast=0.1,
        brightness=0.1,
        inputs=None,
    ):
        super().__init__()
        strengths = {"resolution": resolution, "gamma": gamma, "bias": bias, "noise": noise}
        strengths |= {"contrast": contrast, "brightness": brightness}
        check_share("intensity", probability=probability)
        check_not_negative("intensity", **strengths)
        if noise_kind not in ("gaussian", "rician"):
            raise NeuroloomError(f"augmentation 'intensity': noise_kind is {noise_kind!r}. Known: gaussian, rician.")
        self.probability, self.strengths = probability, strengths
        self.noise_kind, self.inputs = noise_kind, inputs

    @torch.no_grad()
    def forward(self, batch, generator):
        """Return the batch with the intensities of its volumes changed."""
        names = named_inputs("intensity", batch, self.inputs, is_volume)
        with full_precision(batch):
            return batch.with_inputs(**{name: self._changed(batch.inputs[name], generator) for name in names})

    def _changed(self, x, generator):
        rows = chosen_rows(generator, len(x), self.probability, x.device)
        if not len(rows) or not any(self.strengths.values()):
            return x
        new = torch.empty((len(rows), *x.shape[1:]), dtype=x.dtype, device=x.device)
        start = 0
        for piece in rows.split(items_at_a_time(x)):
            new[start : start + len(piece)] = self._piece(x[piece].float(), generator)
            start += len(piece)
        return replaced(x, rows, new)

    def _piece(self, x, generator):
        """Return some items changed; ``x`` (n, channel, i, j, k) is a copy and is used up."""
        floor = x.amin(dim=(2, 3, 4), keepdim=True)
        x = x.sub_(floor)
        if self.strengths["resolution"]:
            x = thicker_slices(x, self._drawn("resolution", x, generator), generator)
        if self.strengths["gamma"]:
            x = raised(x, torch.exp(self._drawn("gamma", x, generator, low=-1.0)))
        if self.strengths["bias"]:
            points = self._drawn("bias", x, generator, low=-1.0, size=(4, 4, 4))
            x = x.mul_(spline_field(torch.exp(points), x.shape[2:]))
        mean, std = mean_and_std(x)
        if self.strengths["noise"]:
            x = self._noisy(x, std, generator)
        return self._stretched(x, floor, mean, std, generator)

    def _drawn(self, what, x, generator, low=0.0, size=(1, 1, 1)):
        """Return strengths of one change, between ``low`` and 1 times the largest, (n, channel, *size)."""
        draw = uniform(generator, (*x.shape[:2], *size), low, 1.0, x.device)
        return draw * self.strengths[what]

    def _noisy(self, x, std, generator):
        level = self._drawn("noise", x, generator) * std
        if self.noise_kind == "gaussian":
            return x.add_(normal_like(x, generator).mul_(level))
        x = x.add_(normal_like(x, generator).mul_(level))
        return torch.hypot(x, normal_like(x, generator).mul_(level))

    def _stretched(self, x, floor, mean, std, generator):
        """Return ``mean + factor (x - mean) + shift``, back above the floor, in one pass."""
        widest = math.log1p(self.strengths["contrast"])
        factor = torch.exp(uniform(generator, (*x.shape[:2], 1, 1, 1), -widest, widest, x.device))
        shift = self._drawn("brightness", x, generator, low=-1.0) * std
        return torch.addcmul(floor + shift + (1 - factor) * mean, x, factor)


def is_volume(x):
    return x.ndim == 5 and x.is_floating_point()


def items_at_a_time(x):
    """Return how many items are worked on together: all on an accelerator, a cache's worth on a CPU."""
    if x.device.type != "cpu":
        return len(x)
    return max(1, PIECE_BYTES // (4 * x[0].numel()))


def raised(x, power):
    """Return ``span (x / span) ** power``, with the span from 0 to the maximum of each item and channel."""
    span = x.amax(dim=(2, 3, 4), keepdim=True)
    span = torch.where(span > 0, span, 1.0)  # an item that is constant stays so
    return x.div_(span).pow_(power).mul_(span)


def mean_and_std(x):
    """Return mean and standard deviation of each item and channel, (n, channel, 1, 1, 1)."""
    mean = x.mean(dim=(2, 3, 4), keepdim=True)
    square = torch.linalg.vector_norm(x, dim=(2, 3, 4), keepdim=True).square() / x[0, 0].numel()
    return mean, (square - mean.square()).clamp_(min=0).sqrt_()


def thicker_slices(x, thickness, generator):
    """Return items blurred along one axis each by a Gaussian slice profile.

    Parameters
    ----------
    x : Tensor of shape (n, channel, i, j, k)
    thickness : Tensor of shape (n, channel, 1, 1, 1)
        Full width at half maximum in voxels; that of an item's first channel counts.
    """
    axes = torch.randint(2, 5, (len(x),), generator=generator, device=generator.device).tolist()
    new = torch.empty_like(x)
    for item, axis in enumerate(axes):
        profile = slice_profile(x.shape[axis], thickness[item].flatten()[0])
        along = x[item].movedim(axis - 1, -1)  # (channel, ., ., axis)
        new[item] = (along @ profile.T).movedim(-1, axis - 1)
    return new


def slice_profile(n_voxels, thickness):
    """Return the weights (n, n) of a Gaussian of this full width at half maximum, each row summing to 1."""
    place = torch.arange(n_voxels, device=thickness.device, dtype=torch.float32)
    std = (thickness / FWHM).clamp(min=0.05)  # below that a voxel's neighbours weigh nothing
    weights = torch.exp(-0.5 * ((place[:, None] - place) / std) ** 2)
    return weights / weights.sum(dim=1, keepdim=True)
