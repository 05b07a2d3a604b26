"""Integrated gradients: what each value adds on the way from a baseline to the person."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.explanation.gradient import gradients
from neuroloom.explanation.items import Attribution, over_items, over_whole_items
from neuroloom.explanation.reference import reference
from neuroloom.explanation.spectrum import attribution_of_lines, check_range, lines_of_input
from neuroloom.known import check_known

NAME = "integrated_gradients"
AXES = ("time", "frequency")
ANSWERS = "answers "  # no input is called so


class IntegratedGradients:
    """Integrated gradients (Sundararajan et al. 2017, doi:10.48550/arXiv.1703.01365).

    The gradient is averaged on the straight line from the baseline to the person (Gauss-Legendre nodes), and
    multiplied by their difference. The values then add up to the difference of the two answers; how far they
    miss it is reported as ``completeness_error``, relative to that difference.

    Parameters
    ----------
    baseline : str
        ``mean`` of the fit people, or ``zeros``; both after the fitted transforms.
    steps : int
        Places on the line.
    people : int
        At most this many test people of each fold are attributed.
    over : str
        What maps of series go over: ``time`` (for trials, else the channels alone), or ``frequency``: what each
        line of the spectrum adds (Vielhaben et al. 2024, doi:10.1016/j.patcog.2024.110309).
    lowest, highest, width : float
        Hz, over frequency: which lines are shown, and how wide a column is. Others count in the completeness alone.
    """

    kinds = ("trained",)
    is_contribution = True
    is_pattern = False
    is_signed = False
    window = None

    def __init__(self, baseline="mean", steps=16, people=40, over="time", lowest=1.0, highest=45.0, width=1.0):
        if steps < 1:
            raise NeuroloomError(f"{NAME}: steps must be 1 or more, not {steps}.")
        check_known(f"argument over of explanation {NAME!r}", over, AXES)
        check_range(NAME, lowest, highest, width)
        self.baseline, self.steps, self.people = baseline, steps, people
        self.axis, self.range = over, (lowest, highest, width)

    @property
    def sees(self):
        """The kind of input that is asked for; None for any."""
        return "series" if self.axis == "frequency" else None

    @property
    def text(self):
        start = "the mean of the fit people" if self.baseline == "mean" else "zero"
        what = "each frequency of each channel" if self.axis == "frequency" else "each value"
        return f"What {what} adds to {{answer}} on the way from {start} to the person ({self.steps} steps)."

    def lines(self, learner, data, name, rows):
        """Return the `Lines` that are shown of an input."""
        return lines_of_input(NAME, learner, data, name, rows, *self.range)

    def of_linear(self, weights, along, frame):
        """Return the maps of linear learners, (n, *shape); see `neuroloom.explanation.chance.drawn_answers`."""
        return weights * along

    def attribute(self, learner, data, rows, fold, answer):
        """Return the `Attribution` of some rows, with ``told["completeness_error"]``."""
        start = reference(learner, data, fold, self.baseline)
        missed, apart = [], []

        def of_batch(batch):
            baseline = {name: start[name].expand_as(tensor) for name, tensor in batch.inputs.items()}
            slopes, difference = integrated(learner.network, batch, baseline, answer, self.steps)
            _, answers = gradients(learner.network, batch.inputs, batch, answer)
            _, at_start = gradients(learner.network, baseline, batch, answer)
            total = sum((slopes[name] * difference[name]).flatten(1).sum(dim=1) for name in slopes)
            missed.extend((total - (answers - at_start)).abs().tolist())
            apart.extend((answers - at_start).abs().tolist())
            return slopes, difference, answers

        made = (self._over_frequency if self.axis == "frequency" else over_values)(learner, data, rows, of_batch)
        made.told["completeness_error"] = float(np.mean(missed) / max(np.mean(apart), 1e-12))
        return made

    def _over_frequency(self, learner, data, rows, of_batch):
        """Return the attribution of each column of frequencies of the series that a learner sees."""
        stores = learner.inputs.stores(data, rows)
        names = [name for name, store in stores.items() if store.kind == "series"]
        if not names:
            raise NeuroloomError(f"explanation {NAME!r}: {learner.plan.name} sees no series. Set over: time.")
        lines = {name: self.lines(learner, data, name, rows[stores[name].present[rows]]) for name in names}

        def of_items(batch):
            slopes, difference, answers = of_batch(batch)
            of_lines = {name: attribution_of_lines(slopes[name], difference[name]) for name in names}
            return {name: lines[name].added(of_lines[name]) for name in names} | {ANSWERS: answers}

        found = over_whole_items(learner, data, rows, of_items)
        return Attribution({name: found[name] for name in names}, found[ANSWERS])


def over_values(learner, data, rows, of_batch):
    """Return the attribution of each value that a learner sees."""

    def of_items(batch):
        slopes, difference, answers = of_batch(batch)
        return {name: slope * difference[name] for name, slope in slopes.items()}, answers

    return over_items(learner, data, rows, of_items)


def integrated(network, batch, baseline, answer, steps):
    """Return the mean gradient on the line from a baseline to a batch, and their difference: input name -> (batch, *shape)."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # on (-1, 1); their weights add up to 2
    difference = {name: tensor - baseline[name] for name, tensor in batch.inputs.items()}
    total = {name: 0.0 for name in difference}
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        between = {name: baseline[name] + float(node) * change for name, change in difference.items()}
        slopes, _ = gradients(network, between, batch, answer)
        total = {name: total[name] + float(weight) * slope for name, slope in slopes.items()}
    return total, difference
