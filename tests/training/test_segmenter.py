"""Segmentation through the learners: what is learned, what is told of it, and bad label maps."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from small import small

from neuroloom.errors import NeuroloomError
from neuroloom.experiment import prepare, read_cohort
from neuroloom.metrics.overlap import dice
from neuroloom.models.voxel_plan import VoxelPlan
from neuroloom.recipe import read_recipe, resolved
from neuroloom.training import segmenter
from neuroloom.training.learner import load_learner, make_learner
from neuroloom.transforms.cache import Cache
from neuroloom.transforms.store import ArrayStore

LEARNING = {"training.epochs": 30, "model.widths": [8, 16], "sampling.per_sample": 4}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    recipe = read_recipe("anatomy", None, small("anatomy", **LEARNING))
    return prepare(recipe, read_cohort(recipe), Cache(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def fitted(prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("learner")
    return make_learner(prepared.plans[0]).fit(prepared.data, prepared.folds[0], 0, folder), folder


@pytest.mark.slow
def test_it_learns_tissues_and_sides_of_people_it_has_not_seen(prepared, fitted):
    learner, _ = fitted
    raw = learner.predict(prepared.data, prepared.folds[0].test)
    found = dict(zip(learner.task.classes, dice(raw["counts"])[:, 0, 1:].mean(axis=0), strict=True))  # on T1
    for side in ("left", "right"):
        assert found[f"{side}_cerebral_white_matter"] > 0.45
        assert found[f"{side}_cerebral_cortex"] > 0.25
        assert found[f"{side}_cerebellum_cortex"] > 0.35


@pytest.mark.slow
def test_a_learner_that_was_saved_answers_the_same(prepared, fitted):
    learner, folder = fitted
    rows = prepared.folds[0].test[:1]
    again = load_learner(folder).predict(prepared.data, rows)
    np.testing.assert_array_equal(again["counts"], learner.predict(prepared.data, rows)["counts"])


def test_scans_that_do_not_fit_are_seen_in_windows(prepared, monkeypatch):
    learner = make_learner(prepared.plans[0])
    name = next(iter(learner.plan.inputs))
    learner.told_network = {"shapes": {name: [1, 16, 16, 16]}, "n_outputs": learner.task.n_outputs}
    learner.network, x = learner._network(), {name: torch.rand(1, 1, 22, 18, 20)}
    assert learner.posteriors(x).shape == (learner.task.n_outputs, 22, 18, 20)
    assert learner.windows == set()
    monkeypatch.setattr(segmenter, "plan_answer", lambda *given, **more: VoxelPlan((16, 16, 16), 0))
    found = learner.posteriors(x)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(learner.classes(x), found.argmax(axis=0))
    assert learner.windows == {(16, 16, 16)}


def test_the_baseline_is_the_vote_of_the_fit_people(prepared, tmp_path):
    plan, fold = prepared.plans[1], prepared.folds[0]
    learner = make_learner(plan).fit(prepared.data, fold, 0, tmp_path)
    maps = np.stack([learner.truth(prepared.data, row) for row in fold.fit])
    white = 1 + learner.task.classes.index("left_cerebral_white_matter")
    surely = (maps == white).mean(axis=0) > 0.5
    assert surely.sum() > 100
    assert (learner.estimator.predict()[surely] == white).all()
    counts = learner.predict(prepared.data, fold.test)["counts"]
    truth = learner.truth(prepared.data, fold.test[0])
    assert counts[0, 0, white].tolist() == [
        (truth == white).sum(),
        (learner.estimator.predict() == white).sum(),
        ((truth == white) & (learner.estimator.predict() == white)).sum(),
    ]


def test_a_label_that_is_not_known_names_the_person(prepared, tmp_path):
    data, fold = prepared.data, prepared.folds[0]
    store = data.stores["labels"]
    values = {row: np.array(store[row]) for row in range(len(store))}
    values[int(fold.fit[0])][0, 0, 0] = 999
    told = {row: store.geometry(row) for row in values}
    odd = ArrayStore("labels", store.samples, values, None, told)
    with pytest.raises(
        NeuroloomError, match=rf"{store.samples[fold.fit[0]]}: label map 'labels' holds the numbers \[999\]"
    ):
        make_learner(prepared.plans[1]).fit(replace(data, stores={"labels": odd}), fold, 0, tmp_path)


OWN = {
    "id": "own", "title": "a bright ball", "source": "https://doi.org/10.1/test", "cohort": {"name": "user"},
    "inputs": {"t1w": [], "mask": []}, "target": {"input": "mask"},
    "task": {"name": "segment", "classes": ["ball"]}, "sampling": {"name": "patches", "shape": [16, 16, 16]},
    "model": {"name": "unet3d", "inputs": ["t1w"], "widths": [4, 8]},
    "training": {"epochs": 25, "batch_size": 4, "learning_rate": 0.02, "choose": "last"},
    "validation": {"folds": 3, "permutations": 0, "tune": 0.0},
}  # fmt: skip


def balls(n=9, shape=(18, 20, 17)):
    """Return volumes with a bright ball at a drawn place in noise, and its masks, as a cohort."""
    import pandas as pd

    from neuroloom.cohort.cohort import ArraySource, Cohort

    draw, place = np.random.default_rng(0), np.indices(shape)
    masks = []
    for _ in range(n):
        centre = draw.uniform(5, 12, size=3)[:, None, None, None]
        masks.append(((place - centre) ** 2).sum(axis=0) < 16)
    volumes = [draw.normal(size=shape) + 3.0 * mask for mask in masks]
    people = [f"sub-{number}" for number in range(n)]
    geometry = {"affine": np.diag([2.0, 2.0, 2.0, 1.0])}
    inputs = {
        "t1w": ArraySource("volume", tuple(people), np.array(volumes, dtype=np.float32)[:, None], geometry),
        "mask": ArraySource("labels", tuple(people), np.array(masks, dtype=np.uint16), geometry),
    }
    return Cohort(pd.DataFrame({"participant_id": people}, index=pd.Index(people, name="sample_id")), inputs)


@pytest.mark.slow
def test_masks_of_ones_own_are_learned_from_scans_of_ones_own(tmp_path):
    prepared = prepare(resolved(OWN), balls(), Cache(tmp_path / "cache"))
    fold = prepared.folds[0]
    learner = make_learner(prepared.plans[0]).fit(prepared.data, fold, 0, tmp_path)
    columns = learner.columns("mask", learner.predict(prepared.data, fold.test))
    assert min(columns["prediction_dice_ball"]) > 0.8
    expected = [float((prepared.data.stores["mask"][row] == 1).sum()) * 8 / 1000 for row in fold.test]
    np.testing.assert_allclose(columns["truth_ml_ball"], expected)


def test_what_is_fitted_on_people_is_refused(tmp_path):
    content = {**OWN, "inputs": {"t1w": [{"name": "standardize"}], "mask": []}}
    with pytest.raises(NeuroloomError, match="standardize is fitted on people"):
        prepare(resolved(content), balls(), Cache(tmp_path))


def test_a_target_is_a_column_or_an_input():
    for target in ({}, {"input": "mask", "column": "age"}):
        with pytest.raises(NeuroloomError, match="a column or an input"):
            resolved({**OWN, "target": target})


def test_label_maps_become_tensors_that_torch_can_count_with():
    from neuroloom.training.items import as_tensor

    labels = as_tensor(np.array([0, 40000], dtype=np.uint16))
    assert labels.dtype == torch.int32
    assert labels.max() == 40000


@pytest.mark.slow
@pytest.mark.parametrize("adversarial", [0.0, 0.1])
def test_a_training_that_was_stopped_goes_on_and_ends_with_the_same_bytes(tmp_path, adversarial):
    content = with_task(adversarial=adversarial, epochs=4)
    prepared = prepare(resolved(content), balls(), Cache(tmp_path / "cache"))
    plan, data, fold = prepared.plans[0], prepared.data, prepared.folds[0]

    def stop(row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for place in (whole, stopped):
        place.mkdir()
    make_learner(plan).fit(data, fold, 0, whole)
    with pytest.raises(KeyboardInterrupt):
        make_learner(plan).fit(data, fold, 0, stopped, stop)
    assert (stopped / "checkpoint.safetensors").exists()
    make_learner(plan).fit(data, fold, 0, stopped)
    for name in ("model.safetensors", "history.csv", "fitted.json"):
        assert (whole / name).read_bytes() == (stopped / name).read_bytes(), name


def with_task(epochs, **more):
    return {**OWN, "task": {**OWN["task"], **more}, "training": {**OWN["training"], "epochs": epochs}}


def files_of(folder, content):
    """Train on the first fold; return the bytes of the files that tell what was learned, and the learner."""
    prepared = prepare(resolved(content), balls(), Cache(folder / "cache"))
    learner = make_learner(prepared.plans[0]).fit(prepared.data, prepared.folds[0], 0, folder)
    return {name: (folder / name).read_bytes() for name in ("model.safetensors", "history.csv")}, learner, prepared


@pytest.mark.slow
def test_without_a_critic_nothing_changes(tmp_path):
    for name in ("unsaid", "off", "hardly"):
        (tmp_path / name).mkdir()
    unsaid, _, _ = files_of(tmp_path / "unsaid", with_task(3))
    off, learner, _ = files_of(tmp_path / "off", with_task(3, adversarial=0.0))
    assert off == unsaid
    assert off["history.csv"].splitlines()[0] == b"epoch,fit_loss,tune_loss,chosen"
    assert learner.task.in_training(learner.network, 1) is learner.network
    hardly, _, _ = files_of(tmp_path / "hardly", with_task(3, adversarial=1e-30))  # a critic that no sum can feel
    assert hardly["model.safetensors"] == off["model.safetensors"]


@pytest.mark.slow
def test_against_a_critic_it_still_learns_and_is_saved_without_it(tmp_path):
    _, learner, prepared = files_of(tmp_path, with_task(25, adversarial=0.1))
    fold, data = prepared.folds[0], prepared.data
    history = pd.read_csv(tmp_path / "history.csv")
    assert np.isfinite(history[["fit_loss", "critic_loss"]]).all(axis=None)
    assert history["fit_loss"].iloc[-1] < 0.5 * history["fit_loss"].iloc[0]
    assert history["critic_loss"].iloc[-1] < 0.5  # 1 is a critic that is always wrong, .25 one that cannot tell
    raw = learner.predict(data, fold.test)
    assert min(learner.columns("mask", raw)["prediction_dice_ball"]) > 0.75
    assert not [name for name in load_file(tmp_path / "model.safetensors") if "critic" in name]
    again = load_learner(tmp_path).predict(data, fold.test)
    np.testing.assert_array_equal(again["counts"], raw["counts"])
