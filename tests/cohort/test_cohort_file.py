"""The cohort file: what it maps, what it says of it, and what it refuses."""

import numpy as np
import pytest

from neuroloom.cohort.cohort_file import read_cohort_file
from neuroloom.cohort.opened import PRESETS, open_cohort
from neuroloom.cohort.words import take_common_words
from neuroloom.errors import NeuroloomError
from neuroloom.formats.tables import read_table

PEOPLE = """SUB_ID,SITE_ID,AGE,SEX,DX,FILE,f_1,f_2,comment
007,CMU,20.5,1,1,one,1.5,2,x
11,CMU,31,2,2,two,2.5,3,y
12,SBL,44,2,1,three,,4,z
"""
FILE = """
table: people.csv
participant_id: SUB_ID
columns:
  site: SITE_ID
  age: AGE
  sex: {from: SEX, values: {1: M, 2: F}}
  diagnosis: {from: DX, values: {1: autism, 2: control}}
"""
SERIES = """
inputs:
  bold:
    kind: series
    files: "{FILE}.tsv"
    axes: [time, region]
    sampling_period: {by: SITE_ID, values: {CMU: 2.0, SBL: 2.2}}
"""


@pytest.fixture
def folder(tmp_path):
    """A data folder with a table of three people and a series of two of them."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    for number, name in enumerate(("one", "three")):
        values = np.random.default_rng(number).standard_normal((20, 3))
        np.savetxt(tmp_path / f"{name}.tsv", values, delimiter="\t")
    return tmp_path


def cohort_of(folder, content, people=None):
    if people is not None:
        (folder / "people.csv").write_text(people)
    (folder / "cohort.yaml").write_text(content)
    return read_cohort_file(folder / "cohort.yaml")


def refused(folder, content, people=None):
    """Return the message with which a cohort file is refused."""
    with pytest.raises(NeuroloomError) as error:
        cohort_of(folder, content, people)
    return str(error.value)


# ---- what it maps ----------------------------------------------------------------------------------------


def test_columns_are_named_and_mapped(folder):
    table = cohort_of(folder, FILE).table
    assert table.index.tolist() == ["007", "11", "12"]  # an identifier keeps its zeros
    assert table["participant_id"].tolist() == ["007", "11", "12"]
    assert table["site"].tolist() == ["CMU", "CMU", "SBL"]
    assert table["age"].tolist() == [20.5, 31, 44]
    assert table["sex"].tolist() == ["M", "F", "F"]
    assert table["diagnosis"].tolist() == ["autism", "control", "autism"]
    assert table["comment"].tolist() == ["x", "y", "z"]  # other columns stay


def test_files_are_found_and_read_with_the_arguments_of_their_row(folder):
    cohort = cohort_of(folder, FILE + SERIES)
    assert cohort.samples == ["007", "12"]
    assert "1 rows of the table have no data and are left out: 11" in cohort.notes
    one, three = cohort.load("bold", "007"), cohort.load("bold", "12")
    assert one.data.shape == (3, 20)
    assert one.geometry["sampling_rate"] == pytest.approx(1 / 2.0)
    assert three.geometry["sampling_rate"] == pytest.approx(1 / 2.2)
    np.testing.assert_allclose(one.data, np.loadtxt(folder / "one.tsv").T, rtol=1e-6)


def test_columns_of_a_file_are_passed_to_its_reader(folder):
    for name in ("one", "three"):
        (folder / f"{name}.csv").write_text("a,b,c\n" + "1,2,3\n2,3,5\n" * 10)
    told = "\ninputs: {bold: {kind: series, files: '{FILE}.csv', axes: [time, region], columns: [c, a]}}"
    scan = cohort_of(folder, FILE + told).load("bold", "007")
    assert scan.data[:, 0].tolist() == [3, 1]
    assert list(scan.geometry["names"]) == ["c", "a"]


def test_the_data_folder_may_lie_elsewhere(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("told") / "mine.yaml"
    elsewhere.write_text(FILE)
    assert len(read_cohort_file(elsewhere, folder)) == 3
    assert len(open_cohort(folder, elsewhere)) == 3


def test_features_of_the_own_table(folder):
    cohort = cohort_of(folder, FILE + '\ninputs: {f: {kind: table, columns: "f_*"}}')
    scan = cohort.load("f", "12")
    assert scan.geometry["names"] == ["f_1", "f_2"]
    np.testing.assert_array_equal(scan.data, np.float32([np.nan, 4]))


def test_features_of_another_table_are_joined_by_participant(folder):
    (folder / "other.csv").write_text("who,x\n12,5\n007,6\nnobody,7\n")
    told = "\ninputs: {f: {kind: table, file: other.csv, key: who, columns: [x]}}"
    cohort = cohort_of(folder, FILE + told)
    assert cohort.samples == ["007", "12"]
    assert [cohort.load("f", sample).data.tolist() for sample in cohort.samples] == [[6], [5]]


def test_patterns_pass_over_columns_with_a_meaning_of_their_own(folder):
    people = "id_nr,visit_nr,AGE,DX,f_2,f_1\n1,1,20,1,5,3\n1,2,21,1,6,4\n"
    told = "table: people.csv\nparticipant_id: id_nr\nsession_id: visit_nr\ncolumns: {diagnosis: DX}\n"
    cohort = cohort_of(folder, told + "inputs: {f: {kind: table, columns: '*'}}", people)
    assert cohort.inputs["f"].geometry["names"] == ["f_2", "f_1"]
    assert "input 'f': columns with a meaning of their own are no features unless named: id_nr, visit_nr, AGE, DX" in (
        cohort.notes
    )
    named = cohort_of(folder, told + "inputs: {f: {kind: table, columns: [f_1, 'f_*', AGE]}}", people)
    assert named.inputs["f"].geometry["names"] == ["f_1", "f_2", "AGE"]  # in the order told
    assert named.load("f", "1_2").data.tolist() == [4, 6, 21]
    assert named.taken_from["diagnosis"] == "DX"


def test_the_key_of_another_table_is_no_feature(folder):
    (folder / "other.csv").write_text("who,DX,x\n11,1,5\n12,2,6\n")
    told = "\ninputs: {f: {kind: table, file: other.csv, key: who, columns: '*'}}"
    assert cohort_of(folder, FILE + told).inputs["f"].geometry["names"] == ["x"]


def test_one_row_of_features_at_several_visits_is_said(folder):
    people = "SUB_ID,Visit\na,1\na,2\nb,1\n"
    (folder / "other.csv").write_text("participant_id,x\na,5\nb,6\n")
    told = "table: people.csv\nparticipant_id: SUB_ID\nsession_id: Visit\n"
    cohort = cohort_of(folder, told + "inputs: {f: {kind: table, file: other.csv, columns: [x]}}", people)
    assert cohort.notes[-1] == (
        "input 'f': other.csv has one row a person, the same at each of their visits (2 visits of 1 people): a"
    )


@pytest.mark.parametrize("values", ["{true: M, false: F}", '{"True": M, "FALSE": F}'])
def test_truths_are_one_key_however_written(folder, values):
    told = f"table: people.csv\nparticipant_id: SUB_ID\ncolumns: {{sex: {{from: male, values: {values}}}}}"
    assert cohort_of(folder, told, "SUB_ID,male\na,True\nb,False\n").table["sex"].tolist() == ["M", "F"]
    assert cohort_of(folder, told, "SUB_ID,male\na,TRUE\nb,false\n").table["sex"].tolist() == ["M", "F"]


def test_a_number_with_leading_zeros_is_another_word(folder):
    told = 'table: people.csv\nparticipant_id: a\ncolumns: {site: {from: s, values: {"007": X, "7": Y, "7.0e0": Y}}}'
    table = cohort_of(folder, told, "a,s\n1,007\n2,7\n3,7.0\n").table
    assert table["site"].tolist() == ["X", "Y", "Y"]


def test_column_names_with_points_in_file_names(folder):
    (folder / "s-1.tsv").write_text("1.5\t2.5\n" * 20)
    told = "table: people.csv\nparticipant_id: subject.id\n"
    told += "inputs: {x: {kind: series, files: 's-{subject.id}.tsv', axes: [time, region]}}"
    assert cohort_of(folder, told, "subject.id,y\n1,2\n").samples == ["1"]


def test_visits_are_samples_of_one_person(folder):
    people = "SUB_ID,Visit,AGE\na,1,60\na,2,61\nb,1,70\n"
    told = "table: people.csv\nparticipant_id: SUB_ID\nsession_id: Visit\ncolumns: {age: AGE}"
    table = cohort_of(folder, told, people).table
    assert table.index.tolist() == ["a_1", "a_2", "b_1"]
    assert table["participant_id"].tolist() == ["a", "a", "b"]
    assert table["session_id"].tolist() == ["1", "2", "1"]


def test_file_names_take_numbers_as_the_table_shows_them(folder):
    people = "SUB_ID,run\na,1\nb,\nc,2\n"  # a missing cell makes the column floating-point
    for run in (1, 2):
        (folder / f"run-{run}.tsv").write_text("1\t2\n" * 20)
    told = "table: people.csv\nparticipant_id: SUB_ID\n"
    told += "inputs: {x: {kind: series, files: 'run-{run}.tsv', axes: [time, region]}}"
    assert cohort_of(folder, told, people).samples == ["a", "c"]


@pytest.mark.parametrize("values", ["{1: M, 2: F}", "{1.0: M, 2.0: F}", '{"1": M, "2": F}', "{1: male, 2: Female}"])
@pytest.mark.parametrize("cells", ["1 2", "1.0 2.0"])
def test_one_number_is_one_key_however_written(folder, values, cells):
    first, second = cells.split()
    people = f"SUB_ID,SEX\na,{first}\nb,{second}\n"
    told = f"table: people.csv\nparticipant_id: SUB_ID\ncolumns: {{sex: {{from: SEX, values: {values}}}}}"
    assert cohort_of(folder, told, people).table["sex"].tolist() == ["M", "F"]


def test_a_missing_value_stays_missing_through_a_mapping(folder):
    people = "SUB_ID,SEX\na,1\nb,n/a\n"
    told = "table: people.csv\nparticipant_id: SUB_ID\ncolumns: {sex: {from: SEX, values: {1: M}}}"
    sex = cohort_of(folder, told, people).table["sex"]
    assert sex["a"] == "M"
    assert sex.isna()["b"]


def test_named_columns_get_our_values_too(folder):
    people = "SUB_ID,Geschlecht,Alter\na,Male,89+\nb,female,40\nc,,\n"
    told = "table: people.csv\nparticipant_id: SUB_ID\ncolumns: {sex: Geschlecht, age: Alter}"
    cohort = cohort_of(folder, told, people)
    assert cohort.table["sex"].tolist()[:2] == ["M", "F"]
    assert cohort.table["age"].tolist()[:2] == [89, 40]
    assert cohort.table.loc["c", ["sex", "age"]].isna().all()
    assert "1 ages such as '89+' taken as the number alone" in cohort.notes


def test_equal_rows_are_one_and_it_is_said(folder):
    cohort = cohort_of(folder, "table: people.csv\nparticipant_id: SUB_ID", "SUB_ID,x\na,1\na,1\nb,1\n")
    assert cohort.samples == ["a", "b"]
    assert any("1 rows of people.csv say the same" in note for note in cohort.notes)


def test_rows_that_contradict_each_other_are_refused_or_left_out(folder):
    people, told = "SUB_ID,x\na,1\na,2\nb,1\n", "table: people.csv\nparticipant_id: SUB_ID\n"
    assert "1 participants have rows that differ: a" in refused(folder, told, people)
    cohort = cohort_of(folder, told + "contradictions: leave_out", people)
    assert cohort.samples == ["b"]
    assert any("left out: a" in note for note in cohort.notes)


def test_where_chooses_rows(folder):
    assert cohort_of(folder, FILE + "where: age > 30").samples == ["11", "12"]
    assert "1 of 3 samples left out by the condition: age > 30" in cohort_of(folder, FILE + "where: age > 30").notes
    assert "no row is left" in refused(folder, FILE + "where: age > 300")


def test_own_columns_named_like_ours_do_no_harm(folder):
    people = "SUB_ID,sample_id,sample,session_id\na,x,1,s\nb,y,1,t\n"
    cohort = cohort_of(folder, "table: people.csv\nparticipant_id: SUB_ID", people)
    assert cohort.table.reset_index()["sample_id"].tolist() == ["a", "b"]
    assert "session_id" not in cohort.table
    assert not [note for note in cohort.notes if "session_id" in note or "participant_id" in note]


# ---- what it refuses, and in which words -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("- a\n- b", ["a cohort file is a mapping"]),
        ("participant_id: SUB_ID", ["table", "required"]),
        ("tabel: people.csv", ["tabel", "Did you mean 'table'"]),
        ("table: nobody.csv", ["nobody.csv", "no such file"]),
        ("table: ../people.csv", ["..", "people.csv"]),
        ("table: /etc/passwd", ["absolute path"]),
        ("table: people.csv\nparticipant_id: SUBID", ["SUBID", "Did you mean 'SUB_ID'"]),
        ("table: people.csv", ["participant_id", "Known: SUB_ID"]),
        (FILE + "  motion: fd", ["'fd'", "Known"]),
        (FILE + "  motion: 3", ["columns.motion must be a column's name"]),
        (FILE + "  motion: {from: 3}", ["columns.motion.from", "string"]),
        (FILE + "  motion: {from: AGE, values: [1]}", ["columns.motion.values", "dict"]),
        (FILE + "  motion: {from: AGE, value: {}}", ["'value'", "Did you mean 'values'"]),
        (FILE + "  motion: {from: DX, values: {1: x}}", ["'DX' holds 2", "they name 1"]),
        (FILE + "  participant_id: SUB_ID", ["participant_id is a key of its own"]),
        (FILE + "inputs: {bold: {kind: series}}", ["'bold' needs 'files: PATTERN'"]),
        (FILE + "inputs: {bold: {kind: serie, files: x}}", ["'serie'", "Did you mean 'series'"]),
        (FILE + "inputs: {bold: {files: x}}", ["inputs.bold.kind", "required"]),
        (FILE + "inputs: {bold: {kind: series, files: '{FILE.tsv'}}", ["'{FILE.tsv' cannot be read"]),
        (FILE + "inputs: {bold: {kind: series, files: '{}.tsv'}}", ["files pattern", "''"]),
        (FILE + "inputs: {bold: {kind: series, files: '{FILE.__class__}'}}", ["'FILE.__class__'"]),
        (FILE + "inputs: {bold: {kind: series, files: '{FILE:>99999999}'}}", ["write {COLUMN} alone"]),
        (FILE + "inputs: {bold: {kind: series, files: '{FILES}.tsv'}}", ["Did you mean 'FILE'"]),
        (FILE + "inputs: {bold: {kind: series, files: '{FILE}.nii'}}", ["none of the 3 files", "one.nii", "--data"]),
        (FILE + "inputs: {bold: {kind: series, files: '../{FILE}.tsv'}}", ["'..'"]),
        (FILE + SERIES.replace("SITE_ID, val", "SITE, val"), ["'SITE'", "Did you mean 'SITE_ID'"]),
        (FILE + SERIES.replace(", SBL: 2.2", ""), ["no value for SITE_ID = 'SBL'"]),
        (FILE + SERIES.replace("values: {CMU: 2.0, SBL: 2.2}", "value: 2"), ["sampling_period needs 'values'"]),
        (FILE + "inputs: {f: {kind: table}}", ["needs 'columns'"]),
        (FILE + "inputs: {f: {kind: table, columns: 'g_*'}}", ["column or pattern of input 'f': 'g_*'", "f_1"]),
        (FILE + "inputs: {f: {kind: table, columns: [f_1, f_22]}}", ["'f_22'", "Did you mean 'f_2'"]),
        (FILE + "inputs: {f: {kind: table, columns: 'SUB*'}}", ["'SUB*'", "f_1"]),
        (FILE + "inputs: {f: {kind: table, file: a.csv, files: '{FILE}.tsv', columns: [x]}}", ["'files'", "'file'"]),
        (FILE + "inputs: {x: {kind: series, files: '{FILE}}.tsv'}}", ["cannot be read"]),
        ("bids: {}\ntable: people.csv", ["table cannot stand beside bids"]),
        (FILE + "inputs: {f: {kind: table, columns: [comment, f_1]}}", ["words, not numbers: comment"]),
        (FILE + "inputs: {f: {kind: table, columns: [f_1], fil: x.csv}}", ["'fil'", "Did you mean 'file'"]),
        (FILE + "inputs: {f: {kind: table, file: nobody.csv, columns: [x]}}", ["nobody.csv", "no such file"]),
        (FILE + "contradictions: ignore", ["contradictions", "leave_out"]),
        (FILE + "where: ages > 3", ["'ages'", "Did you mean 'age'"]),
        ("table: [people.csv]", ["table", "string"]),
        ("table: people.csv\ntable: people.csv", ["given twice"]),
        ("table: &x people.csv\nname: *x", ["alias"]),
    ],
)
def test_what_is_wrong_is_named(folder, content, words):
    message = refused(folder, content)
    assert all(word in message for word in words), message


def test_a_row_without_a_name_is_refused(folder):
    told = "table: people.csv\nparticipant_id: SUB_ID"
    assert "1 of 2 rows of the table have no SUB_ID" in refused(folder, told, "SUB_ID,x\na,1\n,2\n")


def test_a_table_that_knows_none_of_the_people_is_refused(folder):
    (folder / "other.csv").write_text("participant_id,x\nsub-12,5\nsub-11,6\n")
    message = refused(folder, FILE + "\ninputs: {f: {kind: table, file: other.csv, columns: [x]}}")
    assert "no participant of the table is in other.csv" in message
    assert "sub-12" in message
    assert "007" in message


def test_a_table_with_two_rows_a_person_is_refused(folder):
    (folder / "other.csv").write_text("participant_id,x\n11,5\n11,6\n")
    message = refused(folder, FILE + "\ninputs: {f: {kind: table, file: other.csv, columns: [x]}}")
    assert "1 participants have several rows: 11" in message


def test_a_number_too_large_for_float32_is_refused(folder):
    message = refused(
        folder, "table: people.csv\nparticipant_id: a\ninputs: {f: {kind: table, columns: [x]}}", "a,x\ns,1e39\n"
    )
    assert "people.csv: it has values up to 1e+39" in message


def test_a_cell_that_can_be_no_file_name_is_refused(folder):
    told = "table: people.csv\nparticipant_id: a\ninputs: {x: {kind: series, files: '{f}.tsv', axes: [time, region]}}"
    message = refused(folder, told, f"a,f\ns1,{'n' * 300}\n")
    assert "row 's1'" in message
    assert "File name too long" in message


# ---- opening ---------------------------------------------------------------------------------------------


def test_a_folder_is_opened_by_its_own_file_and_a_condition(folder):
    (folder / "cohort.yaml").write_text(FILE)
    cohort = open_cohort(folder, where="site == 'CMU'")
    assert cohort.samples == ["007", "11"]
    assert "1 of 3 samples left out by the condition: site == 'CMU'" in cohort.notes


@pytest.mark.parametrize(
    ("data", "cohort_file", "words"),
    [
        (".", None, ["neither a BIDS folder", "cohort.yaml"]),
        ("nowhere", None, ["no such folder"]),
        (".", "abide-cc20", ["Did you mean 'abide-cc200'"]),
        (".", "nothing.yaml", ["no such cohort file"]),
    ],
)
def test_what_cannot_be_opened_is_named(tmp_path, data, cohort_file, words):
    with pytest.raises(NeuroloomError) as error:
        open_cohort(tmp_path / data, cohort_file)
    assert all(word in str(error.value) for word in words)


def test_words_are_taken_in_any_case_and_told():
    import pandas as pd

    table = pd.DataFrame({"Subject": ["a", "b"], "GENDER": ["m", "w?"], "Age": ["30", "unknown"], "Group": [1, 2]})
    taken, notes = take_common_words(table)
    assert taken["participant_id"].tolist() == ["a", "b"]
    assert taken["age"].tolist()[0] == 30
    assert taken["age"].isna().tolist() == [False, True]
    assert taken["sex"].tolist() == ["m", "w?"]  # not guessed
    assert "column 'Group' taken as diagnosis" in notes
    assert "1 ages that are not numbers taken as missing: unknown" in notes
    assert any(note.startswith("sex is kept as it stands, since 'w?'") for note in notes)
    assert "diagnosis" not in take_common_words(table, told=("diagnosis",))[0]


@pytest.mark.real_data
def test_presets_open_the_public_sets(real_data):
    abide = open_cohort(real_data / "abide_cc200", "abide-cc200")
    assert len(abide) == 120
    assert abide.table["site"].nunique() == 4
    assert abide.table["diagnosis"].value_counts().to_dict() == {"autism": 60, "control": 60}
    assert abide.notes == ()  # all is mapped, nothing guessed
    scan = abide.load("bold", abide.samples[0])
    raw = np.loadtxt(real_data / "abide_cc200" / f"{abide.table['FILE_ID'].iloc[0]}_rois_cc200.1D")
    np.testing.assert_allclose(scan.data, raw.T, rtol=1e-6)
    assert 1 / scan.geometry["sampling_rate"] == pytest.approx(2.5)  # OHSU
    ixi = open_cohort(real_data / "tables" / "ixi_thickness", "ixi-thickness")
    assert set(ixi.table["sex"]) == {"M", "F"}
    first = read_table(real_data / "tables" / "ixi_thickness" / "aparc_thickness.csv").iloc[0]
    scan = ixi.load("thickness", first["participant_id"])
    told = first[scan.geometry["names"]].to_numpy(dtype=np.float32)
    np.testing.assert_array_equal(scan.data, told)
    assert {preset.stem for preset in PRESETS.glob("*.yaml")} >= {"abide-cc200", "ixi-thickness"}


WITHOUT_TABLE = 'inputs: {bold: {kind: series, axes: [time, region], files: "visits/{participant_id}/run_{participant_id}_{session_id}.tsv"}}\n'


def test_without_a_table_the_names_of_files_say_who_there_is(tmp_path):
    for person, visits in (("A1", ("1", "2")), ("B-2", ("1",))):
        for visit in visits:
            place = tmp_path / "visits" / person
            place.mkdir(parents=True, exist_ok=True)
            np.savetxt(place / f"run_{person}_{visit}.tsv", np.eye(20, 3), delimiter="\t")
    (tmp_path / "visits" / "A1" / "run_B-2_9.tsv").write_text("of somebody else's folder")
    (tmp_path / "notes.txt").write_text("not a series")
    cohort = cohort_of(tmp_path, f"session_id: session_id\n{WITHOUT_TABLE}")
    assert cohort.table[["participant_id", "session_id"]].to_numpy().tolist() == [
        ["A1", "1"],
        ["A1", "2"],
        ["B-2", "1"],
    ]
    assert cohort.load("bold", cohort.samples[2]).data.shape == (3, 20)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('inputs: {bold: {kind: series, files: "{who}.1D"}}', r"its pattern needs \{participant_id\}"),
        ('inputs: {bold: {kind: series, files: "{participant_id}.1D"}}', "no file in .* is named like"),
        ("inputs: {bold: {kind: table, file: a.csv}}", "table: Field required"),
    ],
)
def test_files_that_do_not_say_who_there_is(tmp_path, content, words):
    with pytest.raises(NeuroloomError, match=words):
        cohort_of(tmp_path, content)
