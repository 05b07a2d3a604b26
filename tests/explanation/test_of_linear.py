"""What a method shows of a linear learner, in closed form: the maps that chance is drawn from."""

import numpy as np
import pytest
import torch

from neuroloom.explanation.answer import answer_of
from neuroloom.explanation.chance import patterns
from neuroloom.explanation.frame import frame_of, laid
from neuroloom.explanation.gradient import Gradient
from neuroloom.explanation.integrated_gradients import IntegratedGradients
from neuroloom.explanation.items import items_of
from neuroloom.explanation.occlusion import Occlusion
from neuroloom.explanation.readings import TRUTH, read, readings_of
from neuroloom.parts import Part

METHODS = [Gradient(), Gradient(times_input=True), IntegratedGradients(steps=2), Occlusion()]
CASES = [(method, kind) for method in METHODS for kind in ("table", "graph")]
CASES += [(Occlusion(by="group", size=4), "table")]
CASES += [(Occlusion(by=by, size=3), "graph") for by in ("region", "block")]


@pytest.mark.parametrize(("method", "kind"), CASES)
def test_map_of_a_linear_network_is_the_closed_form(drawn, method, kind):
    data, fold = drawn.data(kind, n_classes=0), drawn.fold()
    learner = drawn.learner(kind, data, fold, Part(name="mlp", widths=[], dropout=0.0), task="regress")
    answer = answer_of(learner, data.target, 0)
    made = method.attribute(learner, data, fold.test, fold, answer)
    truth = np.random.default_rng(3).standard_normal(len(fold.test))
    x = items_of(learner, data, fold.test).batch(np.arange(len(fold.test))).inputs["x"].requires_grad_()
    slope = torch.autograd.grad(answer.of_output(learner.network({"x": x}, {}, {})["output"]).sum(), x)[0][0]
    weights = slope[None].numpy()
    weights = (weights + np.swapaxes(weights, 1, 2)) / 2 if kind == "graph" else weights  # of one answer, many forms
    people = data.stores["x"].stack(fold.test).astype(np.float64)
    apart, frame = people - people.mean(axis=0), frame_of(learner, data, "x", fold.test, method)
    edges = np.triu(np.ones((7, 7), bool), k=1) if kind == "graph" else np.ones(6, bool)
    for reading in readings_of(method):
        ours = read(reading, laid(made.maps["x"], kind), made.answers, truth)[edges]
        along = np.tensordot(truth[None], apart, axes=1) if reading == TRUTH else patterns(weights, apart)
        expected = method.of_linear(weights, along, frame)[0][edges]
        scale = ours @ expected / (expected @ expected)
        assert scale > 0
        np.testing.assert_allclose(ours, scale * expected, atol=2e-4 * np.abs(ours).max())
