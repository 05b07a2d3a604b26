"""Everything that the page says about one learner: an entry under ``learners`` of ``metrics.json``."""

from dataclasses import replace

import numpy as np

from neuroloom.cohort.exchange import Exchangeable, exchangeable
from neuroloom.metrics.decision import confusion, metrics_of_class
from neuroloom.validation.calibration import calibration_summary
from neuroloom.validation.confounds import associations
from neuroloom.validation.intervals import scored
from neuroloom.validation.missed import missed, right_and_wrong
from neuroloom.validation.permutation import permutation_null, refit_null
from neuroloom.validation.scores import mean_over_folds, per_fold, score
from neuroloom.validation.subgroups import gap, group_scores, labels_of, seen_in_fit, site_scores
from neuroloom.validation.tested import unit_codes


def learner_entry(setting, learner, refit=None, n_refits=0):
    """Return the entry of one learner, without its role and label.

    Parameters
    ----------
    setting : Setting
    learner : str
    refit : callable or None
        ``refit(seed) -> DataFrame`` of predictions after fitting on shuffled labels; without it predictions are
        permuted.
    """
    tested, outcomes = setting.tested, setting.tested.outcomes[learner]
    entry = {
        "scores": {metric.name: scored(metric, outcomes, setting.unit) for metric in setting.metrics},
        "mean_over_folds": {metric.name: mean_over_folds(metric, outcomes) for metric in setting.metrics},
        "null": _null(setting, outcomes, refit, n_refits),
        "per_fold": per_fold(setting.of_groups, outcomes),
        "calibration": calibration_summary(outcomes, setting.seed),
        "missed": missed(outcomes, tested.people[_told_of_missed(setting)]),
        "right_and_wrong": right_and_wrong(outcomes, tested.people, setting.told),
        "confounds": associations(outcomes, tested.people, setting.confounds),
    }
    if learner in tested.corrected:
        entry["scores"] |= _corrected(setting, tested.corrected[learner])
    if setting.kind == "classify":
        counts = confusion(outcomes.truth, outcomes.prediction)
        repeats = len(np.unique(outcomes.repeat))
        entry["confusion"] = {"labels": list(outcomes.classes), "counts": counts, "repeats": repeats}
    if len(outcomes.classes) > 2:
        entry["by_class"] = {
            str(name): {
                metric.name: scored(metric, outcomes, setting.unit) for metric in metrics_of_class(number, name)
            }
            for number, name in enumerate(outcomes.classes)
        }
    return entry | _by_site(setting, outcomes) | _by_group(setting, outcomes)


def _told_of_missed(setting):
    """Return the columns that tell who was missed, and of a trial where it lies."""
    where = [
        name for name in ("recording_id", "onset") if "onset" in setting.tested.people and name in setting.tested.people
    ]
    return ["participant_id", *where, *(name for name in setting.told if name not in where)]


def _corrected(setting, outcomes):
    scores = {}
    for metric in setting.metrics:
        entry = scored(metric, outcomes, setting.unit)
        scores[f"{metric.name}_corrected"] = entry | {"estimand": f"{entry['estimand']}; after bias correction"}
    return scores


def _null(setting, outcomes, refit, n_refits):
    if refit is not None and n_refits:
        observed = score(setting.primary, outcomes)
        null = refit_null(
            setting.primary, observed, lambda seed: setting.tested.read(refit(seed)), n_refits, setting.seed
        )
        return null.as_dict()
    if not setting.permutations:
        return None
    exchanged = _exchangeable(setting, outcomes)
    return permutation_null(setting.primary, outcomes, exchanged, setting.permutations, setting.seed).as_dict()


def _exchangeable(setting, outcomes):
    """Return the `Exchangeable` by sample number, of those that were tested."""
    people, tested = setting.tested.people, np.unique(outcomes.sample)
    unit = unit_codes(people, "participant") if setting.unit == "site" else setting.tested.unit
    truth = np.zeros(len(people), dtype=outcomes.truth.dtype)
    truth[outcomes.sample] = outcomes.truth
    found = exchangeable(people.iloc[tested], truth[tested], unit[tested])
    return Exchangeable(
        *(one if one is None or isinstance(one, str) else _by_number(one, tested, len(people)) for one in found)
    )


def _by_number(values, tested, n_samples):
    """Return values of the tested samples by sample number; those of others are not asked for."""
    placed = np.zeros(n_samples, dtype=values.dtype if values.dtype.kind == "f" else object)
    placed[tested] = values
    return placed


def _by_site(setting, outcomes):
    if not setting.has_site:
        return {"per_site": {}, "seen_sites": None, "unseen_sites": None}
    site = setting.tested.column("site").astype(object)
    if setting.unit == "site":  # inside one site the people are what varies
        outcomes = replace(outcomes, unit=unit_codes(setting.tested.people, "participant")[outcomes.sample])
    seen = seen_in_fit(outcomes, site, setting.tested.fit_samples)
    told = {"per_site": site_scores(setting.of_groups, outcomes, site[outcomes.sample], seen)}
    unit = "participant" if setting.unit == "site" else setting.unit
    for name, mask in (("seen_sites", seen), ("unseen_sites", ~seen)):
        part = outcomes.subset(mask)
        told[name] = {m.name: scored(m, part, unit) for m in setting.of_groups} if mask.any() else None
    return told


def _by_group(setting, outcomes):
    subgroups, gaps = {}, {}
    for name in setting.groups:
        labels = labels_of(setting.tested.people[name])[outcomes.sample]
        subgroups[name] = group_scores(setting.of_groups, outcomes, labels)
        gaps[name] = {metric.name: gap(metric, outcomes, labels) for metric in setting.of_groups}
    return {"subgroups": subgroups, "gaps": gaps}
