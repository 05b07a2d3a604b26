"""U-Time: sizes by hand, an independent forward pass, what it looks at, and a planted event that it finds."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from neuroloom.batch import Batch
from neuroloom.cohort.target import Target
from neuroloom.errors import NeuroloomError
from neuroloom.models.network import build_network, parameter_count, windows_in_a_row
from neuroloom.models.series_utime import UTime
from neuroloom.parts import Part
from neuroloom.tasks.classify import Classify

SMALL = {"windows": 6, "width": 4, "pools": (3, 2)}
SHAPE = (2, 60)  # 6 windows of 10 samples


def made(seed=0, **more):
    """Return a small network whose batch statistics have been moved off their start."""
    torch.manual_seed(seed)
    network = UTime(SHAPE, 3, **{**SMALL, **more}).train()
    for _ in range(3):
        network(2 * torch.randn(8, *SHAPE) + 1)
    return network.eval()


def by_hand(state, x, pools):
    """Return the logits of the authors' network from its weights, written with numpy and plain sums."""

    def conv(x, name, dilation=1):
        weight, bias = state[f"{name}.weight"].numpy(), state[f"{name}.bias"].numpy()
        reach = dilation * (weight.shape[2] - 1)
        padded = np.pad(x, ((0, 0), (reach // 2, reach - reach // 2)))
        taps = [weight[:, :, k] @ padded[:, k * dilation : k * dilation + x.shape[1]] for k in range(weight.shape[2])]
        return np.sum(taps, axis=0) + bias[:, None]

    def elu(x):
        return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)

    def norm(x, name):
        told = {
            key: state[f"{name}.{key}"].numpy()[:, None] for key in ("running_mean", "running_var", "weight", "bias")
        }
        return (x - told["running_mean"]) / np.sqrt(told["running_var"] + 1e-5) * told["weight"] + told["bias"]

    def twice(x, name, dilation=1):
        x = norm(elu(conv(x, f"{name}.1", dilation)), f"{name}.3")
        return norm(elu(conv(x, f"{name}.5", dilation)), f"{name}.7")

    n_times, multiple, kept = x.shape[1], int(np.prod(pools)), []
    spare = -n_times % multiple
    x = np.pad(x, ((0, 0), (spare // 2, spare - spare // 2)))
    for level, pool in enumerate(pools):
        kept.append(twice(x, f"down.{level}", dilation=2))
        x = kept[-1].reshape(len(kept[-1]), -1, pool).max(axis=2)
    x = twice(x, "bottom")
    for level, pool in enumerate(reversed(pools)):
        wide = norm(elu(conv(np.repeat(x, pool, axis=1), f"widen.{level}.1")), f"widen.{level}.3")
        x = twice(np.concatenate([kept.pop(), wide]), f"up.{level}")
    at_samples = np.tanh(conv(x, "answer"))[:, spare // 2 : spare // 2 + n_times]
    of_windows = at_samples.reshape(len(at_samples), SMALL["windows"], -1).mean(axis=2)
    return conv(elu(conv(of_windows, "head.0")), "head.2")


@pytest.mark.parametrize("pools", [(3, 2), (4, 2)])  # 60 samples are a multiple of 6; to be one of 8, they are padded
def test_it_answers_as_a_plain_forward_pass_with_its_weights(pools):
    network, x = made(pools=pools).double(), torch.randn(3, *SHAPE, dtype=torch.float64)
    answers = network(x).detach().numpy()
    assert answers.shape == (3, 3, 6)
    expected = np.stack([by_hand(network.state_dict(), one, pools) for one in x.numpy()])
    np.testing.assert_allclose(answers, expected, atol=1e-10)


def test_sizes():
    def block(narrow, wide, kernel):
        return narrow * wide * kernel + wide + 2 * wide

    down = block(2, 4, 5) + block(4, 4, 5) + block(4, 8, 5) + block(8, 8, 5)
    bottom = block(8, 16, 5) + block(16, 16, 5)
    up = block(16, 8, 2) + block(16, 8, 5) + block(8, 8, 5) + block(8, 4, 3) + block(8, 4, 5) + block(4, 4, 5)
    assert parameter_count(made()) == down + bottom + up + (4 * 3 + 3) + 2 * (3 * 3 + 3)


def test_it_is_not_causal_and_items_are_answered_for_alone():
    network = made()
    x = torch.randn(2, *SHAPE, requires_grad=True)
    network(x)[0, :, 1].sum().backward()  # of the second window, samples 10 to 20
    seen = x.grad.abs().sum(dim=1)
    assert (seen[0, 20:] > 0).any()
    assert (seen[1] == 0).all()


def test_a_row_that_cannot_be_is_refused():
    with pytest.raises(NeuroloomError, match="7 windows in 60 samples"):
        UTime(SHAPE, 2, windows=7)
    with pytest.raises(NeuroloomError, match=r"built for items of 2 x 60"):
        made()(torch.randn(1, 2, 50))


def test_windows_in_a_row_are_those_of_the_recipe_or_the_default():
    assert [windows_in_a_row(Part(name="utime", **more)) for more in ({"windows": 8}, {})] == [8, 64]
    assert windows_in_a_row(Part(name="eegnet")) is None


def test_it_learns_where_a_planted_event_is():
    def draw(n, seed):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(n, *SHAPE)), np.zeros((n, 6), dtype=np.int64)
        for one in range(n):
            at = rng.integers(6)
            y[one, at] = 1
            x[one, 0, 10 * at : 10 * at + 10] += 2.5 * np.sin(2 * np.pi * np.arange(10) / 5 + rng.uniform(0, 6))
        return Batch({"x": torch.tensor(x, dtype=torch.float32)}, {"target": torch.tensor(y)})

    torch.manual_seed(1)
    network = build_network(Part(name="utime", **SMALL), {"x": SHAPE}, {"x": "series"}, 2)
    task = Classify().prepare(Target("event", "class", np.array([0] * 5 + [1]), ("rest", "event")), np.arange(6))
    optimizer, known = torch.optim.AdamW(network.parameters(), lr=1e-2), draw(200, 0)
    for _ in range(60):
        optimizer.zero_grad()
        task.loss("network", network, known).backward()
        optimizer.step()
    new = draw(300, 1)
    with torch.no_grad():
        answers = network.eval()(new.inputs)["output"]
    found = (answers[:, 1] - answers[:, 0]).argmax(dim=1)
    right = (found == new.target["target"].argmax(dim=1)).float().mean()
    assert right > 0.9  # the energy of each window alone names 0.99 of them, in a simulation of 20,000
    assert F.cross_entropy(answers, new.target["target"]) < 0.45
