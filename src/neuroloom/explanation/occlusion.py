"""Occlusion: how the answer changes when a part of the input is replaced by the mean of the fit people."""

import numpy as np
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.explanation.items import asked, over_items
from neuroloom.explanation.occluded_parts import PARTS, parts_of
from neuroloom.explanation.reference import reference
from neuroloom.known import check_known

VALUES_AT_ONCE = 2**22  # of one forward pass


class Occlusion:
    """Occlusion (Zeiler & Fergus 2014, doi:10.1007/978-3-319-10590-1_53), for networks and estimators.

    Each part is replaced by the mean of the fit people, and gets the answer before minus the answer after.
    Where parts overlap a value has the mean of theirs.

    Parameters
    ----------
    by : str or None
        What is replaced at once, by kind. volume: ``block``; series: ``region`` or ``window``; graph:
        ``region`` (its row and column), ``edge``, or ``block`` (all edges between two groups of regions);
        table: ``feature`` or ``group``. None takes the first named, and single edges for small graphs.
    size : int
        Side of a block in voxels; length of a window in time points; regions in a group.
    step : int or None
        From one block or window to the next; None for ``size``, without overlap.
    groups : dict or None
        Group name -> names of its features or regions. Without it names that differ by a number only are a
        group ("default 1", "default 2"), else neighbours, ``size`` of them.
    baseline : str
        ``mean`` of the fit people, or ``zeros``.
    people : int
        At most this many test people of each fold are attributed.
    """

    kinds = ("trained", "estimator")
    is_contribution = True
    is_pattern = False
    is_signed = False

    def __init__(self, by=None, size=4, step=None, groups=None, baseline="mean", people=12):
        if by is not None:
            every = dict.fromkeys(name for known in PARTS.values() for name in known)
            check_known("argument by of explanation 'occlusion'", by, every)
        if size < 1 or (step is not None and step < 1):
            raise NeuroloomError(f"occlusion: size and step must be 1 or more, not {size} and {step}.")
        self.by, self.size, self.step = by, size, step or size
        self.groups, self.baseline, self.people = groups, baseline, people

    @property
    def window(self):
        """Length of the windows by which a map of a series goes; None where it goes by region."""
        return self.size if self.by == "window" else None

    @property
    def axis(self):
        """What maps of series go over."""
        return "window" if self.by == "window" else "region"

    @property
    def text(self):
        what = {"mean": "the mean of the fit people", "zeros": "zero"}[self.baseline]
        return f"How much {{answer}} falls when a part of the input is replaced by {what}."

    def of_linear(self, weights, along, frame):
        """Return the maps of linear learners, (n, *shape); see `neuroloom.explanation.chance.drawn_answers`."""
        shares = (weights * along).reshape(len(weights), -1)
        shape = (1, *frame.shape) if frame.kind == "volume" else frame.shape
        total, covered = np.zeros(shares.shape), np.zeros(shares.shape[1])
        for part in parts_of(self, frame.kind, shape, frame.names):
            total[:, part] += shares[:, part].sum(axis=1, keepdims=True)
            covered[part] += 1
        return (total / np.maximum(covered, 1)).reshape(weights.shape)

    def attribute(self, learner, data, rows, fold, answer):
        """Return the `Attribution` of some rows."""
        fill = reference(learner, data, fold, self.baseline)
        kinds = {name: store.kind for name, store in learner.inputs.stores(data, rows[:1]).items()}
        ask = asked(learner, answer, kinds)

        def of_batch(batch):
            answers = ask(batch)
            maps = {}
            for name, x in batch.inputs.items():
                parts = parts_of(self, kinds[name], tuple(x.shape[1:]), learner.inputs.names.get(name))
                maps[name] = occluded(ask, batch, name, fill[name], parts, answers)
            return maps, answers

        return over_items(learner, data, rows, of_batch)


def occluded(ask, batch, name, fill, parts, answers):
    """Return how much the answer falls without each part, laid on the part's values: (batch, *shape).

    Parameters
    ----------
    ask : callable
        Batch -> answers.
    fill : Tensor
        What replaces a part; of the input's shape, or one that spreads to it.
    parts : list of ndarray of int
        Places of each part in the flattened input.
    answers : Tensor of shape (batch,)
        Before anything is replaced.
    """
    x = batch.inputs[name]
    rows, filled = x.flatten(1), fill.expand_as(x[0]).flatten()
    total, covered = torch.zeros(rows.shape, dtype=torch.float64), torch.zeros(rows.shape[1], dtype=torch.float64)
    at_once = max(1, VALUES_AT_ONCE // rows.numel())
    for first in range(0, len(parts), at_once):
        chosen = [torch.as_tensor(part) for part in parts[first : first + at_once]]
        changed = rows.repeat(len(chosen), 1, 1)  # (part, batch, values)
        for copy, part in zip(changed, chosen, strict=True):
            copy[:, part] = filled[part]
        after = ask(repeated(batch, len(chosen), **{name: changed.reshape(-1, *x.shape[1:])}))
        for fall, part in zip(answers - after.reshape(len(chosen), -1), chosen, strict=True):
            total[:, part] += fall.double()[:, None]
            covered[part] += 1
    return (total / covered.clamp(min=1)).reshape(x.shape).float()


def repeated(batch, times, **inputs):
    """Return a batch with each item ``times`` times, the whole batch one after the other, and some inputs replaced."""

    def repeat(tensors):
        return {name: tensor.repeat(times, *[1] * (tensor.ndim - 1)) for name, tensor in tensors.items()}

    others = repeat({name: tensor for name, tensor in batch.inputs.items() if name not in inputs})
    return type(batch)({**others, **inputs}, {}, None, repeat(batch.present), repeat(batch.lengths))
