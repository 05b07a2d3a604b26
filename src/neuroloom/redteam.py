"""Red team: what would this recipe claim from nothing, and what would a wrong split make it claim?"""

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from neuroloom.cohort.folds import make_folds
from neuroloom.experiment import evaluated, learn
from neuroloom.formats.atomic import atomic_write
from neuroloom.preparation import CONFOUNDS, prepare, read_cohort
from neuroloom.run_folder import Run
from neuroloom.sampling.data import with_shuffled_target
from neuroloom.seeds import generator
from neuroloom.transforms.store import ArrayStore

ATTACKS_FILE = "redteam.json"
COPY_NOISE = 0.1  # of a second scan of the same person, in the spread of the first


@dataclass(frozen=True)
class Attack:
    """One attempt to make a recipe claim something it should not.

    ``passed`` is None where the attack shows a danger rather than tests the recipe.
    """

    name: str
    learner: str
    metric: str
    value: float
    interval: tuple[float, float]
    chance: float
    passed: bool | None
    text: str


def red_team(recipe, *, data=None, cohort_file=None, cache, jobs=1, on_progress=None):
    """Attack a recipe on its own cohort, and return what each attack found.

    1. Labels shuffled between people, within site: every learner must be at chance.
    2. A wrong split: each person scanned twice (the copy has a little noise), scans dealt to folds as if they were
       people, labels still shuffled. What is then reached is what a leak would have claimed.
    3. The confounds alone, on the true labels.

    Parameters
    ----------
    recipe : Recipe
    data, cohort_file : Path or None
    cache : Cache
    jobs : int
    on_progress : callable or None

    Returns
    -------
    list of Attack
    """
    recipe = recipe.model_copy(update={"tuning": None})
    prepared = prepare(recipe, read_cohort(recipe, data, cohort_file), cache, on_progress)
    shuffled = replace(prepared, data=with_shuffled_target(prepared.data, recipe.seed))
    work = [("shuffled labels", shuffled), ("wrong split", with_wrong_split(shuffled)), ("confounds", prepared)]
    attacks = []
    for name, attacked in work:
        only = [plan for plan in attacked.plans if (name == "confounds") == (plan.name == CONFOUNDS)]
        if not only:
            continue
        roles = {plan.name: "deep" if plan.name == CONFOUNDS else prepared.roles[plan.name] for plan in only}
        attacked = replace(attacked, plans=only, roles=roles)
        with tempfile.TemporaryDirectory() as folder:
            run = Run(Path(folder) / "run")
            learn(run, attacked, cache, jobs, on_progress)
            metrics = evaluated(run, attacked)
        attacks += [_attack(name, learner, metrics) for learner in metrics["learners"]]
    return attacks


def with_wrong_split(prepared):
    """Return everything prepared for a split by scan of people who were scanned twice."""
    data, settings = prepared.data, prepared.recipe.validation
    n = len(data)
    table = pd.concat([data.cohort.table, data.cohort.table])
    table.index = pd.Index([f"{sample}_{scan}" for scan in (1, 2) for sample in data.cohort.samples], name="sample_id")
    target = replace(data.target, values=np.tile(data.target.values, 2))
    draw = generator(prepared.recipe.seed, "wrong split")
    stores = {name: _scanned_twice(store, table.index, n, draw) for name, store in data.stores.items()}
    table = table.assign(participant_id=table.index).drop(columns="family_id", errors="ignore")
    as_if_people = replace(data.cohort, table=table, inputs={}, known_truth=None)
    split = "kfold" if settings.split == "leave_site_out" else settings.split
    folds = make_folds(
        as_if_people, target, unit="sample", split=split, n_folds=settings.folds, tune=settings.tune,
        seed=prepared.recipe.seed,
    )  # fmt: skip
    doubled = replace(data, cohort=as_if_people, stores=stores, target=target)
    return replace(prepared, data=doubled, folds=folds)


def _scanned_twice(store, samples, n, draw):
    values, told = {}, {}
    for row in np.flatnonzero(store.present):
        array = np.asarray(store[int(row)])
        noise = draw.normal(scale=COPY_NOISE * float(np.nanstd(array)), size=array.shape)
        values |= {int(row): array, int(row) + n: (array + noise).astype(array.dtype)}
        told |= {int(row): store.geometry(int(row)), int(row) + n: store.geometry(int(row))}
    return ArrayStore(store.kind, tuple(samples), values, store.names, told)


def attack_table(attacks):
    """Return the attacks as a table for the terminal."""
    from rich.table import Table

    table = Table("attack", "learner", "metric", "value", "95 % interval", "chance", "verdict")
    verdicts = {True: "passed", False: "FAILED", None: "shown"}
    for one in attacks:
        low, high = one.interval
        numbers = (f"{one.value:.3f}", f"{low:.3f} to {high:.3f}", f"{one.chance:.3f}")
        table.add_row(one.name, one.learner, one.metric, *numbers, verdicts[one.passed])
    return table


def write_attacks(folder, attacks):
    """Write the attacks as JSON into a folder; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ATTACKS_FILE
    atomic_write(path, json.dumps([asdict(attack) for attack in attacks], indent=1).encode())
    return path


def _attack(name, learner, metrics):
    primary = metrics["primary"]
    score, chance = metrics["learners"][learner]["scores"][primary], metrics["chance"][primary]
    low, high = score["interval"]
    at_chance = _reaches(low, high, chance, primary)
    passed = at_chance if name == "shuffled labels" else None
    told = f"{learner}: {primary} {score['value']:.3g} ({low:.3g} to {high:.3g}), chance {chance:.3g}"
    text = {
        "shuffled labels": "nothing is claimed from nothing" if at_chance else "SOMETHING IS CLAIMED FROM NOTHING",
        "wrong split": "what the same shuffled labels would have claimed with people on both sides of the split",
        "confounds": "the confounds alone say nothing" if at_chance else "the confounds alone reach this",
    }[name]
    return Attack(name, learner, primary, score["value"], (low, high), chance, passed, f"{told}: {text}.")


def _reaches(low, high, chance, metric):
    """Say whether an interval reaches chance, or lies on its worse side."""
    return high >= chance if metric in ("mae", "rmse") else low <= chance
