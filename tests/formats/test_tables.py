"""Tables of people: read as meant, written so that they come back."""

import numpy as np
import pandas as pd
import pytest

from neuroloom.errors import FileProblem
from neuroloom.formats.tables import read_table, write_table


def written(path, text, **more):
    path.write_text(text, **more)
    return path


def test_types_are_those_of_the_cells(tmp_path):
    text = (
        "participant_id\tage\tn\tscore\tsex\tcode\tok\tempty\n"
        "sub-01\t30.5\t3\t1\tM\t007\tTrue\tn/a\n"
        "sub-02\tn/a\t-4\t\tF\t010\tFalse\t\n"
    )
    table = read_table(written(tmp_path / "participants.tsv", text))
    assert list(table.columns) == ["participant_id", "age", "n", "score", "sex", "code", "ok", "empty"]
    assert table["age"].dtype == np.float64
    assert np.isnan(table["age"][1])
    assert table["n"].dtype == np.int64
    assert table["score"].tolist()[0] == 1.0
    assert table["sex"].tolist() == ["M", "F"]
    assert table["code"].tolist() == ["007", "010"]
    assert table["ok"].dtype == bool
    assert table["empty"].isna().all()


@pytest.mark.parametrize("name", ["participant_id", "SUB_ID", "Subject ID", "id", "ID"])
def test_identifiers_stay_text(tmp_path, name):
    table = read_table(written(tmp_path / "a.csv", f"{name},valid\n51456,1\n51457,2\n"))
    assert table[name].tolist() == ["51456", "51457"]
    assert table["valid"].tolist() == [1, 2]


def test_further_columns_stay_text_where_told(tmp_path):
    path = written(tmp_path / "a.csv", "RID,age\n1,30\nn/a,40\n")
    assert read_table(path)["RID"].tolist()[0] == 1.0
    assert read_table(path, text=["RID"])["RID"].tolist()[0] == "1"


@pytest.mark.parametrize("cell", ["1e5", "-0.5", "+3", ".5", "5.", "1E-3", "inf", "-inf", "123456789012345678"])
def test_what_is_a_number(tmp_path, cell):
    values = read_table(written(tmp_path / "a.csv", f"x,y\n{cell},1\n"))["x"]
    assert values.dtype.kind in "if"
    assert values[0] == float(cell)


@pytest.mark.parametrize(
    "cell", ["007", "1_000", "0x10", "1,5", "12345678901234567890", "--", "1e", "infinity", "٣", "00.5"]
)
def test_what_is_no_number(tmp_path, cell):
    assert read_table(written(tmp_path / "a.csv", f'x,y\n"{cell}",1\n', encoding="utf-8"))["x"].tolist() == [cell]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_spreadsheet_exports(tmp_path, encoding, newline):
    path = written(tmp_path / "a.csv", "name, age \nJosé , 30\nÅsa,31\n\n", encoding=encoding, newline=newline)
    table = read_table(path)
    assert table["name"].tolist() == ["José", "Åsa"]
    assert table["age"].tolist() == [30, 31]


def test_quotes_delimiters_and_newlines_in_cells(tmp_path):
    table = read_table(written(tmp_path / "a.csv", 'name,note\n"Doe, J","said ""no"",\nand left"\n'))
    assert table.loc[0].tolist() == ["Doe, J", 'said "no",\nand left']


def test_nameless_columns_get_a_name(tmp_path):
    assert list(read_table(written(tmp_path / "a.csv", ",age\nC000,39\n")).columns) == ["column_1", "age"]


def test_a_told_delimiter(tmp_path):
    path = written(tmp_path / "a.csv", "ID;AGE\n1;50\n")
    with pytest.raises(FileProblem, match=r"one column \('ID;AGE'\); its delimiter seems to be ';'"):
        read_table(path)
    assert read_table(path, delimiter=";")["AGE"].tolist() == [50]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("age,age\n1,2\n", "columns of the same name: age"),
        ("a,b\n1,2\n3\n", "line 3 has 1 cells, expected 2"),
        ("a,b\n", "no rows"),
        ('a,b\n"1,2\n', "never closed"),
    ],
)
def test_faults(tmp_path, text, words):
    with pytest.raises(FileProblem, match=rf"a\.csv: .*{words}"):
        read_table(written(tmp_path / "a.csv", text))


def test_latin_1_and_other_endings(tmp_path):
    with pytest.raises(
        FileProblem, match=r"line 2 has the byte 0xe9, which is not UTF-8 \(latin-1\?\). Save it as UTF-8"
    ):
        read_table(written(tmp_path / "a.csv", "name\nJosé\n", encoding="latin-1"))
    with pytest.raises(FileProblem, match=r"ends in \.csv or \.tsv, not in '\.xlsx'"):
        read_table(tmp_path / "a.xlsx")


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_a_table_comes_back_as_it_was(tmp_path, ending):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "participant_id": ["01", "02", "1e5", "-7"],
            "age": rng.standard_normal(4) * 1e-7,
            "huge": [1e300, -np.inf, np.nan, 0.1 + 0.2],
            "count": [1, -2, 3, 10**15],
            "flag": [True, False, True, True],
            "text": ["=HYPERLINK(1)", "'=x", 'a,"b"\tc\nd', "+49 30"],
            "@name": ["a", np.nan, "c", "d"],
        }
    )
    write_table(tmp_path / f"a{ending}", frame)
    pd.testing.assert_frame_equal(read_table(tmp_path / f"a{ending}"), frame)


def test_no_cell_is_run_by_a_spreadsheet(tmp_path):
    frame = pd.DataFrame(
        {"=cmd": ["=1+1", "@x", "+1", "-1"], "number": [-1.5, 2, 3, 4], "mixed": ["=2", -3, None, 1.5]}
    )
    write_table(tmp_path / "a.csv", frame)
    assert (tmp_path / "a.csv").read_text() == (
        "'=cmd,number,mixed\n'=1+1,-1.5,'=2\n'@x,2.0,-3\n'+1,3.0,n/a\n'-1,4.0,1.5\n"
    )


def test_a_named_index_is_written_and_others_are_not(tmp_path):
    frame = pd.DataFrame({"age": [1, 2]}, index=pd.Index(["007", "010"], name="sample_id"))
    write_table(tmp_path / "a.csv", frame)
    assert (tmp_path / "a.csv").read_text() == "sample_id,age\n007,1\n010,2\n"
    write_table(tmp_path / "b.csv", frame.reset_index(drop=True))
    assert (tmp_path / "b.csv").read_text() == "age\n1\n2\n"
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.csv").set_index("sample_id"), frame)


def test_other_column_types(tmp_path):
    frame = pd.DataFrame(
        {
            "class": pd.Categorical(["a", "b", None]),
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "day": pd.to_datetime(["2020-01-31", None, "2021-02-01"]),
        }
    )
    write_table(tmp_path / "a.csv", frame)
    table = read_table(tmp_path / "a.csv")
    assert table["class"].tolist()[:2] == ["a", "b"]
    np.testing.assert_array_equal(table["whole"], [1, np.nan, 3])
    assert table["day"].tolist()[0] == "2020-01-31 00:00:00"
    assert table.isna().sum().tolist() == [1, 1, 1]


@pytest.mark.real_data
def test_real_participants_tables(real_data):
    people = read_table(real_data / "bids_depression_t1w" / "participants.tsv")
    assert people["participant_id"].str.startswith("sub-").all()
    assert len(people) == 12
    abide = read_table(real_data / "abide_cc200" / "phenotypes.csv")
    assert len(abide) == 120
    assert set(abide["DX_GROUP"]) == {1, 2}
    assert abide["SITE_ID"].nunique() == 4
    ages = read_table(real_data / "tables" / "ixi_thickness" / "aparc_thickness.csv")
    assert ages.shape[0] == 576
    assert (ages.dtypes.iloc[1:] == np.float64).all()


@pytest.mark.real_data
def test_every_real_table_is_read_or_its_fault_named(real_data):
    faults = {}
    for path in sorted([*real_data.rglob("*.csv"), *real_data.rglob("*.tsv")]):
        if "mvpa2" in path.parts or "muse_mental_state" in path.parts:
            continue  # copies of one, and recordings
        try:
            read_table(path)
        except FileProblem as error:
            faults[path.name] = error.problem
    assert "delimiter seems to be ';'" in faults.pop("simulated_data_for_joint.csv")
    assert "delimiter seems to be ';'" in faults.pop("simulated_data_for_mixture.csv")
    assert all("cells, expected 4" in fault for fault in faults.values())  # a first line of settings
    assert set(faults) <= {"synthetic_400_3.csv", "synthetic_1500_10.csv"}
