"""Scores of sites and groups of people, with their intervals and the gap between the best and the worst."""

import math

import numpy as np
import pandas as pd
from scipy import stats

from neuroloom.validation.confounds import is_quantity
from neuroloom.validation.intervals import LEVEL, interval, jackknife, unit_variance
from neuroloom.validation.scores import score

FEW_OF_A_GROUP = 10  # units below which a group's numbers are said to be too few to judge


def group_scores(metrics, outcomes, labels):
    """Return {group: {"n", METRIC: {"value", "interval"}, "note"}} for each label.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        The group of each entry of ``outcomes``; missing (None or NaN) is left out.
    """
    groups = sorted({label for label in labels if not pd.isna(label)}, key=str)
    return {str(group): _group(metrics, outcomes.subset(labels == group)) for group in groups}


def _group(metrics, outcomes):
    entry = {"n": outcomes.n_units}
    reasons = []
    for metric in metrics:
        value = score(metric, outcomes)
        entry[metric.name] = {"value": value, "interval": list(interval(metric, outcomes))}
        if np.isnan(value):
            why = metric.why_undefined(outcomes.truth, outcomes.prediction, outcomes.classes or None)
            reasons.append(f"no {metric.label}: {why or 'no fold holds enough of this group'}")
    if outcomes.n_units < FEW_OF_A_GROUP:
        reasons.append(f"{outcomes.n_units} only: too few to judge")
    return entry | {"note": "; ".join(reasons)}


def site_scores(metrics, outcomes, site, seen):
    """Return `group_scores` by site, each with ``seen``: whether its people were tested where the site was fitted.

    Parameters
    ----------
    site : ndarray of shape (n,)
    seen : ndarray of bool, shape (n,)
        Whether anybody of the fit part of that fold comes from the entry's site.
    """
    told = group_scores(metrics, outcomes, site)
    for name, entry in told.items():
        here = seen[np.array([str(label) for label in site]) == name]
        entry["seen"] = bool(here.all())
        if here.any() and not here.all():
            entry["note"] = "; ".join(filter(None, [entry["note"], f"seen in {here.mean():.0%} of its test cases"]))
    return told


def seen_in_fit(outcomes, site_of_sample, fit_samples):
    """Return for each entry whether its site is among those of its fold's fit part.

    Parameters
    ----------
    site_of_sample : ndarray of shape (n_samples,)
    fit_samples : dict
        (repeat, fold) -> sample numbers of the fit part.
    """
    seen = np.zeros(len(outcomes), dtype=bool)
    for repeat, fold, part in outcomes.cells():
        fitted = set(site_of_sample[fit_samples[(repeat, fold)]])
        seen[part] = [site in fitted for site in site_of_sample[outcomes.sample[part]]]
    return seen


def labels_of(values):
    """Return a column as group labels: itself, or for a quantity its two halves at the median."""
    values = pd.Series(values).reset_index(drop=True)
    if not is_quantity(values):
        return values.astype(object).where(values.notna(), None).to_numpy()
    cut = _rounded(values)
    named = np.where(values < cut, f"under {cut:g}", f"{cut:g} and over").astype(object)
    return np.where(values.isna(), None, named)


def _rounded(values):
    """Return the median of a quantity to a hundredth of its middle half's range, as a reader would write it."""
    low, median, high = values.quantile([0.25, 0.5, 0.75])
    digits = 2 - math.floor(math.log10(high - low)) if high > low else 3
    return round(float(median), max(digits, 0))


def gap(metric, outcomes, labels):
    """Return the largest difference between two groups: its size, whose it is, and its interval over units.

    Groups are of different people, so their variances add. The two are picked as the best and the worst of several,
    which widens the gap by chance; with more than two groups the interval is Bonferroni's over all pairs.
    """
    groups = {str(g): outcomes.subset(labels == g) for g in {g for g in labels if not pd.isna(g)}}
    groups = {name: part for name, part in groups.items() if part.n_units >= FEW_OF_A_GROUP}
    values = {name: score(metric, part) for name, part in groups.items()}
    values = {name: value for name, value in values.items() if not np.isnan(value)}
    if len(values) < 2:
        return None
    high, low = max(sorted(values), key=values.get), min(sorted(values), key=values.get)
    variance = sum(unit_variance(jackknife(metric, groups[name]), groups[name]) for name in (high, low))
    n_pairs = len(values) * (len(values) - 1) / 2
    n_units = groups[high].n_units + groups[low].n_units
    half = stats.t.ppf(1 - (1 - LEVEL) / 2 / n_pairs, n_units - 2) * np.sqrt(variance)
    size = values[high] - values[low]
    return {"value": size, "interval": [size - half, size + half], "high": high, "low": low}
