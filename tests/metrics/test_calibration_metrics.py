import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn import metrics as sk

from neuroloom.metrics.calibration import (
    brier,
    calibration_intercept,
    calibration_slope,
    ece,
    log_loss,
    recalibrate,
    reliability,
)


def as_two(probability):
    return np.column_stack([1 - probability, probability])


@pytest.fixture
def overconfident():
    """Events whose true log odds are 0.2 + 0.5 times the predicted ones."""
    rng = np.random.default_rng(0)
    odds = 2 * rng.standard_normal(400)
    return (rng.random(400) < expit(0.2 + 0.5 * odds)).astype(int), expit(odds)


def test_losses_are_sklearns(two_classes, three_classes):
    truth, probability = two_classes
    assert brier(truth, probability) == pytest.approx(sk.brier_score_loss(truth, probability[:, 1]))
    assert log_loss(truth, probability) == pytest.approx(sk.log_loss(truth, probability))
    truth, probability = three_classes
    assert brier(truth, probability) == pytest.approx(np.mean(((np.eye(3)[truth] - probability) ** 2).sum(axis=1)))
    assert log_loss(truth, probability) == pytest.approx(sk.log_loss(truth, probability))


def test_chance_of_losses_is_what_the_shares_reach():
    truth = np.array([0, 0, 0, 1])
    shares = np.tile([0.75, 0.25], (4, 1))
    assert brier.chance(truth) == pytest.approx(brier(truth, shares))
    assert log_loss.chance(truth) == pytest.approx(log_loss(truth, shares))


@pytest.mark.parametrize("metric", [brier, log_loss, ece], ids=lambda metric: metric.name)
def test_weights_are_copies_of_people(metric, two_classes, copies):
    truth, probability = two_classes
    weight, index = copies(len(truth))
    weighted = metric.finish(metric.sums(truth, probability, weight, None))[0]
    assert weighted == pytest.approx(metric(truth[index], probability[index]), abs=1e-12)


def test_calibration_error_by_hand():
    # bin of 0.2-0.3: predicted .25, observed 1/2, two people; bin of 0.9-1: predicted .95, observed 1, two people
    truth, probability = np.array([0, 1, 1, 1]), np.array([0.25, 0.25, 0.95, 0.95])
    assert ece(truth, as_two(probability)) == pytest.approx((2 * 0.25 + 2 * 0.05) / 4)
    curve = reliability(truth, probability)
    assert curve["predicted"] == pytest.approx([0.25, 0.95])
    assert curve["observed"] == [0.5, 1.0]
    assert curve["n"] == [2, 2]


def test_slope_and_intercept_are_those_of_logistic_regression(overconfident):
    event, probability = overconfident
    fit = sm.Logit(event, sm.add_constant(logit(probability))).fit(disp=0)
    assert calibration_slope(event, as_two(probability)) == pytest.approx(fit.params[1], abs=1e-8)
    assert calibration_intercept(event, as_two(probability)) == pytest.approx(fit.params[0], abs=1e-8)


def test_slope_finds_the_planted_overconfidence(overconfident):
    (intercept, slope), covariance = recalibrate(*overconfident)
    assert abs(slope - 0.5) < 4 * np.sqrt(covariance[1, 1])
    assert abs(intercept - 0.2) < 4 * np.sqrt(covariance[0, 0])


def test_covariance_over_units_is_the_clustered_sandwich(overconfident):
    event, probability = overconfident
    unit = np.repeat(np.arange(100), 4)
    model = sm.GLM(event, sm.add_constant(logit(probability)), family=sm.families.Binomial())
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": unit, "use_correction": False})
    _, covariance = recalibrate(event, probability, unit)
    assert covariance == pytest.approx(fit.cov_params() * 100 / 99, rel=1e-6)


def test_perfect_separation_has_no_slope_and_says_so():
    truth, probability = np.array([0, 0, 1, 1]), as_two(np.array([0.1, 0.2, 0.8, 0.9]))
    assert np.isnan(calibration_slope(truth, probability))
    assert "separated" in calibration_slope.why_undefined(truth, probability)
