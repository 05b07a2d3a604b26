"""How often the nominal 95 % interval holds the true score, by method, metric and number of people.

    python studies/interval_coverage.py --cohorts 1000 --out studies/interval_coverage.json

First, predictions are drawn from laws whose true score is a closed form, put into test folds and units. Then ridge
regressions are really fitted in five folds on normal features, so that the true score of each fold's learner is a
closed form too; there ``pairs once`` is our interval without the allowance for pairs of people that cross-validation
counts twice. A method that is honest holds the truth in at least 95 % of the cohorts.
"""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import stats
from study_record import commit, write

from neuroloom.metrics.decision import accuracy, balanced_accuracy
from neuroloom.metrics.discrimination import auc
from neuroloom.metrics.regression import mae, pearson, r2
from neuroloom.seeds import generator
from neuroloom.validation.intervals import (
    bca_interval,
    bootstrap,
    difference_interval,
    interval,
    jackknife,
    percentile_interval,
)
from neuroloom.validation.outcomes import Outcomes
from neuroloom.validation.scores import score

SIZES = (12, 40, 160, 500)
DRAWS = 500
AGE_SD, ERROR = 17.3, 8.0  # years


@dataclass(frozen=True)
class Scenario:
    """One way of drawing cohorts, the metric, and its true value."""

    name: str
    metric: object
    draw: object  # draw(rng, n) -> Outcomes, or a pair of them for a difference
    truth: float | None = None  # None: the draw returns (outcomes, truth), as every cohort has its own learners
    paired: bool = False
    sizes: tuple = SIZES


def separation(area):
    """Return the distance of two unit normals with this AUC."""
    return np.sqrt(2) * stats.norm.ppf(area)


def share_right(area):
    """Return the share right of the best threshold between them."""
    return float(stats.norm.cdf(separation(area) / 2))


def two_classes(rng, n, area=0.75, positives=0.5, samples=1, shift=0.0):
    """Return outcomes of n people in stratified folds; scores of a fold are shifted together by ``shift`` SD."""
    n_positive = max(2, round(n * positives))
    truth = np.arange(n) < n_positive
    fold = stratified_folds(rng, truth, min(5, n // 4))
    person = np.repeat(np.arange(n), samples)
    latent = rng.standard_normal(n)[person]
    if samples > 1:  # the samples of a person agree, r = 0.6
        latent = np.sqrt(0.6) * latent + np.sqrt(0.4) * rng.standard_normal(len(person))
    latent = (
        latent + separation(area) * (truth[person] - 0.5) + shift * rng.standard_normal(fold.max() + 1)[fold[person]]
    )
    return class_outcomes(truth[person].astype(int), latent, fold[person], person)


def stratified_folds(rng, truth, n_folds):
    fold = np.empty(len(truth), dtype=int)
    for value in (True, False):
        members = rng.permutation(np.flatnonzero(truth == value))
        fold[members] = np.arange(len(members)) % n_folds
    return fold


def class_outcomes(truth, latent, fold, unit):
    probability = 1 / (1 + np.exp(-latent))
    prediction = np.column_stack([1 - probability, probability])
    return _outcomes(truth, prediction, fold, unit, {}, ("control", "patient"))


def numbers(rng, n, heavy=False, samples=1):
    """Return outcomes of ages whose errors are normal (or t with 4 degrees of freedom), SD or scale ERROR."""
    person = np.repeat(np.arange(n), samples)
    fold = rng.permutation(np.arange(n) % min(5, n // 4))
    age = 50 + AGE_SD * rng.standard_normal(n)[person]
    error = rng.standard_t(4, len(person)) if heavy else rng.standard_normal(len(person))
    if samples > 1:
        error = np.sqrt(0.6) * rng.standard_normal(n)[person] + np.sqrt(0.4) * error
    references = {(0, k): np.array([50.0]) for k in range(fold.max() + 1)}
    return _outcomes(age, age + ERROR * error, fold[person], person, references, ())


def sites(rng, n, area=0.75, per_site=20, alike=0.1):
    """Return outcomes whose unit is the site: n // per_site sites (at least 3), shares right from a beta law."""
    n_sites = max(3, n // per_site)
    p, k = share_right(area), (1 - alike) / alike
    right_here = rng.beta(p * k, (1 - p) * k, n_sites)
    site = np.repeat(np.arange(n_sites), per_site)
    truth = rng.integers(0, 2, len(site))
    right = rng.random(len(site)) < right_here[site]
    return class_outcomes(truth, np.where(right, 1, -1) * (2 * truth - 1.0), site, site)


def pair(rng, n, areas=(0.9, 0.8), alike=0.5):
    """Return the outcomes of two learners whose scores correlate within a class."""
    base = two_classes(rng, n)
    first = rng.standard_normal(n)
    second = alike * first + np.sqrt(1 - alike**2) * rng.standard_normal(n)
    return [
        class_outcomes(base.truth, noise + separation(area) * (base.truth - 0.5), base.fold, base.unit)
        for noise, area in zip((first, second), areas, strict=True)
    ]


def pair_of_errors(rng, n, sizes=(8.0, 6.0), alike=0.7):
    base = numbers(rng, n)
    first = rng.standard_normal(n)
    second = alike * first + np.sqrt(1 - alike**2) * rng.standard_normal(n)
    return [replace(base, prediction=base.truth + size * e) for size, e in zip(sizes, (first, second), strict=True)]


def _outcomes(truth, prediction, fold, unit, references, classes, fitted=None):
    n = len(truth)
    return Outcomes(truth, prediction, np.zeros(n, int), fold, unit, np.arange(n), references, classes, fitted or {})


@dataclass(frozen=True)
class Linear:
    """A ridge regression: prediction = offset + features @ weights."""

    offset: float
    weights: np.ndarray

    def __call__(self, features):
        return self.offset + features @ self.weights


def ridge(features, target, strength):
    centre, mean = features.mean(axis=0), target.mean()
    x = features - centre
    weights = np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ (target - mean))
    return Linear(mean - centre @ weights, weights)


def effect(n_features, size):
    """Return the difference of means (n_features,), of length ``size``, spread over five features."""
    direction = np.zeros(n_features)
    direction[:5] = size / np.sqrt(5)
    return direction


def cross_validated(features, target, fold, strength):
    """Return out-of-fold predictions and the learners of the folds."""
    learners = [ridge(features[fold != k], target[fold != k], strength) for k in range(fold.max() + 1)]
    prediction = np.empty(len(target))
    for k, learner in enumerate(learners):
        prediction[fold == k] = learner(features[fold == k])
    return prediction, learners, {(0, k): fold != k for k in range(fold.max() + 1)}


def fitted_classes(rng, n, n_features=20, size=1.0, strengths=(20.0,), true_score=None):
    """Return outcomes of ridge classifiers fitted in five folds, and the mean true score of their learners."""
    mean = effect(n_features, size)
    truth = np.arange(n) % 2
    features = rng.standard_normal((n, n_features)) + np.outer(truth - 0.5, mean)
    fold = stratified_folds(rng, truth == 1, 5)
    drawn, scores = [], []
    for strength in strengths:
        prediction, learners, fitted = cross_validated(features, truth, fold, strength)
        probability = np.clip(prediction, 0.001, 0.999)
        both = np.column_stack([1 - probability, probability])
        drawn.append(_outcomes(truth, both, fold, np.arange(n), {}, ("control", "patient"), fitted))
        scores.append(np.mean([true_score(learner, mean) for learner in learners]))
    return (drawn[0], scores[0]) if len(strengths) == 1 else (drawn, scores[0] - scores[1])


def true_auc(learner, mean):
    return stats.norm.cdf(learner.weights @ mean / np.linalg.norm(learner.weights) / np.sqrt(2))


def true_accuracy(learner, mean):
    spread = np.linalg.norm(learner.weights)
    above = [(learner.offset + sign * learner.weights @ mean / 2 - 0.5) / spread for sign in (-1, 1)]
    return (stats.norm.cdf(-above[0]) + stats.norm.cdf(above[1])) / 2


def fitted_numbers(rng, n, n_features=20, size=1.0, strength=20.0):
    """Return outcomes of ridge regressions on age fitted in five folds, and the mean true error of their learners."""
    scale = AGE_SD / np.sqrt(1 + size**2)
    slope = scale * effect(n_features, size)
    features = rng.standard_normal((n, n_features))
    age = 50 + features @ slope + scale * rng.standard_normal(n)
    fold = rng.permutation(np.arange(n) % 5)
    prediction, learners, fitted = cross_validated(features, age, fold, strength)
    references = {key: age[mask] for key, mask in fitted.items()}
    error = np.mean([true_error(learner, slope, scale) for learner in learners])
    return _outcomes(age, prediction, fold, np.arange(n), references, (), fitted), error


def true_error(learner, slope, scale):
    """Return the mean of a folded normal: the error of a linear learner on normal features."""
    shift, spread = 50 - learner.offset, np.sqrt(((slope - learner.weights) ** 2).sum() + scale**2)
    bent = spread * np.sqrt(2 / np.pi) * np.exp(-(shift**2) / (2 * spread**2))
    return bent + shift * (1 - 2 * stats.norm.cdf(-shift / spread))


def _with(draw, **arguments):
    return lambda rng, n: draw(rng, n, **arguments)


MEAN_ERROR = ERROR * np.sqrt(2 / np.pi)
MEAN_HEAVY = ERROR * 1.0  # the mean of |t| with 4 degrees of freedom is 1
CORRELATION = AGE_SD / np.hypot(AGE_SD, ERROR)
SCENARIOS = (
    Scenario("AUC 0.60, folds shifted", auc, _with(two_classes, area=0.6, shift=0.5), 0.6),
    Scenario("AUC 0.75, folds shifted", auc, _with(two_classes, area=0.75, shift=0.5), 0.75),
    Scenario("AUC 0.90, folds shifted", auc, _with(two_classes, area=0.9, shift=0.5), 0.9),
    Scenario("AUC 0.90, a quarter positive", auc, _with(two_classes, area=0.9, positives=0.25), 0.9),
    Scenario("AUC 0.75, two samples a person", auc, _with(two_classes, area=0.75, samples=2), 0.75),
    Scenario("accuracy 0.68", accuracy, _with(two_classes, area=0.75), share_right(0.75)),
    Scenario("accuracy 0.82", accuracy, _with(two_classes, area=0.9), share_right(0.9)),
    Scenario("accuracy 0.68, two samples a person", accuracy, _with(two_classes, samples=2), share_right(0.75)),
    Scenario("accuracy 0.68, unit is the site", accuracy, sites, share_right(0.75)),
    Scenario(
        "balanced accuracy 0.82, 30 % positive",
        balanced_accuracy,
        _with(two_classes, area=0.9, positives=0.3),
        share_right(0.9),
    ),
    Scenario("MAE, normal errors", mae, numbers, MEAN_ERROR),
    Scenario("MAE, heavy tails (t4)", mae, _with(numbers, heavy=True), MEAN_HEAVY),
    Scenario("MAE, two samples a person", mae, _with(numbers, samples=2), MEAN_ERROR),
    Scenario("R2", r2, numbers, 1 - (ERROR / AGE_SD) ** 2),
    Scenario("correlation", pearson, numbers, CORRELATION),
    Scenario("difference of AUC 0.90 and 0.80", auc, pair, 0.1, paired=True),
    Scenario("difference of AUC 0.75 and 0.75", auc, _with(pair, areas=(0.75, 0.75), alike=0.7), 0.0, paired=True),
    Scenario("difference of accuracy", accuracy, pair, share_right(0.9) - share_right(0.8), paired=True),
    Scenario("difference of MAE", mae, pair_of_errors, 2 * np.sqrt(2 / np.pi), paired=True),
    *(
        Scenario(
            f"fitted: AUC, {n_features} features, effect {size:g}",
            auc,
            _with(fitted_classes, n_features=n_features, size=size, true_score=true_auc, strengths=(n_features,)),
            sizes=(40, 160, 500),
        )
        for n_features, size in ((20, 0.0), (20, 1.0), (20, 3.0), (200, 0.0), (200, 2.0))
    ),
    Scenario(
        "fitted: accuracy, 200 features, effect 2",
        accuracy,
        _with(fitted_classes, n_features=200, size=2.0, true_score=true_accuracy, strengths=(200.0,)),
        sizes=(40, 160, 500),
    ),
    Scenario("fitted: MAE, 20 features, effect 1", mae, fitted_numbers, sizes=(40, 160, 500)),
    Scenario(
        "fitted: MAE, 200 features, effect 2",
        mae,
        _with(fitted_numbers, n_features=200, size=2.0, strength=200.0),
        sizes=(40, 160, 500),
    ),
    Scenario(
        "fitted: difference of AUC of two ridges",
        auc,
        _with(fitted_classes, n_features=200, size=2.0, true_score=true_auc, strengths=(200.0, 2000.0)),
        paired=True,
        sizes=(40, 160, 500),
    ),
)


def methods(scenario, drawn, seed):
    """Return {method: (low, high)} for one cohort."""
    metric, pairs_once = scenario.metric, {}
    if scenario.paired:
        values = bootstrap(metric, drawn[0], DRAWS, seed) - bootstrap(metric, drawn[1], DRAWS, seed)
        if drawn[0].fitted:
            pairs_once = {"pairs once": difference_interval(metric, *(replace(one, fitted={}) for one in drawn))}
        return {**ours(scenario, drawn), **pairs_once, "percentile": percentile_interval(values)}
    values = bootstrap(metric, drawn, DRAWS, seed)
    if drawn.fitted:
        pairs_once = {"pairs once": interval(metric, replace(drawn, fitted={}))}
    bca = bca_interval(values, score(metric, drawn), jackknife(metric, drawn))
    return {**ours(scenario, drawn), **pairs_once, "percentile": percentile_interval(values), "bca": bca}


def ours(scenario, drawn, seed=None):
    """Return the package's own interval alone (what the tests run)."""
    made = difference_interval(scenario.metric, *drawn) if scenario.paired else interval(scenario.metric, drawn)
    return {"ours": made}


def coverage(scenario, n, cohorts, seed=0, make=methods):
    """Return {method: {"coverage", "width"}} over cohorts of n people."""
    held, wide = {}, {}
    for cohort in range(cohorts):
        drawn, truth = scenario.draw(generator(seed, scenario.name, n, cohort), n), scenario.truth
        if truth is None:
            drawn, truth = drawn
        for name, (low, high) in make(scenario, drawn, cohort).items():
            held.setdefault(name, []).append(low - 1e-12 <= truth <= high + 1e-12)
            wide.setdefault(name, []).append(high - low)
    return {name: {"coverage": float(np.mean(held[name])), "width": float(np.nanmean(wide[name]))} for name in held}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given, at = parser.parse_args(), commit()
    started, table = time.time(), []
    for scenario in SCENARIOS:
        for n in scenario.sizes:
            found = coverage(scenario, n, given.cohorts, given.seed)
            table.append({"scenario": scenario.name, "n": n, "methods": found})
            shown = "  ".join(f"{name} {cell['coverage']:.3f} ({cell['width']:.2f})" for name, cell in found.items())
            print(f"{scenario.name:40} n={n:4}  {shown}", flush=True)
    told = {"nominal": 0.95, "cohorts": given.cohorts, "draws": DRAWS, "seed": given.seed}
    told |= {"commit": at, "seconds": round(time.time() - started), "results": table}
    write(given.out, told)


if __name__ == "__main__":
    main()
