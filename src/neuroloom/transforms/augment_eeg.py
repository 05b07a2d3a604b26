"""Augmentation of EEG trials on a batch: other trials of the class, time, sides, amplitude, noise, channels."""

import itertools
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
from neuroloom.transforms.augment_series import check_no_connectome, has_three_axes, mean_and_std


class EEG(nn.Module):
    """Change EEG trials (batch, channel, time) of one length, in the order of the parameters; each is off unless asked for.

    Parameters
    ----------
    probability : float
        Chance that an item is augmented at all; the others keep their bytes.
    recombine : int
        Pieces that a trial is cut into, each then taken from a trial of the batch with the same class, drawn anew (Lotte
        2015, doi:10.1109/JPROC.2015.2404941); 0 does not. Of whoever is in the batch: for trials of one person, train on one.
    swap : float
        Chance that left and right channels change places.
    pairs : list of (int, int)
        Numbers of the left and right channels that ``swap`` exchanges, from 0; a channel on the midline is in none.
    swap_classes : (int, int) or None
        Numbers of two classes that change places with the channels (left and right hand); None leaves the classes.
    shift : int
        Largest shift in time, in samples; what enters at the end is each channel's mean.
    scale : float
        The amplitude of a trial is multiplied by a number between 1 - scale and 1 + scale.
    noise : float
        Largest standard deviation of Gaussian noise, in standard deviations of each channel.
    drop : float
        Chance that a channel is silent; one at least is not.
    inputs : list of str or None
        Inputs to augment; None takes all with three axes, which must be EEG.
    """

    def __init__(
        self, *, probability=1.0, recombine=0, swap=0.0, pairs=(), swap_classes=None, shift=0, scale=0.0, noise=0.0,
        drop=0.0, inputs=None,
    ):  # fmt: skip
        super().__init__()
        check_share("eeg", probability=probability, swap=swap, scale=scale, drop=drop)
        check_not_negative("eeg", recombine=recombine, shift=shift, noise=noise)
        check_pairs(swap, pairs, swap_classes)
        self.probability, self.recombine, self.shift = probability, int(recombine), int(shift)
        self.swap, self.pairs, self.swap_classes = swap, [tuple(pair) for pair in pairs], swap_classes
        self.scale, self.noise, self.drop, self.inputs = scale, noise, drop, inputs

    @torch.no_grad()
    def forward(self, batch, generator):
        """Return the batch with its trials, and where sides are swapped for it their classes, changed."""
        names = named_inputs("eeg", batch, self.inputs, has_three_axes)
        classes, inputs = class_numbers(batch), dict(batch.inputs)
        for name in names:
            check_whole_trials(name, inputs[name], batch.lengths.get(name))
        if not names:
            return batch
        rows = chosen_rows(generator, len(inputs[names[0]]), self.probability, inputs[names[0]].device)
        swapped = rows[chosen_rows(generator, len(rows), self.swap, rows.device)]
        for name in names:
            inputs[name] = self._changed(inputs[name], rows, swapped, classes, generator)
        target = dict(batch.target)
        if self.swap_classes and len(swapped):
            target["target"] = exchanged_classes(known_classes(classes), swapped, self.swap_classes)
        return replace(batch, inputs=inputs, target=target)

    def _changed(self, x, rows, swapped, classes, generator):
        new = x.float()
        if self.recombine > 1:
            new = replaced(new, rows, recombined(new, rows, known_classes(classes), self.recombine, generator))
        if len(swapped):
            new = new.index_copy(0, swapped, new[swapped][:, exchanged_channels(self.pairs, x.shape[1], x.device)])
        changed = new[rows]
        if self.shift:
            changed = shifted(changed, self.shift, generator)
        if self.scale:
            changed = changed * uniform(generator, (len(rows), 1, 1), 1 - self.scale, 1 + self.scale, x.device)
        if self.noise:
            _, std = mean_and_std(changed, torch.ones_like(changed[:, 0], dtype=torch.bool))
            level = uniform(generator, (len(rows), 1, 1), 0.0, self.noise, x.device) * std
            changed = changed + normal_like(changed, generator) * level
        if self.drop:
            changed = changed * heard(len(rows), x.shape[1], self.drop, generator, x.device)
        return replaced(x, rows, changed.to(x.dtype))


def recombined(x, rows, classes, n_pieces, generator):
    """Return trials (n, channel, time) for some rows, each piece from a drawn trial of the batch of the same class."""
    alike = classes[rows, None] == classes[None]  # (n, batch)
    bounds = torch.linspace(0, x.shape[2], n_pieces + 1).round().long().tolist()
    made = torch.empty_like(x[rows])
    for start, stop in itertools.pairwise(bounds):
        draw = uniform(generator, alike.shape, 0.0, 1.0, x.device)
        source = draw.masked_fill(~alike, -1.0).argmax(dim=1)
        made[..., start:stop] = x[source, :, start:stop]
    return made


def shifted(x, largest, generator):
    """Return trials shifted in time by at most this many samples either way; each channel's mean enters."""
    draw = uniform(generator, (len(x), 1), 0.0, 1.0, x.device)
    by = (draw * (2 * largest + 1)).long().clamp(max=2 * largest) - largest
    place = torch.arange(x.shape[2], device=x.device) - by  # (n, time)
    inside = ((place >= 0) & (place < x.shape[2]))[:, None]
    found = x.gather(2, place.clamp(0, x.shape[2] - 1)[:, None].expand_as(x))
    return torch.where(inside, found, x.mean(dim=2, keepdim=True))


def heard(n_items, n_channels, drop, generator, device):
    """Return 1 for channels that are kept and 0 for others (n_items, n_channels, 1); one at least is kept."""
    draw = uniform(generator, (n_items, n_channels, 1), 0.0, 1.0, device)
    return ((draw >= drop) | (draw == draw.amax(dim=1, keepdim=True))).float()


def exchanged_channels(pairs, n_channels, device):
    """Return the channel that comes to each place when pairs change sides."""
    beyond = [number for pair in pairs for number in pair if not 0 <= number < n_channels]
    if beyond:
        raise NeuroloomError(
            f"augmentation 'eeg': pairs name channel {beyond[0]}, but there are {n_channels}, numbered from 0."
        )
    order = torch.arange(n_channels, device=device)
    for left, right in pairs:
        order[left], order[right] = right, left
    return order


def exchanged_classes(classes, rows, pair):
    """Return class numbers in which two classes have changed places in some rows."""
    first, second = pair
    new = classes.clone()
    new[rows[classes[rows] == first]] = second
    new[rows[classes[rows] == second]] = first
    return new


def class_numbers(batch):
    """Return the class of each item (batch,), or None where a batch has none."""
    target = batch.target.get("target")
    return None if target is None or target.is_floating_point() else target


def known_classes(classes):
    if classes is None:
        raise NeuroloomError(
            "augmentation 'eeg': recombine and swap_classes need a target of classes, and this one is of numbers, or absent."
        )
    return classes


def check_whole_trials(name, x, lengths):
    """Raise an error where an input is a connectome, or where trials are padded to a common length."""
    check_no_connectome(name, x)
    if lengths is not None and bool((lengths.to(x.device) % x.shape[2] != 0).any()):  # 0: not measured
        raise NeuroloomError(
            f"augmentation 'eeg': the items of {name!r} differ in length ({int(lengths.min())} to {x.shape[2]} samples). "
            "Use {name: windows, length: ...} as sampling, trials of equal length, or the augmentation {name: series}."
        )


def check_pairs(swap, pairs, classes):
    """Raise an error where sides are to be swapped without pairs, or a channel is in two pairs."""
    if swap and not pairs:
        raise NeuroloomError(
            "augmentation 'eeg': swap needs pairs: the numbers of left and right channels, as pairs: [[0, 2], [3, 5]]."
        )
    named = [number for pair in pairs for number in pair]
    if len(named) != 2 * len(pairs) or len(set(named)) != len(named):
        raise NeuroloomError(f"augmentation 'eeg': pairs must be two channels each, no channel twice, not {pairs}.")
    if classes is not None and (len(classes) != 2 or not swap):
        raise NeuroloomError("augmentation 'eeg': swap_classes are the numbers of two classes, and need swap above 0.")
