"""How often the nominal 95 % interval holds the true score, by method, metric and number of people.

    python studies/interval_coverage.py --cohorts 1000 --out studies/interval_coverage.json

Scores are drawn from models whose true score is a closed form, put into test folds and units, and each method makes
its interval. A method that is honest holds the truth in 95 % of the cohorts; what it misses is the reader's loss.
"""

import argparse
import json
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import stats

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
    truth: float
    paired: bool = False


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


def _outcomes(truth, prediction, fold, unit, references, classes):
    n = len(truth)
    return Outcomes(truth, prediction, np.zeros(n, int), fold, unit, np.arange(n), references, classes)


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
)


def methods(scenario, drawn, seed):
    """Return {method: (low, high)} for one cohort."""
    metric = scenario.metric
    if scenario.paired:
        values = bootstrap(metric, drawn[0], DRAWS, seed) - bootstrap(metric, drawn[1], DRAWS, seed)
        return {"ours": difference_interval(metric, *drawn), "percentile": percentile_interval(values)}
    values = bootstrap(metric, drawn, DRAWS, seed)
    return {
        "ours": interval(metric, drawn),
        "percentile": percentile_interval(values),
        "bca": bca_interval(values, score(metric, drawn), jackknife(metric, drawn)),
    }


def coverage(scenario, n, cohorts, seed=0, only=None):
    """Return {method: {"coverage", "width"}} over cohorts of n people."""
    held, wide = {}, {}
    for cohort in range(cohorts):
        drawn = scenario.draw(generator(seed, scenario.name, n, cohort), n)
        made = only(scenario, drawn) if only else methods(scenario, drawn, cohort)
        for name, (low, high) in made.items():
            held.setdefault(name, []).append(low - 1e-12 <= scenario.truth <= high + 1e-12)
            wide.setdefault(name, []).append(high - low)
    return {name: {"coverage": float(np.mean(held[name])), "width": float(np.nanmean(wide[name]))} for name in held}


def ours(scenario, drawn):
    """Return the package's own interval alone (what the tests run)."""
    made = difference_interval(scenario.metric, *drawn) if scenario.paired else interval(scenario.metric, drawn)
    return {"ours": made}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    started, table = time.time(), []
    for scenario in SCENARIOS:
        for n in SIZES:
            found = coverage(scenario, n, given.cohorts, given.seed)
            table.append({"scenario": scenario.name, "n": n, "truth": float(scenario.truth), "methods": found})
            shown = "  ".join(f"{name} {cell['coverage']:.3f} ({cell['width']:.2f})" for name, cell in found.items())
            print(f"{scenario.name:40} n={n:4}  {shown}", flush=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    told = {"nominal": 0.95, "cohorts": given.cohorts, "draws": DRAWS, "seed": given.seed}
    told |= {"commit": commit.stdout.strip(), "seconds": round(time.time() - started), "results": table}
    given.out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
