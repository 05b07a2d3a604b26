"""Studies as modules, and the three tables of a run with a known truth."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neuroloom.validation.outcomes import Outcomes

STUDIES = Path(__file__).resolve().parents[2] / "studies"
N_FOLDS = 5


@pytest.fixture(scope="session")
def study():
    """Return a function that loads a script of studies/ by name."""

    def load(name):
        spec = importlib.util.spec_from_file_location(name, STUDIES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
        return module

    return load


def simple_outcomes(truth, prediction, fold=None, unit=None, repeat=None, classes=("control", "AD"), fitted=None):
    """Return Outcomes of a few samples; for two classes ``prediction`` is the probability of the second."""
    truth, prediction = np.asarray(truth), np.asarray(prediction, dtype=float)
    n = len(truth)
    if classes and prediction.ndim == 1:
        prediction = np.column_stack([1 - prediction, prediction])
    zero = np.zeros(n, dtype=int)
    return Outcomes(
        truth=truth,
        prediction=prediction,
        repeat=zero if repeat is None else np.asarray(repeat),
        fold=zero if fold is None else np.asarray(fold),
        unit=np.arange(n) if unit is None else np.asarray(unit),
        sample=np.arange(n),
        references={},
        classes=classes,
        fitted=fitted or {},
    )


@pytest.fixture
def outcomes_of():
    return simple_outcomes


@pytest.fixture
def tables():
    return run_tables


def run_tables(n=100, separations=None, kind="classify", n_sites=3, repeats=1, seed=0, leave_site_out=False):
    """Return predictions, people and folds of a run.

    ``separations``: learner -> distance of the classes in SD of its score, so that its AUC is Phi(d / sqrt 2); for
    numbers the SD of its error in years.
    """
    separations = separations or {"net": 2.0, "linear": 2.0, "confounds": 0.0}
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 2
    people = pd.DataFrame(
        {
            "participant_id": [f"sub-{i:03d}" for i in range(n)],
            "site": [f"site-{i}" for i in rng.integers(0, n_sites, n)],
            "age": np.round(rng.uniform(20, 80, n), 1),
            "sex": rng.choice(["F", "M"], n),
            "motion": rng.gamma(2, 0.1, n),
            "diagnosis": np.where(truth == 1, "AD", "control"),
        },
        index=pd.Index([f"scan-{i:03d}" for i in range(n)], name="sample_id"),
    )
    fold_rows, prediction_rows = [], []
    for repeat in range(repeats):
        fold = people["site"].str[-1].astype(int).to_numpy() if leave_site_out else stratified(rng, truth)
        fold_rows.append(fold_table(people, repeat, fold))
        for learner, separation in separations.items():
            noise = rng.standard_normal(n)
            given = (
                class_columns(truth, separation, noise)
                if kind == "classify"
                else age_columns(people, separation, noise)
            )
            told = pd.DataFrame({"sample_id": people.index, "participant_id": people["participant_id"].to_numpy()})
            prediction_rows.append(told.assign(repeat=repeat, fold=fold, learner=learner, **given))
    return pd.concat(prediction_rows, ignore_index=True), people, pd.concat(fold_rows, ignore_index=True)


def stratified(rng, truth):
    fold = np.empty(len(truth), dtype=int)
    for value in (0, 1):
        members = rng.permutation(np.flatnonzero(truth == value))
        fold[members] = np.arange(len(members)) % N_FOLDS
    return fold


def fold_table(people, repeat, fold):
    parts = []
    for number in range(fold.max() + 1):
        part = np.where(fold == number, "test", "fit")
        rows = pd.DataFrame({"sample_id": people.index, "participant_id": people["participant_id"].to_numpy()})
        parts.append(rows.assign(repeat=repeat, fold=number, part=part))
    return pd.concat(parts)


def class_columns(truth, separation, noise):
    """Return columns whose probabilities are calibrated: the log odds of two unit normals ``separation`` apart."""
    score = separation * (truth - 0.5) + noise
    positive = 1 / (1 + np.exp(-separation * score)) if separation else 0.5 + 0.01 * np.tanh(score)
    names = np.array(["control", "AD"])
    return {
        "truth_diagnosis": names[truth],
        "prediction_diagnosis": names[(positive > 0.5).astype(int)],
        "prediction_p_control": 1 - positive,
        "prediction_p_AD": positive,
    }


def age_columns(people, error, noise):
    age = people["age"].to_numpy()
    prediction = 50 + 0.8 * (age - 50) + error * noise
    return {
        "truth_age": age,
        "prediction_age": prediction,
        "prediction_age_corrected": prediction + 0.2 * (prediction - 50) / 0.8,
    }
