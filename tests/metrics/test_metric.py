"""One contract for every entry of METRICS."""

import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.known import locate
from neuroloom.metrics import METRICS


def drawn(kind, n=60):
    rng = np.random.default_rng(4)
    if kind == "number":
        truth = rng.uniform(20, 80, n)
        return truth, truth + 10 * rng.standard_normal(n)
    truth = rng.integers(0, 2, n)
    positive = np.clip(rng.normal(0.45 + 0.1 * truth, 0.2), 0.02, 0.98)
    return truth, np.column_stack([1 - positive, positive])


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_a_number_with_a_direction_a_chance_and_words(name):
    metric = locate("metric", METRICS, name)
    truth, prediction = drawn(metric.kind)
    assert metric.name == name
    assert np.isfinite(metric(truth, prediction))
    assert metric.higher_is_better in (True, False, None)
    assert isinstance(metric.chance(truth), float)
    assert metric.label
    assert metric.estimand
    assert metric.why_undefined(truth, prediction) == ""


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_ignores_the_order_of_people(name):
    metric = locate("metric", METRICS, name)
    truth, prediction = drawn(metric.kind)
    order = np.random.default_rng(5).permutation(len(truth))
    assert metric(truth[order], prediction[order]) == pytest.approx(metric(truth, prediction), abs=1e-10)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_refuses_predictions_that_do_not_fit(name):
    metric = locate("metric", METRICS, name)
    truth, prediction = drawn(metric.kind)
    with pytest.raises(NeuroloomError, match="shape"):
        metric(truth[:-1], prediction)
    prediction[3] = np.nan
    with pytest.raises(NeuroloomError, match="first in row 3"):
        metric(truth, prediction)


@pytest.mark.parametrize("name", [name for name in METRICS if not name.startswith("calibration")])
def test_every_metric_of_nobody_is_undefined(name):
    metric = locate("metric", METRICS, name)
    shape = (0,) if metric.kind == "number" else (0, 2)
    assert np.isnan(metric(np.empty(0), np.empty(shape)))
    assert metric.why_undefined(np.empty(0), np.empty(shape)) == "nobody"
