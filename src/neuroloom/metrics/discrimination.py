"""How well predictions order people: AUC and average precision."""

import numpy as np

from neuroloom.metrics.metric import Metric, one_hot, ratio


def _auc_sums(truth, probability, weight, reference):
    """Return (n_draws, 2 * n_scores): pairs put in the right order (ties count half), then all pairs, by class."""
    columns = [pair_sums(truth == number, probability[:, number], weight) for number in _scored(probability)]
    return np.hstack([np.stack(part, axis=1) for part in zip(*columns, strict=True)])


def _macro(sums):
    half = sums.shape[1] // 2
    return ratio(sums[:, :half], sums[:, half:]).mean(axis=1)


def _scored(probability):
    """Return the class numbers that are scored: the positive one of two, or each against the rest."""
    return [1] if probability.shape[1] == 2 else range(probability.shape[1])


def pair_sums(positive, score, weight):
    """Return the weight of (positive, negative) pairs in the right order, and of all pairs.

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
    score : ndarray of shape (n,)
    weight : ndarray of shape (n_draws, n)

    Returns
    -------
    concordant, pairs : ndarray of shape (n_draws,)
        A pair weighs the product of its two weights; a tie counts half.
    """
    up, down = _by_score(positive, score, weight)
    below = np.cumsum(down, axis=1) - down / 2
    return (up * below).sum(axis=1), up.sum(axis=1) * down.sum(axis=1)


def _by_score(positive, score, weight):
    """Return the weight of positives and of negatives at each distinct score, from the lowest up."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    up = np.add.reduceat(weight[:, order] * positive[order], starts, axis=1)
    down = np.add.reduceat(weight[:, order] * ~positive[order], starts, axis=1)
    return up, down


def _average_precision_sums(truth, probability, weight, reference):
    """Return (n_draws, 2 * n_scores): precision summed over positives, then the positives, by class."""
    columns = [_precision_sums(truth == number, probability[:, number], weight) for number in _scored(probability)]
    return np.hstack([np.stack(part, axis=1) for part in zip(*columns, strict=True)])


def _precision_sums(positive, score, weight):
    up, down = (part[:, ::-1] for part in _by_score(positive, score, weight))  # from the highest score down
    found, called = np.cumsum(up, axis=1), np.cumsum(up + down, axis=1)
    precision = np.nan_to_num(ratio(found, called))  # nothing called yet: adds nothing, as `up` is 0 there
    return (up * precision).sum(axis=1), up.sum(axis=1)


def hanley_mcneil_variance(auc, n_positive, n_negative):
    """Return the variance of an AUC of this size (Newcombe 2006, doi:10.1002/sim.2324, method 5)."""
    n_half = (n_positive + n_negative) / 2
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (n_half - 1) * (first + second - 2 * auc**2)
    return (auc * (1 - auc) + spread) / (n_positive * n_negative)


def _auc_informative(counts, value):
    """Return n of a proportion as precise as this AUC, whose pairs lie inside folds.

    Folds weigh by their pairs; of many classes the mean variance of one against the rest is taken.
    """
    value = np.clip(value, 1e-6, 1 - 1e-6)
    positives = counts[:, 1:] if counts.shape[1] == 2 else counts
    negatives = counts.sum(axis=1, keepdims=True) - positives
    pairs = positives * negatives  # (n_folds, n_scores)
    variance = hanley_mcneil_variance(value, np.maximum(positives, 1), np.maximum(negatives, 1))
    share = pairs / pairs.sum(axis=0)
    return value * (1 - value) / np.mean((share**2 * variance).sum(axis=0))


def _positives(counts, value):
    return counts[:, 1].sum() if counts.shape[1] == 2 else counts.sum() / counts.shape[1]


def _precision_of_random_order(truth, reference=None):
    """Return the mean average precision of a random order: above the prevalence in a small fold.

    With N samples of which P are positive it is [H_N + (P - 1) / (N - 1) (N - H_N)] / N, H_N the harmonic number
    (Bestgen 2015, doi:10.1016/j.ipl.2015.05.001); for more than two classes the mean over them.
    """
    n = len(truth)
    counts = one_hot(truth, int(np.max(truth)) + 1).sum(axis=0)
    positives = counts[1:] if len(counts) == 2 else counts
    harmonic = (1 / np.arange(1, n + 1)).sum()
    spread = (positives - 1) / (n - 1) if n > 1 else np.ones_like(positives)
    return float(np.mean((harmonic + spread * (n - harmonic)) / n)) if (positives > 0).all() else float("nan")


auc = Metric(
    name="auc",
    label="AUC",
    kind="class",
    sums=_auc_sums,
    finish=_macro,
    higher_is_better=True,
    chance=lambda truth, reference=None: 0.5,
    scale="bounded",
    estimand="chance that a positive scores above a negative of the same test fold",
    needs="classes",
    informative=_auc_informative,
)
average_precision = Metric(
    name="average_precision",
    label="average precision",
    kind="class",
    sums=_average_precision_sums,
    finish=_macro,
    higher_is_better=True,
    chance=_precision_of_random_order,
    scale="bounded",
    estimand="precision averaged over the positives of the same test fold (a small fold raises it, and its chance)",
    needs="positive",
    informative=_positives,
)
