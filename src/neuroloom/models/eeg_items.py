"""What the EEG networks share: the shortest item they can read, and items that are all of one length."""

import torch

from neuroloom.errors import NeuroloomError
from neuroloom.models.shapes import as_text, check_axes

ONE_LENGTH = "Use {name: windows, length: ...} as sampling, or trials of equal length."


def check_duration(model, in_shape, shortest):
    """Raise an error unless items are (channel, time) and long enough for the kernels and pools of a network."""
    check_axes(model, in_shape, ("channel", "time"))
    if in_shape[1] < shortest:
        raise NeuroloomError(
            f"{model} needs items of at least {shortest} samples with these kernels and pools, but these have "
            f"{in_shape[1]}. Use longer windows or trials, a higher sampling rate, or smaller kernels and pools."
        )


def check_items(model, in_shape, x, lengths):
    """Raise an error unless a batch (batch, channel, time) has the shape a network was built for, and no padding."""
    if tuple(x.shape[1:]) != tuple(in_shape):
        raise NeuroloomError(
            f"{model} was built for items of {as_text(in_shape)} (channel x time), but these are "
            f"{as_text(x.shape[1:])}. Bring them to the same channels and sampling rate. {ONE_LENGTH}"
        )
    if lengths is not None and bool((torch.as_tensor(lengths) != x.shape[-1]).any()):
        raise NeuroloomError(
            f"{model} reads items of one length, but some of this batch have only {int(lengths.min())} of "
            f"{x.shape[-1]} samples. {ONE_LENGTH}"
        )


def shortest_input(steps):
    """Return the fewest samples that leave one after some steps, each a valid (kernel, stride), the first one first."""
    n = 1
    for kernel, stride in reversed(steps):
        n = (n - 1) * stride + kernel
    return n


def length_after(n, steps):
    """Return how many of ``n`` samples are left after some steps, each a valid (kernel, stride)."""
    for kernel, stride in steps:
        n = (n - kernel) // stride + 1
    return n


@torch.no_grad()
def limit_norms(weight, largest):
    """Shrink, in place, the weights into each unit (first axis) to at most this Euclidean norm; None leaves them."""
    if largest is not None:
        weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=largest))
