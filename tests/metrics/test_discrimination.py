import itertools

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from neuroloom.metrics.discrimination import auc, average_precision, hanley_mcneil_variance


def as_two(probability):
    probability = np.asarray(probability, dtype=float)
    return np.column_stack([1 - probability, probability])


def test_auc_counts_pairs_by_hand():
    # pairs (positive, negative): .8>.3, .8>.5, .5>.3, .5=.5 (a half) -> 3.5 of 4
    assert auc([0, 0, 1, 1], as_two([0.3, 0.5, 0.8, 0.5])) == 3.5 / 4


def test_auc_is_sklearns_with_ties(two_classes):
    truth, probability = two_classes
    assert auc(truth, probability) == pytest.approx(roc_auc_score(truth, probability[:, 1]), abs=1e-12)


def test_auc_of_many_classes_is_one_against_the_rest(three_classes):
    truth, probability = three_classes
    expected = roc_auc_score(truth, probability, multi_class="ovr", average="macro")
    assert auc(truth, probability) == pytest.approx(expected, abs=1e-12)


def test_auc_ignores_any_rising_change_of_the_score(two_classes):
    truth, probability = two_classes
    assert auc(truth, as_two(probability[:, 1] ** 3)) == auc(truth, probability)


def test_auc_turns_round_with_the_classes(two_classes):
    truth, probability = two_classes
    assert auc(1 - truth, probability) == pytest.approx(1 - auc(truth, probability), abs=1e-12)


@pytest.mark.parametrize("metric", [auc, average_precision], ids=lambda metric: metric.name)
@pytest.mark.parametrize("case", ["two_classes", "three_classes"])
def test_weights_are_copies_of_people(metric, case, copies, request):
    truth, probability = request.getfixturevalue(case)
    weight, index = copies(len(truth))
    weighted = metric.finish(metric.sums(truth, probability, weight, None))[0]
    assert weighted == pytest.approx(metric(truth[index], probability[index]), abs=1e-12)


def test_auc_of_one_class_is_undefined_and_says_why():
    assert np.isnan(auc([0, 0], as_two([0.2, 0.7])))
    assert auc.why_undefined([0, 0], as_two([0.2, 0.7]), ("control", "AD")) == "no AD"


def test_average_precision_is_sklearns_with_ties(two_classes):
    truth, probability = two_classes
    assert average_precision(truth, probability) == pytest.approx(average_precision_score(truth, probability[:, 1]))


def test_average_precision_of_many_classes_is_the_mean_over_them(three_classes):
    truth, probability = three_classes
    each = [average_precision_score(truth == k, probability[:, k]) for k in range(3)]
    assert average_precision(truth, probability) == pytest.approx(np.mean(each))


def test_chance_of_average_precision_is_the_mean_over_all_orders():
    truth = np.array([1, 1, 0, 0, 0])
    orders = [
        average_precision(np.array(order), as_two(np.linspace(0.9, 0.1, 5))) for order in itertools.permutations(truth)
    ]
    assert average_precision.chance(truth) == pytest.approx(np.mean(orders), abs=1e-12)


def test_variance_of_auc_is_that_of_exponential_scores():
    # scores from exponentials: the law for which Hanley and McNeil's terms are exact, AUC = rate / (1 + rate)
    rng, area, n = np.random.default_rng(0), 0.8, 40
    rate = area / (1 - area)
    draws = 4000
    positive, negative = rng.exponential(rate, (draws, n)), rng.exponential(1.0, (draws, n))
    values = [np.mean(p[:, None] > q[None, :]) for p, q in zip(positive, negative, strict=True)]
    error = np.var(values) * np.sqrt(2 / draws)
    assert abs(np.var(values) - hanley_mcneil_variance(area, n, n)) < 4 * error
