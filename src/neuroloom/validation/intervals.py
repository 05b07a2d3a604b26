"""Intervals over the unit of claim: how far the score may move with other people.

The estimand is the score of *the learners of these folds*, mean over folds, on new units like the ones tested; what
a larger or another training set would change is not in it. All samples of a unit are left out, or drawn, together.

How an interval is made follows from what covered best in ``studies/interval_coverage.py``:

- A resampling of fixed predictions (bootstrap, jackknife, DeLong) does not see that in cross-validation each pair of
  people is counted twice, once when a learner that saw the second tests the first and once the other way round. For
  a learner that is linear in its training labels the variance near chance is doubled by this; with real fits and a
  nominal 95 %, intervals without it held the truth in 82-93 %. So the variance is multiplied by 1 + the share of
  pairs counted both ways (``Outcomes.mutual``; Nadeau and Bengio 2003, doi:10.1023/A:1024068626366, come to 1 +
  K / (K - 1) by another way). It is a bound: easy problems get intervals that are somewhat too wide.
- Bounded metrics (AUC, accuracy ...) take the values that a score test does not reject (Wilson 1927; for AUC Newcombe
  2006, doi:10.1002/sim.2324), with the variance raised by the design effect that a jackknife over units shows; a
  small sample that is perfectly separated has no spread to resample from, and bootstraps then hold the truth in
  half of the cohorts.
- The others take a jackknife over units and a t quantile on the scale where they are symmetric (log error, Fisher's
  z).
"""

from dataclasses import replace

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from neuroloom.seeds import generator
from neuroloom.validation.scores import score, weighted_scores
from neuroloom.validation.words import plural

LEVEL = 0.95
FEW_UNITS = 20  # below this many an interval is said to be rough
MOST_GROUPS = 500  # above this many units the jackknife leaves out groups of them
EDGE = 1e-9

# scale -> (to the line, back, derivative of the first)
_SCALES = {
    "positive": (np.log, np.exp, lambda value: 1 / value),
    "below_one": (lambda value: -np.log1p(-value), lambda z: -np.expm1(-z), lambda value: 1 / (1 - value)),
    "correlation": (np.arctanh, np.tanh, lambda value: 1 / (1 - value**2)),
    "line": (lambda value: value, lambda z: z, lambda value: 1.0),
}


def interval(metric, outcomes, level=LEVEL):
    """Return (low, high) of a metric over units; NaN where fewer than two units say anything."""
    value = score(metric, outcomes)
    if np.isnan(value) or outcomes.n_units < 2:
        return float("nan"), float("nan")
    variance = unit_variance(jackknife(metric, outcomes), outcomes)
    if metric.scale == "bounded":
        return _score_interval(metric, outcomes, value, variance, level)
    return _symmetric_interval(metric, outcomes, value, variance, level)


def rate_interval(counts, times, mutual=0.0, repeats=1, level=LEVEL):
    """Return (low, high) of a rate, counts over times, over units; NaN where there are fewer than two.

    The rates theta that a score test of a Poisson count does not reject: (rate - theta)^2 <= q^2 * effect * theta / time,
    with the variance raised by the design effect that a jackknife over units shows, and by pairs that are counted both ways.

    Parameters
    ----------
    counts, times : sequence of shape (n_units,)
        Of each unit, summed over repeats.
    mutual : float
        See `neuroloom.validation.outcomes.Outcomes.mutual`.
    repeats : int
        How often each unit was tested.
    """
    counts, times = np.asarray(counts, dtype=np.float64), np.asarray(times, dtype=np.float64)
    n_units = len(counts)
    if n_units < 2:
        return float("nan"), float("nan")
    rate, time = counts.sum() / times.sum(), times.sum() / repeats
    left_out = (counts.sum() - counts) / (times.sum() - times)
    spread = (n_units - 1) / n_units * ((left_out - left_out.mean()) ** 2).sum()
    effect = (1 + mutual) * max(1.0, spread * time / rate if rate else 1.0)
    half = stats.t.ppf((1 + level) / 2, n_units - 1) ** 2 * effect / (2 * time)
    root = np.sqrt(half**2 + 2 * half * rate)
    return float(rate + half - root), float(rate + half + root)


def difference_interval(metric, first, second, level=LEVEL):
    """Return (low, high) of first - second, two learners on the same folds and units.

    The jackknife leaves a unit out of both. Where one learner is perfect its own spread is 0 and says too little:
    then the two intervals are joined with their correlation (Zou 2007, doi:10.1037/1082-989X.12.4.399).
    """
    one, two = score(metric, first), score(metric, second)
    n_units = first.n_units
    if np.isnan(one - two) or n_units < 2:
        return float("nan"), float("nan")
    left, right = jackknife(metric, first), jackknife(metric, second)
    variances = [unit_variance(values, first) for values in (left, right, left - right)]
    if metric.scale == "bounded" and (_at_edge(one) or _at_edge(two)):
        return _joined(one, interval(metric, first, level), two, interval(metric, second, level), *variances)
    half = stats.t.ppf((1 + level) / 2, n_units - 1) * np.sqrt(variances[2])
    return float(one - two - half), float(one - two + half)


def jackknife(metric, outcomes):
    """Return the score with each unit (or, of many, each group of units) left out."""
    _, code = np.unique(outcomes.unit, return_inverse=True)
    n_units = int(code.max()) + 1
    if n_units > MOST_GROUPS:
        code = (generator(0, "jackknife").permutation(n_units) % MOST_GROUPS)[code]
        n_units = MOST_GROUPS
    return weighted_scores(metric, replace(outcomes, unit=code), 1.0 - np.eye(n_units))


def unit_variance(values, outcomes):
    """Return the variance from leave-one-out values, pairs that are counted twice allowed for.

    Undefined values are left aside.
    """
    values = values[~np.isnan(values)]
    n = len(values)
    if n < 2:
        return float("nan")
    return float((1 + outcomes.mutual) * (n - 1) / n * ((values - values.mean()) ** 2).sum())


def bootstrap(metric, outcomes, draws=2000, seed=0):
    """Return the score of each of many draws of units with replacement; undefined draws are left out."""
    _, code = np.unique(outcomes.unit, return_inverse=True)
    n_units = int(code.max()) + 1
    weight = generator(seed, "bootstrap").multinomial(n_units, np.full(n_units, 1 / n_units), size=draws)
    values = weighted_scores(metric, replace(outcomes, unit=code), weight.astype(np.float64))
    return values[~np.isnan(values)]


def percentile_interval(values, level=LEVEL):
    """Return the percentile interval of bootstrap values (kept to be compared with; it covers too little)."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bca_interval(values, value, left_out, level=LEVEL):
    """Return the bias-corrected and accelerated interval (Efron 1987, doi:10.1080/01621459.1987.10478410)."""
    below = np.mean(values < value) + np.mean(values == value) / 2
    shift = stats.norm.ppf(np.clip(below, 0.5 / len(values), 1 - 0.5 / len(values)))
    lean = np.nanmean(left_out) - left_out[~np.isnan(left_out)]
    spread = (lean**2).sum() ** 1.5
    acceleration = (lean**3).sum() / (6 * spread) if spread > 0 else 0.0
    z = shift + stats.norm.ppf([(1 - level) / 2, (1 + level) / 2])
    low, high = np.quantile(values, stats.norm.cdf(shift + z / (1 - acceleration * z)))
    return float(low), float(high)


def estimand(metric, unit):
    """Return in plain words what the value and its interval are about."""
    return f"{metric.estimand}; for new {plural(unit, 2)} like these, the learners of these folds held fixed"


def _score_interval(metric, outcomes, value, variance, level):
    """Return the values theta with (value - theta)^2 <= q^2 * design effect * theta (1 - theta) / n(theta)."""
    counts = _class_counts(outcomes)
    effect = _design_effect(metric, outcomes, counts, value, variance)
    n_units, one_each = outcomes.n_units, _samples_per_unit(outcomes) == 1
    quantile = stats.norm.ppf((1 + level) / 2) if one_each else stats.t.ppf((1 + level) / 2, n_units - 1)

    def outside(theta):
        return (value - theta) ** 2 - quantile**2 * effect * theta * (1 - theta) / metric.informative(counts, theta)

    low = 0.0 if value <= 2 * EDGE or outside(EDGE) <= 0 else brentq(outside, EDGE, value - EDGE)
    high = 1.0 if value >= 1 - 2 * EDGE or outside(1 - EDGE) <= 0 else brentq(outside, value + EDGE, 1 - EDGE)
    return float(low), float(high)


def _design_effect(metric, outcomes, counts, value, variance):
    """Return how many times the variance is that of independent samples tested once.

    A perfect score shows no spread, so the samples of a unit are then taken to be all alike.
    """
    least = 1 + outcomes.mutual
    if _at_edge(value):
        return least * _samples_per_unit(outcomes)
    return max(least, variance * metric.informative(counts, value) / (value * (1 - value)))


def _samples_per_unit(outcomes):
    return len(np.unique(outcomes.sample)) / outcomes.n_units


def _class_counts(outcomes):
    """Return the samples of each class in each fold of the first repeat, shape (n_folds, n_classes)."""
    n_classes = outcomes.prediction.shape[1]
    first = outcomes.repeat.min()
    parts = [part for repeat, _, part in outcomes.cells() if repeat == first]
    return np.stack([np.bincount(outcomes.truth[part], minlength=n_classes) for part in parts])


def _symmetric_interval(metric, outcomes, value, variance, level):
    to_line, back, slope = _SCALES[metric.scale]
    with np.errstate(divide="ignore", invalid="ignore"):  # a value at or beyond the end of its scale
        centre = to_line(value)
    if not np.isfinite(centre):  # no error at all, or a correlation of 1: nothing to measure a spread by
        return float("nan"), float("nan")
    half = stats.t.ppf((1 + level) / 2, outcomes.n_units - 1) * np.sqrt(variance) * slope(value)
    return float(back(centre - half)), float(back(centre + half))


def _at_edge(value):
    return value <= EDGE or value >= 1 - EDGE


def _joined(one, first, two, second, variance_one, variance_two, variance_difference):
    """Return the interval of a difference from two intervals and their correlation (MOVER)."""
    both = np.sqrt(variance_one * variance_two)
    covariance = (variance_one + variance_two - variance_difference) / 2
    correlation = np.clip(covariance / both, -1, 1) if both > 0 else 0.0

    def joint(a, b):
        return np.sqrt(max(a**2 + b**2 - 2 * correlation * a * b, 0.0))

    low = one - two - joint(one - first[0], second[1] - two)
    high = one - two + joint(first[1] - one, two - second[0])
    return float(low), float(high)


def scored(metric, outcomes, unit="participant"):
    """Return the entry of ``metrics.json``: value, interval, number of units, estimand."""
    return {
        "value": score(metric, outcomes),
        "interval": list(interval(metric, outcomes)),
        "n_units": outcomes.n_units,
        "estimand": estimand(metric, unit),
    }
