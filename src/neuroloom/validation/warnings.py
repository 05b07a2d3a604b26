"""What a reader must know before believing a number: one short text each."""

import numpy as np
import pandas as pd

from neuroloom.errors import listed
from neuroloom.validation.confounds import association_of
from neuroloom.validation.intervals import FEW_UNITS
from neuroloom.validation.sentence import ERRORS, best_of, number, too_small
from neuroloom.validation.words import WHO_UNKNOWN, plural

RARE = 0.2  # share of a class below which accuracy alone misleads
TOO_GOOD = {"auc": 0.99, "balanced_accuracy": 0.98, "accuracy": 0.98, "pearson": 0.98, "r2": 0.95}
UNLIKELY = 0.01  # p of an association, over the number of columns tested
STRONG = 0.1  # share of variance (Cramer's V squared, R squared) from which an association is worth a line
NAMES_SITE = 0.95  # share of people whose site a column tells


def warnings_of(report, tested, setting):
    """Return the warnings of a run, the gravest first.

    Parameters
    ----------
    report : dict
        ``metrics.json`` so far.
    tested : Tested
    setting : Setting
    """
    truth = _truth_by_sample(tested)
    checks = [
        _unknown(report),
        _too_good(report),
        _small(report),
        _one_sided(report),
        _goes_with_target(tested, setting, truth),
        _names_the_site(tested, setting),
        _follows_confounds(report),
        _folds_without(report),
        _no_null(report),
        _unequal(report, tested),
        _unseen(report),
        _gaps(report),
        _uncalibrated(report),
        _corrected(report),
    ]
    return [text for texts in checks for text in texts]


def _subject(report):
    return report["learners"][report["deep"]]


def _unknown(report):
    if report["identity"] == "known":
        return []
    return [
        f"{WHO_UNKNOWN[:1].upper()}{WHO_UNKNOWN[1:]}: one person may be on both sides of it under two names, and the score says "
        "nothing of new people."
    ]


def _too_good(report):
    texts = []
    for name, learner in report["learners"].items():
        for metric, least in TOO_GOOD.items():
            value = (learner["scores"].get(metric) or {"value": None})["value"]
            if value is not None and value >= _believable(report, metric, least):
                texts.append(f"{name}: {metric} {value:.3f}. A number this good is a leak until shown otherwise.")
                break
    return texts


def _believable(report, metric, least):
    """A simulated cohort says itself how good a score can be; a little more may be luck.

    Of accuracy, what is meant for two equal classes holds for the way that is left above always saying the commonest.
    """
    if metric == "accuracy":
        commonest = max(0.5, (report["chance"] or {}).get(metric) or 0.5)
        least = commonest + (1 - commonest) * (2 * least - 1)
    ceiling = (report["ceiling"] or {}).get(metric)
    return least if ceiling is None else max(least, min(ceiling + 0.02, 1.01))


def _small(report):
    why = too_small(report)
    n, name = report["unit"]["n"], report["unit"]["name"]
    texts = [why[:1].upper() + why[1:] + "."] if why else []
    if n < FEW_UNITS:
        texts.append(f"{n} {plural(name, n)}: intervals of so few are rough.")
    return texts


def _one_sided(report):
    texts = []
    if best_of(report, "baseline") is None:
        texts.append("No baseline stands beside the network, so what depth adds is unknown.")
    if best_of(report, "confounds") is None:
        texts.append("What the confounds alone predict was not asked.")
    return texts


def _goes_with_target(tested, setting, truth):
    """Site and confounds that go with the target: a learner may read them instead of the brain."""
    columns = list(dict.fromkeys([*(["site"] if setting.has_site else []), *setting.confounds]))
    people, first = tested.people, _first_samples(tested)
    texts = []
    for column in columns:
        values = people[column].to_numpy()[first]
        p, test, shared = association_of(values, truth[first])
        if p < UNLIKELY / len(columns) and shared >= STRONG:
            texts.append(
                f"{column} and {setting.tested.target} go together in this cohort ({test}, p = {p:.1g}): a learner may "
                f"read {column}. Compare with what the confounds alone predict."
            )
    return texts


def _names_the_site(tested, setting):
    if not setting.has_site or tested.people["site"].nunique() < 2:
        return []
    people = tested.people.iloc[_first_samples(tested)]
    commonest = people["site"].value_counts(normalize=True).iloc[0]
    texts = []
    for column in setting.confounds:
        if column == "site" or people[column].nunique() > len(people) / 3 or people[column].isna().all():
            continue
        counts = pd.crosstab(people[column], people["site"]).to_numpy()
        told = counts.max(axis=1).sum() / counts.sum()
        if told >= NAMES_SITE and told > commonest + (1 - commonest) / 2:
            texts.append(f"{column} names the site of {told:.0%} of the people: whoever sees it sees the site.")
    return texts


def _follows_confounds(report):
    tests = _subject(report)["confounds"]
    texts = []
    for column, test in tests.items():
        if test["p"] is not None and test["p"] < UNLIKELY / len(tests) and test["partial_r2"] >= STRONG / 2:
            texts.append(
                f"Among people of the same {report['target']['name']} the prediction of {report['deep']} follows "
                f"{column} ({test['partial_r2']:.0%} of what is left, p = {test['p']:.1g})."
            )
    return texts


def _folds_without(report):
    rows = [row for row in _subject(report)["per_fold"] if row["note"]]
    if not rows:
        return []
    named = listed([f"{row['repeat']}-{row['fold']} ({row['note']})" for row in rows], 4)
    return [f"{len(rows)} of {len(_subject(report)['per_fold'])} test folds give no full score: {named}."]


def _no_null(report):
    null = _subject(report)["null"]
    if null is None:
        return ["No permutation test was made."]
    return [f"No permutation p: {null['note']}."] if null["p"] is None else []


def _unequal(report, tested):
    if report["task"] != "classify":
        return []
    truth = tested.outcomes[report["deep"]].truth
    counts = np.bincount(truth, minlength=len(report["target"]["classes"]))
    share = counts.min() / counts.sum()
    if share >= RARE and (len(counts) == 2 or counts.max() < 3 * counts.min()):
        return []
    repeats = report["split"]["repeats"]
    told = ", ".join(
        f"{count // repeats} {name}" for name, count in zip(report["target"]["classes"], counts, strict=True)
    )
    return [
        f"Classes are unequal ({told}): always saying the commonest is right in {counts.max() / counts.sum():.0%}; "
        "read balanced accuracy and AUC."
    ]


def _unseen(report):
    subject = _subject(report)
    seen, unseen = subject["seen_sites"], subject["unseen_sites"]
    if not seen or not unseen:
        return (
            []
            if unseen or not subject["per_site"] or len(subject["per_site"]) < 2
            else ["Every test site was also trained on: nothing is known about new sites."]
        )
    values = [part[report["primary"]]["value"] for part in (seen, unseen)]
    if None in values:
        return []
    return [f"At sites seen in training {number(report, values[0])}, at unseen ones {number(report, values[1])}."]


def _gaps(report):
    texts = []
    for column, gaps in _subject(report)["gaps"].items():
        gap = gaps[report["primary"]]
        if gap is None or gap["interval"][0] is None or gap["interval"][0] <= 0:
            continue
        best, worst = (gap["low"], gap["high"]) if report["primary"] in ERRORS else (gap["high"], gap["low"])
        texts.append(f"{column}: worse for {worst} than for {best}, by {number(report, gap['value'])}.")
    return texts


def _uncalibrated(report):
    calibration = _subject(report)["calibration"]
    low, high = calibration["slope"]["interval"]
    texts = []
    if low is not None and report["task"] == "classify" and (high < 1 or low > 1):
        said = "too sure of itself" if high < 1 else "not sure enough"
        slope = calibration["slope"]["value"]
        texts.append(f"{report['deep']} is {said}: calibration slope {slope:.2f} ({low:.2f} to {high:.2f}; ideal 1).")
    if report["task"] == "classify" and calibration["ece"] > calibration["ece_if_perfect"]["0.95"]:
        texts.append(
            f"The probabilities of {report['deep']} miss the observed shares by {calibration['ece']:.2f} on average; "
            f"chance alone explains up to {calibration['ece_if_perfect']['0.95']:.2f}."
        )
    return texts


def _corrected(report):
    scores = _subject(report)["scores"]
    plain, corrected = scores.get("mae"), scores.get("mae_corrected")
    if not plain or not corrected or corrected["value"] >= plain["value"]:
        return []
    return [
        f"Bias correction lowers the mean absolute error from {plain['value']:.2f} to {corrected['value']:.2f}, "
        "which undoing regression to the mean does not do as a rule. Compare learners by the uncorrected error."
    ]


def _truth_by_sample(tested):
    truth = np.full(len(tested.people), None, dtype=object)
    for outcomes in tested.outcomes.values():
        named = np.array(tested.classes, dtype=object)[outcomes.truth] if tested.classes else outcomes.truth
        truth[outcomes.sample] = named
    return truth if tested.classes else truth.astype(float)


def _first_samples(tested):
    """Return the first sample of each participant (several samples of one are no more evidence)."""
    return np.unique(tested.people["participant_id"].to_numpy(), return_index=True)[1]
