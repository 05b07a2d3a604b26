import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neuroloom.validation.missed import errors_by_sample, missed, right_and_wrong


@pytest.fixture
def people():
    index = pd.Index([f"scan-{i}" for i in range(6)], name="sample_id")
    return pd.DataFrame({"participant_id": list("abcdef"), "age": [20, 30, 40, 50, 60, 70]}, index=index)


def test_the_worst_come_first_and_the_right_are_not_missed(outcomes_of, people):
    outcomes = outcomes_of([0, 0, 0, 1, 1, 1], [0.1, 0.6, 0.9, 0.9, 0.45, 0.8])
    told = missed(outcomes, people)
    assert [row["sample_id"] for row in told] == ["scan-2", "scan-1", "scan-4"]
    assert told[0] == {
        "sample_id": "scan-2",
        "truth": "control",
        "prediction": "AD",
        "error": pytest.approx(0.9),
        "right": False,
        "participant_id": "c",
        "age": 40,
    }


def test_numbers_are_missed_by_their_signed_error(outcomes_of, people):
    outcomes = outcomes_of([20.0, 30, 40, 50, 60, 70], [25.0, 30, 40, 50, 40, 71], classes=())
    told = missed(outcomes, people, most=2)
    assert [(row["sample_id"], row["error"]) for row in told] == [("scan-4", -20.0), ("scan-0", 5.0)]


def test_repeats_are_averaged(outcomes_of):
    outcomes = outcomes_of([0, 0], [0.2, 0.9], repeat=[0, 1])
    object.__setattr__(outcomes, "sample", np.array([0, 0]))
    told = errors_by_sample(outcomes)
    assert told.loc[0, "error"] == pytest.approx(0.55)
    assert told.loc[0, "said"] == "AD"  # of the mean probability


def test_right_and_wrong_stand_side_by_side(outcomes_of):
    rng = np.random.default_rng(0)
    n = 60
    age, sex = rng.uniform(20, 80, n), rng.choice(["F", "M"], n)
    truth = np.arange(n) % 2
    wrong = age > 60  # the old are missed
    outcomes = outcomes_of(truth, np.where(wrong, 1 - truth, truth) * 0.8 + 0.1)
    people = pd.DataFrame({"age": age, "sex": sex}, index=[f"scan-{i}" for i in range(n)])
    told = right_and_wrong(outcomes, people, ["age", "sex"])
    assert told["n"] == {"right": int((~wrong).sum()), "wrong": int(wrong.sum())}
    assert told["columns"]["age"]["wrong"] == pytest.approx(age[wrong].mean())
    assert told["columns"]["age"]["p"] == pytest.approx(stats.kruskal(age[wrong], age[~wrong]).pvalue)
    assert told["columns"]["sex"]["right"]["F"] == pytest.approx(np.mean(sex[~wrong] == "F"))


def test_several_samples_of_one_person_count_once(outcomes_of):
    outcomes = outcomes_of([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.9, 0.9, 0.1, 0.2], unit=[0, 0, 0, 1, 1, 1])
    people = pd.DataFrame({"sex": list("FFFMMM")}, index=[f"scan-{i}" for i in range(6)])
    told = right_and_wrong(outcomes, people, ["sex"])
    assert told["n"] == {"right": 1, "wrong": 1}
    assert told["columns"]["sex"]["wrong"] == {"M": 1.0}


def test_of_trials_right_and_wrong_are_samples_and_only_what_varies_inside_a_unit_is_compared(outcomes_of):
    outcomes = outcomes_of([0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.9, 0.8, 0.7])
    object.__setattr__(outcomes, "unit", np.array([0, 0, 0, 1, 1, 1]))
    index = pd.Index([f"t{i}" for i in range(6)], name="sample_id")
    people = pd.DataFrame({"participant_id": list("aaabbb"), "age": [20] * 3 + [30] * 3, "cue": list("xyxxyx")}, index)
    told = right_and_wrong(outcomes, people, ["age", "cue"])
    assert told["n"] == {"right": 4, "wrong": 2}
    assert list(told["columns"]) == ["cue"]
    assert (told["columns"]["cue"]["right"], told["columns"]["cue"]["wrong"]) == ({"x": 1.0}, {"y": 1.0})
