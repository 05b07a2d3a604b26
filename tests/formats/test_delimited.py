"""Numbers as text: .1D, .csv, .tsv."""

import numpy as np
import pytest

from neuroloom.errors import FileProblem
from neuroloom.formats import read

TIME_FIRST, REGION_FIRST = ["time", "region"], ["region", "time"]
NUMBERS = np.random.default_rng(0).standard_normal((12, 3)).round(4)  # (time, region)


def written(path, text, **encoding):
    path.write_text(text, **encoding)
    return path


def lines(numbers, delimiter):
    return "".join(delimiter.join(map(str, row)) + "\n" for row in numbers)


@pytest.mark.parametrize(
    "header", ["", "#A\t#B\t#C\n", "A\tB\tC\n", '# ni_form\n#  ColumnLabels = "A ; B ; C ; "\n# >\n']
)
@pytest.mark.parametrize("delimiter", ["\t", " ", "   "])
def test_1d_is_time_by_region(tmp_path, header, delimiter):
    scan = read(written(tmp_path / "a.1D", header + lines(NUMBERS, delimiter)), sampling_period=2.5)
    np.testing.assert_array_equal(scan.data, NUMBERS.T.astype(np.float32))
    assert scan.data.flags.c_contiguous
    assert scan.geometry["sampling_rate"] == 0.4
    assert scan.geometry.get("names") == (["A", "B", "C"] if header else None)


def test_1d_keeps_to_what_it_is_told(tmp_path):
    path = written(tmp_path / "a.1D", "# made on Monday by hand\n" + lines(NUMBERS, " ") + "\n\n")
    scan = read(path, axes=REGION_FIRST)
    np.testing.assert_array_equal(scan.data, NUMBERS.astype(np.float32))
    assert scan.geometry == {}  # a sentence is no names, and no rate was told


def test_1d_of_one_column_is_one_region(tmp_path):
    assert read(written(tmp_path / "a.1D", "1\n2\n3\n")).data.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(("ending", "delimiter"), [(".csv", ","), (".tsv", "\t")])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_names_are_kept(tmp_path, ending, delimiter, newline, encoding):
    text = delimiter.join(["Fp1", "größe", "Cz"]) + "\n" + lines(NUMBERS, delimiter)
    path = written(tmp_path / f"a{ending}", text, newline=newline, encoding=encoding)
    scan = read(path, axes=TIME_FIRST, sampling_rate=256)
    np.testing.assert_array_equal(scan.data, NUMBERS.T.astype(np.float32))
    assert scan.geometry == {"names": ["Fp1", "größe", "Cz"], "sampling_rate": 256.0}


def test_without_names(tmp_path):
    path = written(tmp_path / "a.csv", lines(NUMBERS, ","))
    np.testing.assert_array_equal(read(path, axes=TIME_FIRST).data, NUMBERS.T.astype(np.float32))
    np.testing.assert_array_equal(read(path, axes=["channel", "time"]).data, NUMBERS.astype(np.float32))


def test_axes_are_not_guessed(tmp_path):
    path = written(tmp_path / "a.csv", lines(NUMBERS, ","))
    with pytest.raises(
        FileProblem, match=r"12 times x 3 regions or 12 regions x 3 times.*axes: \[time, region\], or axes"
    ):
        read(path)


@pytest.mark.parametrize("axes", ["time", ["time"], ["time", "regoin"], ["time", "time"], 3, ["time", 1]])
def test_odd_axes(tmp_path, axes):
    with pytest.raises(FileProblem, match="expected two words"):
        read(written(tmp_path / "a.csv", lines(NUMBERS, ",")), axes=axes)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"sampling_rate": 0}, "above 0"),
        ({"sampling_rate": "256"}, "above 0"),
        ({"sampling_rate": True}, "above 0"),
        ({"sampling_period": float("nan")}, "above 0"),
        ({"sampling_rate": 1, "sampling_period": 1}, "both given"),
        ({"measure": "correlation"}, "means nothing for kind series"),
        ({"delimiter": ", "}, "one letter"),
        ({"header": "yes"}, "true or false"),
        ({"columns": ["A"]}, "no line of names"),
    ],
)
def test_odd_arguments(tmp_path, told, words):
    with pytest.raises(FileProblem, match=words):
        read(written(tmp_path / "a.csv", lines(NUMBERS, ",")), axes=TIME_FIRST, **told)


def test_missing_cells_are_nan(tmp_path):
    path = written(tmp_path / "a.tsv", "A\tB\nn/a\t1\n2\t\nNaN\t3\n4\tNA\n")
    np.testing.assert_array_equal(read(path, axes=TIME_FIRST).data, [[np.nan, 2, np.nan, 4], [1, np.nan, 3, np.nan]])


def test_quoted_cells(tmp_path):
    path = written(tmp_path / "a.csv", '"A, left","B"\n"1","2"\n3,4\n')
    scan = read(path, axes=TIME_FIRST)
    assert scan.geometry["names"] == ["A, left", "B"]
    assert scan.data.tolist() == [[1, 3], [2, 4]]


def test_columns_are_chosen_by_name_and_order(tmp_path):
    path = written(tmp_path / "a.csv", "timestamps,TP9,AF7,note\n0.1,1,2,x\n0.2,3,4,y\n")
    scan = read(path, axes=TIME_FIRST, columns=["AF7", "TP9"])
    assert scan.geometry["names"] == ["AF7", "TP9"]
    assert scan.data.tolist() == [[2, 4], [1, 3]]
    with pytest.raises(FileProblem, match=r"a\.csv: Unknown column: 'TP8'. Did you mean 'TP9'"):
        read(path, axes=TIME_FIRST, columns=["TP8"])


def test_the_clock_is_no_region(tmp_path):
    path = written(tmp_path / "a.csv", "Time,A\n0.1,1\n0.2,3\n0.3,2\n")
    with pytest.raises(FileProblem, match=r"'Time' counts the time; it is no region. Name the others: columns: \[A\]"):
        read(path, axes=TIME_FIRST)
    path = written(tmp_path / "b.csv", "t,A\n5,1\n2,3\n7,2\n")  # a region called t
    assert read(path, axes=TIME_FIRST).geometry["names"] == ["t", "A"]


def test_rows_that_are_regions_may_start_with_their_name(tmp_path):
    path = written(tmp_path / "a.csv", "V1,1,2,4\nM1,5,6,9\n")
    scan = read(path, axes=REGION_FIRST)
    assert scan.geometry["names"] == ["V1", "M1"]
    assert scan.data.tolist() == [[1, 2, 4], [5, 6, 9]]
    path = written(tmp_path / "b.csv", "region,0 s,2 s\nV1,1,2\nM1,5,6\n")
    assert read(path, axes=REGION_FIRST).geometry["names"] == ["V1", "M1"]
    with pytest.raises(FileProblem, match="header: true, or header: false"):
        read(written(tmp_path / "c.csv", "V1,1,2,4\nM1,5,6,9\n"), axes=TIME_FIRST)


def test_a_first_line_that_counts_up_may_be_names(tmp_path):
    path = written(tmp_path / "a.csv", "1,2,3\n5,6,8\n7,9,1\n")
    with pytest.raises(FileProblem, match="names or numbers: 1, 2, 3"):
        read(path, axes=TIME_FIRST)
    assert read(path, axes=TIME_FIRST, header=True).geometry["names"] == ["1", "2", "3"]
    assert read(path, axes=TIME_FIRST, header=False).data.shape == (3, 3)


@pytest.mark.parametrize("numbers", ["2001,2002,2101,2102", "1,2,5,9"])
def test_region_numbers_above_measurements_may_be_names(tmp_path, numbers):
    path = written(tmp_path / "a.csv", f"{numbers}\n0.5,0.1,0.3,0.2\n0.7,0.2,0.1,0.4\n")
    with pytest.raises(FileProblem, match=rf"names or numbers: {numbers.replace(',', ', ')}.*header: true"):
        read(path, axes=TIME_FIRST)
    assert read(path, axes=TIME_FIRST, header=True).geometry["names"] == numbers.split(",")
    counts = written(tmp_path / "b.csv", f"{numbers}\n3,4,7,8\n")  # spike counts: whole throughout
    assert read(counts, axes=TIME_FIRST).data[:, 0].tolist() == [float(number) for number in numbers.split(",")]


def test_another_delimiter_is_seen_and_can_be_told(tmp_path):
    path = written(tmp_path / "a.csv", "A;B\n1;2\n3;4\n")
    with pytest.raises(FileProblem, match=r'delimiter seems to be .;.\. Say so: delimiter: ";"'):
        read(path, axes=TIME_FIRST)
    assert read(path, axes=TIME_FIRST, delimiter=";").data.tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A,B\n1,2\n3,4,5\n", "line 3 has 3 cells, expected 2"),
        ("A,B,C\n1,2\n3,4\n", "line 2 has 2 cells, expected 3"),
        ("A,B\n1,2\n\n3,1_000\n", "line 4, column 2: '1_000' is not a number"),
        ("A,B\n1,2\n3,1+2j\n", "line 3, column 2: '1\\+2j' is not a number"),
        ('A,B\n1,2\n"3,4\n', "a quote is opened and never closed"),
    ],
)
def test_faults_are_found_to_the_cell(tmp_path, text, words):
    with pytest.raises(FileProblem, match=words):
        read(written(tmp_path / "a.csv", text), axes=TIME_FIRST)


def test_graph_with_names_on_both_sides(tmp_path):
    text = ",V1,M1,S1\nV1,1,.5,.2\nM1,.5,1,n/a\nS1,.2,n/a,1\n"
    scan = read(written(tmp_path / "a.csv", text), kind="graph", measure="correlation")
    np.testing.assert_allclose(scan.data, [[1, 0.5, 0.2], [0.5, 1, np.nan], [0.2, np.nan, 1]])
    assert scan.geometry == {"symmetric": True, "names": ["V1", "M1", "S1"], "measure": "correlation"}
    with pytest.raises(FileProblem, match="other names, or another order"):
        read(written(tmp_path / "b.csv", text.replace("M1,.5", "M2,.5")), kind="graph")


def test_graph_is_square_and_symmetric_unless_said(tmp_path):
    path = written(tmp_path / "a.csv", "1.0,2\n2.5,1\n")
    with pytest.raises(FileProblem, match=r"\(1, 2\) is 2, \(2, 1\) is 2.5. .*say symmetric: false"):
        read(path, kind="graph")
    assert read(path, kind="graph", symmetric=False).geometry == {"symmetric": False}
    with pytest.raises(FileProblem, match=r"shape \(1, 2\); a graph is square"):
        read(written(tmp_path / "b.csv", "1,2\n"), kind="graph")
    assert read(written(tmp_path / "c.csv", "1,0.33333\n0.33334,1\n"), kind="graph").data.shape == (2, 2)  # rounded


def test_table_of_one_row(tmp_path):
    scan = read(written(tmp_path / "a.csv", "age,thickness,volume\n41,n/a,2.5\n"), kind="table")
    np.testing.assert_array_equal(scan.data, np.float32([41, np.nan, 2.5]))
    assert scan.geometry == {"names": ["age", "thickness", "volume"]}
    with pytest.raises(FileProblem, match="wants one row a file"):
        read(written(tmp_path / "b.csv", "a,b\n1,2\n3,4\n"), kind="table")


@pytest.mark.real_data
def test_real_abide_series(real_data):
    paths = sorted((real_data / "abide_cc200").glob("*.1D"))
    assert len(paths) == 120
    lengths, constant, complete = [], 0, np.ones(200, bool)
    for path in paths:
        scan = read(path)
        assert scan.geometry["names"] == [str(region) for region in range(1, 201)]
        assert np.isfinite(scan.data).all()
        still = scan.data.std(axis=1) == 0
        lengths.append(scan.data.shape[1])
        constant += still.any()
        complete &= ~still
    assert (min(lengths), max(lengths)) == (78, 316)
    assert constant == 31  # people with a constant region
    assert complete.sum() == 52  # regions that vary in everybody


@pytest.mark.real_data
def test_real_abide_file_is_what_numpy_reads(real_data):
    path = real_data / "abide_cc200" / "OHSU_0050145_rois_cc200.1D"
    expected = np.genfromtxt(path, comments="#")
    np.testing.assert_array_equal(read(path, sampling_period=2.5).data, expected.T.astype(np.float32))


@pytest.mark.real_data
def test_real_eeg_has_a_clock_among_its_columns(real_data):
    path = real_data / "eeg" / "muse_mental_state" / "subjecta-relaxed-1.csv"
    with pytest.raises(FileProblem, match="'timestamps' counts the time"):
        read(path, axes=TIME_FIRST)
    names = ["TP9", "AF7", "AF8", "TP10"]
    scan = read(path, axes=TIME_FIRST, columns=names, sampling_rate=256)
    assert scan.data.shape == (4, 15204)
    assert scan.data[:, 0].tolist() == pytest.approx([30.762, 15.625, 29.785, 0.977])
    assert scan.geometry == {"names": names, "sampling_rate": 256.0}
