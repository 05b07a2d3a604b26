"""Attributions of items put together: windows, ragged series, missing inputs, people by themselves."""

import numpy as np
import pytest
import torch

from neuroloom.explanation.answer import answer_of
from neuroloom.explanation.gradient import Gradient
from neuroloom.explanation.integrated_gradients import IntegratedGradients
from neuroloom.explanation.occlusion import Occlusion
from neuroloom.parts import Part

METHODS = [Gradient(), Gradient(times_input=True), IntegratedGradients(steps=6), Occlusion(size=3)]


def test_windows_add_up_to_the_gradient_of_their_mean(drawn):
    data, fold = drawn.data("series", sampling=Part(name="windows", length=10, step=5)), drawn.fold()
    learner = drawn.learner("series", data, fold)
    answer = answer_of(learner, data.target, 0)
    ours = Gradient().attribute(learner, data, fold.test, fold, answer)
    for at, row in enumerate(fold.test):
        x = torch.from_numpy(data.stores["x"][row])[None].requires_grad_()
        windows = torch.cat([x[..., start : start + 10] for start in (0, 5, 10)])  # of 24 time points
        mean = answer.of_output(learner.network({"x": windows}, {}, {})["output"]).mean()
        expected = torch.autograd.grad(mean, x)[0][0].numpy()
        np.testing.assert_allclose(ours.maps["x"][at], expected, atol=1e-6)
        assert ours.answers[at] == pytest.approx(float(mean.detach()), abs=1e-5)
    assert np.all(ours.maps["x"][..., 20:] == 0)  # no window sees the last four


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["volume", "graph", "series", "table"])
def test_a_persons_attribution_does_not_depend_on_others(drawn, method, kind):
    data, fold = drawn.data(kind, n_classes=3, ragged=kind == "series"), drawn.fold()
    learner = drawn.learner(kind, data, fold)
    answer = answer_of(learner, data.target, 2)
    together = method.attribute(learner, data, fold.test, fold, answer).maps["x"]
    for at, row in enumerate(fold.test):
        alone = method.attribute(learner, data, np.array([row]), fold, answer).maps["x"][0]
        np.testing.assert_allclose(together[at][..., : alone.shape[-1]], alone, atol=1e-5)


def test_behind_the_end_of_a_series_nothing_is_known(drawn):
    data, fold = drawn.data("series", ragged=True), drawn.fold()
    learner = drawn.learner("series", data, fold)
    maps = Gradient().attribute(learner, data, fold.test, fold, answer_of(learner, data.target, 0)).maps["x"]
    for at, row in enumerate(fold.test):
        length = data.stores["x"][row].shape[-1]
        assert np.isfinite(maps[at][:, :length]).all()
        assert np.isnan(maps[at][:, length:]).all()


@pytest.mark.parametrize("method", METHODS)
def test_an_input_that_was_not_measured_has_no_map(drawn, method):
    data, fold = drawn.data("table"), drawn.fold()
    row = int(fold.test[1])
    del data.stores["x"].values[row]
    fusion = Part(name="late_fusion", encoders={"x": {"name": "mlp", "widths": [4]}})
    learner = drawn.learner("table", data, fold, fusion)
    maps = method.attribute(learner, data, fold.test, fold, answer_of(learner, data.target, 0)).maps["x"]
    assert np.isnan(maps).all(axis=1).tolist() == [int(at) == row for at in fold.test]


@pytest.mark.parametrize("task", ["regress", "soft_bins"])
def test_integrated_gradients_add_up_to_the_predicted_difference(drawn, task):
    data, fold = drawn.data("table", n_classes=0), drawn.fold()
    learner = drawn.learner("table", data, fold, task=task)
    answer = answer_of(learner, data.target, 0)
    ours = IntegratedGradients(steps=200).attribute(learner, data, fold.test, fold, answer)
    predicted = learner.task.predict(learner.outputs(data, fold.test)["output"])
    mean = data.stores["x"].stack(fold.fit).mean(axis=0)
    with torch.no_grad():
        at_mean = learner.task.predict(learner.network({"x": torch.from_numpy(mean)[None]}, {}, {})["output"])
    difference = predicted - at_mean
    np.testing.assert_allclose(ours.answers, predicted, rtol=1e-5)
    np.testing.assert_allclose(ours.maps["x"].sum(axis=1), difference, atol=0.02 * np.abs(difference).mean())
    assert ours.told["completeness_error"] < 0.02
