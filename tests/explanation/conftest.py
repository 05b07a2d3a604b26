"""Small learners on drawn data, without a run around them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from neuroloom.cohort.cohort import Cohort
from neuroloom.cohort.target import Target
from neuroloom.experiment import learn
from neuroloom.models.network import build_network
from neuroloom.parts import Part, build
from neuroloom.preparation import prepare, read_cohort
from neuroloom.recipe import resolved
from neuroloom.run_folder import Run
from neuroloom.sampling import SAMPLINGS
from neuroloom.sampling.data import Data
from neuroloom.training.learner import InputPlan, Plan, make_learner
from neuroloom.transforms.cache import Cache
from neuroloom.transforms.store import ArrayStore

N = 12
SHAPES = {"volume": (1, 9, 8, 10), "graph": (7, 7), "series": (5, 24), "table": (6,)}
NETWORKS = {
    "volume": Part(name="cnn3d", widths=[3, 4]),
    "graph": Part(name="brainnetcnn", edge_to_edge=[3], edge_to_node=4, node_to_graph=5),
    "series": Part(name="conv1d", widths=[6, 4]),
    "table": Part(name="mlp", widths=[8, 5]),
}


def drawn_data(kind, n=N, n_classes=2, sampling=None, seed=0, ragged=False):
    """Return `Data` of n people with one input ``x`` of a kind, and classes (or numbers, with n_classes 0)."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, *SHAPES[kind])).astype(np.float32)
    if kind == "graph":
        values = (values + np.swapaxes(values, 1, 2)) / 2
    arrays = {row: values[row] for row in range(n)}
    if ragged:
        arrays = {row: array[..., : array.shape[-1] - row] for row, array in arrays.items()}
    samples = tuple(f"sub-{row:02d}" for row in range(n))
    names = None if kind == "volume" else [f"place {at}" for at in range(SHAPES[kind][0])]
    told = {row: {"affine": np.diag([4.0, 4.0, 4.0, 1.0])} for row in range(n)} if kind == "volume" else {}
    store = ArrayStore(kind, samples, arrays, names, told)
    if n_classes:
        target = Target("group", "class", np.arange(n) % n_classes, tuple("ABC"[:n_classes]))
    else:
        target = Target("age", "number", rng.uniform(20, 80, n))
    table = pd.DataFrame({"participant_id": samples}, index=pd.Index(samples, name="sample_id"))
    return Data(Cohort(table, {}), {"x": store}, target, build("sampling", SAMPLINGS, sampling or Part(name="whole")))


def drawn_fold(n=N, index=0):
    rows = np.arange(n)
    return SimpleNamespace(
        repeat=0,
        index=index,
        fit=rows[: n // 2],
        tune=rows[n // 2 : n // 2 + 2],
        test=rows[n // 2 + 2 :],
        key=f"0-{index}",
        unit="participant",
    )


def drawn_learner(kind, data, fold, part=None, task="classify", seed=0, chain=()):
    """Return a trained-kind learner whose network has drawn weights."""
    plan = Plan("net", "trained", part or NETWORKS[kind], {"x": InputPlan("x", (), tuple(chain))}, Part(name=task))
    learner = make_learner(plan)
    learner.prepare(data, fold, seed)
    torch.manual_seed(seed)
    shape = learner.inputs.stores(data, fold.fit)["x"][int(fold.fit[0])].shape
    learner.told_network = {"shapes": {"x": list(shape)}, "kinds": {"x": kind}, "n_outputs": learner.task.n_outputs}
    learner.network = build_network(plan.part, {"x": shape}, {"x": kind}, learner.task.n_outputs).eval()
    return learner


RECIPE = {
    "id": "tiny",
    "title": "A tiny run",
    "source": "https://doi.org/10.48550/arXiv.1810.03292",
    "cohort": {"name": "simulated_table", "n_participants": 90},
    "inputs": {"thickness": [{"name": "standardize"}]},
    "target": {"column": "age", "unit": "years"},
    "task": {"name": "regress"},
    "model": {"name": "mlp", "widths": [16], "dropout": 0.2},
    "baselines": [{"name": "ridge"}],
    "training": {"epochs": 12, "batch_size": 16, "learning_rate": 5e-3},
    "validation": {"folds": 3, "permutations": 0},
    "explanation": [{"name": "gradient"}, {"name": "integrated_gradients", "steps": 8}, {"name": "weights"}],
}


@pytest.fixture
def drawn():
    return SimpleNamespace(data=drawn_data, fold=drawn_fold, learner=drawn_learner, shapes=SHAPES, recipe=RECIPE)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """Return a run whose learners are fitted, and what was prepared for it."""
    folder = tmp_path_factory.mktemp("tiny")
    recipe = resolved(RECIPE)
    cohort = read_cohort(recipe)
    run, cache = Run(folder / "run"), Cache(folder / "cache", 1)
    with run.locked():
        run.start(recipe, cohort.fingerprint())
        prepared = prepare(recipe, cohort, cache)
        learn(run, prepared, cache)
    return run, prepared
