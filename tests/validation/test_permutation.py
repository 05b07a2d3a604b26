import itertools

import numpy as np
import pytest

from neuroloom.cohort.exchange import Exchangeable
from neuroloom.metrics.discrimination import auc
from neuroloom.metrics.regression import mae
from neuroloom.validation.permutation import add_one_p, permutation_null, refit_null
from neuroloom.validation.scores import score

NO_SITE = np.zeros(100)


def test_null_of_a_single_split_is_that_of_all_orders(outcomes_of):
    truth, probability = np.array([0, 0, 0, 1, 1]), np.array([0.1, 0.4, 0.2, 0.3, 0.9])
    outcomes = outcomes_of(truth, probability)
    orders = [auc(np.array(order), outcomes.prediction) for order in itertools.permutations(truth)]
    exact = np.mean(np.array(orders) >= score(auc, outcomes) - 1e-9)
    null = permutation_null(auc, outcomes, Exchangeable(np.arange(5), NO_SITE[:5], "site"), 2000)
    assert null.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 2000))
    assert np.mean(null.scores) == pytest.approx(0.5, abs=4 * np.std(orders) / np.sqrt(2000))


def test_p_counts_the_score_seen_among_the_draws():
    assert add_one_p(auc, 0.9, np.array([0.5] * 99)) == 1 / 100
    assert add_one_p(auc, 0.5, np.array([0.5] * 99)) == 1.0  # ties count against
    assert add_one_p(mae, 3.0, np.array([2.0, 3.0, 4.0])) == 3 / 4  # small errors are better
    assert np.isnan(add_one_p(auc, np.nan, np.array([0.5])))


def test_site_and_fold_keep_their_truths(outcomes_of):
    rng = np.random.default_rng(0)
    truth, fold, site = rng.integers(0, 2, 100), np.arange(100) % 5, np.arange(100) // 50
    seen = []

    class Recorded:
        name, higher_is_better = "recorded", True

        @staticmethod
        def sums(truth, prediction, weight, reference):
            seen.append(prediction[:, 0] @ truth)
            return np.ones((1, 1))

        finish = staticmethod(lambda sums: sums[:, 0])

    inside = site * 10 + fold  # predictions that tell fold and site only: their product with the truth must not move
    outcomes = outcomes_of(truth, np.column_stack([inside, inside]).astype(float), fold)
    permutation_null(Recorded, outcomes, Exchangeable(np.arange(100), site, "site"), 20)
    by_fold = np.array(seen).reshape(-1, 5)
    assert (by_fold == by_fold[0]).all()


def test_samples_of_a_person_move_together(outcomes_of):
    # three visits and one truth a person, 2 + 2 people: the draws are the 6 orders of people and no other
    person, probability = np.repeat(np.arange(4), 3), np.random.default_rng(1).random(12)
    outcomes = outcomes_of(np.repeat([0, 0, 1, 1], 3), probability, unit=person)
    orders = [np.repeat(order, 3) for order in set(itertools.permutations([0, 0, 1, 1]))]
    expected = {round(auc(order, outcomes.prediction), 9) for order in orders}
    null = permutation_null(auc, outcomes, Exchangeable(person, NO_SITE[:12], "site"), 300)
    assert set(np.round(null.scores, 9)) == expected


def test_people_whose_truth_changes_exchange_whole_rows(outcomes_of):
    # truth 0 then 1 in one person, 1 then 1 in the other: two orders, and visits never swap within a person
    person = np.array([0, 0, 1, 1])
    outcomes = outcomes_of([0, 1, 1, 1], [0.1, 0.2, 0.3, 0.4], unit=person)
    null = permutation_null(auc, outcomes, Exchangeable(person, NO_SITE[:4], "site"), 50)
    assert sorted(set(np.round(null.scores, 9))) == pytest.approx([1 / 3, 1.0])


def test_draws_hold_in_all_repeats(outcomes_of):
    # two repeats with the same predictions are as one: the null must not become narrower
    rng = np.random.default_rng(2)
    truth, probability = np.arange(40) % 2, rng.random(40)
    one = permutation_null(auc, outcomes_of(truth, probability), Exchangeable(np.arange(40), NO_SITE[:40], "site"), 200)
    twice = outcomes_of(np.tile(truth, 2), np.tile(probability, 2), repeat=np.repeat([0, 1], 40))
    object.__setattr__(twice, "sample", np.tile(np.arange(40), 2))
    two = permutation_null(auc, twice, Exchangeable(np.arange(40), NO_SITE[:40], "site"), 200)
    assert two.scores == pytest.approx(one.scores)


def test_pairs_that_count_twice_stretch_the_null(outcomes_of):
    rng = np.random.default_rng(3)
    truth, probability, fold = np.arange(50) % 2, rng.random(50), np.arange(50) // 2 % 5
    fitted = {(0, k): fold != k for k in range(5)}
    plain = permutation_null(
        auc, outcomes_of(truth, probability, fold), Exchangeable(np.arange(50), NO_SITE[:50], "site"), 200
    )
    wide = permutation_null(
        auc,
        outcomes_of(truth, probability, fold, fitted=fitted),
        Exchangeable(np.arange(50), NO_SITE[:50], "site"),
        200,
    )
    assert np.std(wide.scores) == pytest.approx(np.sqrt(2) * np.std(plain.scores))
    assert np.mean(wide.scores) == pytest.approx(np.mean(plain.scores))


def test_where_sites_hold_one_class_there_is_no_p_and_a_reason(outcomes_of):
    outcomes = outcomes_of([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    told = permutation_null(
        auc, outcomes, Exchangeable(np.arange(4), np.array(["a", "a", "b", "b"]), "site"), 50
    ).as_dict()
    assert np.isnan(told["p"])
    assert told["n"] == 0
    assert told["note"] == "no fold and site holds two people of different truth to exchange"


def test_refits_are_scored_on_their_own_labels(outcomes_of):
    made = []

    def refit(seed):
        made.append(seed)
        return outcomes_of([0, 1], [0.1, 0.9] if seed % 2 else [0.9, 0.1])

    null = refit_null(auc, 1.0, refit, 4, seed=10)
    assert made == [10, 11, 12, 13]
    assert null.scores.tolist() == [0.0, 1.0, 0.0, 1.0]
    assert null.p == 3 / 5


COHORTS = 120


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["AUC, predictions permuted", "MAE, predictions permuted", "AUC, sites differ, permuted within site"],
)
def test_p_is_uniform_where_nothing_is_there(study, name):
    module = study("null_cohorts")
    null = next(one for one in module.STUDIES if one.name == name)
    found = module.study(null, COHORTS, draws=39, seed=2)
    for level in (0.05, 0.2):
        most = level + 3 * np.sqrt(level * (1 - level) / COHORTS)
        assert found[f"rejected_at_{level:.2f}"] <= most
    if null.kind == "class" and null.n_sites == 1:
        assert found["ks_p"] > 0.001
        least = 0.95 - 3 * np.sqrt(0.95 * 0.05 / COHORTS)
        assert found["interval_holds_chance"] >= least


@pytest.mark.slow
def test_p_of_refitted_labels_is_uniform(study):
    module = study("null_cohorts")
    null = next(one for one in module.STUDIES if one.method == "refit" and one.kind == "class")
    assert module.study(null, 60, draws=19, seed=3)["ks_p"] > 0.001


@pytest.mark.slow
def test_p_without_regard_to_site_takes_the_site_for_the_disease(study):
    module = study("null_cohorts")
    null = next(one for one in module.STUDIES if one.method == "permute_ignoring_site")
    assert module.study(null, 40, draws=19, seed=4)["rejected_at_0.05"] > 0.3
