"""Everything that is decided before anything is learned: the cohort, its data, the folds, the learners."""

from dataclasses import dataclass, replace

import pandas as pd

from neuroloom.cohort.folds import make_folds
from neuroloom.cohort.opened import open_cohort
from neuroloom.cohort.target import read_target
from neuroloom.cohort.where import chosen
from neuroloom.errors import LeakError, NeuroloomError, listed
from neuroloom.estimators import ESTIMATORS
from neuroloom.models import FUSIONS, MODELS
from neuroloom.parts import Part, build, check_known, locate
from neuroloom.recipe import CohortSettings
from neuroloom.sampling import SAMPLINGS
from neuroloom.sampling.data import Data
from neuroloom.simulators import SIMULATORS
from neuroloom.tasks import TASKS
from neuroloom.training.learner import InputPlan, Plan
from neuroloom.transforms.cache import Wanted
from neuroloom.transforms.chain import split_chain

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
    check_known("network or estimator", recipe.model.name, [*MODELS, *FUSIONS, *ESTIMATORS])
    for learner in recipe.baselines:
        check_known("baseline", learner.name, ESTIMATORS)
    for learner in (recipe.model, *recipe.baselines):
        recipe.inputs_of(learner)
    for settings in recipe.inputs.values():
        split_chain(settings.chain)


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
    task = locate("task", TASKS, recipe.task.name)
    target = read_target(cohort, recipe.target.column, task.target_kind, recipe.target.positive)
    _refuse_target_as_feature(recipe, cohort)
    stores = make_stores(recipe, cohort, cache, on_progress)
    cohort = _with_facts(cohort, stores)
    data = Data(cohort, stores, target, build("sampling", SAMPLINGS, recipe.sampling))
    settings = recipe.validation
    folds = make_folds(
        cohort, target, unit=settings.unit, split=settings.split, n_folds=settings.folds,
        repeats=settings.repeats, tune=settings.tune, seed=recipe.seed,
    )  # fmt: skip
    confounds, warnings = _known_confounds(recipe, cohort)
    plans, roles = make_plans(recipe, confounds)
    return Prepared(recipe, data, folds, plans, roles, tuple(warnings))


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
            column = fact if fact not in cohort.table else f"{name}_{fact}"
            if column not in table:
                table[column] = frame[fact]
    return replace(cohort, table=table)


def _known_confounds(recipe, cohort):
    """Return the confounds that the cohort knows, and a warning for each that it does not."""
    wanted = recipe.validation.confounds
    known = [column for column in wanted if column in cohort.table and cohort.table[column].notna().any()]
    absent = [column for column in wanted if column not in known]
    constant = [column for column in known if cohort.table[column].nunique() < 2]
    warnings = [
        f"The confound {column!r} is not known in this cohort, so nothing can be said about it." for column in absent
    ]
    return [column for column in known if column not in constant], warnings


def make_plans(recipe, confounds=()):
    """Return the plan of each learner, and its role: deep, baseline or confounds."""
    inputs = {name: InputPlan(recipe.source_of(name), *split_chain(i.chain)) for name, i in recipe.inputs.items()}
    task = locate("task", TASKS, recipe.task.name)
    plain = recipe.task if recipe.task.name in ("classify", "regress") else Part(
        name="regress", **{k: v for k, v in recipe.task.arguments.items() if k == "bias_correction"}
    )  # fmt: skip
    plans, roles = [], {}
    for role, learner in [("deep", recipe.model), *(("baseline", b) for b in recipe.baselines)]:
        name = learner.name if learner.name not in roles else f"{learner.name}-{'-'.join(recipe.inputs_of(learner))}"
        seen = {n: inputs[n] for n in recipe.inputs_of(learner)}
        trained = learner.name not in ESTIMATORS
        training = recipe.training.model_dump(mode="json") if trained else {}
        kind = "trained" if trained else "estimator"
        plans.append(Plan(name, kind, learner.part, seen, recipe.task if trained else plain, (), training))
        roles[name] = role
    if confounds:
        simple = Part(name="logistic" if task.target_kind == "class" else "ridge")
        plans.append(Plan(CONFOUNDS, "estimator", simple, {}, plain, tuple(confounds)))
        roles[CONFOUNDS] = "confounds"
    return plans, roles
