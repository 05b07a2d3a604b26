"""Do maps of EEG find the planted channels, band and moment, and nothing where nothing is planted?

    python studies/eeg_places.py --out studies/eeg_places.json
    python studies/eeg_places.py --kinds "p300, network" --seeds 4 5   # what else is in the file stays

Small simulated cohorts of imagined movements (a rhythm falls over the motor cortex: channels and frequencies) and of
P300 spellers (a wave after awaited flashes: channels and moments), each with the effect as the simulator has it and with
none. Learners are trained and explained as a recipe does it. ``map_found`` says whether a map is stronger at the place than
all that is drawn by chance (its AUC is above the threshold), ``found`` whether its learner is above chance besides.
"""

import argparse
import itertools
import json
import tempfile
from pathlib import Path

from statsmodels.stats.proportion import proportion_confint
from study_record import commit, write

from neuroloom.experiment import learn, score
from neuroloom.explanation.explain import explain
from neuroloom.preparation import prepare, read_cohort
from neuroloom.recipe import read_recipe
from neuroloom.run_folder import Run
from neuroloom.transforms.cache import Cache

MOVERS = {"cohort": {"n_participants": 4, "n_sessions": 1, "n_trials": 40, "sampling_rate": 128.0}}
SPELLERS = {"cohort": {"n_participants": 4, "n_runs": 2, "n_letters": 4, "sampling_rate": 128.0}, "validation.folds": 4}
STUDIES = {  # kind: recipe, what is set, baselines, methods
    "motor imagery, network": (
        "eeg-decode",
        {**MOVERS, "training.epochs": 30},
        [{"name": "csp_lda"}],
        [{"name": "amplitude_perturbation"}, {"name": "integrated_gradients"}],
    ),
    "motor imagery, CSP and LDA": (
        "eeg-decode",
        {**MOVERS, "model": {"name": "csp_lda"}},
        [],
        [{"name": "amplitude_perturbation"}],
    ),
    "p300, network": (
        "p300",
        {**SPELLERS, "training.epochs": 15},
        [{"name": "time_lda"}],
        [{"name": "integrated_gradients"}, {"name": "weights"}],
    ),
    "p300, LDA on time courses": (
        "p300",
        {**SPELLERS, "model": {"name": "time_lda"}},
        [],
        [{"name": "weights"}],
    ),
}
TESTS = ("planted_place", "nothing_planted")


def study_rows(kind, seed, effect, **more):
    """Return a row for each map of one cohort: AUC for the place, what chance reaches, and whether it is found."""
    name, settings, baselines, methods = STUDIES[kind]
    overrides = {**settings, **more}
    cohort = {"seed": seed, "effect": effect, **overrides.pop("cohort")}
    asked = {f"cohort.{key}": value for key, value in cohort.items()}
    asked |= {"seed": seed, "baselines": baselines, "explanation": methods, **overrides}
    recipe = read_recipe(name, overrides=asked.items())
    with tempfile.TemporaryDirectory() as folder:
        run, cache = Run(Path(folder) / "run"), Cache(Path(folder) / "cache", 1)
        of_people = read_cohort(recipe)
        with run.locked():
            run.start(recipe, of_people.fingerprint())
            prepared = prepare(recipe, of_people, cache)
            learn(run, prepared, cache)
            score(run, prepared, cache)
            told = explain(run, prepared)["methods"]
            scores = run.metrics["learners"]
    return [row_of(kind, seed, effect, one, scores) for one in told]


def row_of(kind, seed, effect, one, scores):
    """Return what the page says of one map, and the map's own verdict, whatever its learner knows."""
    [test] = [test for test in one["tests"] if test["name"] in TESTS]
    [knows] = [test["passed"] for test in one["tests"] if test["name"] == "learner_above_chance"]
    map_found = test["value"] > test["threshold"]
    return {
        "kind": kind,
        "seed": seed,
        "effect": effect,
        "method": one["name"],
        "learner": one["learner"],
        "learner_auc": scores[one["learner"]]["scores"]["auc"]["value"],
        "learner_p": scores[one["learner"]]["null"]["p"],
        "auc": test["value"],
        "threshold": test["threshold"],
        "map_found": map_found,
        "found": map_found and knows is True,
    }


def summary(rows):
    """Return for each map how often the place was found, by the map alone and as it counts, and the mean AUC."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in ("kind", "method", "learner", "effect")), []).append(row)
    made = []
    for (kind, method, learner, effect), members in groups.items():
        told = {"kind": kind, "method": method, "learner": learner, "effect": effect, "cohorts": len(members)}
        told |= {key: share_of(members, key) for key in ("map_found", "found")}
        made.append(told | {key: mean_of(members, key) for key in ("auc", "learner_auc")})
    return made


def share_of(rows, key):
    """Return how many of the rows that know it say yes, of how many, and the 95 % interval of Wilson."""
    known = [row[key] for row in rows if row[key] is not None]
    interval = proportion_confint(sum(known), len(known), method="wilson") if known else []
    return {"yes": sum(known), "of": len(known), "interval": [round(float(end), 3) for end in interval]}


def mean_of(rows, key):
    return round(sum(row[key] for row in rows) / len(rows), 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given, at = parser.parse_args(), commit()
    told = json.loads(given.out.read_text()) if given.out.exists() else {"rows": []}
    for kind, seed, effect in itertools.product(given.kinds, given.seeds, (1.0, 0.0)):
        same = (kind, seed, effect)
        rows = [row for row in told["rows"] if (row["kind"], row["seed"], row["effect"]) != same]
        rows += study_rows(kind, seed, effect)
        told = {"commit": at, "summary": summary(rows), "rows": rows}
        write(given.out, told)


if __name__ == "__main__":
    main()
