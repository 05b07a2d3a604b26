import time

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from neuroloom.metrics.decision import accuracy, balanced_accuracy, sensitivity
from neuroloom.metrics.discrimination import auc
from neuroloom.metrics.regression import mae, pearson, r2
from neuroloom.validation.intervals import (
    bca_interval,
    bootstrap,
    difference_interval,
    interval,
    jackknife,
    percentile_interval,
    unit_variance,
)
from neuroloom.validation.scores import score


def hits(right, n):
    """Return truth and probability of which the first ``right`` of n are told right."""
    truth = np.arange(n) % 2
    return truth, np.where(np.arange(n) < right, truth, 1 - truth) * 0.8 + 0.1


@pytest.fixture
def ages(outcomes_of):
    rng = np.random.default_rng(0)
    truth = rng.uniform(20, 80, 60)
    return [outcomes_of(truth, truth + size * rng.standard_normal(60), classes=()) for size in (8.0, 6.0)]


@pytest.mark.parametrize(("right", "n"), [(10, 12), (31, 40)])
def test_accuracy_takes_wilsons_interval(outcomes_of, right, n):
    # the jackknife's variance is p (1 - p) / (n - 1), so it is Wilson's of n - 1
    expected = proportion_confint(right / n * (n - 1), n - 1, method="wilson")
    assert interval(accuracy, outcomes_of(*hits(right, n))) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("right", [0, 12])
def test_all_right_and_all_wrong_take_wilsons_interval(outcomes_of, right):
    expected = proportion_confint(right, 12, method="wilson")
    assert interval(accuracy, outcomes_of(*hits(right, 12))) == pytest.approx(expected, abs=1e-6)


def test_two_samples_that_are_alike_count_once(outcomes_of):
    truth, probability = hits(30, 40)
    doubled = outcomes_of(np.repeat(truth, 2), np.repeat(probability, 2), unit=np.repeat(np.arange(40), 2))
    variance = unit_variance(jackknife(accuracy, doubled), doubled)
    effect = variance / (0.75 * 0.25 / 80)
    assert effect == pytest.approx(2, rel=0.03)  # n / (n - 1) of the jackknife
    low, high = interval(accuracy, doubled)
    once = proportion_confint(30, 40, method="wilson")
    assert low < once[0] < once[1] < high  # and the variance over units is estimated: a t quantile


def test_pairs_that_count_twice_double_the_variance(outcomes_of):
    truth, probability = hits(30, 40)
    fold = np.arange(40) // 8
    fitted = {(0, k): fold != k for k in range(5)}
    widened = interval(accuracy, outcomes_of(truth, probability, fold, fitted=fitted))
    assert widened == pytest.approx(proportion_confint(15, 20, method="wilson"), rel=0.01)  # as of half the people


def test_a_perfect_score_is_not_certain(outcomes_of):
    truth = np.arange(12) % 2
    low, high = interval(auc, outcomes_of(truth, truth * 0.8 + 0.1))
    assert high == 1.0
    # (1 - theta)^2 = z^2 V(theta): Newcombe's method 5 at 6 against 6
    first, second = low / (2 - low), 2 * low**2 / (1 + low)
    variance = (low * (1 - low) + 5 * (first + second - 2 * low**2)) / 36
    assert (1 - low) ** 2 == pytest.approx(stats.norm.ppf(0.975) ** 2 * variance, rel=1e-6)


def test_jackknife_of_a_mean_is_its_variance(ages):
    errors = np.abs(ages[0].prediction - ages[0].truth)
    assert unit_variance(jackknife(mae, ages[0]), ages[0]) == pytest.approx(errors.var(ddof=1) / 60)


def test_error_takes_students_t_on_the_log(ages):
    errors = np.abs(ages[0].prediction - ages[0].truth)
    centre, half = np.log(errors.mean()), stats.t.ppf(0.975, 59) * stats.sem(errors) / errors.mean()
    assert interval(mae, ages[0]) == pytest.approx(np.exp([centre - half, centre + half]))


def test_difference_of_errors_is_the_paired_t_interval(ages):
    one, two = (np.abs(o.prediction - o.truth) for o in ages)
    expected = stats.ttest_rel(one, two).confidence_interval(0.95)
    assert difference_interval(mae, *ages) == pytest.approx((expected.low, expected.high))


def test_difference_from_itself_is_nothing(outcomes_of):
    outcomes = outcomes_of(*hits(30, 40))
    assert difference_interval(accuracy, outcomes, outcomes) == (0.0, 0.0)


def test_difference_with_a_perfect_learner_is_not_certain(outcomes_of):
    truth = np.arange(12) % 2
    perfect, good = outcomes_of(truth, truth * 0.8 + 0.1), outcomes_of(*hits(10, 12))
    low, high = difference_interval(accuracy, perfect, good)
    assert low < 2 / 12 < high
    # both perfect: no correlation is known, so the two intervals are joined as independent
    low, high = difference_interval(accuracy, perfect, perfect)
    miss = 1 - proportion_confint(12, 12, method="wilson")[0]
    assert (low, high) == pytest.approx((-miss, miss), abs=1e-6)


@pytest.mark.parametrize("metric", [auc, balanced_accuracy, sensitivity], ids=lambda metric: metric.name)
def test_intervals_do_not_depend_on_the_names_or_order_of_people(outcomes_of, metric):
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 50)
    probability, fold = rng.random(50), np.arange(50) % 5
    order = rng.permutation(50)
    straight = interval(metric, outcomes_of(truth, probability, fold))
    turned = interval(metric, outcomes_of(truth[order], probability[order], fold[order], unit=100 + order))
    assert straight == pytest.approx(turned, abs=1e-9)


@pytest.mark.parametrize("metric", [mae, r2, pearson], ids=lambda metric: metric.name)
def test_interval_holds_its_value(ages, metric):
    low, high = interval(metric, ages[0])
    assert low < score(metric, ages[0]) < high


def test_one_unit_has_no_interval(outcomes_of):
    assert np.isnan(interval(accuracy, outcomes_of([0, 1], [0.2, 0.8], unit=[0, 0]))).all()


def test_many_units_are_left_out_in_groups(outcomes_of):
    rng = np.random.default_rng(2)
    truth = rng.uniform(20, 80, 3000)
    outcomes = outcomes_of(truth, truth + rng.standard_normal(3000), classes=())
    errors = np.abs(outcomes.prediction - truth)
    groups = 500
    tolerance = 4 * np.sqrt(2 / groups)  # relative error of a variance from 500 values
    assert unit_variance(jackknife(mae, outcomes), outcomes) == pytest.approx(errors.var() / 3000, rel=tolerance)


def test_bootstrap_draws_whole_units(outcomes_of):
    # one unit always right, one always wrong: draws are 0, 1/2 or 1, never between
    outcomes = outcomes_of([0, 1, 0, 1], [0.1, 0.9, 0.9, 0.1], unit=[0, 0, 1, 1])
    values, counts = np.unique(bootstrap(accuracy, outcomes, draws=4000), return_counts=True)
    assert values.tolist() == [0.0, 0.5, 1.0]
    error = np.sqrt(0.25 * 0.75 / 4000)
    assert np.abs(counts / 4000 - [0.25, 0.5, 0.25]).max() < 4 * error * 2


def test_bootstrap_of_auc_is_fast(outcomes_of):
    rng = np.random.default_rng(3)
    truth = np.arange(500) % 2
    outcomes = outcomes_of(truth, rng.random(500), np.arange(500) // 2 % 5)
    start = time.process_time()
    values = bootstrap(auc, outcomes, draws=2000)
    assert time.process_time() - start < 1.0
    assert len(values) == 2000


def test_bca_is_scipys(ages):
    errors = np.abs(ages[0].prediction - ages[0].truth)
    ours = bca_interval(bootstrap(mae, ages[0], draws=8000), errors.mean(), jackknife(mae, ages[0]))
    theirs = stats.bootstrap((errors,), np.mean, n_resamples=8000, method="BCa", rng=0).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.05 * errors.std())


COHORTS = 150
LEAST = 0.95 - 3 * np.sqrt(0.95 * 0.05 / COHORTS)  # a nominal method falls below once in a thousand


@pytest.mark.slow
@pytest.mark.parametrize("n", [12, 40])
@pytest.mark.parametrize(
    "name", ["AUC 0.90, folds shifted", "accuracy 0.82", "MAE, normal errors", "difference of AUC 0.90 and 0.80"]
)
def test_intervals_hold_the_truth_as_often_as_they_say(study, name, n):
    module = study("interval_coverage")
    scenario = next(s for s in module.SCENARIOS if s.name == name)
    assert module.coverage(scenario, n, COHORTS, seed=1, make=module.ours)["ours"]["coverage"] >= LEAST


@pytest.mark.slow
def test_intervals_of_fitted_learners_hold_the_truth_and_resampling_alone_does_not(study):
    module = study("interval_coverage")
    scenario = next(s for s in module.SCENARIOS if s.name == "fitted: AUC, 20 features, effect 1")

    def both(scenario, drawn, seed):
        alone = module.interval(scenario.metric, module.replace(drawn, fitted={}))
        return {**module.ours(scenario, drawn), "alone": alone}

    found = module.coverage(scenario, 40, COHORTS, seed=1, make=both)
    assert found["ours"]["coverage"] >= LEAST
    assert found["alone"]["coverage"] < found["ours"]["coverage"]


def test_percentile_bootstrap_misses_much_of_a_small_sample(study):
    module = study("interval_coverage")
    scenario = next(s for s in module.SCENARIOS if s.name == "AUC 0.90, a quarter positive")

    def percentile(scenario, drawn, seed):
        return {"percentile": percentile_interval(bootstrap(scenario.metric, drawn, 200, seed))}

    assert module.coverage(scenario, 12, 60, seed=1, make=percentile)["percentile"]["coverage"] < 0.8
