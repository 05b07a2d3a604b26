"""Cohorts in which nothing is there: is p uniform, and does the interval hold chance?

    python studies/null_cohorts.py --cohorts 1000 --out studies/null_cohorts.json

Features are noise, learners are really fitted in every fold (ridge regression; also a small network and a forest),
and the test is made as a run makes it. Under the null p must be uniform: 5 % of cohorts below 0.05.

In two studies sites differ in their features and in their share of patients. A learner can tell the sites, so its AUC
is above 0.5, but among people of one site it knows nothing: p within fold and site must not reject, p without regard
to the site does.
"""

import argparse
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from study_record import commit, write

from neuroloom.cohort.exchange import Exchangeable
from neuroloom.metrics.discrimination import auc
from neuroloom.metrics.regression import mae
from neuroloom.seeds import generator
from neuroloom.validation.intervals import interval
from neuroloom.validation.outcomes import Outcomes
from neuroloom.validation.permutation import permutation_null, refit_null
from neuroloom.validation.scores import score

N_FEATURES = 20
N_FOLDS = 5


@dataclass(frozen=True)
class Null:
    """One kind of cohort without an effect, and how its p is made."""

    name: str
    n: int = 60
    kind: str = "class"
    repeats: int = 1
    visits: int = 1
    method: str = "permute"  # permute, permute_ignoring_site, permute_pairs_once, refit
    n_sites: int = 1
    uniform: bool = True  # what is expected
    learner: str = "ridge"
    share: float = 1.0  # of the cohorts asked for: some learners are slow


STUDIES = (
    Null("AUC, predictions permuted"),
    Null("AUC, predictions permuted, 3 repeats", repeats=3),
    Null("AUC, permuted without allowing for pairs counted twice", method="permute_pairs_once", uniform=False),
    Null("AUC, two visits a person", visits=2),
    Null("AUC, labels shuffled and refitted", method="refit"),
    Null("AUC, a network, predictions permuted", learner="network", share=0.4),
    Null("AUC, a forest, predictions permuted", learner="forest", share=0.4),
    Null("MAE, predictions permuted", kind="number"),
    Null("MAE, labels shuffled and refitted", kind="number", method="refit"),
    Null("AUC, sites differ, permuted within site", n=120, n_sites=3),
    Null(
        "AUC, sites differ, permuted without regard to site",
        n=120,
        n_sites=3,
        method="permute_ignoring_site",
        uniform=False,
    ),
)


def cohort(null, rng):
    """Return features (n_samples, n_features), truth, site and person of a cohort without an effect inside sites."""
    site = np.arange(null.n) % null.n_sites
    if null.kind == "class":
        share = np.linspace(0.25, 0.75, null.n_sites) if null.n_sites > 1 else np.array([0.5])
        rank = np.array([np.sum(site[:i] == site[i]) for i in range(null.n)]) / np.bincount(site)[site]
        truth = (rank < share[site]).astype(np.int64)
        for here in range(null.n_sites):
            members = np.flatnonzero(site == here)
            truth[members] = rng.permutation(truth[members])
    else:
        truth = 50 + 15 * rng.standard_normal(null.n)
    person = np.repeat(np.arange(null.n), null.visits)
    own = rng.standard_normal((null.n, N_FEATURES))[person]
    features = own + 0.5 * rng.standard_normal((len(person), N_FEATURES))
    features += 2.0 * rng.standard_normal((null.n_sites, N_FEATURES))[site[person]] * (null.n_sites > 1)
    return features, truth[person], site[person], person


def out_of_fold(features, truth, person, folds, learner="ridge"):
    """Return `Outcomes` of a learner fitted in every fold of every repeat (``folds``: by repeat and person)."""
    parts = []
    for repeat, fold_of_person in enumerate(folds):
        fold = fold_of_person[person]
        prediction = np.empty(len(truth))
        for k in range(N_FOLDS):
            fit, test = fold != k, fold == k
            prediction[test] = LEARNERS[learner](features[fit], truth[fit], features[test])
        parts.append((prediction, np.full(len(truth), repeat), fold))
    prediction, repeat, fold = (np.concatenate(part) for part in zip(*parts, strict=True))
    tiled, sample = np.tile(truth, len(folds)), np.tile(np.arange(len(truth)), len(folds))
    references = {}
    fitted = {(r, k): folds[r][person] != k for r in range(len(folds)) for k in range(N_FOLDS)}
    if truth.dtype.kind == "i":
        probability = np.clip(prediction, 0.001, 0.999)
        prediction, classes = np.column_stack([1 - probability, probability]), ("control", "patient")
    else:
        classes = ()
        references = {fold_of: truth[mask] for fold_of, mask in fitted.items()}
    return Outcomes(tiled, prediction, repeat, fold, np.tile(person, len(folds)), sample, references, classes, fitted)


def ridge(features, target, new, strength=20.0):
    centre, mean = features.mean(axis=0), target.mean()
    x = features - centre
    beta = np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ (target - mean))
    return mean + (new - centre) @ beta


def network(features, target, new):
    """Return the probability of class 1 from one hidden layer of 16 units."""
    model = MLPClassifier((16,), alpha=0.01, learning_rate_init=0.01, max_iter=100, random_state=0)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return model.fit(features, target).predict_proba(new)[:, 1]


def forest(features, target, new):
    """Return the probability of class 1 from thirty trees."""
    model = RandomForestClassifier(30, min_samples_leaf=3, random_state=0)
    return model.fit(features, target).predict_proba(new)[:, 1]


LEARNERS = {"ridge": ridge, "network": network, "forest": forest}


def draw_folds(null, truth_of_person, rng):
    """Return folds by person for each repeat, stratified by class."""
    folds = np.empty((null.repeats, null.n), dtype=int)
    groups = truth_of_person if null.kind == "class" else np.zeros(null.n)
    for repeat in range(null.repeats):
        for value in np.unique(groups):
            members = rng.permutation(np.flatnonzero(groups == value))
            folds[repeat, members] = (np.arange(len(members)) + rng.integers(N_FOLDS)) % N_FOLDS
    return folds


def one_cohort(null, draws, rng):
    """Return the score, its interval and its p for one cohort."""
    metric = auc if null.kind == "class" else mae
    features, truth, site, person = cohort(null, rng)
    of_person = truth[np.unique(person, return_index=True)[1]]
    folds = draw_folds(null, of_person, rng)
    outcomes = out_of_fold(features, truth, person, folds, null.learner)
    if null.method == "refit":

        def refit(seed):
            shuffled = generator(seed, "labels").permutation(of_person)
            return out_of_fold(features, shuffled[person], person, draw_folds(null, shuffled, generator(seed)))

        p = refit_null(metric, score(metric, outcomes), refit, draws, int(rng.integers(2**31))).p
    else:
        if null.method == "permute_pairs_once":
            outcomes = replace(outcomes, fitted={})
        told = np.zeros_like(site) if null.method == "permute_ignoring_site" else site
        p = permutation_null(metric, outcomes, Exchangeable(person, told, "site"), draws, int(rng.integers(2**31))).p
    return score(metric, outcomes), interval(metric, outcomes), p


def study(null, cohorts, draws=99, seed=0):
    """Return p values, their distance from uniform, rejections, and how often the interval holds chance (AUC)."""
    found = [one_cohort(null, draws, generator(seed, null.name, number)) for number in range(cohorts)]
    scores, intervals, p = (np.array(column) for column in zip(*found, strict=True))
    spread = (p * (draws + 1) - generator(seed, "spread").random(cohorts)) / (draws + 1)  # p comes in steps
    told = {"mean_score": float(scores.mean()), "rejected_at_0.05": float(np.mean(p <= 0.05))}
    told |= {"rejected_at_0.20": float(np.mean(p <= 0.2)), "ks_p": float(stats.kstest(spread, "uniform").pvalue)}
    if null.kind == "class":
        told["interval_holds_chance"] = float(np.mean((intervals[:, 0] <= 0.5) & (intervals[:, 1] >= 0.5)))
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=99)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given, at = parser.parse_args(), commit()
    started, table = time.time(), []
    for null in STUDIES:
        cohorts = round(given.cohorts * null.share)
        found = study(null, cohorts, given.draws, given.seed)
        table.append({"study": null.name, "cohorts": cohorts, "uniform_expected": null.uniform, **found})
        print(f"{null.name:55} " + "  ".join(f"{key} {value:.3f}" for key, value in found.items()), flush=True)
    told = {"draws": given.draws, "seed": given.seed, "commit": at}
    told |= {"seconds": round(time.time() - started), "results": table}
    write(given.out, told)


if __name__ == "__main__":
    main()
