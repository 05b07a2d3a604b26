import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from neuroloom.metrics.regression import bias_slope, mae, pearson, r2, ranks, rmse, spearman


def test_against_sklearn_and_scipy(numbers):
    truth, prediction = numbers
    assert mae(truth, prediction) == pytest.approx(sk.mean_absolute_error(truth, prediction))
    assert rmse(truth, prediction) == pytest.approx(sk.root_mean_squared_error(truth, prediction))
    assert r2(truth, prediction) == pytest.approx(sk.r2_score(truth, prediction))
    assert pearson(truth, prediction) == pytest.approx(stats.pearsonr(truth, prediction).statistic)
    assert spearman(truth, prediction) == pytest.approx(stats.spearmanr(truth, prediction).statistic)
    assert bias_slope(truth, prediction) == pytest.approx(np.polyfit(truth, prediction - truth, 1)[0])


def test_r2_is_about_the_mean_of_the_training_targets():
    truth, reference = np.array([10.0, 12.0]), np.array([0.0, 2.0])  # training mean 1, not the test mean 11
    assert r2(truth, truth * 0 + 1.0, reference) == 0.0
    assert r2(truth, np.array([10.0, 11.0]), reference) == pytest.approx(1 - 1 / (9**2 + 11**2))


@pytest.mark.parametrize("metric", [mae, rmse, r2, pearson, spearman, bias_slope], ids=lambda metric: metric.name)
def test_weights_are_copies_of_people(metric, numbers, copies):
    truth, prediction = numbers
    weight, index = copies(len(truth))
    weighted = metric.finish(metric.sums(truth, prediction, weight, None))[0]
    assert weighted == pytest.approx(metric(truth[index], prediction[index]), abs=1e-10)


def test_ranks_are_scipys_midranks():
    x = np.array([3.0, 1.0, 3.0, 2.0])
    assert ranks(x, np.ones((1, 4)))[0].tolist() == stats.rankdata(x).tolist()


@pytest.mark.parametrize("metric", [pearson, spearman], ids=lambda metric: metric.name)
def test_correlation_of_a_constant_is_undefined_and_says_why(metric):
    truth = np.array([20.0, 30.0, 40.0])
    assert np.isnan(metric(truth, np.full(3, 0.1)))
    assert metric.why_undefined(truth, np.full(3, 0.1)) == "all have the same prediction"


def test_chance_is_what_the_training_targets_alone_reach():
    truth, reference = np.array([20.0, 30.0, 70.0]), np.array([25.0, 35.0, 60.0])
    assert mae.chance(truth, reference) == mae(truth, np.full(3, 35.0))
    assert rmse.chance(truth, reference) == pytest.approx(rmse(truth, np.full(3, 40.0)))
    assert r2(truth, np.full(3, 40.0), reference) == pytest.approx(r2.chance(truth, reference))
    assert bias_slope(truth, np.full(3, 40.0)) == pytest.approx(bias_slope.chance(truth))
