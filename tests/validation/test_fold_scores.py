import numpy as np
import pytest

from neuroloom.metrics.decision import accuracy
from neuroloom.metrics.discrimination import auc
from neuroloom.metrics.regression import mae, pearson, r2
from neuroloom.validation.scores import chance, mean_over_folds, per_fold, score, weighted_scores


def test_auc_counts_only_pairs_inside_a_fold(outcomes_of):
    # each fold orders its people perfectly, but fold 1 scores everybody higher: pooled, 1 of 4 pairs would be wrong
    outcomes = outcomes_of([0, 1, 0, 1], [0.1, 0.3, 0.6, 0.9], fold=[0, 0, 1, 1])
    assert score(auc, outcomes) == 1.0
    assert auc(outcomes.truth, outcomes.prediction) == 0.75


def test_folds_weigh_by_their_pairs(outcomes_of):
    # fold 0: 1 x 1 pair, right; fold 1: 2 x 2 pairs, all wrong
    outcomes = outcomes_of([0, 1, 0, 0, 1, 1], [0.1, 0.9, 0.8, 0.9, 0.1, 0.2], fold=[0, 0, 1, 1, 1, 1])
    assert score(auc, outcomes) == 1 / 5
    assert mean_over_folds(auc, outcomes) == 1 / 2


def test_a_fold_of_one_class_gives_nothing_and_is_named(outcomes_of):
    outcomes = outcomes_of([0, 1, 1, 1], [0.1, 0.9, 0.2, 0.3], fold=[0, 0, 1, 1])
    assert score(auc, outcomes) == 1.0
    rows = per_fold([auc, accuracy], outcomes)
    assert rows[0]["note"] == ""
    assert np.isnan(rows[1]["auc"])
    assert rows[1]["note"] == "no control: gives no AUC"
    assert [row["n_test"] for row in rows] == [2, 2]


def test_leave_one_out_has_no_auc_and_no_correlation(outcomes_of):
    assert np.isnan(score(auc, outcomes_of([0, 1], [0.1, 0.9], fold=[0, 1])))
    assert np.isnan(score(pearson, outcomes_of([10.0, 20.0], [12.0, 18.0], fold=[0, 1], classes=())))


def test_correlation_does_not_come_from_folds_of_different_level(outcomes_of):
    outcomes = outcomes_of([0.0, 1, 10, 11], [1.0, 0, 11, 10], fold=[0, 0, 1, 1], classes=())
    assert score(pearson, outcomes) == pytest.approx(-1.0)  # pooled it would be +0.96


def test_repeats_are_averaged(outcomes_of):
    outcomes = outcomes_of([0, 1, 0, 1], [0.1, 0.9, 0.9, 0.1], repeat=[0, 0, 1, 1], unit=[0, 1, 0, 1])
    assert score(accuracy, outcomes) == 0.5
    assert score(auc, outcomes) == 0.5


def test_weights_count_units_with_all_their_samples(outcomes_of):
    outcomes = outcomes_of([10.0, 10, 20], [11.0, 13, 26], unit=[0, 0, 1], classes=())
    values = weighted_scores(mae, outcomes, np.array([[1.0, 0], [0, 1], [2, 1], [0, 0]]))
    assert values[:3].tolist() == [2.0, 6.0, (2 * 4 + 6) / 5]
    assert np.isnan(values[3])


def test_many_draws_are_made_in_steps(outcomes_of, monkeypatch):
    rng = np.random.default_rng(0)
    outcomes = outcomes_of(np.arange(20) % 2, rng.random(20))
    weight = rng.integers(0, 3, (50, 20)).astype(float)
    whole = weighted_scores(auc, outcomes, weight)
    monkeypatch.setattr("neuroloom.validation.scores.MOST_WEIGHTS", 140)  # 7 draws at once
    assert weighted_scores(auc, outcomes, weight).tolist() == whole.tolist()


def test_r2_takes_the_training_mean_of_each_fold(outcomes_of):
    outcomes = outcomes_of([0.0, 10.0], [1.0, 9.0], fold=[0, 1], classes=())
    outcomes.references.update({(0, 0): np.array([10.0]), (0, 1): np.array([0.0])})
    assert score(r2, outcomes) == pytest.approx(1 - 2 / 200)


def test_chance_of_accuracy_is_the_commonest_class_over_all_folds(outcomes_of):
    outcomes = outcomes_of([0, 0, 0, 1], [0.5] * 4, fold=[0, 0, 1, 1])
    assert chance(accuracy, outcomes) == 0.75
    assert chance(auc, outcomes) == 0.5
