"""Metric: a few sums over the people of one test fold, and what is made of them.

Sums add over folds, so that a score over folds never compares people of two folds, and a fold that can say nothing
(one class only) adds nothing. People carry weights, so that leaving one out, or drawing them again with replacement,
is the same call with another row of weights.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError


@dataclass(frozen=True)
class Metric:
    """A metric of one fold, or of many by adding their sums.

    Parameters
    ----------
    name, label : str
        Name in ``METRICS``, and what a reader of the report calls it.
    kind : str
        ``class`` (truth: class numbers, prediction: probabilities of shape (n, n_classes); of two classes, class 1
        is the positive one) or ``number`` (truth and prediction of shape (n,), in the target's unit).
    sums : callable
        ``sums(truth, prediction, weight, reference) -> ndarray of shape (n_draws, n_sums)``, with ``weight`` of
        shape (n_draws, n).
    finish : callable
        ``finish(sums) -> ndarray of shape (n_draws,)``; NaN where the metric is undefined.
    higher_is_better : bool or None
        None where neither is (a slope whose best value is 1).
    chance : callable
        ``chance(truth, reference=None) -> float``: what knowing the training targets alone would reach; NaN if
        that has no meaning.
    scale : str
        Where an interval is symmetric: ``bounded`` (0 to 1), ``positive``, ``below_one``, ``correlation``, ``line``.
    estimand : str
        What the number estimates, in plain words.
    needs : str
        ``classes`` (two in a fold), ``positive`` (one positive), ``spread`` (of truth and prediction in a fold), or
        ``""``: what a fold lacks when the metric is undefined.
    informative : callable or None
        Bounded metrics only: ``informative(counts, value) -> float``, the number of samples of an equally
        precise proportion; ``counts`` of shape (n_folds, n_classes) are the samples of each class.
    """

    name: str
    label: str
    kind: str
    sums: Callable
    finish: Callable
    higher_is_better: bool | None
    chance: Callable
    scale: str
    estimand: str
    needs: str = ""
    informative: Callable | None = None

    def __call__(self, truth, prediction, reference=None):
        """Return the metric of one set; ``reference`` are the targets of the people trained on."""
        truth, prediction = checked(self.kind, truth, prediction)
        if len(truth) == 0:
            return float("nan")
        return float(self.finish(self.sums(truth, prediction, np.ones((1, len(truth))), reference))[0])

    def why_undefined(self, truth, prediction, classes=None):
        """Return the reason why the metric is NaN on this set, or an empty text."""
        truth, prediction = checked(self.kind, truth, prediction)
        if len(truth) == 0:
            return "nobody"
        if self.needs in ("classes", "positive"):
            return _class_reason(self.needs, truth, prediction.shape[1], classes)
        if self.needs == "spread":
            return _spread_reason(truth, prediction)
        return ""


@dataclass(frozen=True)
class WholeMetric:
    """A metric that needs the whole set at once (an iterative fit); attributes as in `Metric`."""

    name: str
    label: str
    kind: str
    compute: Callable
    higher_is_better: bool | None
    chance: Callable
    scale: str
    estimand: str
    why_undefined: Callable

    def __call__(self, truth, prediction, reference=None):
        return float(self.compute(*checked(self.kind, truth, prediction)))


def checked(kind, truth, prediction):
    """Return truth and prediction as arrays whose shapes fit together."""
    truth = np.asarray(truth)
    prediction = np.asarray(prediction, dtype=np.float64)
    wanted = (len(truth),) if kind == "number" else (len(truth), "n_classes")
    right = prediction.ndim == len(wanted) and len(prediction) == len(truth)
    if truth.ndim != 1 or not right or (kind == "class" and prediction.shape[1] < 2):
        raise NeuroloomError(
            f"A metric of a {kind} got truth of shape {truth.shape} and prediction of shape {prediction.shape}; "
            f"expected ({len(truth)},) and {wanted}, with at least two classes."
        )
    if not np.isfinite(prediction).all():
        rows = np.flatnonzero(~np.isfinite(prediction.reshape(len(prediction), -1)).all(axis=1))
        raise NeuroloomError(f"{len(rows)} of {len(truth)} predictions are not finite, the first in row {rows[0]}.")
    return (truth.astype(np.float64) if kind == "number" else truth.astype(np.int64)), prediction


def ratio(numerator, denominator):
    """Return numerator / denominator, NaN where the denominator is not positive."""
    numerator, denominator = np.broadcast_arrays(np.asarray(numerator, float), np.asarray(denominator, float))
    out = np.full(numerator.shape, np.nan)
    return np.divide(numerator, denominator, out=out, where=denominator > 0)


def first_over_second(sums):
    """Finish of every mean: the first sum over the second."""
    return ratio(sums[:, 0], sums[:, 1])


def one_hot(number, n_classes):
    """Return class numbers (n,) as 0 and 1 of shape (n, n_classes)."""
    return (np.asarray(number)[:, None] == np.arange(n_classes)).astype(np.float64)


def no_chance(truth, reference=None):
    """Chance of a metric for which it has no meaning."""
    return float("nan")


def _class_reason(needs, truth, n_classes, classes):
    names = [str(name) for name in (classes if classes is not None else range(n_classes))]
    missing = [name for number, name in enumerate(names) if not (truth == number).any()]
    if needs == "positive" and n_classes == 2:
        missing = [name for name in missing if name == names[1]]
    if not missing:
        return ""
    return "no " + " and no ".join(missing)


def _spread_reason(truth, prediction):
    if len(truth) < 2:
        return "one sample only"
    if np.ptp(truth) == 0:
        return "all have the same truth"
    if np.ptp(prediction) == 0:
        return "all have the same prediction"
    return ""
