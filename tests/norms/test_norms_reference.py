"""What a reference may not be: each refusal names who or what, and the way out."""

import numpy as np
import pandas as pd
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.norms import fit_norms
from neuroloom.norms.reference import read_reference


def changed(column, rows, value):
    def change(table):
        table[column] = table[column].astype(object)
        table.loc[rows, column] = value
        return table

    return change


def twice(table):
    return pd.concat([table, table.iloc[[5]].assign(thickness=1.0)], ignore_index=True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.head(60), r"measure 'thickness': \d\d women, and 50 are needed"),
        (lambda t: t[(t["sex"] == "F") | (t.index < 20)], r"\d+ men, and 50 are needed"),
        (changed("age", [3, 7], np.nan), "2 people have no age in column 'age': sub-0003, sub-0007"),
        (changed("age", [3], "old"), "1 people have no age in column 'age': sub-0003"),
        (changed("age", [3], 999), "sub-0003 999"),
        (changed("sex", [4], np.nan), "1 people have no sex in column 'sex': sub-0004"),
        (changed("sex", [4], "x"), "column 'sex' holds .*x"),
        (lambda t: t.assign(sex=(t["sex"] == "M") + 1), "holds 1, 2: no words for a sex.*cohort.yaml"),
        (twice, "1 people have several rows: sub-0005"),
        (changed("participant_id", [2], np.nan), "rows 3 name nobody"),
        (lambda t: t.assign(thickness=2.5), "'thickness' is constant"),
        (changed("thickness", [9], "thick"), "not a column of numbers: 'thick' of sub-0009"),
        (changed("thickness", [9], np.inf), "infinite in sub-0009"),
        (changed("thickness", range(0, 40), 2.0), "40 of 300 people have the value 2"),
        (lambda t: t.drop(columns="participant_id"), "participant_id.*--person"),
        (lambda t: t.drop(columns="age"), "age.*--age"),
    ],
)
def test_a_reference_is_refused(people, change, told):
    with pytest.raises(NeuroloomError, match=told):
        read_reference(change(people.copy()), ["thickness", "ventricles"])


def test_one_person_under_two_names(people):
    rng = np.random.default_rng(0)
    many = people.assign(**{f"volume_{i}": rng.normal(50, 5, len(people)) for i in range(6)})
    again = many.iloc[[5]].assign(participant_id="sub-x")
    with pytest.raises(NeuroloomError, match=r"sub-0005 = sub-x .every number the same"):
        read_reference(pd.concat([many, again], ignore_index=True))


def test_a_measure_that_cannot_be(people):
    with pytest.raises(NeuroloomError, match="Did you mean 'thickness'"):
        read_reference(people, ["thicknes"])
    with pytest.raises(NeuroloomError, match="curves go over age"):
        read_reference(people, ["age"])
    with pytest.raises(NeuroloomError, match="no column of numbers"):
        read_reference(people[["participant_id", "age", "sex"]])


def test_columns_and_patterns(people):
    table = people.assign(site=1, lh_thickness=people["thickness"] + 1, group_name="a")
    assert list(read_reference(table).values) == ["thickness", "ventricles", "asymmetry", "lh_thickness"]
    assert list(read_reference(table, ["*thickness", "asymmetry"]).values) == ["thickness", "lh_thickness", "asymmetry"]


def test_who_was_not_measured_is_counted_and_others_words_are_taken(people):
    table = people.rename(columns={"sex": "Gender", "age": "Age"})
    table["Gender"] = table["Gender"].map({"F": "female", "M": "Male"})
    table.loc[:9, "thickness"] = np.nan
    reference = read_reference(table)
    assert set(reference.sex) == {"F", "M"}
    assert any("thickness: 10 of 300" in note for note in reference.notes)


def test_a_fit_that_fails_names_the_measure_and_who_is_furthest(people, monkeypatch):
    def fails(*_):
        raise NeuroloomError("not found.")

    monkeypatch.setattr("neuroloom.norms.fit.fit_penalised", fails)
    table = people.assign(thickness=people["thickness"].where(people.index != 8, 900.0))
    with pytest.raises(NeuroloomError, match=r"measure 'thickness': not found\. .* sub-0008, "):
        fit_norms(table, ["thickness"], name="x")
