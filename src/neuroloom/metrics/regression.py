"""How far a predicted number lies from the true one, and whether the two rise together."""

import numpy as np

from neuroloom.metrics.metric import Metric, first_over_second, ratio


def _absolute_sums(truth, prediction, weight, reference):
    return np.stack([weight @ np.abs(prediction - truth), weight.sum(axis=1)], axis=1)


def _square_sums(truth, prediction, weight, reference):
    return np.stack([weight @ (prediction - truth) ** 2, weight.sum(axis=1)], axis=1)


def _r2_sums(truth, prediction, weight, reference):
    """Return the squares about the prediction, and about the mean of the training targets."""
    if reference is None:
        about_mean = moments(truth, truth, weight)[:, 1]
    else:
        about_mean = weight @ (truth - np.mean(reference)) ** 2
    return np.stack([weight @ (prediction - truth) ** 2, about_mean], axis=1)


def moments(x, y, weight):
    """Return Sxy, Sxx and Syy about the weighted means, shape (n_draws, 3).

    Parameters
    ----------
    x, y : ndarray of shape (n,), or (n_draws, n) where they differ from draw to draw
    weight : ndarray of shape (n_draws, n)
    """
    x, y = _centred(x), _centred(y)
    total = weight.sum(axis=1, keepdims=True)
    mean_x, mean_y = (ratio((weight * z).sum(axis=1, keepdims=True), total) for z in (x, y))
    off_x, off_y = x - np.nan_to_num(mean_x), y - np.nan_to_num(mean_y)
    pairs = ((off_x, off_y), (off_x, off_x), (off_y, off_y))
    sums = np.stack([(weight * a * b).sum(axis=1) for a, b in pairs], axis=1)
    for column, z in ((1, x), (2, y)):  # what is left of rounding is no spread
        sums[sums[:, column] < 1e-12 * (weight * z**2).sum(axis=1), column] = 0.0
    return sums


def _centred(z):
    """Return z about its plain mean, exactly 0 where all are equal."""
    z = np.atleast_2d(z)
    spread = np.ptp(z, axis=1, keepdims=True) > 0
    return np.where(spread, z - z.mean(axis=1, keepdims=True), 0.0)


def _pearson_sums(truth, prediction, weight, reference):
    return moments(truth, prediction, weight)


def _spearman_sums(truth, prediction, weight, reference):
    return moments(ranks(truth, weight), ranks(prediction, weight), weight)


def ranks(x, weight):
    """Return the mid-ranks of x (n,) among its weighted copies, shape (n_draws, n)."""
    _, group = np.unique(x, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0])
    counts = np.add.reduceat(weight[:, order], starts, axis=1)
    return (np.cumsum(counts, axis=1) - counts / 2 + 0.5)[:, group]


def _correlation(sums):
    return ratio(sums[:, 0], np.sqrt(sums[:, 1] * sums[:, 2]))


def _bias_sums(truth, prediction, weight, reference):
    return moments(truth, prediction - truth, weight)


def _one_minus(sums):
    return 1 - first_over_second(sums)


def _about_median(truth, reference=None):
    return float(np.mean(np.abs(truth - np.median(truth if reference is None else reference))))


def _about_mean(truth, reference=None):
    return float(np.sqrt(np.mean((truth - np.mean(truth if reference is None else reference)) ** 2)))


def _zero(truth, reference=None):
    return 0.0


mae = Metric(
    name="mae",
    label="mean absolute error",
    kind="number",
    sums=_absolute_sums,
    finish=first_over_second,
    higher_is_better=False,
    chance=_about_median,
    scale="positive",
    estimand="mean distance of prediction and truth",
)
rmse = Metric(
    name="rmse",
    label="root mean squared error",
    kind="number",
    sums=_square_sums,
    finish=lambda sums: np.sqrt(first_over_second(sums)),
    higher_is_better=False,
    chance=_about_mean,
    scale="positive",
    estimand="root of the mean squared distance of prediction and truth",
)
r2 = Metric(
    name="r2",
    label="R²",
    kind="number",
    sums=_r2_sums,
    finish=_one_minus,
    higher_is_better=True,
    chance=_zero,
    scale="below_one",
    estimand="share of the squared error of the training mean that is gone; below 0 it is worse than that mean",
)
pearson = Metric(
    name="pearson",
    label="correlation",
    kind="number",
    sums=_pearson_sums,
    finish=_correlation,
    higher_is_better=True,
    chance=_zero,
    scale="correlation",
    estimand="correlation of prediction and truth inside the test folds",
    needs="spread",
)
spearman = Metric(
    name="spearman",
    label="rank correlation",
    kind="number",
    sums=_spearman_sums,
    finish=_correlation,
    higher_is_better=True,
    chance=_zero,
    scale="correlation",
    estimand="rank correlation of prediction and truth inside the test folds",
    needs="spread",
)
bias_slope = Metric(
    name="bias_slope",
    label="bias slope",
    kind="number",
    sums=_bias_sums,
    finish=first_over_second,
    higher_is_better=None,
    chance=lambda truth, reference=None: -1.0,
    scale="line",
    estimand="change of the error (prediction - truth) with the truth: 0 is right, -1 predicts the mean of all",
)
