"""Tuning: a search over recipe keys inside a fold, judged on its tune part. The test part is never seen."""

import itertools
import json
import math
import shutil
from dataclasses import replace

import filelock
import numpy as np

from neuroloom.errors import Diverged, NeuroloomError
from neuroloom.formats.atomic import atomic_write, remove_halves
from neuroloom.formats.limits import read_json
from neuroloom.preparation import check_parts, make_plans, make_stores
from neuroloom.recipe import resolved
from neuroloom.sampling.data import Data
from neuroloom.seeds import generator, key_number
from neuroloom.training.job import keep_predictions, single_thread
from neuroloom.training.learner import load_learner, make_learner

SEARCHED = ("model", "training", "task", "inputs")  # what a trial may change: not who is in which part


class Grid:
    """Every combination in turn, or a draw of them where there are more than the trials allowed."""

    def __init__(self, space, trials, seed):
        every = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
        if len(every) > trials:
            every = [every[number] for number in generator(seed, "grid").permutation(len(every))[:trials]]
        self.choices = iter(every)

    def ask(self):
        """Return the next choice, or None at the end."""
        return next(self.choices, None)

    def tell(self, choice, error):
        """A grid does not learn from what it is told."""


class Optuna:
    """Choices proposed by a tree-structured Parzen estimator (Bergstra et al. 2011) from the trials so far."""

    def __init__(self, space, trials, seed):
        try:
            import optuna
        except ImportError:
            raise NeuroloomError("tuning.strategy optuna needs: pip install 'neuroloom[tune]'.") from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed % 2**32))
        self.space, self.left, self.trial = space, trials, None

    def ask(self):
        """Return the next choice, or None at the end."""
        if not self.left:
            return None
        self.left -= 1
        self.trial = self.study.ask()
        numbers = {key: self.trial.suggest_categorical(key, range(len(v))) for key, v in self.space.items()}
        return {key: self.space[key][number] for key, number in numbers.items()}

    def tell(self, choice, error):
        """Learn the error of the choice that was asked for last."""
        self.study.tell(self.trial, error)


def fit_tuned(recipe, data, cache, fold, place, log):
    """Search in one fold, keep the best trial as the learner, and keep its test predictions.

    Each trial is fitted on the fit part and judged by the task's error on the tune part.
    """
    _check_space(recipe, fold)
    place.mkdir(parents=True, exist_ok=True)
    job = {"repeat": fold.repeat, "fold": fold.index, "learner": recipe.model.name}
    with filelock.FileLock(place / ".lock"), single_thread():
        if (place / "done.json").exists():
            return
        remove_halves(place)
        trials = _search(recipe, data, cache, fold, place, log, job)
        best = _best(trials, fold)
        for file in (place / "trials" / f"{best:03d}").glob("[!.]*"):
            if file.name != "trial.json":
                shutil.copyfile(file, place / file.name)
        atomic_write(place / "tuning.json", json.dumps({"trials": trials, "chosen": best}, indent=1).encode())
        chosen = _trial_data(_trial_recipe(recipe, trials[best]["choice"]), recipe, data, cache)
        keep_predictions([load_learner(place)], chosen, fold, place, recipe.validation.keeps_tune)
        atomic_write(place / "done.json", json.dumps(job).encode())
        log.add("fold ended", **job)


def _best(trials, fold):
    """Return the number of the trial with the smallest error (the first of equals)."""
    errors = [_error(trial) for trial in trials]
    if not np.isfinite(errors).any():
        raise NeuroloomError(
            f"Fold {fold.key}: all {len(trials)} trials of the search diverged, so none can be chosen. "
            "Name smaller values of training.learning_rate in tuning.space."
        )
    return int(np.argmin(errors))


def _error(trial):
    """Return the error of a trial, infinite where its training diverged (JSON has no word for that but null)."""
    return math.inf if trial["error"] is None else trial["error"]


def _check_space(recipe, fold):
    for key in recipe.tuning.space:
        if key.split(".")[0] not in SEARCHED:
            raise NeuroloomError(f"tuning.space: {key!r} cannot be searched; a trial may change {', '.join(SEARCHED)}.")
    if not len(fold.tune):
        raise NeuroloomError("A search needs a tune part to judge by: --set validation.tune=0.15.")


def _search(recipe, data, cache, fold, place, log, job):
    settings = recipe.tuning
    seed = key_number(recipe.seed, "tuning", fold.repeat, fold.index)
    search = {"grid": Grid, "optuna": Optuna}[settings.strategy](settings.space, settings.trials, seed)
    trials = []
    while (choice := search.ask()) is not None:
        trial_place = place / "trials" / f"{len(trials):03d}"
        trial = _run_trial(recipe, choice, data, cache, fold, trial_place)
        search.tell(choice, _error(trial))
        log.add("trial ended", **job, trial=len(trials), **trial)
        trials.append(trial)
    return trials


def _run_trial(recipe, choice, data, cache, fold, place):
    done = place / "trial.json"
    if done.exists():
        return read_json(done)
    place.mkdir(parents=True, exist_ok=True)
    changed = _trial_recipe(recipe, choice)
    trial_data = _trial_data(changed, recipe, data, cache)
    plan = replace(make_plans(changed)[0][0], name=recipe.model.name)  # a trial may take another network
    try:
        learner = make_learner(plan).fit(trial_data, fold, recipe.seed, place)
        error = learner.task.error(learner.predict(trial_data, fold.tune), data.target.values[fold.tune])
    except Diverged:
        error = math.inf
    trial = {"choice": choice, "error": error if math.isfinite(error) else None}
    atomic_write(done, json.dumps(trial).encode())
    return trial


def _trial_recipe(recipe, choice):
    changed = resolved(recipe.as_dict(), None, choice.items())
    check_parts(changed)
    return changed


def _trial_data(changed, recipe, data, cache):
    """Return the data of a trial: other stores where it changes an input's chain."""
    if changed.inputs == recipe.inputs:
        return data
    return Data(data.cohort, make_stores(changed, data.cohort, cache), data.target, data.sampling)


def told_tuning(recipe, places):
    """Return what a search did, for the page: space, number of trials, and what each fold chose."""
    if recipe.tuning is None:
        return None
    found = [read_json(place / "tuning.json") for place in places]
    return {
        "strategy": recipe.tuning.strategy,
        "space": recipe.tuning.space,
        "trials_per_fold": [len(one["trials"]) for one in found],
        "chosen": [one["trials"][one["chosen"]]["choice"] for one in found],
    }
