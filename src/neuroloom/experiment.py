"""The experiment: it walks the line from files to report, for any recipe."""

from dataclasses import dataclass, replace

import pandas as pd

from neuroloom.cohort.folds import check_folds, folds_table, make_folds
from neuroloom.cohort.opened import chosen, open_cohort
from neuroloom.cohort.target import read_target
from neuroloom.errors import NeuroloomError, listed
from neuroloom.estimators import ESTIMATORS
from neuroloom.formats.tables import read_table
from neuroloom.models import FUSIONS, MODELS
from neuroloom.parallel import side_by_side
from neuroloom.parts import Part, build, check_known, locate
from neuroloom.progress import watched_epochs
from neuroloom.report.study_page import write_study_page
from neuroloom.sampling import SAMPLINGS
from neuroloom.sampling.data import Data
from neuroloom.simulators import SIMULATORS
from neuroloom.tasks import TASKS
from neuroloom.training.job import fit_one, text_columns
from neuroloom.training.learner import Plan
from neuroloom.transforms.cache import Wanted
from neuroloom.transforms.chain import split_chain
from neuroloom.validation.evaluate import evaluate

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
    part = Part(name=recipe.cohort.name, **recipe.cohort.arguments)
    cohort = build("cohort", SIMULATORS, part)
    return chosen(cohort, recipe.cohort.where) if recipe.cohort.where else cohort


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
    stores = _stores(recipe, cohort, cache, on_progress)
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


def _stores(recipe, cohort, cache, on_progress):
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
    fitted = {name: split_chain(settings.chain)[1] for name, settings in recipe.inputs.items()}
    task = locate("task", TASKS, recipe.task.name)
    plain = recipe.task if recipe.task.name in ("classify", "regress") else Part(
        name="regress", **{k: v for k, v in recipe.task.arguments.items() if k == "bias_correction"}
    )  # fmt: skip
    plans, roles = [], {}
    for role, learner in [("deep", recipe.model), *(("baseline", b) for b in recipe.baselines)]:
        name = learner.name if learner.name not in roles else f"{learner.name}-{'-'.join(recipe.inputs_of(learner))}"
        chains = {n: fitted[n] for n in recipe.inputs_of(learner)}
        trained = learner.name not in ESTIMATORS
        training = recipe.training.model_dump(mode="json") if trained else {}
        kind = "trained" if trained else "estimator"
        plans.append(Plan(name, kind, learner.part, chains, recipe.task if trained else plain, (), training))
        roles[name] = role
    if confounds:
        simple = Part(name="logistic" if task.target_kind == "class" else "ridge")
        plans.append(Plan(CONFOUNDS, "estimator", simple, {}, plain, tuple(confounds)))
        roles[CONFOUNDS] = "confounds"
    return plans, roles


def run_experiment(recipe, run, *, data=None, cohort_file=None, cache, jobs=1, on_progress=None):
    """Walk the whole line; a run that was killed goes on where it was.

    Parameters
    ----------
    recipe : Recipe
    run : Run
        Where everything is kept.
    data : Path or None
        The user's folder; None takes the recipe's simulator.
    cohort_file : Path or None
    cache : Cache
    jobs : int
        Folds and learners at work side by side, one thread each.
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    Run
    """
    check_parts(recipe)
    cohort = read_cohort(recipe, data, cohort_file)
    with run.locked():
        run.start(recipe, cohort.fingerprint())
        if run.finished:
            return run
        prepared = prepare(recipe, cohort, cache, on_progress)
        _write_plan(run, prepared)
        learn(run, prepared, jobs, on_progress)
        score(run, prepared)
        write_study_page(run.folder)
        run.log.add("run ended")
    return run


def _write_plan(run, prepared):
    cohort = prepared.data.cohort
    run.write_table("cohort.csv", cohort.table.reset_index())
    run.write_table("folds.csv", folds_table(prepared.folds, cohort))
    run.write_json("inputs.json", told_inputs(cohort))
    if not any(event["event"] == "prepared" for event in run.log.events()):
        run.log.add("prepared", samples=len(cohort), notes=list(cohort.notes), warnings=list(prepared.warnings))


def told_inputs(cohort):
    """Return kind, names and the reader's common arguments of each input, to read a new person's file alike."""
    told = {}
    for name, source in cohort.inputs.items():
        arguments = list(getattr(source, "arguments", {}).values()) or [{}]
        common = {k: v for k, v in arguments[0].items() if all(other.get(k) == v for other in arguments)}
        names = getattr(source, "geometry", {}).get("names")
        told[name] = {"kind": source.kind, "arguments": common, "names": names}
    return told


def learn(run, prepared, jobs=1, on_progress=None):
    """Fit every learner in every fold; what is done already is not done again."""
    check_folds(prepared.folds, prepared.data.cohort)
    order = sorted(prepared.plans, key=lambda plan: plan.kind != "trained")  # the long ones first
    seed = prepared.recipe.seed
    calls = [
        (plan, prepared.data, fold, seed, run.job_folder(fold.key, plan.name), run.log)
        for plan in order
        for fold in prepared.folds
    ]
    epochs = prepared.recipe.training.epochs * sum(plan.kind == "trained" for plan, *_ in calls)
    with watched_epochs(run.log, epochs, on_progress):
        for done, _ in enumerate(side_by_side(fit_one, calls, jobs), start=1):
            if on_progress:
                on_progress("learning", done, len(calls))


def score(run, prepared):
    """Put the predictions together and write what they mean."""
    data, recipe = prepared.data, prepared.recipe
    words = text_columns(data.target)
    frames = [
        read_table(run.job_folder(fold.key, plan.name) / "predictions.csv", text=words)
        for plan in prepared.plans
        for fold in prepared.folds
    ]
    table = pd.concat(frames, ignore_index=True)
    run.write_table("predictions.csv", table)
    task = build("task", TASKS, recipe.task)
    metrics = evaluate(
        table,
        data.cohort.table,
        folds_table(prepared.folds, data.cohort),
        task={
            "kind": task.kind,
            "target": data.target.name,
            "classes": list(data.target.classes),
            "positive": data.target.positive,
            "unit": recipe.target.unit,
            "primary": task.primary,
        },
        roles=prepared.roles,
        unit=recipe.validation.unit,
        permutations=recipe.validation.permutations,
        seed=recipe.seed,
        ceiling=data.cohort.planted.get("ceiling"),
        groups=recipe.validation.groups,
    )
    run.write_json("metrics.json", metrics)
