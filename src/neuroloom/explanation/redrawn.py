"""A learner with drawn weights: what an attribution shows when nothing was learned."""

import copy

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from neuroloom.errors import NeuroloomError
from neuroloom.explanation.items import BATCH, items_of
from neuroloom.models.network import build_network
from neuroloom.seeds import generator, key_number

SETTLED_ON = 64  # fit people over whom normalisation statistics are taken


def redrawn(learner, data, fold, *key):
    """Return a copy of a learner that knows nothing (Adebayo et al. 2018, doi:10.48550/arXiv.1810.03292).

    Fitted transforms stay. A network gets new initial weights, and its batch normalisation the statistics that
    go with them (over fit people); an estimator gets its own weights in a drawn order.

    Parameters
    ----------
    learner : Trained or Estimator
    data : Data
    fold : Fold
    key : hashable
        What the draw is for; the first is the seed.
    """
    other = copy.copy(learner)
    if learner.plan.kind == "estimator":
        other.estimator = _shuffled(learner, key)
        return other
    told = learner.told_network
    shapes = {name: tuple(shape) for name, shape in told["shapes"].items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(key_number(*key, "redrawn"))
        other.network = build_network(learner.plan.part, shapes, told["kinds"], told["n_outputs"]).eval()
    _settle(other, data, fold)
    return other


def _shuffled(learner, key):
    estimator = copy.deepcopy(learner.estimator)
    state = estimator.state()
    drawn = [name for name in state if name.split(".")[-1] in ("coefficients", "weights")]
    if not drawn:
        raise NeuroloomError(f"{learner.plan.name}: an estimator of this kind has no weights that could be drawn anew.")
    order = generator(*key, "redrawn").permutation(state[drawn[0]].shape[-1])
    return estimator.load_state({**state, drawn[0]: np.take(state[drawn[0]], order, axis=-1)})


def _settle(learner, data, fold):
    """Give batch normalisation the mean and spread that the drawn weights make of fit people."""
    norms = [module for module in learner.network.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    rows = fold.fit[np.linspace(0, len(fold.fit) - 1, min(SETTLED_ON, len(fold.fit))).astype(int)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    items = items_of(learner, data, rows)
    with torch.no_grad():
        for numbers in items.batches(BATCH):
            batch = items.batch(numbers)
            learner.network(batch.inputs, batch.present, batch.lengths)
    learner.network.eval()
