"""Weights: what a linear model's answer goes along with (Haufe's pattern), not its bare coefficients."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.explanation.items import Attribution
from neuroloom.transforms.flatten import unflatten

LINEAR = ("ridge", "logistic", "linear_svm", "lda", "time_lda")  # estimators with a weight for each value that they see


class Weights:
    """Pattern of a linear model (Haufe et al. 2014, doi:10.1016/j.neuroimage.2013.10.067).

    A weight tells how a feature is used, and a feature without any effect may be used to cancel noise. The
    pattern, covariance of each feature with the answer over the variance of the answer, is large only where
    the feature itself goes along with the answer. The covariance is that of the attributed people, about the mean of
    the fit people; the variance is that of the fit people's answers.

    Parameters
    ----------
    people : int
        At most this many test people of each fold are attributed.
    """

    kinds = ("estimator",)
    is_contribution = False
    is_pattern = True
    is_signed = False
    window = None
    label = "Pattern"
    axis = "time"  # of maps of series
    text = "Haufe's pattern: how each value changes, over test people, when {answer} is larger by one."

    def __init__(self, people=1000):
        self.people = people

    def of_linear(self, weights, along, frame):
        """Return the maps of linear learners, (n, *shape); see `neuroloom.explanation.chance.drawn_answers`."""
        return along

    def attribute(self, learner, data, rows, fold, answer):
        """Return the `Attribution` of some rows: each person's part of the pattern, which is their mean."""
        weights = linear_weights(learner, answer)
        features, known = (learner.features(data, np.asarray(people)) for people in (rows, fold.fit))
        answers, known_answers = features @ weights, known @ weights
        apart = (answers - known_answers.mean()) / max(known_answers.var(), 1e-24)
        parts = (features - known.mean(axis=0)) * apart[:, None]
        maps, first = {}, 0
        for name, store in learner.inputs.stores(data, rows).items():
            shape = store[int(rows[0])].shape
            count = n_features(store.kind, shape)
            maps[name] = unflatten(parts[:, first : first + count], store.kind, shape).astype(np.float32)
            first += count
        return Attribution(maps, answers)


def linear_weights(learner, answer):
    """Return the weight of each feature in the answer, shape (n_features,)."""
    if learner.plan.confounds or learner.plan.part.name not in LINEAR:
        raise NeuroloomError(f"{learner.plan.name} is not a linear model of a scan, so it has no weights to show.")
    estimator = learner.estimator
    if learner.takes_series:
        return answer.of_weights(estimator.weights())
    return answer.of_weights(np.atleast_2d(estimator.coefficients) * estimator.scaling.scale)


def n_features(kind, shape):
    """Return how many features `flatten` makes of a sample."""
    return shape[0] * (shape[0] + 1) // 2 if kind == "graph" else int(np.prod(shape))
