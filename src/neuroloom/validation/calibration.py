"""Whether the predictions of a learner mean what they say: curve, slope, intercept, error in bins."""

import numpy as np
from scipy import stats

from neuroloom.metrics.calibration import N_BINS, claims, ece, recalibrate, reliability
from neuroloom.metrics.metric import one_hot
from neuroloom.seeds import generator
from neuroloom.validation.intervals import LEVEL
from neuroloom.validation.scores import score

PERFECT_DRAWS = 200


def calibration_summary(outcomes, seed=0):
    """Return the entry ``calibration`` of ``metrics.json``.

    Classes: slope and intercept of the observed on the predicted log odds (ideal 1 and 0), the reliability curve, the
    expected calibration error and what a perfectly calibrated learner of these probabilities would show at this n;
    for more than two classes also the same of each class against the rest, under ``classes``.
    Numbers: slope and intercept of the truth on the prediction, and the curve over tenths of the prediction.
    """
    return _of_classes(outcomes, seed) if outcomes.classes else _of_numbers(outcomes)


def _of_classes(outcomes, seed):
    event, claimed = claims(outcomes.truth, outcomes.prediction)
    summary = _curve(event, claimed, outcomes)
    summary["ece"] = score(ece, outcomes)
    summary["ece_if_perfect"] = _ece_if_perfect(outcomes, seed)
    if len(outcomes.classes) > 2:
        is_class = one_hot(outcomes.truth, len(outcomes.classes))
        summary["classes"] = {
            name: _curve(is_class[:, number], outcomes.prediction[:, number], outcomes)
            for number, name in enumerate(outcomes.classes)
        }
    return summary


def _curve(event, claimed, outcomes):
    coefficients, covariance = recalibrate(event, claimed, outcomes.unit)
    half = _half_width(covariance, outcomes)
    return {
        "slope": _with_interval(coefficients[1], half[1]),
        "intercept": _with_interval(coefficients[0], half[0]),
        "reliability": reliability(event, claimed),
        "note": "" if np.isfinite(coefficients[1]) else "no slope: the events are all alike, or perfectly separated",
    }


def _half_width(covariance, outcomes):
    """Return half of the intervals of the coefficients; pairs counted twice are allowed for as in `interval`."""
    quantile = stats.t.ppf((1 + LEVEL) / 2, max(outcomes.n_units - 1, 1))
    return quantile * np.sqrt((1 + outcomes.mutual) * np.diag(covariance))


def _with_interval(value, half):
    return {"value": float(value), "interval": [float(value - half), float(value + half)]}


def _ece_if_perfect(outcomes, seed):
    """Return the 5 %, 50 % and 95 % points of the error if every probability were exactly right."""
    first = outcomes.subset(outcomes.repeat == outcomes.repeat.min())
    rng = generator(seed, "perfectly calibrated")
    steps = np.cumsum(first.prediction, axis=1)
    steps = steps[:, :-1] / steps[:, -1:]
    values = []
    for _ in range(PERFECT_DRAWS):
        truth = (rng.random((len(first), 1)) > steps).sum(axis=1)
        values.append(score(ece, first.with_truth(truth)))
    return {q: float(np.quantile(values, float(q))) for q in ("0.05", "0.5", "0.95")}


def _of_numbers(outcomes):
    design = np.column_stack([np.ones(len(outcomes)), outcomes.prediction])
    if np.ptp(outcomes.prediction) == 0 or outcomes.n_units < 3:
        nothing = {"value": float("nan"), "interval": [float("nan")] * 2}
        note = "no slope: all predictions are the same" if outcomes.n_units > 2 else "no slope: too few people"
        return {"slope": nothing, "intercept": nothing, "reliability": _tenths(outcomes), "note": note}
    beta, covariance = _least_squares(design, outcomes.truth, outcomes.unit)
    half = _half_width(covariance, outcomes)
    return {
        "slope": _with_interval(beta[1], half[1]),
        "intercept": _with_interval(beta[0], half[0]),
        "reliability": _tenths(outcomes),
        "note": "",
    }


def _least_squares(design, y, unit):
    """Return coefficients and their covariance, the samples of a unit allowed to be alike."""
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ y
    _, code = np.unique(unit, return_inverse=True)
    n_units = int(code.max()) + 1
    score_rows = design * (y - design @ beta)[:, None]
    totals = np.stack([np.bincount(code, column, n_units) for column in score_rows.T], axis=1)
    correction = n_units / (n_units - 1) * (len(y) - 1) / (len(y) - 2)
    return beta, correction * bread @ (totals.T @ totals) @ bread


def _tenths(outcomes):
    """Return mean prediction and mean truth over tenths of the predictions (fewer where there are few people)."""
    order = np.argsort(outcomes.prediction, kind="stable")
    parts = [part for part in np.array_split(order, min(N_BINS, max(len(order) // 5, 1))) if len(part)]
    return {
        "predicted": [float(outcomes.prediction[part].mean()) for part in parts],
        "observed": [float(outcomes.truth[part].mean()) for part in parts],
        "n": [len(part) for part in parts],
    }
