"""Whether a probability means what it says."""

import numpy as np
from scipy.special import expit, logit

from neuroloom.metrics.decision import decide
from neuroloom.metrics.metric import Metric, WholeMetric, first_over_second, no_chance, one_hot

SMALLEST = 1e-7  # probabilities are kept this far from 0 and 1 where a logarithm is taken
N_BINS = 10


def recalibrate(event, probability, unit=None):
    """Fit ``logit P(event) = intercept + slope * logit(probability)`` (Cox 1958, doi:10.1093/biomet/45.3-4.562).

    Parameters
    ----------
    event : ndarray of 0 and 1, shape (n,)
    probability : ndarray of shape (n,)
        What was predicted.
    unit : ndarray of shape (n,) or None
        Who a sample belongs to; the covariance allows samples of one unit to be alike (sandwich).

    Returns
    -------
    coefficients : ndarray (intercept, slope), or NaN where the events are one class or perfectly separated
    covariance : ndarray of shape (2, 2)
    """
    event = np.asarray(event, dtype=np.float64)
    x = logit(np.clip(probability, SMALLEST, 1 - SMALLEST))
    if _separated(event, x):
        return np.full(2, np.nan), np.full((2, 2), np.nan)
    design = np.column_stack([np.ones_like(x), x])
    beta = _newton(design, event)
    fitted = expit(design @ beta)
    bread = np.linalg.inv((design * (fitted * (1 - fitted))[:, None]).T @ design)
    return beta, bread @ _meat(design * (event - fitted)[:, None], unit) @ bread


def _separated(event, x):
    """Return whether a threshold parts all events from all others: then no finite slope fits best."""
    if len(event) == 0 or np.ptp(event) == 0 or np.ptp(x) == 0:
        return True
    yes, no = x[event == 1], x[event == 0]
    return bool(yes.min() >= no.max() or yes.max() <= no.min())


def _newton(design, event, most_steps=100):
    """Return the maximum-likelihood coefficients; steps are halved until the likelihood does not fall."""
    beta, likelihood = np.zeros(2), -np.inf
    for _ in range(most_steps):
        fitted = expit(design @ beta)
        hessian = (design * (fitted * (1 - fitted))[:, None]).T @ design
        step = np.linalg.solve(hessian, design.T @ (event - fitted))
        while (new := _log_likelihood(design @ (beta + step), event)) < likelihood - 1e-12:
            step = step / 2
        beta, likelihood = beta + step, new
        if np.abs(step).max() < 1e-10:
            break
    return beta


def _log_likelihood(logits, event):
    return float(np.sum(event * logits - np.logaddexp(0, logits)))


def _meat(score, unit):
    """Return the outer product of the scores, summed over each unit first."""
    if unit is None:
        return score.T @ score
    _, code = np.unique(unit, return_inverse=True)
    n_units = code.max() + 1
    totals = np.stack([np.bincount(code, column, n_units) for column in score.T], axis=1)
    return totals.T @ totals * n_units / max(n_units - 1, 1)


def reliability(event, probability, n_bins=N_BINS):
    """Return the reliability curve in bins of equal width, empty bins left out.

    Returns
    -------
    dict of lists
        ``predicted`` (mean probability), ``observed`` (share of events) and ``n`` of each bin.
    """
    event, probability = np.asarray(event, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    bins = _bin(probability, n_bins)
    n = np.bincount(bins, minlength=n_bins)
    kept = n > 0
    predicted = np.bincount(bins, probability, n_bins)[kept] / n[kept]
    observed = np.bincount(bins, event, n_bins)[kept] / n[kept]
    return {"predicted": predicted.tolist(), "observed": observed.tolist(), "n": n[kept].tolist()}


def _bin(probability, n_bins):
    return np.minimum((probability * n_bins).astype(int), n_bins - 1)


def claims(truth, probability):
    """Return the events and probabilities that a calibration error compares.

    For two classes: is it the positive one, and its probability. For more: is the most probable class right, and
    its probability.
    """
    if probability.shape[1] == 2:
        return (truth == 1).astype(float), probability[:, 1]
    return (decide(probability) == truth).astype(float), probability.max(axis=1)


def _ece_sums(truth, probability, weight, reference):
    event, claimed = claims(truth, probability)
    in_bin = one_hot(_bin(claimed, N_BINS), N_BINS)
    gap = weight @ (in_bin * (claimed - event)[:, None])
    return np.hstack([gap, weight.sum(axis=1, keepdims=True)])


def _ece(sums):
    return first_over_second(np.stack([np.abs(sums[:, :-1]).sum(axis=1), sums[:, -1]], axis=1))


def _brier_sums(truth, probability, weight, reference):
    """Return sums of the squared error: of the positive's probability for two classes, over all classes for more."""
    error = (probability - one_hot(truth, probability.shape[1])) ** 2
    loss = error[:, 1] if probability.shape[1] == 2 else error.sum(axis=1)
    return np.stack([weight @ loss, weight.sum(axis=1)], axis=1)


def _log_loss_sums(truth, probability, weight, reference):
    told = np.clip(probability, SMALLEST, None)
    told = told / told.sum(axis=1, keepdims=True)
    loss = -np.log(np.take_along_axis(told, truth[:, None], axis=1)[:, 0])
    return np.stack([weight @ loss, weight.sum(axis=1)], axis=1)


def _shares(truth):
    return np.bincount(truth) / len(truth)


def _share_brier(truth, reference=None):
    shares = _shares(truth)
    spread = float((shares * (1 - shares)).sum())
    return spread / 2 if len(shares) == 2 else spread


def _entropy(truth, reference=None):
    shares = _shares(truth)
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())


def _coefficient(which):
    def compute(truth, probability):
        event, claimed = claims(truth, probability)
        return recalibrate(event, claimed)[0][which]

    return compute


def _why_no_slope(truth, probability, classes=None):
    event, claimed = claims(np.asarray(truth), np.asarray(probability))
    if np.isfinite(recalibrate(event, claimed)[0]).all():
        return ""
    return "one class only" if np.ptp(event) == 0 else "the classes are perfectly separated, so no slope fits best"


brier = Metric(
    name="brier",
    label="Brier score",
    kind="class",
    sums=_brier_sums,
    finish=first_over_second,
    higher_is_better=False,
    chance=_share_brier,
    scale="positive",
    estimand="mean squared error of the probability",
)
log_loss = Metric(
    name="log_loss",
    label="log loss",
    kind="class",
    sums=_log_loss_sums,
    finish=first_over_second,
    higher_is_better=False,
    chance=_entropy,
    scale="positive",
    estimand="mean surprise at the true class, in nats",
)
ece = Metric(
    name="ece",
    label="expected calibration error",
    kind="class",
    sums=_ece_sums,
    finish=_ece,
    higher_is_better=False,
    chance=no_chance,
    scale="positive",
    estimand="mean distance of probability and observed share in ten bins (never 0 in a small sample)",
)
calibration_slope = WholeMetric(
    name="calibration_slope",
    label="calibration slope",
    kind="class",
    compute=_coefficient(1),
    higher_is_better=None,
    chance=no_chance,
    scale="line",
    estimand="slope of the observed log odds on the predicted ones: 1 is right, below 1 overconfident",
    why_undefined=_why_no_slope,
)
calibration_intercept = WholeMetric(
    name="calibration_intercept",
    label="calibration intercept",
    kind="class",
    compute=_coefficient(0),
    higher_is_better=None,
    chance=no_chance,
    scale="line",
    estimand="observed log odds where even odds are predicted: 0 is right",
    why_undefined=_why_no_slope,
)
