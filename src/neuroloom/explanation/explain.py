"""Explain a run: each method of the recipe on the test people of each fold, with its tests, for the page."""

import json
from functools import partial

import numpy as np

from neuroloom.explanation.chance import drawn_answers
from neuroloom.explanation.changed_trials import change_of_trials
from neuroloom.explanation.explained import all_explained
from neuroloom.explanation.figures import figures_of
from neuroloom.explanation.fold_map import chosen_people
from neuroloom.explanation.frame import domain_of
from neuroloom.explanation.planted import place_of_change, planted_place
from neuroloom.explanation.readings import TRUTH
from neuroloom.explanation.sanity import (
    check_agreement_of_folds,
    check_agreement_of_methods,
    check_amplitudes,
    check_completeness,
    check_learner,
    check_planted_place,
    check_randomised_weights,
    means_of_folds,
    verdict,
)
from neuroloom.training.learner import load_learner
from neuroloom.transforms.chain import ScanChain

MOST_SEEN = 200  # people from whom maps of drawn answers are made
MOST_CHANGED = 10  # people whose scans are compared with and without the effect


def explain(run, prepared, on_progress=None, jobs=1):
    """Attribute, test, and write ``explanation/``: .npz files of maps, and ``summary.json`` for the page.

    Parameters
    ----------
    run : Run
        Its learners are fitted; where they are scored, their scores count too.
    prepared : Prepared
        The experiment's recipe, data, folds, plans and roles.
    on_progress : callable or None
        Called with (what, done, of).
    jobs : int
        Folds at work side by side.

    Returns
    -------
    dict
        The content of ``summary.json``: ``methods``, each with name, learner, text, tests and figures.
    """
    summary = run.folder / "explanation" / "summary.json"
    if summary.is_file():
        return json.loads(summary.read_text())
    if not prepared.recipe.explanation:
        return {"methods": []}
    summary.parent.mkdir(exist_ok=True)
    made, folds = all_explained(run, prepared, on_progress, jobs)
    held, cut = {}, {}  # what is known of a planted place, once for all methods on the same input of a learner
    for one in made:
        if _place_key(one) not in held:
            place = place_of(one, run, prepared, folds[0], cut)
            held[_place_key(one)] = place, seen_people(run, prepared, one, folds[0]) if place else None
    content = {"methods": [_method(one, made, folds, *held[_place_key(one)], run, prepared) for one in made]}
    run.write_json("explanation/summary.json", content)
    return content


def _place_key(one):
    return one.learner, one.input, one.frame.shape, one.frame.names, one.frame.columns


def _method(one, made, folds, place, people, run, prepared):
    """Return one entry of summary.json, having written its maps."""
    knows = []
    if (run.folder / "metrics.json").is_file():
        knows = [check_learner(run.metrics["learners"][one.learner].get("null"))]
    tests = knows + outcomes(one, made, place, people, prepared.recipe.seed, knows[0]["passed"] if knows else None)
    of_all = "" if len(folds) == len(prepared.folds) else f" (of {len(prepared.folds)})"
    in_folds = "the one fold" if len(folds) == 1 else f"{len(folds)} folds"
    samples = "people" if prepared.recipe.trials is None else "trials"
    whom = f"Mean over {one.n} test {samples} of {in_folds}{of_all}, each attributed with its own fold's learner."
    if one.frame.kind == "volume" and one.frame.affine is None:
        whom += " The scans do not lie on one grid in MNI space, so the mean map is not drawn."
    return {
        "name": one.name,
        "learner": one.learner,
        "text": f"{one.text} {whom} {verdict(tests)}",
        "tests": tests,
        "figures": figures_of(one, place, run.folder / "explanation", stem_of(one, made)),
    }


def place_of(one, run, prepared, fold, cut=None):
    """Return the `Place` that a simulator planted, on one explanation's map; None for real cohorts.

    Parameters
    ----------
    one : Explained
    run : Run
    prepared : Prepared
    fold : Fold
        Whose learner says what is seen.
    cut : dict or None
        Keeps trials that were drawn, for the next map.
    """
    data = prepared.data
    planted = data.cohort.planted
    if not planted:
        return None
    learner = load_learner(run.job_folder(fold.key, one.learner))
    source = learner.plan.inputs[one.input].source
    without = planted.get("without", {}).get(source)
    if prepared.recipe.trials is not None:
        with_effect = planted.get("with_effect", {}).get(source)
        if without is None or not _tells_classes_of_trials(one, prepared):
            return None
        change = change_of_trials(learner, data, one, without, with_effect, {} if cut is None else cut)
        return None if change is None else place_of_change(change, one.frame, bool(planted["effect"]))
    change = None if without is None else change_seen(learner, data, one, without)
    return planted_place(planted, data.target.name, one.frame, spread_of(data.stores[one.input], one.frame), change)


def _tells_classes_of_trials(one, prepared):
    """Return whether a map is of series that trials were cut from, and of an answer about the events of trials."""
    trials = prepared.recipe.trials
    of_series = one.frame.kind == "series" and one.input == trials.input
    return of_series and prepared.data.target.name == trials.column


def outcomes(one, made, place, people=None, seed=0, knows=None):
    """Return the outcome of every test of one explanation.

    Parameters
    ----------
    one : Explained
    made : list of Explained
        All of the run, for the agreement between methods.
    place : Place or None
        Where the effect was planted.
    people : ndarray of shape (person, *frame shape) or None
        What a learner sees of some people.
    seed : int
    knows : bool or None
        Whether the learner is above chance; None where that is not known.
    """
    domain = domain_of(one.frame, one.varies)
    tests = [
        check_randomised_weights(one.maps, one.redrawn, domain, one.how.is_signed),
        check_agreement_of_folds(one.maps, one.redrawn, domain, one.how.is_signed),
    ]
    for other in made:
        same = all(getattr(other, key) == getattr(one, key) for key in ("learner", "input", "label"))
        same &= TRUTH not in {one.reading, other.reading} or one.reading == other.reading
        if same and other.frame.like(one.frame) and other.method != one.method:
            tests.append(
                check_agreement_of_methods(one.maps, one.redrawn, other.maps, other.redrawn, domain, other.method)
            )
    if "completeness_error" in one.told:
        tests.append(check_completeness(one.told["completeness_error"]))
    if "variance" in one.told:
        tests.append(check_amplitudes(one.map, domain, one.told["variance"] / one.n))
    if place is not None:
        chance = None
        if people is not None:
            chance = partial(drawn_answers, people, partial(one.how.of_linear, frame=one.frame), one.reading)
        drawn = means_of_folds(one.redrawn) if one.how.is_signed else one.redrawn
        told = check_planted_place(one.map, drawn, place, one.frame, one.varies, chance, seed, knows)
        tests += [told] if told else []
    return tests


def spread_of(store, frame):
    """Return the spread of a table's features over people, before fitted transforms; None for other kinds."""
    if store.kind != "table" or frame.kind != "table" or frame.names is None or store.names is None:
        return None
    values = store.stack(np.flatnonzero(store.present))
    spread = dict(zip(map(str, store.names), np.nanstd(values, axis=0, dtype=np.float64), strict=True))
    return np.array([spread[name] for name in frame.names]) if set(frame.names) <= set(spread) else None


def seen_people(run, prepared, one, fold):
    """Return what a learner sees of fit people of a fold, laid in the frame of its map: (person, *frame shape).

    What goes along with the target is taken out (the mean of each class, or the line on a number), so that only
    how people differ apart from it is left. None where the map is of another shape than what is seen: a series, or
    regions that this fold has dropped.

    Parameters
    ----------
    run : Run
    prepared : Prepared
    one : Explained
    fold : Fold
    """
    learner = load_learner(run.job_folder(fold.key, one.learner))
    if not _frame_is_seen(learner, one):
        return None
    present = prepared.data.stores[one.input].present[fold.fit]
    rows = fold.fit[present][:MOST_SEEN]
    values = learner.inputs.stores(prepared.data, rows)[one.input].stack(rows)
    values = values.mean(axis=1) if one.frame.kind == "volume" else values
    return apart_from(values, prepared.data.target, rows)


def apart_from(values, target, rows):
    """Return values (person, ...) with what goes along with the target taken out by least squares."""
    truth = target.values[rows]
    known = (
        np.eye(len(target.classes))[truth] if target.kind == "class" else np.stack([np.ones(len(rows)), truth], axis=1)
    )
    flat = values.reshape(len(values), -1).astype(np.float64)
    return (flat - known @ np.linalg.lstsq(known, flat, rcond=None)[0]).reshape(values.shape)


def change_seen(learner, data, one, without, effect=None):
    """Return the mean size of the difference that an effect makes in what a learner sees, in the frame of its map.

    Parameters
    ----------
    learner : Trained or Estimator
        Whose chains are used.
    data : Data
        Its first people are looked at, those of the positive class where there is one.
    one : Explained
    without : Source
        The same people without the effect.
    effect : Source or None
        The same people with it; None for the data's own.

    Returns
    -------
    ndarray of the frame's shape, or None
        None where the map is of another shape than what is seen.
    """
    if not _frame_is_seen(learner, one):
        return None
    everyone = np.flatnonzero(data.stores[one.input].present)
    affected = everyone if data.target.positive is None else everyone[data.target.values[everyone] == 1]
    rows = chosen_people(affected, data.target, MOST_CHANGED)
    scan, fitted = ScanChain(learner.plan.inputs[one.input].scan), learner.inputs.chains[one.input]
    samples, table = [data.cohort.samples[row] for row in rows], data.cohort.table.iloc[rows]
    before = np.stack([scan(without.load(sample)).data for sample in samples])
    after = (
        data.stores[one.input].stack(rows)
        if effect is None
        else np.stack([scan(effect.load(sample)).data for sample in samples])
    )
    change = np.abs(fitted.transform(after, table) - fitted.transform(before, table)).mean(axis=0)
    return change.sum(axis=0) if one.frame.kind == "volume" else change


def _frame_is_seen(learner, one):
    names = learner.inputs.names.get(one.input)
    return one.frame.kind != "series" and (one.frame.names is None or tuple(map(str, names)) == one.frame.names)


def stem_of(one, made):
    """Return a file name that says what is needed to tell this map from the run's others."""
    alike = [other for other in made if other.method == one.method]
    parts = [one.name]
    parts += [one.learner] if len({other.learner for other in alike}) > 1 else []
    parts += [one.input] if len({other.input for other in alike}) > 1 else []
    parts += [one.label] if one.label is not None else []
    return "-".join("".join(c if c.isalnum() or c in "_-" else "_" for c in part) for part in parts)
