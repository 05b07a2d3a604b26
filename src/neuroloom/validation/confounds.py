"""Whether a prediction follows site, age, motion ... among people of the same truth, and what it adds to them."""

import numpy as np
import pandas as pd
from scipy import stats

from neuroloom.metrics.calibration import SMALLEST

MANY_VALUES = 6  # a column of numbers with more distinct values than this is taken as a quantity


def associations(outcomes, people, columns):
    """Return how the prediction goes with each confound among people of the same truth and fold.

    Parameters
    ----------
    outcomes : Outcomes
        Its first repeat is used; several samples of a unit are averaged.
    people : DataFrame
        A row a sample, in the order of ``outcomes.sample``.
    columns : sequence of str

    Returns
    -------
    dict
        Confound -> ``partial_r2`` (share of what truth and fold leave that the confound explains), ``partial_r``
        (signed, for quantities), ``p`` (F test), ``n``, ``note``.
    """
    rows = outcomes.subset(outcomes.repeat == outcomes.repeat.min())
    frame = _by_unit(rows)
    given = np.column_stack([_dummies(frame["fold"]), _truth_columns(rows, frame)])
    told = {}
    for column in columns:
        confound = _confound_by_unit(people[column].to_numpy()[rows.sample], rows.unit)
        told[column] = _strongest([_partial(frame[name], confound, given) for name in _scores_of(frame)])
    return told


def beyond(outcomes, confounds):
    """Return what a learner says about the truth that the confounds' own prediction does not.

    ``partial_r`` is the correlation of truth and prediction inside folds, given the prediction from confounds alone
    (numbers, and two classes); its p is that of the F test.
    """
    first = outcomes.repeat.min()
    one, two = (_by_unit(o.subset(o.repeat == first)) for o in (outcomes, confounds))
    if len(_scores_of(one)) > 1:
        return _nothing(len(one), "for two classes and for numbers only")
    given = np.column_stack([_dummies(one["fold"]), two.loc[one.index, "score_0"]])
    return _partial(one["truth"], one["score_0"].to_numpy(), given)


def association_of(first, second):
    """Return whether two columns of a table go together: p, how it was tested, and the variance they share.

    Two quantities: rank correlation, squared; a quantity and groups: Kruskal-Wallis, share of the ranks' variance
    between groups; two groupings: chi-squared, Cramer's V squared.
    """
    both = pd.DataFrame({"a": np.asarray(first), "b": np.asarray(second)}).dropna()
    a, b = both["a"], both["b"]
    if len(both) < 3 or a.nunique() < 2 or b.nunique() < 2:
        return float("nan"), "nothing to test", float("nan")
    if is_quantity(a) and is_quantity(b):
        found = stats.spearmanr(a, b)
        return float(found.pvalue), "rank correlation", float(found.statistic**2)
    if is_quantity(a) or is_quantity(b):
        quantity, group = (a, b) if is_quantity(a) else (b, a)
        samples = [values.to_numpy(dtype=float) for _, values in quantity.groupby(group)]
        ranks = pd.Series(stats.rankdata(quantity.astype(float)))
        between = ranks.groupby(group.to_numpy()).transform("mean")
        return float(stats.kruskal(*samples).pvalue), "Kruskal-Wallis test", float(between.var() / ranks.var())
    counts = pd.crosstab(a, b).to_numpy()
    p = float(stats.chi2_contingency(counts, correction=False).pvalue)
    return p, "chi-squared test", float(stats.contingency.association(counts, method="cramer") ** 2)


def is_quantity(values):
    """Return whether a column holds numbers of more than a few values."""
    values = pd.Series(values).dropna()
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return bool(numeric and values.nunique() > MANY_VALUES)


def _by_unit(outcomes):
    """Return a row a unit: fold, truth, and one or more scores on an unbounded scale."""
    frame = pd.DataFrame({"unit": outcomes.unit, "fold": outcomes.fold, "truth": outcomes.truth})
    scores = outcomes.prediction[:, None] if outcomes.prediction.ndim == 1 else _log_odds(outcomes.prediction)
    for number, column in enumerate(scores.T):
        frame[f"score_{number}"] = column
    return frame.groupby("unit").mean()


def _log_odds(probability):
    kept = np.clip(probability, SMALLEST, 1 - SMALLEST)
    odds = np.log(kept / (1 - kept))
    return odds[:, 1:] if odds.shape[1] == 2 else odds


def _scores_of(frame):
    return [name for name in frame if name.startswith("score_")]


def _truth_columns(rows, frame):
    """Return the truth as columns of a model: itself, or a column for each class but the first."""
    if not rows.classes:
        return frame["truth"].to_numpy()[:, None]
    share = [pd.Series(rows.truth == number).groupby(rows.unit).mean() for number in range(1, len(rows.classes))]
    return np.column_stack(share)


def _confound_by_unit(values, unit):
    """Return a quantity averaged over the samples of a unit, or the group of its first sample."""
    series = pd.Series(values)
    if is_quantity(series) or pd.api.types.is_numeric_dtype(series):
        return series.astype(float).groupby(unit).mean().to_numpy()
    return series.groupby(unit).first().to_numpy()


def _dummies(groups):
    return pd.get_dummies(pd.Series(groups).astype(str)).to_numpy(dtype=float)


def _partial(response, added, given):
    """Return the F test of adding columns to a linear model of the response that already has ``given``."""
    numeric = np.asarray(added).dtype.kind in "fiu"
    known = ~pd.isna(added)
    y, base = np.asarray(response, dtype=float)[known], given[known]
    columns = np.asarray(added, dtype=float)[known, None] if numeric else _dummies(added[known])
    rest, rank = _residual(base, y)
    rest_with, rank_with = _residual(np.column_stack([base, columns]), y)
    n, more, free = len(y), rank_with - rank, len(y) - rank_with
    before, after = rest @ rest, rest_with @ rest_with
    if pd.Series(added[known]).nunique() < 2:
        return _nothing(n, "the same for everybody")
    if more == 0 or free <= 0 or before <= 1e-12 * max(y @ y, 1e-300):
        return _nothing(n, "cannot be told apart from fold and truth")
    share = max(1 - after / before, 0.0)
    f_value = (before - after) / more / (after / free) if after > 0 else np.inf
    sign = np.sign(rest @ _residual(base, columns[:, 0])[0]) if numeric else np.nan
    p = float(stats.f.sf(f_value, more, free))
    return {"partial_r2": float(share), "partial_r": float(sign * np.sqrt(share)), "p": p, "n": n, "note": ""}


def _residual(design, y):
    beta, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    return y - design @ beta, int(rank)


def _nothing(n, note):
    missing = float("nan")
    return {"partial_r2": missing, "partial_r": missing, "p": missing, "n": int(n), "note": note}


def _strongest(tests):
    """Return the test with the smallest p, multiplied by their number (one a class where there are many)."""
    best = min(tests, key=lambda test: np.inf if np.isnan(test["p"]) else test["p"])
    return best | {"p": min(1.0, best["p"] * len(tests)) if not np.isnan(best["p"]) else best["p"]}
