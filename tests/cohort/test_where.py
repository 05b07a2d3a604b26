import pandas as pd
import pytest

from neuroloom.cohort.where import chosen_rows, columns_named
from neuroloom.errors import NeuroloomError

TABLE = pd.DataFrame(
    {"age": [20.0, 40.0, None], "site": ["A", "B", "A"], "last": [20.0, None, 1.0]}, index=["a", "b", "c"]
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("age > 30", [False, True, False]),
        ("site in ['A'] and known(age)", [True, False, False]),
        ("not site == 'A' or age <= 20", [True, True, False]),
        ("age != -1", [True, True, False]),  # an unknown age is neither
        ("not age > 30", [True, False, False]),
        ("not (age > 30 and site == 'A')", [True, True, False]),
        ("age > 30 or site == 'A'", [True, True, True]),  # true whatever the age is
        ("age not in [20]", [False, True, False]),
        ("not age in (20, 30)", [False, True, False]),
        ("not known(age)", [False, False, True]),
        ("last <= age", [True, False, False]),
    ],
)
def test_conditions(condition, expected):
    assert chosen_rows(TABLE, condition).tolist() == expected


@pytest.mark.parametrize("condition", ["__import__('os').system('true')", "age.__class__", "site[0]", "age >"])
def test_what_is_not_a_condition_is_refused(condition):
    with pytest.raises(NeuroloomError, match=r"cohort\.where"):
        chosen_rows(TABLE, condition)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("site not in ('CMU')", "on the right of in stands \"'CMU'\"; 'in' wants a list"),
        ("age == [20]", "the others one value"),
        ("1 < 2", "'1 < 2' as a condition \\(a column stands on the left"),
        ("'a'", "does not understand \"'a'\" as a condition"),
        ("5 in age", "'5 in age' as a condition"),
        ("age", "'age' as a condition"),
        ("not age", "'age' as a condition"),
        ("site > 3", "compares unlike things"),
        ("age in [last]", "does not understand"),
    ],
)
def test_what_is_no_truth_of_rows_is_refused(condition, words):
    with pytest.raises(NeuroloomError, match=words):
        chosen_rows(TABLE, condition)


def test_an_unknown_column_names_the_nearest():
    with pytest.raises(NeuroloomError, match="Did you mean 'age'"):
        chosen_rows(TABLE, "agee > 3")


def test_columns_that_a_condition_asks_about():
    condition = "not site in ['A', 'B'] and (age >= -1 or known(score)) and age < 9"
    assert columns_named(condition) == {"known", "site", "age", "score"}
