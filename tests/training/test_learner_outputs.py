"""Answers for many rows: one batch after the other, whatever their number."""

import gc
import weakref
from types import SimpleNamespace

import numpy as np
import torch

from neuroloom.sampling.whole import Whole
from neuroloom.training.items import Items
from neuroloom.training.learner import Trained
from neuroloom.transforms.store import ArrayStore


class Means(torch.nn.Module):
    """Answers with the mean of each item."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, inputs, present, lengths):
        return {"output": self.weight * inputs["x"].mean(dim=(1, 2))[:, None]}


def test_no_more_than_two_batches_are_in_memory_at_once(monkeypatch):
    values = np.random.default_rng(0).standard_normal((90, 3, 7)).astype(np.float32)
    store = ArrayStore("series", tuple(map(str, range(90))), dict(enumerate(values)))
    learner = SimpleNamespace(
        plan=SimpleNamespace(training={"batch_size": 8}),
        told_network={"shapes": {"x": (3, 7)}},
        network=Means(),
        _sampled=lambda data, rows: (Whole(), {"x": store}),
    )
    alive, most, batch = weakref.WeakSet(), [0], Items.batch

    def counted(items, numbers, device="cpu"):
        made = batch(items, numbers, device)
        gc.collect()
        alive.add(made.inputs["x"])
        most[0] = max(most[0], len(alive))
        return made

    monkeypatch.setattr(Items, "batch", counted)
    rows = np.array([5, 80, *range(40)])
    answers = Trained.outputs(learner, None, rows)["output"]
    np.testing.assert_allclose(answers[:, 0], values[rows].mean(axis=(1, 2)), atol=1e-6)
    assert 1 <= most[0] <= 2
