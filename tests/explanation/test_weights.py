"""Haufe's pattern: what goes along with the answer, not what is used to cancel noise."""

import numpy as np
import pytest

from neuroloom.cohort.target import Target
from neuroloom.errors import NeuroloomError
from neuroloom.explanation.answer import answer_of
from neuroloom.explanation.chance import auc
from neuroloom.explanation.occlusion import Occlusion
from neuroloom.explanation.weights import Weights, linear_weights
from neuroloom.parts import Part
from neuroloom.training.learner import InputPlan, Plan, make_learner
from neuroloom.transforms.store import ArrayStore


def fitted(drawn, values, truth, name, kind="table", classes=(), tmp=None, **arguments):
    """Return an estimator fitted on the first half of people, the data, and the fold."""
    data = drawn.data("table", n=len(values))
    values = {row: array.astype(np.float32) for row, array in enumerate(values)}
    data.stores["x"] = ArrayStore(kind, data.stores["x"].samples, values, None)
    target = Target("y", "class" if classes else "number", truth, classes)
    data = type(data)(data.cohort, data.stores, target, data.sampling)
    fold = drawn.fold(len(values))
    task = Part(name="classify" if classes else "regress")
    plan = Plan("linear", "estimator", Part(name=name, **arguments), {"x": InputPlan("x")}, task)
    return make_learner(plan).fit(data, fold, 0, tmp), data, fold


def test_a_feature_that_only_cancels_noise_has_a_weight_and_no_pattern(drawn, tmp_path):
    """Haufe et al. 2014, first example: x1 = signal + noise, x2 = noise; the best weights are (1, -1)."""
    rng = np.random.default_rng(0)
    signal, noise = rng.standard_normal((2, 4000))
    values = np.stack([signal + noise, noise], axis=1)
    learner, data, fold = fitted(drawn, values, signal, "ridge", tmp=tmp_path, alphas=[1e-6])
    answer = answer_of(learner, data.target, 0)
    np.testing.assert_allclose(linear_weights(learner, answer), [1, -1], atol=1e-3)
    pattern = Weights().attribute(learner, data, fold.test, fold, answer).maps["x"].mean(axis=0)
    np.testing.assert_allclose(pattern, [1, 0], atol=4 / np.sqrt(len(fold.test)))


@pytest.mark.parametrize("kind", ["table", "graph"])
@pytest.mark.parametrize("name", ["logistic", "linear_svm"])
def test_pattern_is_the_covariance_about_the_fit_people_over_the_answers_variance(drawn, tmp_path, kind, name):
    rng = np.random.default_rng(1)
    truth = np.arange(80) % 2
    values = rng.standard_normal((80, 5, 5)) + truth[:, None, None] * rng.standard_normal((5, 5))
    values = values + np.swapaxes(values, 1, 2) if kind == "graph" else values.reshape(80, 25)
    learner, data, fold = fitted(drawn, values, truth, name, kind, ("a", "b"), tmp_path)
    answer = answer_of(learner, data.target, 0)
    pattern = Weights().attribute(learner, data, fold.test, fold, answer).maps["x"].mean(axis=0)
    answers, known = (learner.features(data, rows) @ linear_weights(learner, answer) for rows in (fold.test, fold.fit))
    apart = values[fold.test] - values[fold.fit].mean(axis=0)
    expected = (apart.reshape(len(apart), -1).T @ (answers - known.mean())) / len(apart) / known.var()
    np.testing.assert_allclose(pattern.ravel(), expected, rtol=1e-3, atol=1e-5)


def test_logistic_answer_is_the_log_odds(drawn, tmp_path):
    rng = np.random.default_rng(2)
    truth = np.arange(60) % 2
    values = rng.standard_normal((60, 4)) + truth[:, None]
    learner, data, fold = fitted(drawn, values, truth, "logistic", "table", ("a", "b"), tmp_path)
    answer = answer_of(learner, data.target, 0)
    linear = learner.features(data, fold.test) @ linear_weights(learner, answer)
    predicted = answer.of_prediction(learner.predict(data, fold.test))
    np.testing.assert_allclose(np.ptp(predicted - linear), 0, atol=1e-6)  # they differ by the intercept


def test_answer_and_pattern_of_time_lda_are_those_of_its_trials(drawn, tmp_path):
    """The response is planted in channel 1, 0.25 to 0.5 s: there alone the values go along with the answer."""
    rng = np.random.default_rng(5)
    truth = np.arange(200) % 2
    values = 1e-5 * rng.standard_normal((200, 4, 40))  # V, 40 Hz
    values[:, 1, 10:20] += 4e-6 * truth[:, None]
    data, fold = drawn.data("table", n=200), drawn.fold(200)
    told = {row: {"sampling_rate": 40.0} for row in range(200)}
    store = ArrayStore("series", data.stores["x"].samples, dict(enumerate(values.astype(np.float32))), None, told)
    target = Target("y", "class", truth, ("a", "b"))
    data = type(data)(data.cohort, {"x": store}, target, data.sampling)
    plan = Plan("linear", "estimator", Part(name="time_lda"), {"x": InputPlan("x")}, Part(name="classify"))
    learner = make_learner(plan).fit(data, fold, 0, tmp_path)
    answer = answer_of(learner, data.target, 0)
    linear = learner.features(data, fold.test) @ linear_weights(learner, answer)
    predicted = answer.of_prediction(learner.predict(data, fold.test))
    np.testing.assert_allclose(np.ptp(predicted - linear), 0, atol=1e-6)
    pattern = Weights().attribute(learner, data, fold.test, fold, answer).maps["x"].mean(axis=0)
    planted = np.zeros((4, 40), dtype=bool)
    planted[1, 10:20] = True
    assert pattern[planted].mean() > 10 * np.abs(pattern[~planted].mean())
    assert auc(pattern.ravel(), planted.ravel()) > 0.95


def test_occlusion_of_a_linear_model_is_weight_times_distance_from_the_mean(drawn, tmp_path):
    rng = np.random.default_rng(3)
    values = rng.standard_normal((60, 4))
    learner, data, fold = fitted(drawn, values, values @ [1.0, 2, 3, 0], "ridge", tmp=tmp_path)
    answer = answer_of(learner, data.target, 0)
    maps = Occlusion().attribute(learner, data, fold.test, fold, answer).maps["x"]
    expected = (values[fold.test] - values[fold.fit].mean(axis=0)) * linear_weights(learner, answer)
    np.testing.assert_allclose(maps, expected, atol=1e-4)


def test_a_process_has_no_weights(drawn, tmp_path):
    values = np.random.default_rng(4).standard_normal((30, 3))
    learner, data, fold = fitted(drawn, values, values[:, 0], "gaussian_process", tmp=tmp_path)
    with pytest.raises(NeuroloomError, match="not a linear model"):
        Weights().attribute(learner, data, fold.test, fold, answer_of(learner, data.target, 0))
