"""Integrated gradients: what each value adds on the way from a baseline to the person."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.explanation.gradient import gradients
from neuroloom.explanation.items import over_items
from neuroloom.explanation.reference import reference


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
    """

    kinds = ("trained",)
    is_contribution = True
    is_pattern = False
    window = None

    def __init__(self, baseline="mean", steps=16, people=40):
        if steps < 1:
            raise NeuroloomError(f"integrated_gradients: steps must be 1 or more, not {steps}.")
        self.baseline, self.steps, self.people = baseline, steps, people

    @property
    def text(self):
        start = "the mean of the fit people" if self.baseline == "mean" else "zero"
        return f"What each value adds to {{answer}} on the way from {start} to the person ({self.steps} steps)."

    def of_linear(self, weights, along, frame):
        """Return the maps of linear learners, (n, *shape); see `neuroloom.explanation.chance.drawn_answers`."""
        return weights * along

    def attribute(self, learner, data, rows, fold, answer):
        """Return the `Attribution` of some rows, with ``told["completeness_error"]``."""
        start = reference(learner, data, fold, self.baseline)
        missed, apart = [], []

        def of_batch(batch):
            baseline = {name: start[name].expand_as(tensor) for name, tensor in batch.inputs.items()}
            maps = integrated(learner.network, batch, baseline, answer, self.steps)
            _, answers = gradients(learner.network, batch.inputs, batch, answer)
            _, at_start = gradients(learner.network, baseline, batch, answer)
            total = sum(tensor.flatten(1).sum(dim=1) for tensor in maps.values())
            missed.extend((total - (answers - at_start)).abs().tolist())
            apart.extend((answers - at_start).abs().tolist())
            return maps, answers

        made = over_items(learner, data, rows, of_batch)
        made.told["completeness_error"] = float(np.mean(missed) / max(np.mean(apart), 1e-12))
        return made


def integrated(network, batch, baseline, answer, steps):
    """Return integrated gradients of a batch: input name -> (batch, *shape)."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # on (-1, 1); their weights add up to 2
    difference = {name: tensor - baseline[name] for name, tensor in batch.inputs.items()}
    total = {name: 0.0 for name in difference}
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        between = {name: baseline[name] + float(node) * change for name, change in difference.items()}
        slopes, _ = gradients(network, between, batch, answer)
        total = {name: total[name] + float(weight) * slope for name, slope in slopes.items()}
    return {name: total[name] * change for name, change in difference.items()}
