"""Scores over folds: a number is made inside each test fold and never compares people of two folds."""

import numpy as np

MOST_WEIGHTS = 20_000_000  # weights held at once, 8 bytes each


def score(metric, outcomes):
    """Return a metric over all folds; repeats are averaged.

    The sums of a metric add over the folds of a repeat, so an AUC counts each pair (of a positive and a negative of
    one fold) once: folds weigh by their pairs. A repeat in which the metric is undefined is left out.
    """
    return float(weighted_scores(metric, outcomes, np.ones((1, _n_codes(outcomes))))[0])


def weighted_scores(metric, outcomes, unit_weight):
    """Return the metric for each row of unit weights.

    Parameters
    ----------
    unit_weight : ndarray of shape (n_draws, n_unit_codes)
        How often each unit counts (columns by the number in ``outcomes.unit``).

    Returns
    -------
    ndarray of shape (n_draws,), NaN where undefined
    """
    at_once = max(1, MOST_WEIGHTS // max(len(outcomes), 1))
    if len(unit_weight) > at_once:
        steps = range(0, len(unit_weight), at_once)
        return np.concatenate([weighted_scores(metric, outcomes, unit_weight[i : i + at_once]) for i in steps])
    totals = {}
    for repeat, fold, part in outcomes.cells():
        weight = unit_weight[:, outcomes.unit[part]]
        reference = outcomes.references.get((repeat, fold))
        sums = metric.sums(outcomes.truth[part], outcomes.prediction[part], weight, reference)
        totals[repeat] = totals[repeat] + sums if repeat in totals else sums
    if not totals:
        return np.full(len(unit_weight), np.nan)
    return _mean_where_defined(np.stack([metric.finish(sums) for sums in totals.values()]))


def fold_scores(metric, outcomes):
    """Return {(repeat, fold): value}, NaN for folds that say nothing."""
    return {
        (repeat, fold): metric(outcomes.truth[part], outcomes.prediction[part], outcomes.references.get((repeat, fold)))
        for repeat, fold, part in outcomes.cells()
    }


def mean_over_folds(metric, outcomes):
    """Return the plain mean of the folds that have a value, however large they are."""
    values = np.array(list(fold_scores(metric, outcomes).values()))
    return float(_mean_where_defined(values[:, None])[0]) if len(values) else float("nan")


def per_fold(metrics, outcomes):
    """Return a row a test fold: ``repeat``, ``fold``, ``n_test``, each metric, and a ``note`` of what it lacks."""
    rows = []
    for repeat, fold, part in outcomes.cells():
        truth, prediction = outcomes.truth[part], outcomes.prediction[part]
        reference = outcomes.references.get((repeat, fold))
        row = {"repeat": repeat, "fold": fold, "n_test": len(part)}
        row |= {metric.name: metric(truth, prediction, reference) for metric in metrics}
        rows.append(row | {"note": _fold_note(metrics, row, truth, prediction, outcomes.classes)})
    return rows


def _fold_note(metrics, row, truth, prediction, classes):
    reasons = {}
    for metric in metrics:
        if np.isnan(row[metric.name]):
            why = metric.why_undefined(truth, prediction, classes or None)
            reasons.setdefault(why, []).append(metric.label)
    return "; ".join(f"{why}: gives no {', '.join(labels)}" for why, labels in reasons.items())


def chance(metric, outcomes):
    """Return what knowing the training targets alone would reach.

    Shares of classes are those of all test samples (a fold of one class would tell too much); what depends on the
    size of a fold (average precision) or on its training targets (numbers) is averaged over folds by their size.
    """
    if metric.kind == "class" and metric.name != "average_precision":
        return float(metric.chance(outcomes.truth))
    cells = outcomes.cells()
    values = np.array([metric.chance(outcomes.truth[part], outcomes.references.get((r, f))) for r, f, part in cells])
    sizes = np.array([len(part) for _, _, part in cells], dtype=float)
    kept = ~np.isnan(values)
    return float(np.average(values[kept], weights=sizes[kept])) if kept.any() else float("nan")


def _n_codes(outcomes):
    return int(outcomes.unit.max()) + 1 if len(outcomes) else 1


def _mean_where_defined(values):
    """Return the mean over the first axis of what is not NaN; NaN where nothing is."""
    defined = ~np.isnan(values)
    total = np.where(defined, values, 0.0).sum(axis=0)
    count = defined.sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
