"""Everything that is decided before anything is learned: the cohort, its data, the folds, the learners."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from neuroloom.cohort.apart import Stretches
from neuroloom.cohort.before_events import PARTLY
from neuroloom.cohort.folds import make_folds
from neuroloom.cohort.opened import open_cohort
from neuroloom.cohort.target import input_target, read_target
from neuroloom.cohort.thinned import check_events_everywhere, thinned
from neuroloom.cohort.where import chosen
from neuroloom.errors import LeakError, NeuroloomError, listed
from neuroloom.estimators import ESTIMATORS, MAP_ESTIMATORS
from neuroloom.explanation.explained import check_explanation
from neuroloom.known import check_known, locate
from neuroloom.models import FUSIONS, MODELS, ROW_MODELS, VOXEL_MODELS
from neuroloom.models.network import check_arguments
from neuroloom.parts import Part, build
from neuroloom.recipe import CohortSettings
from neuroloom.sampling import SAMPLINGS
from neuroloom.sampling.data import Data, with_shuffled_target
from neuroloom.sampling.trials import as_trials
from neuroloom.simulators import SIMULATORS
from neuroloom.tasks import TASKS
from neuroloom.training.learner import InputPlan, Plan, last_epoch, make_learner
from neuroloom.transforms import AUGMENTATIONS
from neuroloom.transforms.cache import Wanted
from neuroloom.transforms.chain import FittedChain, ScanChain, split_chain
from neuroloom.transforms.stream import streamable
from neuroloom.validation.setting import MORE_CLASSES, NUMBERS, TWO_CLASSES

ALL_ESTIMATORS = {**ESTIMATORS, **MAP_ESTIMATORS}
USER = "user"  # the name of a cohort that is a user's own files
CONFOUNDS = "confounds"  # the name of the confounds-only learner


@dataclass(frozen=True)
class Prepared:
    """All that is decided before anything is learned."""

    recipe: object
    data: Data
    folds: list
    plans: list
    roles: dict[str, str]
    warnings: tuple[str, ...]


def read_cohort(recipe, data=None, cohort_file=None):
    """Return the cohort of a recipe: the user's, or the simulator's."""
    if data is not None:
        return open_cohort(data, cohort_file, recipe.cohort.where)
    if cohort_file is not None:
        raise NeuroloomError(f"--cohort needs --data DIR: {cohort_file} says how the files of a folder are to be read.")
    if recipe.cohort.name == USER:
        raise NeuroloomError(f"Recipe {recipe.id!r} was run on a user's files: name their folder with --data.")
    part = Part(name=recipe.cohort.name, **recipe.cohort.arguments)
    cohort = build("cohort", SIMULATORS, part)
    return chosen(cohort, recipe.cohort.where) if recipe.cohort.where else cohort


def of_user(recipe):
    """Return the recipe with a user's own files in place of the simulator."""
    return recipe.model_copy(update={"cohort": CohortSettings(name=USER, where=recipe.cohort.where)})


def check_parts(recipe):
    """Check every name and argument of a recipe before anything is read or trained."""
    build("task", TASKS, recipe.task)
    build("sampling", SAMPLINGS, recipe.sampling)
    _check_asked(recipe)
    check_known(
        "network or estimator", recipe.model.name, [*MODELS, *ROW_MODELS, *VOXEL_MODELS, *FUSIONS, *ALL_ESTIMATORS]
    )
    for learner in recipe.baselines:
        check_known("baseline", learner.name, ALL_ESTIMATORS)
    for settings in recipe.inputs.values():
        ScanChain(split_chain(settings.chain)[0])
    for learner in (recipe.model, *recipe.baselines):
        _check_learner(learner, recipe)
    for part in recipe.training.augmentation:
        build("augmentation", AUGMENTATIONS, part)
    for plan in make_plans(recipe)[0]:
        make_learner(plan)
    check_explanation(recipe)
    _check_past_alone(recipe)
    _refuse_target_in_chains(recipe, [recipe.target.column])


def _check_past_alone(recipe):
    """Check that what is to answer on a stream, or as it could at the bedside, looks at nothing that is not there yet."""
    events, forecast = recipe.validation.events, recipe.validation.forecast
    told = "is to run live" if recipe.live else "warns of what comes (validation.forecast)" if forecast else None
    told = told or ("is to alarm at once (validation.events.causal)" if events and events.causal else None)
    for name, settings in recipe.inputs.items() if told else ():
        try:
            streamable(split_chain(settings.chain)[0])
        except NeuroloomError as error:
            raise NeuroloomError(f"{recipe.id} {told}, and in the chain of {name!r}: {error}") from None


def _check_asked(recipe):
    """Check that task and target ask for the same, and that nothing is asked of label maps that is not there yet."""
    of_labels = locate("task", TASKS, recipe.task.name).target_kind == "labels"
    if of_labels != (recipe.target.input is not None):
        wanted = "{input: NAME}, label maps" if of_labels else "{column: NAME}"
        raise NeuroloomError(f"{recipe.id}: task {recipe.task.name!r} asks for target {wanted}.")
    if of_labels != (recipe.model.name in VOXEL_MODELS or recipe.model.name in MAP_ESTIMATORS):
        fitting = [*VOXEL_MODELS, *MAP_ESTIMATORS] if of_labels else [*MODELS, *ROW_MODELS, *FUSIONS, *ESTIMATORS]
        raise NeuroloomError(
            f"{recipe.id}: {recipe.model.name!r} does not answer task {recipe.task.name!r}. Those that do: "
            f"{', '.join(fitting)}."
        )
    _check_primary(recipe)
    if recipe.sampling.name == "patches" and not of_labels:
        raise NeuroloomError(
            f"{recipe.id}: sampling 'patches' is for segmentation; task {recipe.task.name!r} gives one answer a sample. Use "
            "sampling={name: whole}."
        )
    _check_asked_of_events(recipe)
    if recipe.model.name in ROW_MODELS:
        _check_windows_in_a_row(recipe)
    _check_asked_of_forecast(recipe)
    if of_labels and (recipe.explanation or recipe.validation.refit):
        raise NeuroloomError(
            f"{recipe.id}: explanations and refits are not made for segmentation. Set explanation=[] and validation.refit=0."
        )


def _check_primary(recipe):
    """Check that the score the page is to be about is one of those that the task has, before anything is learned."""
    primary, kind = recipe.validation.primary, locate("task", TASKS, recipe.task.name).target_kind
    if primary is not None:
        of_kind = {"class": (*TWO_CLASSES, *MORE_CLASSES), "number": NUMBERS}.get(kind, ())
        check_known("validation.primary", primary, tuple(dict.fromkeys(of_kind)))


def _check_asked_of_events(recipe):
    """Check that alarms are asked of windows, of a class that is told apart, in whole recordings of a test part."""
    asked = recipe.validation.events
    if asked is None:
        return
    if recipe.trials is None or recipe.trials.every is None or recipe.target.column != recipe.trials.column:
        raise NeuroloomError(
            f"{recipe.id}: validation.events finds events from windows of recordings. Cut windows (trials.every, "
            "trials.length) and set target.column to the column that trials writes (trials.column)."
        )
    check_known("label of validation.events (a class of trials)", asked.label, recipe.trials.classes)
    if recipe.validation.unit in ("block", "sample"):
        raise NeuroloomError(
            f"{recipe.id}: events are counted in whole recordings, but a {recipe.validation.unit} is a part of one. Set "
            "validation.unit to participant, session or run."
        )
    if asked.threshold == "tune" and not recipe.validation.tune:
        raise NeuroloomError(
            f"{recipe.id}: validation.events.threshold is chosen on the tune part, and validation.tune=0 leaves none. Give "
            "a share, or a threshold between 0 and 1."
        )


def _check_windows_in_a_row(recipe):
    """Check that a network which answers for windows in a row is given such, and is asked nothing that it cannot answer."""
    trials, settings, name = recipe.trials, recipe.validation, recipe.model.name
    if trials is None or trials.every is None or trials.every != trials.length or recipe.sampling.name != "whole":
        raise NeuroloomError(
            f"{recipe.id}: {name} answers for windows of a recording that follow on each other. Cut them so: trials.every equal "
            "to trials.length, and sampling={name: whole}."
        )
    if recipe.task.name != "classify" or recipe.training.augmentation or recipe.explanation:
        raise NeuroloomError(
            f"{recipe.id}: {name} tells classes of windows apart (task={{name: classify}}); augmentations of single windows and "
            "explanations are not made for it. Set training.augmentation=[] and explanation=[]."
        )
    if settings.unit in ("block", "sample"):
        raise NeuroloomError(
            f"{recipe.id}: {name} sees a window's neighbours, and with validation.unit={settings.unit} some of them would be "
            "of another part of the fold. Set it to participant, session or run."
        )
    if settings.forecast is not None or (settings.events is not None and settings.events.causal):
        raise NeuroloomError(
            f"{recipe.id}: {name} answers for a window with those after it, so its alarms cannot be causal and it can warn of "
            "nothing. Set validation.events.causal=false, or take a network that sees one window."
        )


def _check_asked_of_forecast(recipe):
    """Check that warnings are asked of windows before events."""
    asked = recipe.validation.forecast
    if asked is None:
        return
    if recipe.trials is None or recipe.trials.before is None or recipe.target.column != recipe.trials.column:
        raise NeuroloomError(
            f"{recipe.id}: validation.forecast makes warnings from windows before events. Say which time that is "
            "(trials.before.name, trials.before.of) and set target.column to the column that trials writes (trials.column)."
        )
    if recipe.validation.unit == "sample":
        raise NeuroloomError(
            f"{recipe.id}: a warning comes of many windows, so the unit of claim cannot be a sample. Set validation.unit to "
            "participant, session, run or block (an event and its share of the recording)."
        )
    if asked.threshold == "tune" and not recipe.validation.tune:
        raise NeuroloomError(
            f"{recipe.id}: validation.forecast.threshold is chosen on the tune part, and validation.tune=0 leaves none. "
            "Give a share, or a threshold between 0 and 1."
        )


def _check_learner(learner, recipe):
    """Check a learner's inputs and arguments, and that an estimator answers what the task asks."""
    recipe.inputs_of(learner)
    if learner.name not in ALL_ESTIMATORS:
        check_arguments(learner.part)
        return
    asked = locate("task", TASKS, recipe.task.name).target_kind
    kinds = {name: locate("estimator", ALL_ESTIMATORS, name).target_kind for name in ALL_ESTIMATORS}
    if kinds[learner.name] != asked:
        fitting = ", ".join(name for name, kind in kinds.items() if kind == asked)
        raise NeuroloomError(
            f"estimator {learner.name!r} predicts a {kinds[learner.name]}, but task {recipe.task.name!r} asks for a "
            f"{asked}. Estimators of a {asked}: {fitting or 'none'}."
        )


def _refuse_target_in_chains(recipe, of_target):
    """Refuse a fitted transform that would read the target of new people; ``of_target`` are the columns that hold it."""
    for name, settings in recipe.inputs.items():
        chain = FittedChain(split_chain(settings.chain)[1])
        for part, step in zip(chain.parts, chain.steps, strict=True):
            for column in getattr(step, "columns", ()):
                if column in of_target:
                    raise NeuroloomError(
                        f"{recipe.id}: {part.name} in the chain of {name!r} reads the column {column!r}, which holds the "
                        f"target ({recipe.target.column}). It is not known for new people, so this would be a leak. "
                        "Leave it out of keep."
                    )


def prepare(recipe, cohort, cache, on_progress=None):
    """Return everything that is decided before anything is learned: data, folds, learners.

    Parameters
    ----------
    recipe : Recipe
    cohort : Cohort
    cache : Cache
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    Prepared
    """
    check_parts(recipe)
    if recipe.trials is None:
        target = _target(recipe, cohort)
    _refuse_target_as_feature(recipe, cohort)
    stores = make_stores(recipe, cohort, cache, on_progress)
    cohort = _with_facts(cohort, stores)
    if recipe.trials is not None:
        cohort, stores = as_trials(cohort, stores, recipe.trials.input, **recipe.trials.how)
        target = _target(recipe, cohort)
    data = Data(cohort, stores, target, build("sampling", SAMPLINGS, recipe.sampling))
    folds = learned_from(recipe, _whole_folds(recipe, data), data)
    for label, asked in _asked_labels(recipe):
        check_events_everywhere(folds, cohort, recipe.trials.column, label, asked.threshold == "tune")
    confounds, warnings = _known_confounds(recipe, cohort)
    plans, roles = make_plans(recipe, confounds)
    return Prepared(recipe, data, folds, plans, roles, tuple(warnings))


def _asked_labels(recipe):
    """Return (class, settings) of what alarms or warnings are made of."""
    events, forecast = recipe.validation.events, recipe.validation.forecast
    return [
        *([(events.label, events)] if events else []),
        *([(recipe.trials.before.name, forecast)] if forecast else []),
    ]


def with_labels_dealt_anew(prepared, seed):
    """Return everything prepared with the target dealt anew (`with_shuffled_target`), windows kept by their new class."""
    recipe = prepared.recipe
    data = with_shuffled_target(prepared.data, recipe.validation.unit, seed)
    if recipe.trials is None or not recipe.trials.keep:
        return replace(prepared, data=data)
    return replace(prepared, data=data, folds=learned_from(recipe, _whole_folds(recipe, prepared.data), data))


def _whole_folds(recipe, data):
    """Return the folds of all samples."""
    settings = recipe.validation
    return make_folds(
        data.cohort, data.target, unit=settings.unit, split=settings.split, n_folds=settings.folds,
        repeats=settings.repeats, tune=settings.tune, seed=recipe.seed, within=settings.within,
        stretches=_stretches(recipe, data.cohort),
    )  # fmt: skip


def learned_from(recipe, folds, data):
    """Return folds whose fit parts hold the windows that are learned from; of anything but windows they stay as they are."""
    trials, table = recipe.trials, data.cohort.table
    if trials is None or trials.every is None:
        return folds
    named = data.target.named() if recipe.target.column == trials.column else table[trials.column].to_numpy()
    return thinned(folds, named, table[PARTLY].to_numpy(dtype=bool), trials.keep, recipe.seed)


def _stretches(recipe, cohort):
    """Return when the trials of recordings were; None where there are no trials."""
    if recipe.trials is None:
        if recipe.validation.gap:
            raise NeuroloomError(f"{recipe.id}: validation.gap is for trials of recordings, and this recipe has none.")
        return None
    onset = cohort.table["onset"].to_numpy(dtype=np.float64)
    recording = cohort.table["recording_id"].astype(str).to_numpy()
    start, stop = recipe.trials.stretch
    return Stretches(recording, onset + start, onset + stop, recipe.validation.gap)


def _target(recipe, cohort):
    """Return the `Target`, where no chain reads it; before anything is prepared, unless trials bring it."""
    task = locate("task", TASKS, recipe.task.name)
    target = (
        input_target(cohort, recipe.target.input)
        if recipe.target.column is None
        else read_target(cohort, recipe.target.column, task.target_kind, recipe.target.positive)
    )
    _refuse_target_in_chains(recipe, _columns_of_target(recipe, cohort))
    return target


def _refuse_target_as_feature(recipe, cohort):
    """Raise where the answer is among the questions: a feature that is the target's column, or its source."""
    target = recipe.target.column
    answers = {target, cohort.taken_from.get(target, target)}
    for name in recipe.inputs:
        source = cohort.inputs.get(recipe.source_of(name))
        found = [feature for feature in getattr(source, "geometry", {}).get("names") or () if feature in answers]
        if found:
            raise LeakError(
                f"{cohort.name}: input {name!r} has the feature {found[0]!r}, but the target {target!r} is that column. "
                "Name the input's columns in cohort.yaml without it."
            )


def make_stores(recipe, cohort, cache, on_progress=None):
    """Return the store of each input of a recipe, prepared in the cache."""
    wanted = {}
    for name, settings in recipe.inputs.items():
        if settings.made:
            continue
        source = recipe.source_of(name)
        if source not in cohort.inputs:
            raise NeuroloomError(
                f"{cohort.name}: recipe {recipe.id!r} needs the input {source!r}, but this cohort has "
                f"{', '.join(cohort.inputs) or 'none'}. Describe it in cohort.yaml under inputs."
            )
        _refuse_absent(cohort, source, settings)
        wanted[name] = Wanted(source, tuple(split_chain(settings.chain)[0]))
    told = (lambda done, of: on_progress("preparing scans", done, of)) if on_progress else None
    return cache.stores(cohort, wanted, told)


def _refuse_absent(cohort, source, settings):
    absent = [sample for sample in cohort.samples if not cohort.inputs[source].available(sample)]
    if absent and settings.missing == "error":
        raise NeuroloomError(
            f"{cohort.name}: {len(absent)} of {len(cohort)} samples have no {source}: {listed(absent)}. "
            "Leave them out with cohort.where, or allow it with --set inputs.NAME.missing=allow where the network can."
        )


def _with_facts(cohort, stores):
    """Return the cohort with what was measured on its scans as further columns (length, voxel size ...)."""
    table = cohort.table.copy()
    for name, store in stores.items():
        known = {sample: store.facts(row) for row, sample in enumerate(store.samples) if store.present[row]}
        frame = pd.DataFrame.from_dict(known, orient="index").reindex(table.index)
        for fact in frame.columns:
            if fact in table and table[fact].equals(frame[fact]):
                continue  # inputs made from one scan tell the same of it
            column = fact if fact not in table else f"{name}_{fact}"
            if column not in table:
                table[column] = frame[fact]
    return replace(cohort, table=table)


def _columns_of_target(recipe, cohort):
    """Return the columns of the cohort's table that hold the target, under its own name or another."""
    if recipe.target.column is None:
        return []
    truth = cohort.table[recipe.target.column].astype(str)
    return [column for column in cohort.table if cohort.table[column].astype(str).equals(truth)]


def _known_confounds(recipe, cohort):
    """Return the confounds that the cohort knows, and a warning for each that it does not, or that is the target."""
    of_target = _columns_of_target(recipe, cohort)
    wanted = [column for column in recipe.validation.confounds if column not in of_target]
    known = [column for column in wanted if column in cohort.table and cohort.table[column].notna().any()]
    absent = [column for column in wanted if column not in known]
    constant = [column for column in known if cohort.table[column].nunique() < 2]
    warnings = [
        f"The confound {column!r} is not known in this cohort, so nothing can be said about it." for column in absent
    ]
    warnings += [
        f"The confound {column!r} is the target, so it is left out of the confounds."
        for column in recipe.validation.confounds
        if column in of_target
    ]
    return [column for column in known if column not in constant], warnings


def make_plans(recipe, confounds=()):
    """Return the plan of each learner, and its role: deep, baseline or confounds."""
    inputs = {name: InputPlan(recipe.source_of(name), *split_chain(i.chain)) for name, i in recipe.inputs.items()}
    task = locate("task", TASKS, recipe.task.name)
    plain = recipe.task if recipe.task.name in ("classify", "regress", "segment") else Part(
        name="regress", **{k: v for k, v in recipe.task.arguments.items() if k == "bias_correction"}
    )  # fmt: skip
    plans, roles = [], {}
    for role, learner in [("deep", recipe.model), *(("baseline", b) for b in recipe.baselines)]:
        name = _unused(learner.name, recipe.inputs_of(learner), roles)
        seen = {n: inputs[n] for n in recipe.inputs_of(learner)}
        trained = learner.name not in ALL_ESTIMATORS
        training = recipe.training.model_dump(mode="json") if trained else {}
        kind = "trained" if trained else "estimator"
        plans.append(
            Plan(name, kind, learner.part, seen, recipe.task if trained else plain, (), training, learner.label or "")
        )
        roles[name] = role
        if training.get("show_last"):
            roles[last_epoch(name)] = "last epoch"
    if confounds and task.target_kind != "labels":
        simple = Part(name="logistic" if task.target_kind == "class" else "ridge")
        plans.append(Plan(CONFOUNDS, "estimator", simple, {}, plain, tuple(confounds)))
        roles[CONFOUNDS] = "confounds"
    return plans, roles


def _unused(name, inputs, taken):
    """Return a name that no other learner of the run has: with its inputs, and a number where that is not enough."""
    with_inputs = f"{name}-{'-'.join(inputs)}"
    numbered = (f"{with_inputs}-{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name, with_inputs], numbered) if one not in taken)
