"""From the predictions of a run to everything that its page says: ``metrics.json``."""

import math

import numpy as np

from neuroloom.cohort.folds import WITHIN_PERSON
from neuroloom.errors import NeuroloomError, listed
from neuroloom.known import check_known
from neuroloom.validation.comparison import compare
from neuroloom.validation.confounds import beyond
from neuroloom.validation.forecasts import evaluate_forecasts
from neuroloom.validation.found_events import evaluate_events
from neuroloom.validation.learner_entry import learner_entry
from neuroloom.validation.scores import chance
from neuroloom.validation.sentence import first_sentence
from neuroloom.validation.setting import Setting
from neuroloom.validation.spelling import evaluate_spelling
from neuroloom.validation.tested import read_tested
from neuroloom.validation.warnings import warnings_of
from neuroloom.validation.words import WHO_UNKNOWN, plural

ROLES = ("deep", "last epoch", "baseline", "confounds")
KINDS = ("classify", "regress")
SPLIT_WORDS = {"kfold": "cross-validation", "holdout": "held-out part"}  # others are words already


def evaluate(
    predictions,
    people,
    folds,
    *,
    task,
    roles,
    unit="participant",
    permutations=200,
    seed=0,
    ceiling=None,
    refit_nulls=None,
    n_refits=None,
    groups=("site", "sex", "age"),
    confounds=(),
    labels=None,
    inputs=(),
    split="kfold",
    within=None,
    gap=0.0,
    title="",
    identity="known",
    primary=None,
    simulated=False,
    spelling=None,
    events=None,
    forecast=None,
):
    """Return ``metrics.json`` of a run.

    Parameters
    ----------
    predictions : DataFrame
        ``predictions.csv``: sample_id, repeat, fold, learner, truth_T, prediction_T, prediction_p_CLASS for classes,
        prediction_T_corrected where numbers were also bias-corrected.
    people : DataFrame
        The cohort's table, index (or column) sample_id, with participant_id.
    folds : DataFrame
        ``folds.csv``: sample_id, repeat, fold, part (fit, tune, test).
    task : dict
        ``kind`` (classify or regress), ``target`` (T), ``classes`` (by number; of two the second is positive),
        ``positive``, ``unit`` (of a number, for example "y").
    roles : dict
        Learner -> deep, baseline or confounds.
    unit : str
        Unit of claim: participant, family, site, session, run, block or sample.
    permutations : int
        Draws of the null.
    ceiling : dict or None
        Metric -> best possible value, for a simulated cohort.
    refit_nulls : dict or None
        Learner -> ``refit(seed) -> DataFrame``: its rows of ``predictions`` after fitting on labels shuffled with that
        seed, ``truth_T`` being the shuffled labels. Other learners' predictions are permuted.
    n_refits : int or None
        Draws of those; ``permutations`` unless said.
    groups, confounds : sequence of str
        Columns of ``people``; those that it has not are left out.
    labels : dict or None
        Learner -> what a reader calls it.
    inputs : sequence of str
        What is learned from, for the first sentence.
    split, title : str
    identity : {"known", "unknown"}
        Whether each row's person is known.
    within : "participant" or None
        Whether each person has learners of their own.
    gap : float
        Seconds between what is learned from and what is tested, in recordings.
    primary : str or None
        The metric that the first sentence is about: auc (balanced_accuracy where folds hold one class) or mae.
    simulated : bool
    spelling : dict or None
        Columns of ``people`` that say what was spelled, as `evaluate_spelling` takes them.
    events : dict or None
        Tune predictions, recordings and settings by which windows become alarms, as `evaluate_events` takes them.
    forecast : dict or None
        The same of warnings, as `evaluate_forecasts` takes them.

    Returns
    -------
    dict
        Plain numbers, texts and lists; None where a number is undefined.
    """
    _check_task(task, roles, predictions)
    classes = tuple(str(name) for name in task.get("classes") or ())
    tested = read_tested(predictions, people, folds, target=task["target"], classes=classes, unit=unit)
    deep = next(learner for learner in tested.outcomes if roles[learner] == "deep")
    setting = Setting(task["kind"], tested, deep, unit, permutations, seed, primary, groups, confounds)
    report = {
        "task": task["kind"],
        "title": title,
        "target": _target(task, classes),
        "inputs": list(inputs),
        "simulated": bool(simulated),
        "identity": identity,
        "unit": _unit(tested, unit),
        "split": told_split(folds, split, unit, within, gap, identity),
        "primary": setting.primary.name,
        "deep": deep,
        "chance": {metric.name: chance(metric, tested.outcomes[deep]) for metric in setting.metrics},
        "ceiling": ceiling,
    }
    report["learners"] = {
        learner: {"role": roles[learner], "label": (labels or {}).get(learner, learner)}
        | learner_entry(setting, learner, (refit_nulls or {}).get(learner), n_refits or permutations)
        for learner in tested.outcomes
    }
    report |= _beside_each_other(setting, roles, labels or {})
    report |= _in_recordings(predictions, setting, spelling, events, forecast)
    report = plain(report)
    if identity == "unknown":
        report["learners"] = _for_nobody_new(report["learners"], unit)
    report["sentence"] = first_sentence(report)
    report["warnings"] = warnings_of(report, tested, setting)
    return report


def _in_recordings(predictions, setting, spelling, events, forecast):
    """Return what many trials or windows of a recording mean together, of what was asked for."""
    report, of = {}, {"tested": setting.tested, "unit": setting.unit}
    if spelling is not None:
        report["spelling"] = evaluate_spelling(predictions, **of, **spelling)
    if events is not None:
        report["events"] = evaluate_events(predictions, **of, seed=setting.seed, deep=setting.deep, **events)
    if forecast is not None:
        report["forecast"] = evaluate_forecasts(predictions, **of, deep=setting.deep, **forecast)
    return report


def _for_nobody_new(entry, unit):
    """Return the entries of learners whose estimands are not for new units: who is who is unknown."""
    if not isinstance(entry, dict):
        return entry
    said = {key: _for_nobody_new(value, unit) for key, value in entry.items()}
    if "estimand" in said:
        units = plural(unit, 2)
        said["estimand"] = said["estimand"].replace(
            f"for new {units} like these", f"for these {units}, whoever they are of"
        )
    return said


def plain(value):
    """Return the value as JSON knows it: no arrays, and None for what is not finite."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _check_task(task, roles, predictions):
    check_known("task kind", task["kind"], KINDS)
    learners = list(predictions["learner"].unique())
    for learner in learners:
        if learner not in roles:
            raise NeuroloomError(f"Learner {learner!r} has predictions but no role. Known: {listed(roles)}.")
        check_known(f"role of learner {learner!r}", roles[learner], ROLES)
    if "deep" not in [roles[learner] for learner in learners]:
        raise NeuroloomError(f"No learner has the role 'deep': the page has no subject. Learners: {listed(learners)}.")
    if task["kind"] == "classify" and len(task.get("classes") or ()) < 2:
        raise NeuroloomError(f"Task classify needs at least two classes, but was given {task.get('classes')}.")


def _target(task, classes):
    positive = classes[1] if len(classes) == 2 else None
    return {"name": task["target"], "classes": list(classes), "positive": positive, "unit": task.get("unit")}


def _unit(tested, unit):
    samples = np.unique(np.concatenate([outcomes.sample for outcomes in tested.outcomes.values()]))
    persons = tested.people["participant_id"].iloc[samples].nunique()
    entry = {"name": unit, "n": len(np.unique(tested.unit[samples]))}
    return entry | {"participants": int(persons), "within_person": unit in WITHIN_PERSON}


def told_split(folds, name, unit, within=None, gap=0.0, identity="known"):
    """Return how people were split into folds: name, folds (of each person, ``within`` one), repeats, and a text."""
    n_folds = int(folds.groupby(["repeat", "participant_id"] if within else "repeat")["fold"].nunique().max())
    repeats = int(folds["repeat"].nunique())
    times = f", drawn {repeats} times" if repeats > 1 else ""
    folds_told = f"{n_folds} fold{'s' if n_folds > 1 else ''}{times}"
    inside = (
        "" if within is None else f" inside each of {folds['participant_id'].nunique()} people, who have a model each"
    )
    apart = f", and {gap:g} s lie between what is learned from and what is tested" if gap else ""
    unproven = f"; {WHO_UNKNOWN}" if identity == "unknown" else ""
    text = (
        f"{SPLIT_WORDS.get(name, name.replace('_', ' '))}{inside}, {folds_told}; no {unit} is in two parts of a fold{apart}"
        f"{unproven}"
    )
    return {"name": name, "within": within, "gap": gap, "folds": n_folds, "repeats": repeats, "text": text}


def _beside_each_other(setting, roles, labels):
    """Return the comparisons: the deep learner with each other, and each baseline with the confounds."""
    outcomes = setting.tested.outcomes
    alone = [learner for learner in outcomes if roles[learner] == "confounds"]
    others = [learner for learner in outcomes if learner != setting.deep]
    pairs = [(setting.deep, learner) for learner in others]
    pairs += [(learner, only) for learner in others if learner not in alone for only in alone]
    comparisons = [
        compare(setting.primary, outcomes[a], outcomes[b], (a, b), (labels.get(a, a), labels.get(b, b)))
        for a, b in pairs
    ]
    added = beyond(outcomes[setting.deep], outcomes[alone[0]]) if alone else None
    return {"comparisons": comparisons, "beyond_confounds": added}
