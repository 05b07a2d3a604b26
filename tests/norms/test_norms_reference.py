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
        (changed("age", range(300), 20), "all 300 people are 20 years old"),
        (lambda t: t.assign(age=t["age"].where(t["sex"] == "M", 20)), r"all \d+ women with thickness are 20 years old"),
        (changed("sex", [4], np.nan), "1 people have no sex in column 'sex': sub-0004"),
        (changed("sex", [4], "x"), "column 'sex' holds .*x"),
        (lambda t: t.assign(sex=(t["sex"] == "M") + 1), "holds 1, 2: no words for a sex.*cohort.yaml"),
        (twice, "1 people have several rows: sub-0005"),
        (changed("participant_id", [2], np.nan), "rows 3 name nobody"),
        (lambda t: t.assign(thickness=2.5), "'thickness': it is constant"),
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


@pytest.mark.parametrize("oldest", [21, 22])
def test_ages_in_whole_years_of_a_narrow_range(people, oldest):
    age = np.random.default_rng(1).integers(20, oldest + 1, len(people))
    norm = fit_norms(people.assign(age=age), ["thickness"], name="x").measures["thickness"]
    assert [(third.youngest, third.oldest, third.n) for third in norm.thirds][-1] == (
        oldest,
        oldest,
        (age == oldest).sum(),
    )
    assert sum(third.n for third in norm.thirds) == 300


def test_what_has_no_smooth_centiles_is_passed_over_unless_it_is_named(people):
    table = people.assign(empty_thickness=np.where(people.index < 40, 0.0, people["thickness"]), flat_thickness=1.0)
    for measures in (["*thickness", "asymmetry"], None):
        reference = read_reference(table, measures)
        assert set(reference.values) - {"ventricles"} == {"thickness", "asymmetry"}
        assert any(note.startswith("empty_thickness is passed over: 40 of 300 people") for note in reference.notes)
        assert any(note.startswith("flat_thickness is passed over: it is constant") for note in reference.notes)
    with pytest.raises(NeuroloomError, match="measure 'empty_thickness': 40 of 300 people have the value 0"):
        read_reference(table, ["*thickness", "empty_thickness"])
    with pytest.raises(NeuroloomError, match="no measure has smooth centiles: flat_thickness"):
        read_reference(table, ["flat*"])


def test_numbers_that_are_no_measures_of_a_brain_are_taken_only_by_name(people):
    rng = np.random.default_rng(3)
    table = people.assign(sample_id=np.arange(300), quality=rng.random(300), status="done")
    reference = read_reference(table)
    assert list(reference.values) == ["thickness", "ventricles", "asymmetry"]
    assert any("no measures of a brain: sample_id, quality" in note for note in reference.notes)
    assert list(read_reference(table, ["*i*"]).values) == ["thickness", "ventricles"]
    assert list(read_reference(table, ["quality"]).values) == ["quality"]


def test_people_whose_scans_are_poor_are_left_out_by_name_and_not_kept_by_name(people):
    table = people.assign(status="done")
    table.loc[[3, 7], "status"] = ["poor", "failed"]
    table.loc[7, ["thickness", "ventricles"]] = np.nan
    table.loc[3, "thickness"] = 99.0
    notes = []
    norms = fit_norms(table, ["thickness"], name="x", on_note=notes.append)
    assert norms.fingerprint == fit_norms(people.drop(index=[3, 7]), ["thickness"], name="x").fingerprint
    assert "left out: sub-0003 (poor), sub-0007 (failed)" in notes
    assert norms.notes == ("2 rows are left out, since their status is poor or failed",)
    with pytest.raises(NeuroloomError, match="every row is poor"):
        read_reference(people.assign(status="poor"))
