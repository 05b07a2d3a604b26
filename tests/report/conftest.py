"""Run folders as the pipeline leaves them, drawn with known numbers: one that tells classes apart, one for age."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from neuroloom.validation.evaluate import evaluate

LEARNERS = {
    "sfcn": {"role": "deep", "label": "SFCN"},
    "linear_svm": {"role": "baseline", "label": "Linear SVM"},
    "logistic": {"role": "baseline", "label": "Regional logistic"},
    "confounds": {"role": "confounds", "label": "Confounds alone"},
}
STRENGTH = {"sfcn": 2.3, "linear_svm": 1.7, "logistic": 2.0, "confounds": 0.35}
TITLES = {"classify": "Alzheimer's disease from a T1-weighted scan", "regress": "Brain age from a T1-weighted scan"}
ENVIRONMENT = {
    "cohort_fingerprint": "0123456789abcdef",
    "started": "2026-03-01",
    "python": "3.11.7",
    "system": "Linux x86_64",
    "processors": 2,
    "cpu_capability": "AVX2",
    "gpu": None,
    "threads_per_job": 1,
    "versions": {"neuroloom": "0.1.0", "torch": "2.13.0", "numpy": "2.3.0", "scikit-learn": "1.8.0"},
    "variables": {"SECRET_TOKEN": "hunter2"},
    "user": "alice",
    "folder": "/home/alice/runs",
}


@pytest.fixture(scope="session")
def classify_run(tmp_path_factory):
    """160 people of 4 sites, Alzheimer's disease or control, 5 folds; explained, with a null and a ceiling."""
    return build_run(tmp_path_factory.mktemp("runs") / "alzheimers-mri", "classify")


@pytest.fixture(scope="session")
def regress_run(tmp_path_factory):
    """160 people, age predicted with and without correction, 5 folds."""
    return build_run(tmp_path_factory.mktemp("runs") / "brain-age", "regress")


@pytest.fixture(scope="session")
def three_class_run(tmp_path_factory):
    """120 people of 4 sites that are left out in turn, three classes; at site-2 everybody is of one class."""
    folder = tmp_path_factory.mktemp("runs") / "three-classes"
    folder.mkdir()
    rng = np.random.default_rng(11)
    classes = np.array(["CN", "MCI", "AD"])
    site, number = np.arange(120) % 4, rng.integers(3, size=120)
    number[site == 2] = 1
    ids = pd.Index([f"sub-{place:03d}" for place in range(120)], name="sample_id")
    told = {"participant_id": ids, "site": [f"site-{at}" for at in site], "diagnosis": classes[number]}
    cohort = pd.DataFrame(told, index=ids)
    parts = [np.where(site == fold, "test", "fit") for fold in range(4)]
    base = {"sample_id": ids, "participant_id": ids, "repeat": 0}
    folds = pd.concat([pd.DataFrame({**base, "fold": f, "part": part}) for f, part in enumerate(parts)])
    predictions = pd.concat([_three_probabilities(rng, base, site, number, classes, name) for name in LEARNERS])
    metrics = evaluate(
        predictions,
        cohort,
        folds,
        task={"kind": "classify", "target": "diagnosis", "classes": list(classes)},
        roles={name: entry["role"] for name, entry in LEARNERS.items()},
        permutations=20,
        split="leave_site_out",
    )
    cohort.to_csv(folder / "cohort.csv")
    folds.to_csv(folder / "folds.csv", index=False)
    predictions.to_csv(folder / "predictions.csv", index=False)
    write_json(folder / "metrics.json", metrics)
    return folder


def _three_probabilities(rng, base, site, number, classes, learner):
    logits = 1.5 * np.eye(3)[number] + rng.normal(0, 1, (len(number), 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    told = {f"prediction_p_{name}": p[:, place] for place, name in enumerate(classes)}
    answer = {"truth_diagnosis": classes[number], "prediction_diagnosis": classes[p.argmax(axis=1)]}
    return pd.DataFrame({**base, "fold": site, "learner": learner, **answer, **told})


def build_run(folder, task, n=160, explained=True):
    """Write a run's folder and return it."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(7)
    cohort = draw_cohort(rng, n)
    folds = draw_folds(rng, cohort)
    predictions = draw_predictions(rng, cohort, folds, task)
    cohort.to_csv(folder / "cohort.csv")
    folds.to_csv(folder / "folds.csv", index=False)
    predictions.to_csv(folder / "predictions.csv", index=False)
    write_json(folder / "metrics.json", evaluated(cohort, folds, predictions, task))
    write_json(folder / "environment.json", ENVIRONMENT)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe(task), sort_keys=False))
    write_log(folder)
    write_histories(rng, folder)
    if explained:
        write_explanation(rng, folder)
    return folder


def write_json(path, content):
    path.write_text(json.dumps(content, indent=1))


def draw_cohort(rng, n):
    patient = np.arange(n) % 2 == 1
    age = np.round(np.clip(rng.normal(np.where(patient, 75, 72), 7), 55, 92), 1)
    cohort = pd.DataFrame(
        {
            "participant_id": [f"sub-{number:03d}" for number in range(n)],
            "site": [f"site-{'ABCD'[number // 2 % 4]}" for number in range(n)],
            "age": age,
            "sex": rng.choice(["F", "M"], n),
            "diagnosis": np.where(patient, "AD", "CN"),
            "motion": np.round(rng.gamma(3, 0.05, n), 3),
        },
        index=pd.Index([f"sub-{number:03d}_ses-1" for number in range(n)], name="sample_id"),
    )
    cohort.loc[cohort.index[[3, 40]], "motion"] = np.nan
    return cohort


def draw_folds(rng, cohort):
    part_of, rows = rng.permutation(len(cohort)) % 5, []
    for fold in range(5):
        tune = np.flatnonzero(part_of == (fold + 1) % 5)[:20]
        parts = np.where(part_of == fold, "test", "fit")
        parts[tune] = "tune"
        rows.append(pd.DataFrame({"sample_id": cohort.index, "participant_id": cohort["participant_id"].to_numpy(),
                                  "repeat": 0, "fold": fold, "part": parts}))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def draw_predictions(rng, cohort, folds, task):
    test = folds[folds["part"] == "test"].drop(columns="part")
    frames = []
    for learner in LEARNERS:
        rows = test.assign(learner=learner)
        people = cohort.loc[rows["sample_id"]]
        frames.append(_class_columns(rng, rows, people) if task == "classify" else _age_columns(rng, rows, people))
    return pd.concat(frames, ignore_index=True)


def _class_columns(rng, rows, people):
    patient = (people["diagnosis"] == "AD").to_numpy()
    logit = STRENGTH[rows["learner"].iloc[0]] * (patient - 0.5) + rng.normal(0, 1.1, len(rows))
    p = 1 / (1 + np.exp(-1.3 * logit))
    called, truth = np.where(p > 0.5, "AD", "CN"), people["diagnosis"].to_numpy()
    return rows.assign(truth_diagnosis=truth, prediction_diagnosis=called, prediction_p_CN=1 - p, prediction_p_AD=p)


def _age_columns(rng, rows, people):
    age, keep = people["age"].to_numpy(), 0.25 + 0.25 * STRENGTH[rows["learner"].iloc[0]]
    predicted = 73 + keep * (age - 73) + rng.normal(0, 2.6, len(rows))
    return rows.assign(truth_age=age, prediction_age=predicted, prediction_age_corrected=73 + (predicted - 73) / keep)


def evaluated(cohort, folds, predictions, kind):
    """Return metrics.json as the pipeline makes it, with a warning that names a folder of somebody's machine."""
    classes = kind == "classify"
    task = {
        "kind": kind,
        "target": "diagnosis" if classes else "age",
        "classes": ["CN", "AD"] if classes else [],
        "unit": None if classes else "years",
    }
    metrics = evaluate(
        predictions,
        cohort,
        folds,
        task=task,
        roles={name: told["role"] for name, told in LEARNERS.items()},
        labels={name: told["label"] for name, told in LEARNERS.items()},
        permutations=60,
        seed=3,
        confounds=("site", "age", "sex", "motion"),
        inputs=("T1-weighted scan",),
        ceiling={"auc": 0.995} if classes else None,
        simulated=classes,
        title=TITLES[kind],
    )
    metrics["warnings"] += ["Could not read /home/alice/scans/sub-900_T1w.nii.gz"]
    return metrics


def recipe(task):
    """Return a resolved recipe, as recipe.yaml holds it."""
    classes = task == "classify"
    simulated = {"name": "simulated_t1w", "n_participants": 160, "n_sites": 4, "where": None}
    chain = [{"name": "resample", "voxel_size": 4.0}, {"name": "crop", "box": "medial_temporal"}]
    return {
        "id": "alzheimers-mri" if classes else "brain-age",
        "title": TITLES[task],
        "source": "https://doi.org/10.1016/j.media.2020.101694",
        "expected": {"metric": "auc", "on": "ADNI", "value": [0.86, 0.94]} if classes else {},
        "seed": 3,
        "cohort": simulated if classes else {"name": "user", "where": None},
        "inputs": {"t1w": {"from": None, "chain": chain, "missing": "error"}},
        "target": {"column": "diagnosis", "positive": "AD"} if classes else {"column": "age", "unit": "years"},
        "task": {"name": task},
        "model": {"name": "sfcn", "widths": [16, 32, 64], "dropout": 0.3, "inputs": None, "label": "SFCN"},
        "baselines": [
            {"name": "linear_svm", "inputs": None, "label": "Linear SVM"},
            {"name": "logistic", "inputs": None, "label": "Regional logistic"},
        ],
        "training": {
            "epochs": 30,
            "batch_size": 16,
            "learning_rate": 0.001,
            "weight_decay": 0.01,
            "optimizer": "adamw",
            "schedule": "one_cycle",
            "patience": None,
            "choose": "best_tune",
            "augmentation": [],
        },
        "validation": {
            "unit": "participant",
            "split": "kfold",
            "folds": 5,
            "repeats": 1,
            "tune": 0.15,
            "confounds": ["site", "age", "sex", "motion"],
            "permutations": 60,
        },
    }


def write_log(folder):
    lines = [
        {
            "time": 1.5,
            "event": "prepared",
            "samples": 160,
            "notes": ["column 'dx' taken as diagnosis"],
            "warnings": ["The confound 'handedness' is not known in this cohort, so nothing can be said about it."],
        },
        {"time": 2.5, "event": "fold ended", "repeat": 0, "fold": 0, "learner": "sfcn"},
    ]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, lines)) + '\n{"event": {"cut": "by a kill"}')


def write_histories(rng, folder):
    for fold in range(5):
        epoch = np.arange(1, 31)
        fit = 0.1 + 0.6 * np.exp(-epoch / 8) + rng.normal(0, 0.01, 30)
        tune = 0.25 + 0.45 * np.exp(-epoch / 6) + 0.004 * np.maximum(epoch - 14, 0) + rng.normal(0, 0.015, 30)
        place = folder / "folds" / f"0-{fold}" / "sfcn"
        place.mkdir(parents=True)
        history = pd.DataFrame({"epoch": epoch, "fit_loss": fit, "tune_loss": tune, "chosen": 0})
        history.loc[history["tune_loss"].idxmin(), "chosen"] = 1
        history.to_csv(place / "history.csv", index=False)


def write_explanation(rng, folder):
    place = folder / "explanation"
    place.mkdir()
    shape, affine = (28, 22, 16), np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = [-54, -62, -42]
    i, j, k = np.meshgrid(*map(np.arange, shape), indexing="ij")
    planted = np.zeros(shape, bool)
    for centre in ((7, 11, 6), (20, 11, 6)):
        planted |= (i - centre[0]) ** 2 + ((j - centre[1]) / 2) ** 2 + (k - centre[2]) ** 2 <= 4
    values = np.where(planted, 1.0, 0.0) + 0.12 * rng.random(shape)
    np.savez(place / "ig.npz", map=values.astype(np.float32), affine=affine, planted=planted)
    matrix = rng.normal(0, 0.2, (24, 24))
    matrix = matrix + matrix.T
    edges = np.zeros((24, 24), bool)
    for first, second in ((1, 9), (4, 17), (12, 20)):
        edges[first, second] = edges[second, first] = True
        matrix[first, second] = matrix[second, first] = 1.4
    np.savez(place / "edges.npz", matrix=matrix, names=[f"region {place}" for place in range(24)], planted=edges)
    values = rng.normal(0, 0.3, 40)
    np.savez(place / "features.npz", values=values, names=[f"thickness {place}" for place in range(40)])
    figures = [
        ("volume_map", "ig.npz", "Integrated gradients, mean over the test people"),
        ("connectome", "edges.npz", "Edges"),
        ("features", "features.npz", "Features"),
        ("features", "gone.npz", "A figure whose file is gone"),
    ]
    methods = [
        {
            "name": "integrated_gradients",
            "learner": "sfcn",
            "text": "What moves the prediction away from that of the fit part's mean scan.",
            "tests": [
                explanation_test("randomised_weights", 0.11, 0.3, True, "likeness to the map of random weights"),
                explanation_test("agreement_of_folds", 0.42, 0.5, False, "mean correlation of the folds' maps"),
            ],
            "figures": [dict(zip(("kind", "file", "title"), figure, strict=True)) for figure in figures],
        }
    ]
    write_json(place / "summary.json", {"methods": methods})


def explanation_test(name, value, threshold, passed, text):
    return {"name": name, "value": value, "threshold": threshold, "passed": passed, "text": text}
