"""How often the most probable class is the right one, overall and by class."""

from functools import partial

import numpy as np

from neuroloom.metrics.metric import Metric, checked, first_over_second, no_chance, one_hot, ratio


def confusion(truth, probability):
    """Return counts of shape (n_classes, n_classes): a row a true class, a column a predicted one."""
    truth, probability = checked("class", truth, probability)
    n_classes = probability.shape[1]
    decided = one_hot(decide(probability), n_classes)
    return (one_hot(truth, n_classes).T @ decided).astype(np.int64)


def decide(probability):
    """Return the most probable class of each sample; of equal ones the first."""
    return np.argmax(probability, axis=1)


def _accuracy_sums(truth, probability, weight, reference):
    right = decide(probability) == truth
    return np.stack([weight @ right, weight.sum(axis=1)], axis=1)


def _table_sums(truth, probability, weight, reference):
    """Return (n_draws, 3 * n_classes): samples of a class called so, samples of it, samples called so."""
    n_classes = probability.shape[1]
    is_class, called = one_hot(truth, n_classes), one_hot(decide(probability), n_classes)
    return np.hstack([weight @ (is_class * called), weight @ is_class, weight @ called])


def _recalls(sums):
    hits, of_class, _ = np.split(sums, 3, axis=1)
    return ratio(hits, of_class)


def _mean_recall(sums):
    return _recalls(sums).mean(axis=1)


def _sensitivity(sums):
    recalls = _recalls(sums)
    return recalls[:, 1] if recalls.shape[1] == 2 else recalls.mean(axis=1)


def _specificity(sums):
    """Return the share of the others that are not called so: of class 0 for two classes, else the mean over classes."""
    hits, of_class, called = np.split(sums, 3, axis=1)
    total = of_class.sum(axis=1, keepdims=True)
    specific = ratio(total - of_class - (called - hits), total - of_class)
    return specific[:, 1] if specific.shape[1] == 2 else specific.mean(axis=1)


def _f1(sums):
    hits, of_class, called = np.split(sums, 3, axis=1)
    scores = ratio(2 * hits, of_class + called)
    return scores[:, 1] if scores.shape[1] == 2 else scores.mean(axis=1)


def _kappa(sums):
    """Return agreement beyond that of equal shares dealt by chance, over the most there can be; NaN where none can."""
    hits, of_class, called = np.split(sums, 3, axis=1)
    total = of_class.sum(axis=1, keepdims=True)
    by_chance = (ratio(of_class, total) * ratio(called, total)).sum(axis=1)
    return ratio(ratio(hits.sum(axis=1), total[:, 0]) - by_chance, 1 - by_chance)


def _recall_of(number, sums):
    return _recalls(sums)[:, number]


def _f1_of(number, sums):
    hits, of_class, called = np.split(sums, 3, axis=1)
    return ratio(2 * hits, of_class + called)[:, number]


def _of_class(number, counts, value):
    return max(counts[:, number].sum(), 1)


def metrics_of_class(number, name):
    """Return what can be said of one class against all others: ``recall`` and ``f1``, bounded `Metric`s.

    Parameters
    ----------
    number : int
        Of the class.
    name : str
        Of the class, for the words.
    """
    shared = {
        "kind": "class",
        "sums": _table_sums,
        "higher_is_better": True,
        "chance": no_chance,
        "scale": "bounded",
        "needs": "classes",
        "informative": partial(_of_class, number),
    }
    found = f"share of {name} that is called so"
    both = f"harmonic mean of the share of {name} that is called so, and of what is called so that is {name}"
    return (
        Metric(name="recall", label="recall", finish=partial(_recall_of, number), estimand=found, **shared),
        Metric(name="f1", label="F1", finish=partial(_f1_of, number), estimand=both, **shared),
    )


def _nothing(truth, reference=None):
    return 0.0


def _largest_share(truth, reference=None):
    return float(np.bincount(truth).max() / len(truth))


def _one_over_classes(truth, reference=None):
    return 1.0 / (int(np.max(truth)) + 1)


def _always_positive_f1(truth, reference=None):
    share = float(np.mean(truth == 1))
    return 2 * share / (1 + share) if np.max(truth) == 1 else float("nan")


def _of_all(counts, value):
    return counts.sum()


def _of_positives(counts, value):
    return counts[:, 1].sum() if counts.shape[1] == 2 else _of_each_class(counts, value)


def _of_negatives(counts, value):
    return counts[:, 0].sum() if counts.shape[1] == 2 else counts.sum()


def _of_each_class(counts, value):
    return counts.shape[1] ** 2 / (1 / counts.sum(axis=0)).sum()


accuracy = Metric(
    name="accuracy",
    label="accuracy",
    kind="class",
    sums=_accuracy_sums,
    finish=first_over_second,
    higher_is_better=True,
    chance=_largest_share,
    scale="bounded",
    estimand="share of samples whose most probable class is right",
    informative=_of_all,
)
balanced_accuracy = Metric(
    name="balanced_accuracy",
    label="balanced accuracy",
    kind="class",
    sums=_table_sums,
    finish=_mean_recall,
    higher_is_better=True,
    chance=_one_over_classes,
    scale="bounded",
    estimand="mean over classes of the share of the class that is found",
    needs="classes",
    informative=_of_each_class,
)
sensitivity = Metric(
    name="sensitivity",
    label="sensitivity",
    kind="class",
    sums=_table_sums,
    finish=_sensitivity,
    higher_is_better=True,
    chance=no_chance,
    scale="bounded",
    estimand="share of the positives that is found",
    needs="positive",
    informative=_of_positives,
)
specificity = Metric(
    name="specificity",
    label="specificity",
    kind="class",
    sums=_table_sums,
    finish=_specificity,
    higher_is_better=True,
    chance=no_chance,
    scale="bounded",
    estimand="share of the negatives that is left alone",
    needs="classes",
    informative=_of_negatives,
)
f1 = Metric(
    name="f1",
    label="F1",
    kind="class",
    sums=_table_sums,
    finish=_f1,
    higher_is_better=True,
    chance=_always_positive_f1,
    scale="bounded",
    estimand="harmonic mean of sensitivity and precision",
    needs="positive",
    informative=_of_positives,
)
kappa = Metric(
    name="kappa",
    label="Cohen's kappa",
    kind="class",
    sums=_table_sums,
    finish=_kappa,
    higher_is_better=True,
    chance=_nothing,
    scale="correlation",
    estimand="agreement of the most probable class with the true one beyond chance (Cohen 1960, doi:10.1177/001316446002000104)",
    needs="classes",
)
