"""The experiment: it walks the line from files to report, for any recipe."""

import shutil
from dataclasses import replace
from functools import partial

import pandas as pd

from neuroloom.cohort.cut_windows import events_of
from neuroloom.cohort.folds import check_folds, folds_table
from neuroloom.cohort.opened import located
from neuroloom.cohort.where import columns_named
from neuroloom.explanation.explain import explain
from neuroloom.formats.limits import read_json
from neuroloom.formats.series import SAMPLING_ARGUMENTS
from neuroloom.formats.tables import read_table, write_table
from neuroloom.parallel import side_by_side
from neuroloom.parts import build
from neuroloom.preparation import check_parts, of_user, prepare, read_cohort, with_labels_dealt_anew
from neuroloom.progress import watched_epochs
from neuroloom.report.study_page import write_study_page
from neuroloom.run_folder import Run
from neuroloom.sampling.trials import recordings_of
from neuroloom.tasks import TASKS
from neuroloom.training.job import TUNE_PREDICTIONS, fit_one, text_columns
from neuroloom.training.learner import last_epoch
from neuroloom.transforms.cache import Cache
from neuroloom.tuning import fit_tuned, told_tuning
from neuroloom.validation.evaluate import evaluate
from neuroloom.validation.forecasts import WARNING_COLUMNS
from neuroloom.validation.found_events import ALARM_COLUMNS
from neuroloom.validation.segmentation import evaluate_segmentation

ALWAYS_KEPT = ("participant_id", "session_id", "run_id", "site", "family_id", "age", "sex")


def run_experiment(recipe, run, *, data=None, cohort_file=None, cache, jobs=1, force=False, on_progress=None):
    """Walk the whole line; a run that was killed goes on where it was.

    Parameters
    ----------
    recipe : Recipe
    run : Run
        Where everything is kept.
    data : Path or None
        The user's folder; None takes the recipe's simulator.
    cohort_file : Path, str or None
        A cohort file that lies elsewhere, or a preset's name; the run keeps a copy.
    cache : Cache
    jobs : int
        Folds and learners at work side by side, one thread each.
    force : bool
        Delete a run that is in the folder already.
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    Run
    """
    check_parts(recipe)
    if data is not None:
        recipe = of_user(recipe)
    cohort = read_cohort(recipe, data, cohort_file)
    with run.locked():
        if force:
            run.clear()
        run.start(recipe, cohort.fingerprint(), None if cohort_file is None else located(cohort_file))
        if run.finished:
            return run
        prepared = prepare(recipe, cohort, cache, on_progress)
        _write_plan(run, prepared, cohort)
        learn(run, prepared, cache, jobs, on_progress)
        score(run, prepared, cache, jobs)
        explain(run, prepared, on_progress, jobs)
        write_study_page(run.folder)
        run.log.add("run ended")
    return run


def _write_plan(run, prepared, as_read):
    cohort = prepared.data.cohort
    run.write_table("cohort.csv", kept_columns(prepared.recipe, cohort.table, as_read.table).reset_index())
    run.write_table("folds.csv", folds_table(prepared.folds, cohort))
    run.write_json("inputs.json", told_inputs(cohort))
    if not any(event["event"] == "prepared" for event in run.log.events()):
        run.log.add("prepared", samples=len(cohort), notes=list(cohort.notes), warnings=list(prepared.warnings))


def kept_columns(recipe, table, as_read):
    """Return the columns of a cohort that a run may keep: what it asks about, and what it measured itself.

    A user's table may hold names and dates of birth; what the recipe has no word for stays with the user.

    Parameters
    ----------
    recipe : Recipe
    table : DataFrame
        The cohort's rows, with what was measured on the scans.
    as_read : DataFrame
        The same without it.
    """
    settings = recipe.validation
    asked = {*ALWAYS_KEPT, recipe.target.column, *settings.confounds, *settings.groups}
    asked |= columns_named(recipe.cohort.where) if recipe.cohort.where else set()
    return table[[column for column in table if column in asked or column not in as_read]]


def told_inputs(cohort):
    """Return kind, names and the reader's common arguments of each input, to read a new person's file alike.

    How fast a series was sampled is a fact of each file, so it is not among them.
    """
    told = {}
    for name, source in cohort.inputs.items():
        arguments = list(getattr(source, "arguments", {}).values()) or [{}]
        shared = {k: v for k, v in arguments[0].items() if all(other.get(k) == v for other in arguments)}
        common = {k: v for k, v in shared.items() if k not in SAMPLING_ARGUMENTS}
        names = getattr(source, "geometry", {}).get("names")
        told[name] = {"kind": source.kind, "arguments": common, "names": names}
    return told


def learn(run, prepared, cache, jobs=1, on_progress=None):
    """Fit every learner in every fold; what is done already is not done again."""
    check_folds(prepared.folds, prepared.data.cohort)
    recipe, data = prepared.recipe, prepared.data
    order = sorted(prepared.plans, key=lambda plan: plan.kind != "trained")  # the long ones first
    work = [(plan, fold, run.job_folder(fold.key, plan.name)) for plan in order for fold in prepared.folds]
    tuned = [prepared.roles[plan.name] == "deep" and recipe.tuning is not None for plan, *_ in work]
    kept = cache if jobs == 1 else Cache(cache.folder)  # jobs that are side by side already start no others
    calls = [
        (fit_tuned, recipe, data, kept, fold, place, run.log)
        if search
        else (fit_one, plan, data, fold, recipe.seed, place, run.log, recipe.validation.keeps_tune)
        for search, (plan, fold, place) in zip(tuned, work, strict=True)
    ]
    trained = sum(plan.kind == "trained" and not search for search, (plan, *_) in zip(tuned, work, strict=True))
    with watched_epochs(run.log, recipe.training.epochs * trained, on_progress):
        for done, _ in enumerate(side_by_side(calls, jobs), start=1):
            if on_progress:
                on_progress("learning", done, len(calls))


def score(run, prepared, cache, jobs=1):
    """Put the predictions together and write what they mean."""
    nulls = refits(run, prepared, cache, jobs) if prepared.recipe.validation.refit else None
    metrics = evaluated(run, prepared, nulls)
    recipe = prepared.recipe
    metrics["tuning"] = told_tuning(recipe, [run.job_folder(fold.key, recipe.model.name) for fold in prepared.folds])
    metrics["warnings"] = [*metrics["warnings"], *prepared.warnings, *_learner_warnings(run, prepared)]
    run.write_table("predictions.csv", all_predictions(run, prepared))
    if "events" in metrics:
        run.write_table("alarms.csv", pd.DataFrame(metrics["events"].pop("alarms"), columns=ALARM_COLUMNS))
    if "forecast" in metrics:
        run.write_table("warnings.csv", pd.DataFrame(metrics["forecast"].pop("warnings"), columns=WARNING_COLUMNS))
    run.write_json("metrics.json", metrics)


def evaluated(run, prepared, refit_nulls=None):
    """Return what the predictions of all folds and learners mean together."""
    data, recipe = prepared.data, prepared.recipe
    task = build("task", TASKS, recipe.task)
    settings = recipe.validation
    labels = {plan.name: plan.label for plan in prepared.plans if plan.label}
    labels |= {last_epoch(name): f"{label}, last epoch" for name, label in labels.items()}
    whom = all_predictions(run, prepared), data.cohort.table, folds_table(prepared.folds, data.cohort)
    said = {"unit": settings.unit, "split": settings.split, "title": recipe.title, "simulated": data.cohort.simulated}
    said["identity"] = data.cohort.identity
    if task.target_kind == "labels":
        return evaluate_segmentation(
            *whom, target=data.target.name, classes=task.classes, roles=prepared.roles, labels=labels, **said
        )
    return evaluate(
        *whom,
        within=settings.within,
        gap=settings.gap,
        spelling=settings.spelling and settings.spelling.model_dump(),
        events=settings.events and asked_events(run, prepared),
        forecast=settings.forecast and asked_forecast(run, prepared),
        task={
            "kind": task.kind,
            "target": data.target.name,
            "classes": list(data.target.classes),
            "positive": data.target.positive,
            "unit": recipe.target.unit,
        },
        roles=prepared.roles,
        permutations=settings.permutations,
        seed=recipe.seed,
        primary=settings.primary,
        ceiling=data.cohort.planted.get("ceiling"),
        refit_nulls=refit_nulls,
        n_refits=settings.refit,
        groups=settings.groups,
        confounds=settings.confounds,
        labels=labels,
        inputs=recipe.inputs_of(recipe.model),
        **said,
    )


def asked_events(run, prepared):
    """Return what `evaluate_events` needs beside the predictions of the test parts."""
    recipe, trials = prepared.recipe, prepared.recipe.trials
    asked = recipe.validation.events.model_dump()
    recorded = {}
    for sample, one in recordings_of(prepared.data.stores[trials.input].store).items():
        spans = events_of(sample, one, trials.classes)[0][asked["label"]]
        recorded[sample] = ([(onset, stop - onset) for onset, stop in spans], one.n_times / one.sampling_rate)
    tune = all_predictions(run, prepared, TUNE_PREDICTIONS)
    return {"tune_predictions": tune, "recorded": recorded, "every": trials.every, "length": trials.length, **asked}


def asked_forecast(run, prepared):
    """Return what `evaluate_forecasts` needs beside the predictions of the test parts."""
    trials, before = prepared.recipe.trials, prepared.recipe.trials.time_before
    recorded = {}
    for sample, one in recordings_of(prepared.data.stores[trials.input].store).items():
        events, seconds = events_of(sample, one, trials.classes)[0][before.of], one.n_times / one.sampling_rate
        recorded[sample] = (events, before.foretold(events, seconds), seconds)
    how = {
        "every": trials.every,
        "length": trials.length,
        "label": before.name,
        **prepared.recipe.validation.forecast.model_dump(),
    }
    how |= {"horizon": before.horizon, "occurrence": before.occurrence, "least": before.least}
    return {"tune_predictions": all_predictions(run, prepared, TUNE_PREDICTIONS), "recorded": recorded, **how}


def refits(run, prepared, cache, jobs=1):
    """Return for each learner a function that fits it anew on shuffled labels, and its predictions for them.

    The predictions of each refit are kept in ``refits/LEARNER/SEED.csv``, so that a run that was killed goes on;
    the weights are not kept.
    """
    words = text_columns(prepared.data.target)

    def refit(plan, seed):
        """Return the predictions of one learner, fitted in every fold on targets shuffled by a seed."""
        place = run.folder / "refits" / plan.name / str(seed)
        kept = place.with_suffix(".csv")
        if not kept.exists():
            shuffled, again = replace(with_labels_dealt_anew(prepared, seed), plans=[plan]), Run(place)
            learn(again, shuffled, cache, jobs)
            found = all_predictions(again, shuffled)
            write_table(kept, found[found["learner"] == plan.name])
        shutil.rmtree(place, ignore_errors=True)
        return read_table(kept, text=words)

    return {plan.name: partial(refit, plan) for plan in prepared.plans}


def all_predictions(run, prepared, name="predictions.csv"):
    """Return the predictions of all folds and learners, a row each: of the test parts, or as the file's name says."""
    words = text_columns(prepared.data.target)
    places = [run.job_folder(fold.key, plan.name) for plan in prepared.plans for fold in prepared.folds]
    return pd.concat([read_table(place / name, text=words) for place in places], ignore_index=True)


def _learner_warnings(run, prepared):
    """Return what fitted transforms said of the fit people (regions dropped ...), each once, with its folds."""
    said = {}
    for plan in prepared.plans:
        for fold in prepared.folds:
            for text in read_json(run.job_folder(fold.key, plan.name) / "fitted.json")["warnings"]:
                said.setdefault(text, []).append(f"{fold.key}")
    n_folds = len(prepared.folds)
    return [
        text if len(set(folds)) == n_folds else f"{text} (fold {', '.join(sorted(set(folds)))})"
        for text, folds in said.items()
    ]
