"""Each branch of the first sentence, by numbers."""

import pytest

from neuroloom.validation.comparison import judged
from neuroloom.validation.sentence import above_chance, best_of, first_sentence, too_small


class Direction:
    def __init__(self, higher_is_better):
        self.higher_is_better = higher_is_better


def learner(role, value, low=None, high=None, metric="auc", p=0.005, label=None, unseen=False):
    interval = [value - 0.05 if low is None else low, value + 0.05 if high is None else high]
    return {
        "role": role,
        "label": label or role,
        "scores": {metric: {"value": value, "interval": interval}},
        "null": {"p": p},
        "seen_sites": None if unseen else {metric: {}},
        "unseen_sites": {metric: {}} if unseen else None,
        "per_fold": [],
    }


def page(net, linear=None, alone=None, against_linear=None, against_alone=None, metric="auc", **said):
    """Return what a sentence reads of metrics.json; ``against_...``: interval of net minus the other."""
    learners = {"sfcn": net}
    comparisons = []
    for name, other, interval in (("svm", linear, against_linear), ("alone", alone, against_alone)):
        if other is None:
            continue
        learners[name] = other
        low, high = interval
        difference = net["scores"][metric]["value"] - other["scores"][metric]["value"]
        verdict = judged(Direction(metric != "mae"), low, high)
        entry = {"a": "sfcn", "b": name, "metric": metric, "difference": difference}
        comparisons.append(entry | {"interval": [low, high], "verdict": verdict})
    told = {
        "task": "classify",
        "primary": metric,
        "deep": "sfcn",
        "inputs": ["T1w"],
        "simulated": False,
        "identity": "known",
        "unit": {"name": "participant", "n": 160, "participants": 160, "within_person": False},
        "target": {"name": "diagnosis", "classes": ["control", "AD"], "unit": None},
        "chance": {metric: 0.5},
        "ceiling": None,
        "learners": learners,
        "comparisons": comparisons,
    }
    return told | said


def ages(value, low, high, chance=14.8, **said):
    net = learner("deep", value, low, high, metric="mae", label="sfcn")
    target = {"name": "age", "classes": [], "unit": "y"}
    return page(net, metric="mae", task="regress", target=target, chance={"mae": chance}, **said)


NET = learner("deep", 0.91, 0.86, 0.95, label="sfcn")
SVM = learner("baseline", 0.93, label="linear SVM")
ALONE = learner("confounds", 0.55)


def test_equal_to_the_linear_model_the_network_adds_nothing():
    told = first_sentence(page(NET, SVM, ALONE, (-0.06, 0.02), (0.25, 0.45)))
    assert told == (
        "From T1w, sfcn tells AD from control with AUC 0.91 (95 % interval 0.86 to 0.95, 160 participants, none of "
        "them seen in training); linear SVM on the same folds reaches 0.93, so the network adds nothing that these "
        "participants can show; confounds alone reach 0.55; chance is 0.50."
    )


def test_a_net_that_loses_is_said_to():
    told = first_sentence(page(NET, SVM, ALONE, (-0.04, -0.01), (0.25, 0.45)))
    assert "so the network loses to it by 0.02 (95 % interval 0.01 to 0.04);" in told


def test_a_net_that_loses_is_said_to_even_at_chance():
    net = learner("deep", 0.52, 0.42, 0.6, p=0.4, label="sfcn")
    told = first_sentence(page(net, SVM, ALONE, (-0.5, -0.3), (-0.1, 0.1)))
    assert "sfcn does not tell AD from control better than chance: AUC 0.52" in told
    assert "the network loses to it by 0.41" in told


def test_a_net_that_wins_is_said_to():
    told = first_sentence(page(NET, learner("baseline", 0.8, label="SVM"), ALONE, (0.05, 0.17), (0.25, 0.45)))
    assert "SVM on the same folds reaches 0.80, so the network wins by 0.11 (95 % interval 0.05 to 0.17);" in told


def test_the_best_baseline_is_the_one_beside_it():
    told = page(NET, SVM, ALONE, (-0.06, 0.02), (0.25, 0.45))
    told["learners"]["worse"] = learner("baseline", 0.7)
    assert best_of(told, "baseline") == "svm"


def test_confounds_that_are_as_good_are_said_to_be():
    told = first_sentence(page(NET, SVM, learner("confounds", 0.9), (-0.06, 0.02), (-0.03, 0.05)))
    assert (
        "confounds alone reach 0.90, and the network is not shown to beat them, so its score may come from them" in told
    )


@pytest.mark.parametrize(("low", "p"), [(0.45, 0.01), (0.52, 0.06)])
def test_chance_needs_both_the_interval_and_the_null(low, p):
    told = page(learner("deep", 0.56, low, 0.66, p=p, label="sfcn"))
    assert not above_chance(told)
    assert "does not tell AD from control better than chance" in first_sentence(told)


@pytest.mark.parametrize(("low", "shown"), [(0.58, True), (0.49, False)])
def test_where_nothing_can_be_exchanged_the_interval_decides(low, shown):  # leave-one-out: one person a fold
    told = page(learner("deep", 0.68, low, 0.78, p=None, label="sfcn"))
    assert above_chance(told) is shown
    assert ("does not tell AD from control better than chance" in first_sentence(told)) is not shown


@pytest.mark.parametrize(("high", "shown"), [(14.0, True), (15.5, False)])
def test_an_error_without_a_p_is_decided_by_its_interval(high, shown):
    told = ages(12.0, 10.0, high)
    told["learners"]["sfcn"]["null"]["p"] = None
    assert above_chance(told) is shown


def test_an_error_is_above_chance_by_its_value_and_its_null():
    assert above_chance(ages(5.2, 4.9, 5.5))
    assert not above_chance(ages(15.0, 14.0, 16.0))
    told = first_sentence(ages(15.0, 14.0, 16.0))
    assert "sfcn does not predict age better than chance: a mean absolute error of 15.0 y" in told


def test_numbers_carry_their_unit():
    told = first_sentence(ages(5.2, 4.9, 5.5))
    assert told == (
        "From T1w, sfcn predicts age with a mean absolute error of 5.20 y (95 % interval 4.90 to 5.50 y, 160 "
        "participants, none of them seen in training); chance is 14.8 y."
    )


def test_few_people_conclude_nothing():
    unit = {"name": "participant", "n": 12, "participants": 12, "within_person": False}
    told = first_sentence(page(NET, SVM, ALONE, (-0.06, 0.02), (0.25, 0.45), unit=unit))
    assert told.startswith("From T1w, sfcn reaches AUC 0.91 (95 % interval 0.86 to 0.95, 12 participants,")
    assert "in telling AD from control" in told
    assert "with 12 participants n is too small to conclude" in told
    assert "adds nothing" not in told
    assert "wins" not in told


def test_a_wide_interval_concludes_nothing():
    told = page(learner("deep", 0.7, 0.52, 0.84, label="sfcn"))
    assert too_small(told) == "the interval is 0.32 wide: n is too small to conclude"
    assert too_small(ages(5.0, 3.0, 7.0)) == "the interval is 4.00 y wide: n is too small to conclude"
    assert too_small(ages(5.0, 4.0, 6.0)) == ""


def test_within_a_person_it_is_for_this_person():
    unit = {"name": "session", "n": 40, "participants": 1, "within_person": True}
    told = first_sentence(page(NET, unit=unit))
    assert told.startswith("For this person, from T1w, sfcn tells AD from control")
    assert "40 sessions, none of them seen in training" in told
    assert first_sentence(page(NET, unit=unit | {"participants": 9})).startswith("For these 9 people, from T1w")


def test_simulated_data_and_its_ceiling_are_said():
    told = first_sentence(page(NET, simulated=True, ceiling={"auc": 0.97}))
    assert told.startswith("In simulated data, from T1w, sfcn tells")
    assert told.endswith("chance is 0.50; the best possible is 0.97.")


def test_unseen_sites_are_said():
    net = learner("deep", 0.7, 0.62, 0.78, label="sfcn", unseen=True)
    assert "160 participants, none of them seen in training, all at sites never seen in training)" in first_sentence(
        page(net)
    )
    unit = {"name": "site", "n": 31, "participants": 900, "within_person": False}
    assert "31 sites never seen in training)" in first_sentence(page(net, unit=unit))


def test_three_classes_are_told_apart():
    target = {"name": "diagnosis", "classes": ["AD", "MCI", "control"], "unit": None}
    assert "sfcn tells AD, MCI and control apart with AUC 0.91" in first_sentence(page(NET, target=target))


def test_an_undefined_score_says_nothing_and_why():
    net = learner("deep", 0.9, label="sfcn")
    net["scores"]["auc"] = {"value": None, "interval": [None, None]}
    net["per_fold"] = [{"repeat": 0, "fold": 0, "note": "no AD: gives no AUC"}]
    assert first_sentence(page(net)) == (
        "AUC is undefined on these folds (fold 0: no AD: gives no AUC), so nothing can be said."
    )


def test_families_are_many():
    unit = {"name": "family", "n": 80, "participants": 160, "within_person": False}
    assert "80 families, none of them seen in training" in first_sentence(page(NET, unit=unit))


@pytest.mark.parametrize(("unit", "within"), [("sample", False), ("participant", False), ("block", True)])
def test_where_nobody_knows_who_is_who_nothing_is_said_of_new_people(unit, within):
    whom = {"name": unit, "n": 140, "participants": 140, "within_person": within}
    told = first_sentence(page(NET, SVM, None, (-0.06, 0.02), identity="unknown", unit=whom))
    assert told.startswith(
        "Who is who is unknown, so the split cannot be proven to keep people apart: from T1w, sfcn tells AD from control "
        f"with AUC 0.91 (95 % interval 0.86 to 0.95, 140 {unit}s, none of them in training under the same name); "
    )
    assert "seen in training" not in told


SEIZURES = {
    "sensitivity": {"value": 0.96, "interval": [0.7, 0.99]},
    "false_per_day": {"value": 48.0},
    "chance": {"sensitivity": 0.104},
}


@pytest.mark.parametrize(("per", "said"), [("day", "48 false alarms a day"), ("hour", "2 false alarms an hour")])
def test_what_alarms_find_is_said(per, said):
    events = {"label": "seizure", "per": per, "n_events": 24, "learners": {"sfcn": SEIZURES}}
    told = first_sentence(page(learner("deep", 0.9)) | {"events": events})
    assert (
        f"; its alarms find 0.96 (0.70 to 0.99) of 24 events (seizure), with {said}; as many at random find 0.10;"
        in told
    )


def test_what_warnings_foresee_is_said():
    entry = {"sensitivity": {"value": 0.42, "interval": [0.18, 0.69]}, "false_per_hour": {"value": 0.0}}
    entry |= {"chance": 0.18, "p": 0.0004}
    told = page(learner("deep", 0.9)) | {"forecast": {"n_events": 24, "learners": {"sfcn": entry}}}
    assert (
        "; its warnings foresee 0.42 (0.18 to 0.69) of 24 events, with no false warnings an hour; as much time in warning at "
        "random foresees 0.18 (p < .001);"
    ) in first_sentence(told)
    entry["sensitivity"]["value"] = None
    assert "warnings" not in first_sentence(told)
