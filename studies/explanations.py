"""Do attributions find the planted place, also when it is moved, and nothing where nothing is planted?

    python studies/explanations.py --seeds 10 --out studies/explanations.json
    python studies/explanations.py --kinds t1w --seeds 3 --out studies/explanations.json   # the others stay in the file

For each kind of data three cohorts are simulated: the effect at one place, the same effect at another, and none. A
network and a linear baseline are trained on each as a recipe trains them, and every method's map is held against both
places: area under the curve of the map's strength, and p against moved places (volumes) or exchanged regions
(graphs), and against the maps that drawn answers have on the same people.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from study_record import commit, write

from neuroloom.cohort.cohort import ArraySource
from neuroloom.experiment import evaluated, learn
from neuroloom.explanation.chance import drawn_answers
from neuroloom.explanation.explain import change_seen, seen_people, spread_of
from neuroloom.explanation.explained import all_explained
from neuroloom.explanation.planted import LEVEL, found, planted_place, reach
from neuroloom.preparation import prepare
from neuroloom.recipe import resolved
from neuroloom.run_folder import Run
from neuroloom.simulators.bold import simulate_bold
from neuroloom.simulators.t1w import EFFECTS, simulate_t1w
from neuroloom.simulators.table import LOBES, SLOPE, SPREAD, simulate_table
from neuroloom.training.learner import load_learner
from neuroloom.transforms.cache import Cache

PLACES = ("here", "elsewhere")
METHODS = [
    {"name": "gradient"},
    {"name": "gradient", "times_input": True},
    {"name": "integrated_gradients"},
    {"name": "occlusion"},
    {"name": "weights"},
]


@dataclass(frozen=True)
class Study:
    """One kind of data: its recipe, and a cohort with the effect at a place.

    Parameters
    ----------
    recipe : dict
        All but cohort and explanation.
    cohort : callable
        ``cohort(place, effect, seed, n)`` -> Cohort; ``effect`` False plants nothing.
    n : int
        People.
    """

    recipe: dict
    cohort: object
    n: int


def table_cohort(place, effect, seed, n):
    """Return cortical thickness that falls with age in the temporal (or the parietal and occipital) lobe only."""
    nothing = simulate_table(n_participants=n, effect_scale=0.0, seed=seed)
    lobes = {"here": ("temporal",), "elsewhere": ("parietal", "occipital")}[place]
    falling = {f"{side}_{region}_thickness" for side in ("lh", "rh") for lobe in lobes for region in LOBES[lobe]}
    source = nothing.inputs["thickness"]
    names = source.geometry["names"]
    slope = np.array([SLOPE * SPREAD * (name in falling) for name in names])  # mm a year
    age = nothing.table["age"].to_numpy()
    thickness = source.arrays + effect * ((age - age.mean())[:, None] * slope).astype(np.float32)
    planted = {"slopes": dict(zip(names, slope.tolist(), strict=True)), "d": float(effect)}
    inputs = {"thickness": ArraySource("table", source.samples, thickness, source.geometry)}
    return replace(nothing, inputs=inputs, planted=planted)


def bold_cohort(place, effect, seed, n):
    """Return resting-state series whose edges differ between the groups in two networks, or in two others."""
    networks = {"here": ("default", "ventral attention"), "elsewhere": ("visual", "frontoparietal")}[place]
    return simulate_bold(n_participants=n, networks=networks, effect=0.7 * effect, seed=seed)


def t1w_cohort(place, effect, seed, n):
    """Return scans whose ventricles grow with the disease, or whose hippocampi and temporal lobes shrink."""
    effects = {"here": ("ventricles",), "elsewhere": ("hippocampus", "temporal")}[place]
    effects = {name: EFFECTS[name] for name in effects}
    return simulate_t1w(n_participants=n, effects=effects, effect_scale=1.0 * effect, seed=seed)


STUDIES = {
    "table": Study(
        {
            "inputs": {"thickness": [{"name": "standardize"}]},
            "target": {"column": "age", "unit": "years"},
            "task": {"name": "regress"},
            "model": {"name": "mlp", "widths": [32], "dropout": 0.3},
            "baselines": [{"name": "ridge"}],
            "training": {"epochs": 40, "batch_size": 32, "learning_rate": 2e-3, "weight_decay": 0.05},
        },
        table_cohort,
        300,
    ),
    "bold": Study(
        {
            "inputs": {"bold": [{"name": "covariance", "kind": "correlation"}, {"name": "fisher_z"}]},
            "target": {"column": "diagnosis", "positive": "autism"},
            "task": {"name": "classify"},
            "model": {"name": "mlp", "widths": [32], "dropout": 0.5},
            "baselines": [{"name": "logistic"}],
            "training": {"epochs": 40, "batch_size": 32, "learning_rate": 1e-3, "weight_decay": 0.05},
        },
        bold_cohort,
        160,
    ),
    "t1w": Study(
        {
            "inputs": {
                "t1w": [
                    {"name": "to_ras"},
                    {"name": "crop_box", "lower": [-56, -60, -40], "upper": [56, 28, 24], "voxel_size": 4.0},
                    {"name": "zscore"},
                ]
            },
            "target": {"column": "diagnosis", "positive": "AD"},
            "task": {"name": "classify"},
            "model": {"name": "cnn3d"},
            "baselines": [{"name": "logistic"}],
            "training": {"epochs": 40, "batch_size": 16, "learning_rate": 2e-3, "weight_decay": 0.05},
        },
        t1w_cohort,
        160,
    ),
}


def one_run(study, cohort, references, seed, folder, methods=METHODS, folds=5):
    """Return every `Explained` of a run on a cohort, each with what its learner sees and every place on its map.

    ``references`` holds the same people with the effect here, elsewhere and nowhere; the third result are scores.
    """
    content = {
        **study.recipe,
        "id": "study",
        "title": "Study of explanations",
        "source": "https://doi.org/10.48550/arXiv.1810.03292",
        "seed": seed,
        "cohort": {"name": "user"},
        "validation": {"folds": folds, "permutations": 0},
        "explanation": methods,
    }
    recipe = resolved(content)
    run, cache = Run(folder / "run"), Cache(folder / "cache", 1)
    with run.locked():
        run.start(recipe, cohort.fingerprint())
        prepared = prepare(recipe, cohort, cache)
        learn(run, prepared, cache)
        made, of_folds = all_explained(run, prepared)
        held = [
            (seen_people(run, prepared, one, of_folds[0]), places_of(one, run, prepared, of_folds[0], references))
            for one in made
        ]
        metrics = evaluated(run, prepared)
    scores = {name: told["scores"][metrics["primary"]]["value"] for name, told in metrics["learners"].items()}
    return made, held, scores


def places_of(one, run, prepared, fold, references):
    """Return the planted places on one map, by name; of scans, where the effect changes what the learner sees."""
    learner, data = load_learner(run.job_folder(fold.key, one.learner)), prepared.data
    spread, places = spread_of(data.stores[one.input], one.frame), {}
    for name in PLACES:
        change = None
        if one.frame.kind == "volume":
            nothing, something = (references[which].inputs[one.input] for which in ("nowhere", name))
            change = change_seen(learner, data, one, nothing, something)
        places[name] = planted_place(references[name].planted, data.target.name, one.frame, spread, change)
    return places


def rows_of(kind, planted_at, seed, made, held, scores):
    """Return a row for each map and each place that it is held against."""
    rows = []
    for one, (seen, places) in zip(made, held, strict=True):
        for name, place in places.items():
            of_answers = partial(drawn_answers, seen, partial(one.how.of_linear, frame=one.frame), one.reading)
            told = found(one.map, place, one.frame, one.varies, of_answers, seed)
            drawn = max(reach(m, place, one.frame, one.varies) for of_fold in one.redrawn for m in of_fold)
            rows.append(
                {
                    "kind": kind,
                    "planted": planted_at,
                    "seed": seed,
                    "learner": one.learner,
                    "score": scores[one.learner],
                    "method": one.name,
                    "held_against": name,
                    "auc": told.auc,
                    "p": told.p,
                    "highest_by_drawn_weights": drawn,
                    "found": told.p < LEVEL and told.auc > drawn,
                }
            )
    return rows


def study_rows(kind, seeds, n=None, methods=METHODS, folds=5):
    """Return all rows of one kind of data: effect here, elsewhere, and nowhere."""
    study, rows = STUDIES[kind], []
    for seed in seeds:
        cohorts = {place: study.cohort(place, True, seed, n or study.n) for place in PLACES}
        cohorts["nowhere"] = study.cohort("here", False, seed, n or study.n)
        for planted_at, cohort in cohorts.items():
            with tempfile.TemporaryDirectory() as folder:
                run = one_run(study, cohort, cohorts, seed, Path(folder), methods, folds)
                rows += rows_of(kind, planted_at, seed, *run)
    return rows


def summary(rows):
    """Return for each kind, method and cohort how often a place is found, as on the page, and the mean AUC."""
    groups = {}
    for row in rows:
        key = (row["kind"], row["method"], row["learner"], row["planted"], row["held_against"])
        groups.setdefault(key, []).append(row)
    names = ("kind", "method", "learner", "planted", "held_against")
    return [
        dict(zip(names, key, strict=True))
        | {
            "cohorts": len(members),
            "mean_auc": float(np.mean([row["auc"] for row in members])),
            "found": sum(row["found"] for row in members),
        }
        for key, members in groups.items()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given, at = parser.parse_args(), commit()
    started, told = time.time(), json.loads(given.out.read_text()) if given.out.exists() else {}
    for kind in given.kinds:
        rows = study_rows(kind, range(given.seeds))
        told[kind] = {"seeds": given.seeds, "commit": at, "seconds": round(time.time() - started)}
        told[kind] |= {"summary": summary(rows), "rows": rows}
        write(given.out, told)
        for row in told[kind]["summary"]:
            print("  ".join(f"{value:.2f}" if isinstance(value, float) else f"{value}" for value in row.values()))


if __name__ == "__main__":
    main()
