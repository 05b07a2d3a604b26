import numpy as np
import pytest

from neuroloom.metrics.decision import accuracy
from neuroloom.metrics.discrimination import auc
from neuroloom.metrics.regression import mae
from neuroloom.validation.intervals import interval
from neuroloom.validation.scores import score
from neuroloom.validation.subgroups import gap, group_scores, labels_of, seen_in_fit, site_scores


@pytest.fixture
def half_good(outcomes_of):
    """Women are told within 2 years, men within 8."""
    rng = np.random.default_rng(0)
    truth, sex = rng.uniform(20, 80, 120), np.where(np.arange(120) % 2, "M", "F").astype(object)
    error = np.where(sex == "M", 8.0, 2.0) * rng.standard_normal(120)
    return outcomes_of(truth, truth + error, np.arange(120) // 2 % 5, classes=()), sex


def test_a_group_is_scored_as_if_it_were_alone(half_good):
    outcomes, sex = half_good
    told = group_scores([mae], outcomes, sex)
    women = outcomes.subset(sex == "F")
    assert told["F"]["n"] == 60
    assert told["F"]["mae"] == {"value": score(mae, women), "interval": list(interval(mae, women))}
    assert told["F"]["note"] == ""


def test_gap_finds_who_is_worse(half_good):
    outcomes, sex = half_good
    told = gap(mae, outcomes, sex)
    assert (told["high"], told["low"]) == ("M", "F")
    assert told["interval"][0] > 0
    errors = [np.abs(o.prediction - o.truth) for o in (outcomes.subset(sex == "M"), outcomes.subset(sex == "F"))]
    standard = np.sqrt(sum(e.var(ddof=1) / 60 for e in errors))
    assert np.ptp(told["interval"]) == pytest.approx(2 * 1.9803 * standard, rel=1e-3)  # t with 118 degrees


def test_no_gap_is_told_of_a_handful(half_good):
    outcomes, _ = half_good
    assert gap(mae, outcomes, np.where(np.arange(120) < 5, "few", "many").astype(object)) is None


def test_missing_labels_belong_to_nobody(half_good):
    outcomes, sex = half_good
    sex[:20] = None
    assert sum(entry["n"] for entry in group_scores([mae], outcomes, sex).values()) == 100


def test_a_group_of_one_class_says_so(outcomes_of):
    outcomes = outcomes_of([0, 0, 0, 1], [0.1, 0.2, 0.3, 0.9])
    told = group_scores([auc, accuracy], outcomes, np.array(["x", "x", "y", "y"], dtype=object))["x"]
    assert np.isnan(told["auc"]["value"])
    assert told["note"] == "no AUC: no AD; 2 only: too few to judge"


def test_site_is_seen_when_anybody_trained_on_comes_from_it(outcomes_of):
    site = np.array(["a", "a", "b", "b"], dtype=object)
    outcomes = outcomes_of([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], fold=[0, 0, 1, 1])
    left_out = {(0, 0): np.array([2, 3]), (0, 1): np.array([0, 1])}
    assert seen_in_fit(outcomes, site, left_out).tolist() == [False] * 4
    mixed = {(0, 0): np.array([1, 2]), (0, 1): np.array([0, 1])}
    seen = seen_in_fit(outcomes, site, mixed)
    assert seen.tolist() == [True, True, False, False]
    told = site_scores([accuracy], outcomes, site, seen)
    assert told["a"]["seen"] is True
    assert told["b"]["seen"] is False


def test_a_site_that_is_seen_in_some_folds_says_so(outcomes_of):
    outcomes = outcomes_of([0, 1], [0.1, 0.9], fold=[0, 1])
    told = site_scores([accuracy], outcomes, np.array(["a", "a"], dtype=object), np.array([True, False]))
    assert told["a"]["seen"] is False
    assert "seen in 50% of its test cases" in told["a"]["note"]


def test_quantities_are_halved_at_the_median_and_groups_kept():
    halves = labels_of([20, 30, 40, 50, 60, 70, 80, 90, np.nan])
    assert halves.tolist() == ["under 55"] * 4 + ["55 and over"] * 4 + [None]
    ages = labels_of([21.0, 30.0, 40.0, 50.125, 63.625, 70.0, 80.0, 90.0])
    assert sorted(set(ages)) == ["56.9 and over", "under 56.9"]
    motion = labels_of(np.array([1, 2, 3, 4.4, 5.1, 6, 7, 8]) / 100)
    assert sorted(set(motion)) == ["0.0475 and over", "under 0.0475"]
    assert labels_of(["M", "F", None]).tolist() == ["M", "F", None]
