import pandas as pd
import pytest

from neuroloom.cohort.where import chosen_rows, columns_named
from neuroloom.errors import NeuroloomError

TABLE = pd.DataFrame({"age": [20.0, 40.0, None], "site": ["A", "B", "A"]}, index=["a", "b", "c"])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("age > 30", [False, True, False]),
        ("site in ['A'] and known(age)", [True, False, False]),
        ("not site == 'A' or age <= 20", [True, True, False]),
        ("age != -1", [True, True, True]),
    ],
)
def test_conditions(condition, expected):
    assert chosen_rows(TABLE, condition).tolist() == expected


@pytest.mark.parametrize("condition", ["__import__('os').system('true')", "age.__class__", "site[0]", "age >"])
def test_what_is_not_a_condition_is_refused(condition):
    with pytest.raises(NeuroloomError, match=r"cohort\.where"):
        chosen_rows(TABLE, condition)


def test_an_unknown_column_names_the_nearest():
    with pytest.raises(NeuroloomError, match="Did you mean 'age'"):
        chosen_rows(TABLE, "agee > 3")


def test_columns_that_a_condition_asks_about():
    condition = "not site in ['A', 'B'] and (age >= -1 or known(score)) and age < 9"
    assert columns_named(condition) == {"known", "site", "age", "score"}
