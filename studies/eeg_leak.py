"""Windows of resting EEG: what would a split by window claim, of people of whom nothing can be told?

    python studies/eeg_leak.py --cohorts 5 --out studies/eeg_leak.json

`dementia-eeg` as it ships, on cohorts without and with a difference between the groups; each cohort is tested twice with
the same windows: people kept apart, and windows dealt to folds as if each were a person, as most studies of networks for
EEG do that were looked through (Brookshire et al. 2024, doi:10.3389/fnins.2024.1373515).
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from study_record import commit, write

from neuroloom.preparation import prepare, read_cohort
from neuroloom.recipe import read_recipe
from neuroloom.redteam import rows_as_people
from neuroloom.transforms.cache import Cache

EFFECTS = {"nothing": 0.0, "as published": 1.0}
APART, DEALT = "people kept apart", "rows as people"


def one_cohort(effect, seed, cache, **changes):
    """Return learner -> split -> (AUC, low, high) of windows of one cohort.

    Parameters
    ----------
    effect : float
    seed : int
    cache : Path
        Folder for prepared recordings.
    **changes
        Overrides of the recipe, dots written as two underscores.
    """
    told = {key.replace("__", "."): value for key, value in changes.items()}
    told |= {"cohort.effect": effect, "cohort.seed": seed, "seed": seed, "validation.permutations": 0}
    recipe = read_recipe("dementia-eeg", None, list(told.items()))
    recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"show_last": False})})
    kept = Cache(cache)
    found = {}
    for attack in rows_as_people(prepare(recipe, read_cohort(recipe), kept), kept):
        found.setdefault(attack.learner, {})[attack.name] = (attack.value, *attack.interval)
    return found


def summary(cohorts):
    """Return, by learner and split, the mean AUC, least and most, and the share of intervals that hold .5."""
    told = {}
    for learner in cohorts[0]:
        for split in (APART, DEALT):
            value, low, high = np.array([cohort[learner][split] for cohort in cohorts], dtype=float).T
            told[f"{learner}, {split}"] = {
                "auc": float(value.mean()),
                "least": float(value.min()),
                "most": float(value.max()),
                "interval_holds_chance": float(np.mean((low <= 0.5) & (high >= 0.5))),
            }
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=5)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given, at, started = parser.parse_args(), commit(), time.time()
    told = {"people": given.people, "cohorts": given.cohorts, "seed": given.seed, "commit": at, "results": {}}
    for name, effect in EFFECTS.items():
        cohorts = []
        for number in range(given.cohorts):
            with tempfile.TemporaryDirectory() as cache:
                found = one_cohort(effect, given.seed + number, Path(cache), cohort__n_participants=given.people)
            cohorts.append(found)
            print(name, number, found, flush=True)
        told["results"][name] = {"summary": summary(cohorts), "cohorts": cohorts}
    write(given.out, told | {"seconds": round(time.time() - started)})


if __name__ == "__main__":
    main()
