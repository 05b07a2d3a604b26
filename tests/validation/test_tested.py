import numpy as np
import pandas as pd
import pytest

from neuroloom.errors import LeakError, NeuroloomError
from neuroloom.validation.tested import read_tested, unit_codes

ASKED = {"target": "diagnosis", "classes": ("control", "AD")}


def test_a_person_on_both_sides_is_refused_by_name(tables):
    predictions, people, folds = tables(n=20)
    people.loc["scan-001", "participant_id"] = "sub-000"  # a second scan of sub-000
    fold = folds[folds["part"] == "test"].set_index("sample_id")["fold"]
    assert fold["scan-000"] != fold["scan-001"]
    with pytest.raises(LeakError, match=r"In 2 folds a participant is in training and in the test part: sub-000\."):
        read_tested(predictions, people, folds, **ASKED)


def test_a_score_on_training_people_is_refused(tables):
    predictions, people, folds = tables(n=20)
    folds.loc[(folds["sample_id"] == "scan-003") & (folds["part"] == "test"), "part"] = "fit"
    with pytest.raises(LeakError, match="samples that are not in the test part of their fold: scan-003"):
        read_tested(predictions, people, folds, **ASKED)


def test_a_sample_without_a_row_is_named(tables):
    predictions, people, folds = tables(n=20)
    with pytest.raises(NeuroloomError, match="1 predicted or split samples are not in the cohort's table: scan-007"):
        read_tested(predictions, people.drop("scan-007"), folds, **ASKED)


def test_training_targets_are_those_of_the_fit_part(tables):
    predictions, people, folds = tables(n=20, kind="regress", separations={"net": 5.0})
    tested = read_tested(predictions, people, folds, target="age", classes=())
    fit = folds[(folds["fold"] == 2) & (folds["part"] == "fit")]["sample_id"]
    assert sorted(tested.references[(0, 2)]) == sorted(people.loc[fit, "age"])
    assert tested.outcomes["net"].mutual == 1.0
    assert tested.corrected["net"].prediction == pytest.approx(predictions["prediction_age_corrected"])


def test_units_of_a_cohort():
    people = pd.DataFrame(
        {
            "participant_id": ["a", "a", "b", "c"],
            "family_id": ["x", "x", "x", None],
            "session_id": ["1", "2", "1", "1"],
            "site": ["s", "s", "t", "t"],
        }
    )

    def shared(unit):
        code = unit_codes(people, unit)
        return [(i, j) for i in range(4) for j in range(i) if code[i] == code[j]]

    assert shared("participant") == [(1, 0)]
    assert shared("family") == [(1, 0), (2, 0), (2, 1)]  # c, of no family, is one of its own
    assert shared("session") == []  # session 1 of a is not session 1 of b
    assert shared("site") == [(1, 0), (3, 2)]
    assert len(np.unique(unit_codes(people, "sample"))) == 4
    with pytest.raises(NeuroloomError, match="the cohort has no column run_id or run"):
        unit_codes(people, "run")
