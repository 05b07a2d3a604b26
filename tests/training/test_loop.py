"""The loop: it learns, it chooses on the tune part, and a killed training ends with the same bytes."""

import numpy as np
import pytest
import torch
from torch import nn

from neuroloom.cohort.target import Target
from neuroloom.errors import NeuroloomError
from neuroloom.models.network import build_network
from neuroloom.parts import Part
from neuroloom.sampling.whole import Whole
from neuroloom.tasks.classify import Classify
from neuroloom.training.items import Items
from neuroloom.training.loop import Loop
from neuroloom.training.settings import TrainingSettings
from neuroloom.transforms.store import ArrayStore


class Net(nn.Module):
    """Two layers with dropout, so that a draw that is not keyed shows."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.4), nn.Linear(16, 2))

    def forward(self, inputs, present, lengths):
        return {"output": self.layers(inputs["x"])}


def parts(n=80, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype(np.float32)
    y = (x[:, 0] + 0.3 * rng.normal(size=n) > 0).astype(np.int64)
    stores = {"x": ArrayStore("table", tuple(map(str, range(n))), dict(enumerate(x)))}
    return [Items(stores, Whole(), rows, y) for rows in (np.arange(60), np.arange(60, n))], y


def loop(y, **settings):
    torch.manual_seed(7)
    task = Classify().prepare(Target("d", "class", y, ("a", "b")), np.arange(60))
    settings = TrainingSettings(**{"epochs": 8, "batch_size": 16, "learning_rate": 0.02, **settings})
    return Loop(Net(), task, settings, [], (0, 0, 0, "net"), torch.device("cpu"))


class Killed(Exception):
    pass


def test_it_learns_what_can_be_learned(tmp_path):
    (fit, tune), y = parts()
    trained = loop(y, epochs=30)
    trained.run(fit, tune, tmp_path / "checkpoint", lambda row: None)
    assert trained.mean_loss(tune) < 0.45  # chance is ln 2 = .69


@pytest.mark.parametrize("after", [1, 3, 7])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_killed_training_goes_on_and_ends_with_the_same_bytes(tmp_path, after, optimizer):
    (fit, tune), y = parts()
    whole = loop(y, optimizer=optimizer)
    history = whole.run(fit, tune, tmp_path / "whole", lambda row: None)

    def kill(row):
        if row["epoch"] == after:
            raise Killed

    with pytest.raises(Killed):
        loop(y, optimizer=optimizer).run(fit, tune, tmp_path / "killed", kill)
    again = loop(y, optimizer=optimizer)
    ended = []
    assert again.run(fit, tune, tmp_path / "killed", lambda row: ended.append(row["epoch"])) == history
    assert ended == list(range(1, 9))
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, again.network.state_dict()[name])


def test_the_weights_are_those_of_the_best_epoch_on_the_tune_part(tmp_path):
    (fit, tune), y = parts()
    trained = loop(y, epochs=25, learning_rate=0.1)
    history = trained.run(fit, tune, tmp_path / "checkpoint", lambda row: None)
    best = min(history, key=lambda row: row["tune_loss"])
    assert [row["epoch"] for row in history if row["chosen"]] == [best["epoch"]]
    assert trained.mean_loss(tune) == pytest.approx(best["tune_loss"], abs=1e-6)


class Two:
    """A task of two players, whose losses are planted."""

    def players(self, network):
        return {"network": network.layers[0].parameters(), "other": network.layers[3].parameters()}

    def loss(self, player, network, batch):
        return network(batch.inputs, {}, {})["output"].sum() * 0 + {"network": 2.0, "other": 5.0}[player]


def test_the_first_players_loss_is_the_loss_and_the_others_are_told_by_name(tmp_path):
    (fit, tune), _ = parts()
    trained = Loop(Net(), Two(), TrainingSettings(epochs=1), [], (0, 0, 0, "net"), torch.device("cpu"))
    (row,) = trained.run(fit, tune, tmp_path / "c", lambda row: None)
    assert row == {"epoch": 1, "fit_loss": 2.0, "tune_loss": 2.0, "other_loss": 5.0, "chosen": 1}


def test_patience_ends_a_training_that_no_longer_gains(tmp_path):
    (fit, tune), y = parts()
    history = loop(y, epochs=200, learning_rate=0.1, patience=4).run(fit, tune, tmp_path / "c", lambda row: None)
    best = min(history, key=lambda row: row["tune_loss"])
    assert history[-1]["epoch"] == best["epoch"] + 4


@pytest.mark.parametrize(("schedule", "done", "share"), [
    ("constant", 0.9, 1.0), ("cosine", 0.5, 0.5), ("one_cycle", 0.15, 0.5), ("one_cycle", 0.65, 0.5),
])  # fmt: skip
def test_schedules(schedule, done, share):
    _, y = parts()
    trained = loop(y, schedule=schedule)
    trained._set_rate(done)
    assert trained.optimizers["network"].param_groups[0]["lr"] == pytest.approx(0.02 * share)


def test_a_loss_that_blows_up_says_so(tmp_path):
    (fit, tune), y = parts()
    fit._kept[0]["x"][:] = np.inf
    with pytest.raises(NeuroloomError, match=r"The loss became nan in epoch 1\. Lower training\.learning_rate"):
        loop(y).run(fit, tune, tmp_path / "c", lambda row: None)


def test_batches_are_of_nearly_equal_size_and_cover_everyone():
    (fit, _), _ = parts()
    sizes = [len(numbers) for numbers in fit.batches(16)]
    assert sum(sizes) == 60
    assert set(sizes) == {15}


def test_series_of_different_length_are_padded_and_their_lengths_told():
    values = {0: np.ones((2, 3), np.float32), 1: np.ones((2, 5), np.float32)}
    batch = Items({"s": ArrayStore("series", ("a", "b"), values)}, Whole(), np.array([0, 1])).batch([0, 1])
    assert batch.inputs["s"].sum(dim=(1, 2)).tolist() == [6, 10]
    assert batch.lengths["s"].tolist() == [3, 5]


def test_an_absent_input_is_zeros_and_told():
    values = {1: np.ones((2, 5), np.float32)}
    stores = {
        "s": ArrayStore("series", ("a", "b"), values),
        "t": ArrayStore("table", ("a", "b"), {0: np.ones(1), 1: np.ones(1)}),
    }
    batch = Items(stores, Whole(), np.array([0, 1])).batch([0, 1])
    assert batch.present["s"].tolist() == [False, True]
    assert batch.inputs["s"][0].abs().sum() == 0


def test_a_batch_in_which_nobody_has_an_input_is_zeros_of_its_shape():
    series = {2: np.ones((2, 5), np.float32)}
    table = {row: np.ones(1, np.float32) for row in range(3)}
    stores = {"s": ArrayStore("series", ("a", "b", "c"), series), "t": ArrayStore("table", ("a", "b", "c"), table)}
    batch = Items(stores, Whole(), np.arange(3)).batch([0, 1])
    assert batch.inputs["s"].shape == (2, 2, 5)
    assert batch.lengths["s"].tolist() == [0, 0]
    told = Items(stores, Whole(), np.arange(2), shapes={"s": (2, 7)}).batch([0, 1])  # nobody of these rows at all
    assert told.inputs["s"].shape == (2, 2, 7)


@pytest.mark.parametrize(("kind", "one", "other"), [
    ("volume", (1, 4, 4, 4), (1, 4, 4, 5)), ("table", (5,), (7,)), ("series", (3, 9), (2, 9)),
])  # fmt: skip
def test_only_the_length_of_a_series_is_padded(kind, one, other):
    values = {0: np.ones(one, np.float32), 1: np.ones(other, np.float32)}
    items = Items({"x": ArrayStore(kind, ("a", "b"), values)}, Whole(), np.array([0, 1]))
    with pytest.raises(NeuroloomError) as refused:
        items.batch([0, 1])
    assert f"{kind} samples differ in shape" in str(refused.value)


def test_without_a_tune_part_patience_ends_nothing(tmp_path):
    (fit, _), y = parts()
    nobody = Items({"x": fit.stores["x"]}, Whole(), np.arange(0), y)
    history = loop(y, epochs=6, patience=2).run(fit, nobody, tmp_path / "c", lambda row: None)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5, 6]


def test_limits_of_norms_hold_after_a_training(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    series = rng.normal(size=(24, 4, 64)).astype(np.float32)
    stores = {"eeg": ArrayStore("series", tuple(map(str, range(24))), dict(enumerate(series)))}
    items = [Items(stores, Whole(), rows, y) for rows in (np.arange(16), np.arange(16, 24))]
    network = build_network(Part(name="eegnet", kernel_size=16), {"eeg": (4, 64)}, {"eeg": "series"}, 2)
    task = Classify().prepare(Target("d", "class", y, ("a", "b")), np.arange(16))
    settings = TrainingSettings(epochs=3, batch_size=8, learning_rate=1.0, weight_decay=0.0)
    trained = Loop(network, task, settings, [], (0, 0, 0, "net"), torch.device("cpu"))
    trained.run(*items, tmp_path / "checkpoint", lambda row: None)
    spatial, head = network.model.bank.spatial.norm(dim=2), network.model.head.weight.norm(dim=1)
    assert 0.9 < spatial.max() <= 1 + 1e-6  # at this rate a step alone leads beyond it
    assert 0.2 < head.max() <= 0.25 + 1e-6
