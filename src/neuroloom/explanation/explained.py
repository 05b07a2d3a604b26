"""Every method of a recipe on every fold's test people, brought into one frame."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.estimators import ESTIMATORS
from neuroloom.explanation import EXPLANATIONS
from neuroloom.explanation.answer import ClassAnswer, n_answers
from neuroloom.explanation.fold_map import fold_maps
from neuroloom.explanation.frame import joined, placed, placed_mask
from neuroloom.explanation.readings import TRUTH, readings_of, told_reading
from neuroloom.explanation.weights import LINEAR
from neuroloom.known import locate
from neuroloom.models import MODELS
from neuroloom.parallel import side_by_side
from neuroloom.parts import build
from neuroloom.training.learner import load_learner

LEAST_PEOPLE = 4  # of a fold whose map stands by itself
MOST_FOLDS = 10  # whose test people are attributed
MOST_SMALL_FOLDS = 40
REDRAWN = 10  # learners with drawn weights over all folds, at least two a fold


@dataclass(frozen=True)
class Explained:
    """One method on one learner's answer, for one input, in one reading, over all folds in one frame.

    Parameters
    ----------
    method : str
        As in the recipe; a method that stands there twice has a number.
    learner, input : str
    reading : str
        See `neuroloom.explanation.readings`.
    label : str or None
        The class that is explained, where there are more than two.
    how : object
        The method itself.
    text : str
        What the values are, in a sentence.
    frame : Frame
    maps : list of ndarray
        One a fold.
    redrawn : list of list of ndarray
        By learners with drawn weights, fold by fold.
    groups : dict of ndarray
        Group name -> mean attribution.
    varies : ndarray of bool
        Where the input differs between people.
    n : int
        People.
    told : dict
        What the method reports about itself.
    """

    method: str
    learner: str
    input: str
    reading: str
    label: str | None
    how: object
    text: str
    frame: object
    maps: list
    redrawn: list
    groups: dict
    varies: np.ndarray
    n: int
    told: dict

    @property
    def name(self):
        return f"{self.method}_against_the_truth" if self.reading == TRUTH else self.method

    @property
    def map(self):
        """The mean over folds; a fold that has no value there does not count."""
        known = np.isfinite(self.maps)
        total = np.where(known, self.maps, 0.0).sum(axis=0)
        return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


@dataclass(frozen=True)
class _Wanted:
    """One method on one answer of one learner."""

    key: str
    part: object
    method: object
    plan: object
    number: int


def check_explanation(recipe):
    """Check the methods of a recipe before anything is trained: names, arguments, and whom they can explain."""
    learners = [recipe.model.part, *(baseline.part for baseline in recipe.baselines)]
    for part in recipe.explanation:
        _refuse_weights_of_windows(part, learners, recipe)
        method = build("explanation", EXPLANATIONS, part)
        if learners_of(part.name, method, learners):
            continue
        others = ", ".join(name for name in EXPLANATIONS if name != part.name)
        sees = getattr(method, "sees", None)
        way_out = f"a model of {sees}" if sees else f"add a linear baseline ({', '.join(LINEAR)})"
        raise NeuroloomError(
            f"explanation {part.name!r} cannot explain model {recipe.model.name!r} nor any baseline of this recipe. "
            f"Use another ({others}), or {way_out}."
        )


def _refuse_weights_of_windows(part, learners, recipe):
    """Refuse the pattern of a linear model of trials that sees windows: it is of another length than the series."""
    linear = [one.name for one in learners if one.name in LINEAR]
    seen = [name for name in linear if getattr(locate("estimator", ESTIMATORS, name), "takes", None) == "series"]
    if part.name == "weights" and seen and recipe.sampling.name != "whole":
        raise NeuroloomError(
            f"explanation 'weights' shows {seen[0]!r} on whole series, but sampling is {recipe.sampling.name!r}. Use "
            "sampling={name: whole}, or explanation {name: occlusion, by: region}."
        )


def learners_of(name, method, parts):
    """Return the numbers of the learners that a method explains: the model (the first), or all linear ones.

    A method of series may explain some baselines that look at series too.
    """
    if name == "weights":
        return [number for number, part in enumerate(parts) if part.name in LINEAR]
    sees = getattr(method, "sees", None)
    kind = "estimator" if parts[0].name in ESTIMATORS else "trained"
    model = [0] if kind in method.kinds and (sees is None or may_see(parts[0], sees)) else []
    beside = [number for number, part in enumerate(parts[1:], start=1) if sees and may_see(part, sees)]
    return model + beside[: getattr(method, "baselines", 0)]


def may_see(part, kind):
    """Return whether a learner takes inputs of a kind; of fusions it is not known before they are built."""
    if part.name in ESTIMATORS:
        return getattr(locate("estimator", ESTIMATORS, part.name), "takes", None) == kind
    return part.name not in MODELS or kind in locate("model", MODELS, part.name).kinds


def all_explained(run, prepared, on_progress=None, jobs=1):
    """Return every `Explained` of a run, and the folds whose people were attributed.

    Parameters
    ----------
    run : Run
    prepared : Prepared
    on_progress : callable or None
    jobs : int
        Folds at work side by side.
    """
    data, seed = prepared.data, prepared.recipe.seed
    wanted = _wanted(prepared)
    folds = explained_folds(run, prepared, {one.plan.name: one.plan for one in wanted})
    bundles = bundled(folds)
    n_draws = min(4, max(2, -(-REDRAWN // len(bundles)))) if bundles else 0
    calls = []
    for place, one in enumerate(wanted):
        for at, bundle in enumerate(bundles):
            learners = [run.job_folder(fold.key, one.plan.name) for fold in bundle]
            calls.append((_keyed, (place, at), one.part, learners, bundle, data, one.number, seed, n_draws))
    found = {}
    for done, (key, maps) in enumerate(side_by_side(calls, jobs), start=1):
        found[key] = maps
        if on_progress:
            on_progress("explaining", done, len(calls))
    made = []
    for place, one in enumerate(wanted if bundles else []):
        of_folds = [found[place, at] for at in range(len(bundles))]
        for name in of_folds[0]:
            readings = readings_of(one.method)
            made += [_over_folds(one, name, reading, data.target, [f[name] for f in of_folds]) for reading in readings]
    return made, [fold for bundle in bundles for fold in bundle]


def _keyed(key, *arguments):
    return key, fold_maps(*arguments)


def _wanted(prepared):
    """Return each method with each learner and answer that it explains."""
    plans = [plan for plan in prepared.plans if prepared.roles[plan.name] in ("deep", "baseline")]
    plans.sort(key=lambda plan: prepared.roles[plan.name] != "deep")
    names = [part.name for part in prepared.recipe.explanation]
    wanted = []
    for place, part in enumerate(prepared.recipe.explanation):
        key = part.name if names.count(part.name) == 1 else f"{part.name}_{names[: place + 1].count(part.name)}"
        method = build("explanation", EXPLANATIONS, part)
        for at in learners_of(part.name, method, [plan.part for plan in plans]):
            wanted += [_Wanted(key, part, method, plans[at], n) for n in range(n_answers(prepared.data.target))]
    return wanted


def explained_folds(run, prepared, plans):
    """Return the folds whose learners see the inputs as this run prepared them; a search may have chosen otherwise."""

    def as_prepared(fold, plan):
        chosen = load_learner(run.job_folder(fold.key, plan.name)).plan.inputs
        return all(chosen[name].scan == told.scan for name, told in plan.inputs.items())

    if prepared.recipe.tuning is None:
        return prepared.folds
    return [fold for fold in prepared.folds if all(as_prepared(fold, plan) for plan in plans.values())]


def bundled(folds):
    """Return folds in bundles that give one map each: every fold by itself, or small folds all together."""
    if not folds:
        return []
    small = any(len(fold.test) < LEAST_PEOPLE for fold in folds)
    most = min(MOST_SMALL_FOLDS if small else MOST_FOLDS, len(folds))
    chosen = [folds[at] for at in np.unique(np.linspace(0, len(folds) - 1, most).round().astype(int))]
    return [chosen] if small else [[fold] for fold in chosen]


def _over_folds(one, name, reading, target, folds):
    frame, where = joined([fold.frame for fold in folds])
    both = list(zip(folds, where, strict=True))
    answer = ClassAnswer(target.classes, 1 if len(target.classes) == 2 else one.number) if target.classes else None
    about = answer.text if answer else f"the predicted {target.name}"
    label = answer.label if answer else None
    return Explained(
        method=one.key,
        learner=one.plan.name,
        input=name,
        reading=reading,
        label=label,
        how=one.method,
        text=one.method.text.format(answer=about) + told_reading(reading, target, label),
        frame=frame,
        maps=[placed(fold.maps[reading], at, frame) for fold, at in both],
        redrawn=[[placed(drawn[reading], at, frame) for drawn in fold.redrawn] for fold, at in both],
        groups={group: _group_mean(group, both, frame) for fold in folds for group in fold.groups},
        varies=np.any([placed_mask(fold.varies, at, frame) for fold, at in both], axis=0),
        n=sum(fold.n for fold in folds),
        told={key: float(np.mean([fold.told[key] for fold in folds])) for key in folds[0].told},
    )


def _group_mean(group, both, frame):
    known = [(fold.groups[group], at) for fold, at in both if group in fold.groups]
    placed_sums = np.array([placed(total, at, frame) for (total, _), at in known])
    counts = np.array([n for (_, n), _ in known]).reshape(-1, *[1] * len(frame.shape)) * np.isfinite(placed_sums)
    return np.where(counts.sum(axis=0) > 0, np.nansum(placed_sums, axis=0) / np.maximum(counts.sum(axis=0), 1), np.nan)
