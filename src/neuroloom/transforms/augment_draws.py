"""Small draws that augmentations share, and which inputs of a batch they take."""

import torch

from neuroloom.errors import NeuroloomError


def uniform(generator, shape, low, high, device):
    """Return numbers between low and high, drawn where the generator lives and moved to ``device``."""
    draw = torch.rand(shape, generator=generator, device=generator.device)
    return draw.to(device).mul_(high - low).add_(low)


def full_precision(batch):
    """Return a context without autocast: half precision would be off by voxels."""
    return torch.autocast(next(iter(batch.inputs.values())).device.type, enabled=False)


def normal_like(x, generator):
    """Return standard normal numbers of the shape and device of ``x``, float32."""
    draw = torch.empty(x.shape, device=generator.device).normal_(generator=generator)
    return draw.to(x.device)


def chosen_rows(generator, n_items, probability, device):
    """Return the numbers of the items that are augmented, shape (n_chosen,)."""
    draw = torch.rand(n_items, generator=generator, device=generator.device)
    return (draw < probability).nonzero()[:, 0].to(device)


def replaced(x, rows, new):
    """Return ``x`` with some items replaced; the batch that came in is left as it was."""
    if len(rows) == len(x):
        return new
    return x.index_copy(0, rows, new)


def named_inputs(augmentation, batch, names, fits):
    """Return the names of the inputs to augment: those asked for, or all that fit."""
    if names is None:
        return [name for name, x in batch.inputs.items() if fits(x)]
    for name in names:
        if name not in batch.inputs:
            raise NeuroloomError(
                f"augmentation {augmentation!r}: the batch has no input {name!r}. It has: {', '.join(batch.inputs)}."
            )
        if not fits(batch.inputs[name]):
            raise NeuroloomError(
                f"augmentation {augmentation!r} does not fit input {name!r} of shape "
                f"{tuple(batch.inputs[name].shape)} and type {batch.inputs[name].dtype}."
            )
    return list(names)


def check_share(augmentation, **shares):
    """Raise an error unless every argument lies between 0 and 1."""
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise NeuroloomError(f"augmentation {augmentation!r}: {name} is {value}; it must lie between 0 and 1.")


def check_not_negative(augmentation, **values):
    """Raise an error when a strength is negative."""
    for name, value in values.items():
        if value < 0:
            raise NeuroloomError(f"augmentation {augmentation!r}: {name} is {value}; it must not be negative.")
