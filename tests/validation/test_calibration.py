import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit

from neuroloom.validation.calibration import calibration_summary


@pytest.fixture
def told_right(outcomes_of):
    rng = np.random.default_rng(0)
    probability = expit(1.5 * rng.standard_normal(400))
    return outcomes_of((rng.random(400) < probability).astype(int), probability)


def test_probabilities_that_are_right_have_slope_one_and_the_error_of_chance(told_right):
    told = calibration_summary(told_right)
    assert told["slope"]["interval"][0] < 1 < told["slope"]["interval"][1]
    assert told["intercept"]["interval"][0] < 0 < told["intercept"]["interval"][1]
    assert told["ece_if_perfect"]["0.05"] <= told["ece"] <= told["ece_if_perfect"]["0.95"]
    assert sum(told["reliability"]["n"]) == 400


def test_probabilities_that_are_too_sure_are_seen(told_right, outcomes_of):
    sure = outcomes_of(told_right.truth, expit(3 * np.log(told_right.prediction[:, 1] / told_right.prediction[:, 0])))
    told = calibration_summary(sure)
    assert told["slope"]["interval"][1] < 1
    assert told["slope"]["value"] == pytest.approx(calibration_summary(told_right)["slope"]["value"] / 3, rel=1e-3)
    assert told["ece"] > told["ece_if_perfect"]["0.95"]


def test_many_classes_are_also_told_one_by_one(outcomes_of):
    rng = np.random.default_rng(1)
    probability = rng.dirichlet(np.ones(3), 300)
    truth = (rng.random((300, 1)) > np.cumsum(probability, axis=1)[:, :2]).sum(axis=1)
    told = calibration_summary(outcomes_of(truth, probability, classes=("a", "b", "c")))
    assert set(told["classes"]) == {"a", "b", "c"}
    for entry in [told, *told["classes"].values()]:
        assert entry["slope"]["interval"][0] < 1 < entry["slope"]["interval"][1]
    observed = np.dot(told["classes"]["a"]["reliability"]["observed"], told["classes"]["a"]["reliability"]["n"])
    assert observed == pytest.approx((truth == 0).sum())


def test_slope_of_numbers_is_the_clustered_regression_of_truth_on_prediction(outcomes_of):
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(50), 2)
    truth = rng.uniform(20, 80, 50)[unit]
    prediction = 0.5 * truth + 25 + 5 * rng.standard_normal(100)
    told = calibration_summary(outcomes_of(truth, prediction, unit=unit, classes=()))
    fit = sm.OLS(truth, sm.add_constant(prediction)).fit(cov_type="cluster", cov_kwds={"groups": unit})
    half = stats.t.ppf(0.975, 49) * fit.bse
    for place, name in enumerate(("intercept", "slope")):
        assert told[name]["value"] == pytest.approx(fit.params[place])
        expected = [fit.params[place] - half[place], fit.params[place] + half[place]]
        assert told[name]["interval"] == pytest.approx(expected, rel=1e-6)


def test_without_a_slope_there_is_a_note(outcomes_of):
    separated = calibration_summary(outcomes_of([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]))
    assert np.isnan(separated["slope"]["value"])
    assert separated["note"].startswith("no slope")
    constant = calibration_summary(outcomes_of([20.0, 30.0, 40.0], [30.0] * 3, classes=()))
    assert constant["note"] == "no slope: all predictions are the same"
