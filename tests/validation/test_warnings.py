"""Each warning by a run that deserves it, and silence where none does."""

import numpy as np
import pytest

from neuroloom.validation.evaluate import evaluate
from neuroloom.validation.warnings import _too_good

TASK = {"kind": "classify", "target": "diagnosis", "classes": ["control", "AD"], "positive": "AD", "unit": None}
ROLES = {"net": "deep", "linear": "baseline", "confounds": "confounds"}
CONFOUNDS = ("site", "age", "sex", "motion", "length")


def warned(predictions, people, folds, **said):
    settings = {"task": TASK, "roles": ROLES, "permutations": 19, "confounds": CONFOUNDS} | said
    return evaluate(predictions, people, folds, **settings)["warnings"]


def one(warnings, *words):
    """Return the only warning that has all these words."""
    found = [text for text in warnings if all(word in text for word in words)]
    assert len(found) == 1, warnings
    return found[0]


def test_a_sound_run_is_told_only_that_its_sites_are_known(tables):
    assert warned(*tables(n=200, seed=1)) == ["Every test site was also trained on: nothing is known about new sites."]


def test_a_number_too_good_is_a_leak_until_shown_otherwise(tables):
    run = tables(n=200, separations={"net": 8.0, "linear": 2.0, "confounds": 0.0})
    assert one(warned(*run), "leak").startswith("net: auc 1.000.")


def test_a_simulator_that_allows_it_is_no_leak(tables):
    run = tables(n=200, separations={"net": 8.0, "linear": 2.0, "confounds": 0.0})
    told = warned(*run, ceiling={"auc": 1.0, "balanced_accuracy": 1.0, "accuracy": 1.0})
    assert not [text for text in told if "leak" in text]


def test_few_people_and_wide_intervals(tables):
    told = warned(*tables(n=16))
    assert one(told, "With 16 participants n is too small to conclude.")
    assert one(told, "16 participants: intervals of so few are rough.")


def test_nothing_beside_the_network(tables):
    told = warned(*tables(n=60, separations={"net": 2.0}))
    assert one(told, "No baseline stands beside the network")
    assert one(told, "What the confounds alone predict was not asked")


def test_site_that_goes_with_the_diagnosis(tables):
    predictions, people, folds = tables(n=120)
    ill = people["diagnosis"] == "AD"
    people["site"] = np.where(np.random.default_rng(0).random(120) < np.where(ill, 0.9, 0.1), "a", "b")
    assert "chi-squared" in one(warned(predictions, people, folds), "site and diagnosis go together")


def test_motion_that_goes_with_the_diagnosis_and_the_prediction(tables):
    predictions, people, folds = tables(n=120)
    people["motion"] = people["motion"] + 0.5 * (people["diagnosis"] == "AD")
    net = predictions["learner"] == "net"
    predictions.loc[net, "prediction_p_AD"] = 1 / (1 + np.exp(-8 * (people["motion"].to_numpy() - 0.6)))
    predictions["prediction_p_control"] = 1 - predictions["prediction_p_AD"]
    told = warned(predictions, people, folds)
    assert one(told, "motion and diagnosis go together")
    assert one(told, "Among people of the same diagnosis the prediction of net follows motion (100%")


def test_length_that_names_the_site(tables):
    predictions, people, folds = tables(n=120, n_sites=3)
    people["length"] = people["site"].map({"site-0": 78, "site-1": 146, "site-2": 196})
    assert one(warned(predictions, people, folds), "names the site").startswith("length names the site of 100%")


def test_a_fold_without_a_class_is_named(tables):
    predictions, people, folds = tables(n=120, leave_site_out=True)
    people.loc[people["site"] == "site-2", "diagnosis"] = "control"
    at = predictions["sample_id"].map(people["site"]) == "site-2"
    predictions.loc[at, "truth_diagnosis"] = "control"
    told = warned(predictions, people, folds)
    assert "0-2 (no AD: gives no AUC, balanced accuracy)" in one(told, "1 of 3 test folds give no full score")
    assert not [text for text in told if text.startswith("Every test site")]


def test_unequal_classes(tables):
    predictions, people, folds = tables(n=100)
    rare = np.arange(100) % 10 == 1
    people["diagnosis"] = np.where(rare, "AD", "control")
    predictions["truth_diagnosis"] = predictions["sample_id"].map(people["diagnosis"])
    assert "(90 control, 10 AD): always saying the commonest is right in 90%" in one(
        warned(predictions, people, folds), "Classes are unequal"
    )


def test_overconfidence(tables):
    predictions, people, folds = tables(n=200, separations={"net": 1.0, "linear": 1.0, "confounds": 0.0})
    odds = predictions["prediction_p_AD"] / predictions["prediction_p_control"]
    predictions["prediction_p_AD"] = odds**6 / (1 + odds**6)
    predictions["prediction_p_control"] = 1 - predictions["prediction_p_AD"]
    told = warned(predictions, people, folds)
    assert one(told, "net is too sure of itself: calibration slope 0.")
    assert one(told, "The probabilities of net miss the observed shares")


def test_a_group_that_is_told_worse(tables):
    predictions, people, folds = tables(n=300, separations={"net": 3.0, "linear": 2.0, "confounds": 0.0})
    men = predictions["sample_id"].map(people["sex"]) == "M"
    noise = np.random.default_rng(1).random(int(men.sum()))
    predictions.loc[men, "prediction_p_AD"] = noise
    predictions.loc[men, "prediction_p_control"] = 1 - noise
    assert one(warned(predictions, people, folds), "sex: worse for M than for F, by 0.")


def test_sites_of_one_class_leave_no_permutation(tables):
    predictions, people, folds = tables(n=120)
    people["site"] = people["diagnosis"]
    assert one(warned(predictions, people, folds), "No permutation p: no fold and site holds two people")


def test_no_null_asked(tables):
    assert one(warned(*tables(n=60), permutations=0), "No permutation test was made")


def test_bias_correction_that_flatters(tables):
    predictions, people, folds = tables(n=120, kind="regress", separations={"net": 5.0})
    predictions["prediction_age_corrected"] = predictions["prediction_age"] * 0.5 + predictions["truth_age"] * 0.5
    task = {"kind": "regress", "target": "age", "classes": [], "unit": "y"}
    told = warned(predictions, people, folds, task=task)
    assert one(told, "Bias correction lowers").endswith("Compare learners by the uncorrected error.")


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_said_to_follow_what_is_drawn_apart(tables, seed):
    told = warned(*tables(n=150, seed=10 + seed))
    assert not [text for text in told if "go together" in text or "follows" in text or "names the site" in text]


def test_not_knowing_who_is_who_comes_first(tables):
    told = warned(*tables(n=200, seed=1), identity="unknown")
    assert told[0].startswith("Who is who is unknown, so the split cannot be proven to keep people apart")
    assert told[1:] == warned(*tables(n=200, seed=1))


def test_not_knowing_who_is_who_no_score_is_for_new_units(tables):
    predictions, people, folds = tables(n=60, seed=1)
    known, unknown = (
        evaluate(predictions, people, folds, task=TASK, roles=ROLES, permutations=0, identity=identity)["learners"]
        for identity in ("known", "unknown")
    )
    assert "for new participants like these" in str(known)
    assert "for new" not in str(unknown)
    assert "for these participants, whoever they are of" in unknown["net"]["scores"]["auc"]["estimand"]


def test_accuracy_where_one_class_is_common_is_held_against_its_share():
    """97 % of one class: an accuracy of 99 % leaves a third of the errors of always saying it, which is no leak."""
    report = {"chance": {"accuracy": 0.97}, "ceiling": None, "learners": {}}
    learner = lambda value: {"net": {"scores": {"accuracy": {"value": value}}}}  # noqa: E731
    assert _too_good(report | {"learners": learner(0.99)}) == []
    assert len(_too_good(report | {"learners": learner(0.999)})) == 1
    assert len(_too_good({"chance": {"accuracy": 0.5}, "ceiling": None, "learners": learner(0.981)})) == 1
