"""Gradient, integrated gradients and occlusion agree with captum's."""

import numpy as np
import pytest
import torch
from captum import attr

from neuroloom.explanation.answer import answer_of
from neuroloom.explanation.gradient import Gradient
from neuroloom.explanation.integrated_gradients import IntegratedGradients
from neuroloom.explanation.items import items_of
from neuroloom.explanation.occlusion import Occlusion
from neuroloom.explanation.reference import reference

KINDS = ("volume", "graph", "series", "table")


@pytest.fixture(params=KINDS)
def case(request, drawn):
    data, fold = drawn.data(request.param), drawn.fold()
    learner = drawn.learner(request.param, data, fold)
    answer = answer_of(learner, data.target, 0)
    batch = items_of(learner, data, fold.test).batch(np.arange(len(fold.test)))

    def forward(x):
        return answer.of_output(learner.network({"x": x}, {}, {})["output"])

    return request.param, learner, data, fold, answer, batch.inputs["x"], forward


def single(theirs):
    """Return how far from numbers of the peer single precision may end."""
    return 1e-5 * max(1.0, float(theirs.detach().abs().max()))


@pytest.mark.parametrize(("times_input", "peer"), [(False, attr.Saliency), (True, attr.InputXGradient)])
def test_gradient(case, times_input, peer):
    _, learner, data, fold, answer, x, forward = case
    ours = Gradient(times_input).attribute(learner, data, fold.test, fold, answer)
    signed = {} if times_input else {"abs": False}
    theirs = peer(forward).attribute(x.clone().requires_grad_(), **signed)
    np.testing.assert_allclose(ours.maps["x"], theirs.detach(), atol=single(theirs))
    np.testing.assert_allclose(ours.answers, forward(x).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("baseline", ["mean", "zeros"])
def test_integrated_gradients(case, baseline):
    _, learner, data, fold, answer, x, forward = case
    ours = IntegratedGradients(baseline, steps=20).attribute(learner, data, fold.test, fold, answer)
    start = reference(learner, data, fold, baseline)["x"].expand_as(x)
    theirs = attr.IntegratedGradients(forward).attribute(x, start, n_steps=20, method="gausslegendre")
    np.testing.assert_allclose(ours.maps["x"], theirs.detach(), atol=single(theirs))


@pytest.mark.parametrize("step", [4, 3])
def test_occlusion_of_blocks(drawn, step):
    data, fold = drawn.data("volume"), drawn.fold()
    learner = drawn.learner("volume", data, fold)
    answer = answer_of(learner, data.target, 0)
    ours = Occlusion(size=4, step=step).attribute(learner, data, fold.test, fold, answer)
    x = items_of(learner, data, fold.test).batch(np.arange(len(fold.test))).inputs["x"]
    fill = reference(learner, data, fold)["x"].expand_as(x)
    theirs = attr.Occlusion(lambda x: answer.of_output(learner.network({"x": x}, {}, {})["output"])).attribute(
        x, sliding_window_shapes=(1, 4, 4, 4), strides=(1, step, step, step), baselines=fill
    )
    np.testing.assert_allclose(ours.maps["x"], theirs.detach(), atol=single(theirs))


@pytest.mark.parametrize(
    ("kind", "by"),
    [("table", "feature"), ("graph", "edge"), ("graph", "block"), ("series", "region"), ("series", "window")],
)
def test_occlusion_of_parts(drawn, kind, by):
    data, fold = drawn.data(kind), drawn.fold()
    learner = drawn.learner(kind, data, fold)
    answer = answer_of(learner, data.target, 0)
    ours = Occlusion(by=by, size=3).attribute(learner, data, fold.test, fold, answer)
    x = items_of(learner, data, fold.test).batch(np.arange(len(fold.test))).inputs["x"]
    fill = reference(learner, data, fold)["x"].expand_as(x)
    theirs = attr.FeatureAblation(lambda x: answer.of_output(learner.network({"x": x}, {}, {})["output"])).attribute(
        x, baselines=fill, feature_mask=feature_mask(by, drawn.shapes[kind])[None]
    )
    np.testing.assert_allclose(ours.maps["x"], theirs.detach(), atol=single(theirs))


def feature_mask(by, shape):
    """Return the number of the part that each value belongs to."""
    if by == "feature":
        return torch.arange(shape[0])
    first, second = torch.meshgrid(*(torch.arange(n) for n in shape), indexing="ij")
    if by in ("region", "window"):
        return first if by == "region" else second // 3
    size = 3 if by == "block" else 1
    low, high = torch.minimum(first, second) // size, torch.maximum(first, second) // size
    return low * 100 + high
