"""Numbers as text: AFNI's .1D, .csv and .tsv. Fast where the file is plain, exact about the place where it is not."""

import csv
import re
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats import limits
from neuroloom.formats.clock import on_even_clock
from neuroloom.formats.series import SAMPLING_ARGUMENTS, Meaning, check_axes, check_names
from neuroloom.known import check_known

MISSING = {"", "n/a", "N/A", "NA", "NaN", "nan", "NAN"}  # BIDS's n/a, and what spreadsheets, R and numpy write
CLOCKS = {"time", "times", "timestamp", "timestamps", "t", "seconds", "sample", "samples", "frame", "index"}
IN_1D = None  # the delimiter of .1D: any spaces
COLUMN_LABELS = re.compile(r'^#\s*ColumnLabels\s*=\s*"([^"]*)"', re.MULTILINE)


@dataclass(frozen=True)
class _Layout:
    """Where the numbers of a text file stand."""

    delimiter: str | None
    n_before: int  # lines before the first row of numbers
    n_cells: int  # in each row
    keep: tuple[int, ...]  # cells of a row that are read as numbers
    names: list[str] | None  # of the cells kept
    labelled: bool = False  # whether each row starts with its name


def read_1d(path, kind=None, *, meaning=Meaning()):
    """Read an AFNI .1D file: columns of numbers between spaces, comments after ``#``.

    Names of regions are taken from AFNI's ``ColumnLabels``, or from a line of one label a column just before
    the numbers (``#1 #2 #3``, ``Mean_1 Mean_2``).

    Parameters
    ----------
    path : str or Path
    kind : {"series", "graph", "table"}, default="series"
    meaning : Meaning
        Without axes, a series has AFNI's: a row a time, a column a region.

    Returns
    -------
    Scan
        ``series`` (region, time) float32 with ``sampling_rate`` and ``names`` where known.
    """
    lines = _lines(path)
    layout = _layout_of_1d(path, lines)
    values = _numbers(path, lines, layout)
    if kind in (None, "series") and meaning.axes is None:
        meaning = replace(meaning, axes=("time", "region"))
    return meaning.scan(path, values, kind, column_names=layout.names)


def read_delimited(
    path,
    kind=None,
    *,
    meaning=Meaning(),
    header=None,
    columns=None,
    delimiter=None,
    time_column=None,
    fill_gaps=0.0,
):
    """Read a .csv or .tsv file of numbers, with or without a line of names.

    Parameters
    ----------
    path : str or Path
    kind : {"series", "graph", "table"}, default="series"
        ``table`` is one row, one person's features; a table of many people is no scan.
    meaning : Meaning
        Its axes are a series' rows and columns. Rows that are regions may start with their name.
    header : bool or None
        Whether the first line holds names; None is seen from the file, where it can be.
    columns : sequence of str or None
        Which named columns to keep, in this order; None is all.
    delimiter : str or None
        None goes by the ending: a tab for .tsv, a comma else.
    time_column : str or None
        Of a series with a row a time: the column of time stamps (s). They must be even, and give the sampling rate.
    fill_gaps : float
        The longest gap (s) between time stamps that straight lines may fill; 0 is none.

    Returns
    -------
    Scan
        Missing cells (``n/a``, ``NA``, empty) are NaN. ``filled`` lists onset and duration (s) of gaps that were filled.
    """
    if delimiter is None:
        delimiter = "\t" if str(path).lower().endswith(".tsv") else ","
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise FileProblem(path, f"delimiter must be one letter, but is {delimiter!r}.", "Correct it.")
    columns = [columns] if isinstance(columns, str) else columns
    axes = (None, None) if meaning.axes is None else check_axes(path, meaning.axes)
    if time_column is not None:
        return _stamped(path, kind, meaning, (header, columns, delimiter), time_column, fill_gaps)
    lines = _lines(path)
    rows_may_be_named = kind == "graph" or axes[0] == "region"
    layout = _layout(path, lines, delimiter, header, columns, rows_may_be_named)
    values = _numbers(path, lines, layout)
    if axes[0] == "time" and columns is None:
        _check_clock(path, values, layout.names)
    row_names = _row_names(path, lines, layout, kind)
    return meaning.scan(path, values, kind, column_names=layout.names, row_names=row_names)


def _stamped(path, kind, meaning, written, time_column, fill_gaps):
    """Read a series whose rows have time stamps."""
    header, columns, delimiter = written
    told = [name for name in SAMPLING_ARGUMENTS if getattr(meaning, name) is not None]
    if kind not in (None, "series") or told or (meaning.axes and check_axes(path, meaning.axes)[0] != "time"):
        raise FileProblem(
            path,
            f"time_column is given beside {told[0] if told else 'another kind, or rows that are no times'}.",
            "It gives the sampling rate of a series with a row a time: leave one of them out.",
        )
    if isinstance(fill_gaps, bool) or not isinstance(fill_gaps, Real) or not fill_gaps >= 0:
        raise FileProblem(path, f"fill_gaps is {fill_gaps!r}, expected seconds.", "Correct it.")
    lines = _lines(path)
    wanted = None if columns is None else [time_column, *columns]
    layout = _layout(path, lines, delimiter, header, wanted, False)
    _check_in(path, time_column, layout.names or [])
    values, clock = _numbers(path, lines, layout), layout.names.index(time_column)
    signals, rate, filled = on_even_clock(path, values[:, clock], np.delete(values, clock, axis=1), fill_gaps)
    names = [name for name in layout.names if name != time_column]
    scan = replace(meaning, axes=("time", "region"), sampling_rate=rate).scan(path, signals, kind, column_names=names)
    return scan.with_data(scan.data, filled=filled) if filled else scan


def _lines(path):
    text = limits.read_text(path, limits.MAX_TEXT_BYTES, "text file of numbers")
    return (text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text).split("\n")


def _rows(path, lines, delimiter, n_before=0):
    """Yield (line number, cells) of the lines that are not blank, from 1 on."""
    if delimiter is IN_1D:
        for number, line in enumerate(lines[n_before:], start=n_before + 1):
            if cells := line.split("#", 1)[0].split():
                yield number, cells
        return
    reader = csv.reader(lines[n_before:], delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield n_before + reader.line_num, cells
    except csv.Error as error:
        reason = "a quote is opened and never closed" if "end of data" in str(error) else str(error)
        raise FileProblem(path, f"line {n_before + reader.line_num}: {reason}.", "Export it again.") from None


def _first_row(path, lines, delimiter, n_before=0):
    """Return (line number, cells) of the first row after ``n_before`` lines."""
    for number, cells in _rows(path, lines, delimiter, n_before):
        if len(cells) > limits.MAX_COLUMNS:
            raise FileProblem(
                path, f"{len(cells)} columns, but {limits.MAX_COLUMNS} are the most.", "Is its delimiter right?"
            )
        return number, cells
    after = f" after line {n_before}" if n_before else ""
    raise FileProblem(path, f"it has no numbers{after}.", "Export it again.")


def _layout_of_1d(path, lines):
    """Return the layout of a .1D file; its labels stand in its comments, or are its first row."""
    number, cells = _first_row(path, lines, IN_1D)
    names = None
    if not any(map(_is_number, cells)):
        names = cells
        number, cells = _first_row(path, lines, IN_1D, n_before=number)
        if len(names) != len(cells):
            raise FileProblem(path, f"{len(names)} names for {len(cells)} columns.", "Correct its first line.")
    comments = [line.strip() for line in lines[: number - 1] if line.strip().startswith("#")]
    if said := COLUMN_LABELS.search("\n".join(comments)):
        names = [name.strip() for name in said[1].split(";") if name.strip()]
    elif names is None and comments:
        names = [label.lstrip("#") for label in comments[-1].split() if label != "#"]
    if names is not None and len(names) != len(cells):
        names = None  # a comment, not labels
    return _Layout(IN_1D, number - 1, len(cells), tuple(range(len(cells))), names)


def _layout(path, lines, delimiter, header, columns, rows_may_be_named):
    """Return the layout of a .csv or .tsv file."""
    number, first = _first_row(path, lines, delimiter)
    other = [letter for letter in ",;\t" if letter != delimiter and letter in first[0]]
    if len(first) == 1 and other:
        raise FileProblem(
            path,
            f"its first line is one cell ({first[0][:40]!r}); its delimiter seems to be {other[0]!r}.",
            f'Say so: delimiter: "{other[0]}".',
        )
    second = next((cells for _, cells in _rows(path, lines, delimiter, number)), None) if header is None else None
    has_names = _has_names(path, first, second, header, rows_may_be_named)
    n_before = number if has_names else 0
    body = _first_row(path, lines, delimiter, n_before)[1]
    labelled = rows_may_be_named and not _is_number(body[0])
    keep, names = tuple(range(int(labelled), len(first))), None
    if has_names:
        names = [first[cell].strip() for cell in keep]
        if columns is not None:
            for column in columns:
                _check_in(path, column, names)
            keep, names = tuple(keep[names.index(column)] for column in columns), list(columns)
        check_names(path, names)
    elif columns is not None:
        raise FileProblem(path, "columns are asked by name, but it has no line of names.", "Leave columns out.")
    return _Layout(delimiter, n_before, len(first), keep, names, labelled)


def _check_in(path, column, names):
    try:
        check_known("column", column, names)
    except NeuroloomError as error:
        raise FileProblem(path, str(error)) from None


def _has_names(path, first, second, header, rows_may_be_named):
    """Return whether the first row holds names, as told, or as seen where that is beyond doubt.

    Numbers are names in doubt where they count up, or where they are different whole numbers (an atlas's
    region numbers) above a row that is not whole.
    """
    if header is not None:
        if not isinstance(header, bool):
            raise FileProblem(path, f"header must be true or false, but is {header!r}.", "Correct it.")
        return header
    numbers = [_is_number(cell) for cell in first]
    if not any(numbers):
        return True
    tail = first if numbers[0] else first[1:]
    in_doubt = _counts_up(tail) or (_numbers_regions(tail) and second is not None and not _whole(second[-len(tail) :]))
    if all(numbers[1:]) and (numbers[0] or rows_may_be_named) and not in_doubt:
        return False
    raise FileProblem(
        path,
        f"its first line may be names or numbers: {listed(first, most=5)}.",
        "Say which: header: true, or header: false.",
    )


def _counts_up(cells):
    """Return whether cells are 3 or more whole numbers one apart: more likely names than measurements."""
    return len(cells) >= 3 and _whole(cells) and bool((np.diff([int(cell) for cell in cells]) == 1).all())


def _numbers_regions(cells):
    """Return whether cells are different whole numbers, as the regions of an atlas have."""
    return len(cells) > 0 and _whole(cells) and len(set(map(int, cells))) == len(cells)


def _whole(cells):
    return all(cell.strip().isdecimal() for cell in cells)


def _is_number(cell):
    """Return whether a cell is a number; a missing one may be."""
    if cell.strip() in MISSING:
        return cell.strip() != ""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own way to group digits


def _numbers(path, lines, layout):
    """Return the numbers (row, kept column) as float64."""
    if layout.delimiter is IN_1D or _is_plain(lines, layout):
        everything = len(layout.keep) == layout.n_cells
        try:
            return np.loadtxt(
                lines,
                skiprows=layout.n_before,
                delimiter=layout.delimiter,
                comments="#" if layout.delimiter is IN_1D else None,
                usecols=None if everything else layout.keep,
                ndmin=2,
            )
        except ValueError:  # missing cells, or a fault: the slow way reads the first and finds the second
            return _numbers_slowly(path, lines, layout)
    return _numbers_slowly(path, lines, layout)


def _is_plain(lines, layout):
    """Return whether every row has its cells and no quotes; loadtxt does not check the first with usecols."""
    body = (line for line in lines[layout.n_before :] if line)
    return all(line.count(layout.delimiter) == layout.n_cells - 1 and '"' not in line for line in body)


def _numbers_slowly(path, lines, layout):
    values = []
    for number, cells in _rows(path, lines, layout.delimiter, layout.n_before):
        if len(cells) != layout.n_cells:
            raise FileProblem(
                path,
                f"line {number} has {len(cells)} cells, expected {layout.n_cells} as in its first line.",
                "Export it again, or check its delimiter.",
            )
        odd = [cell for cell in layout.keep if cells[cell].strip() != "" and not _is_number(cells[cell])]
        if odd:
            raise FileProblem(
                path,
                f"line {number}, column {odd[0] + 1}: {cells[odd[0]][:40]!r} is not a number.",
                "Correct it." if layout.names is None else "Correct it, or keep the others: columns: [...].",
            )
        values.append([np.nan if cells[i].strip() in MISSING else float(cells[i]) for i in layout.keep])
    return np.array(values)


def _row_names(path, lines, layout, kind):
    """Return the first cell of each row where it is the row's name; a graph's must be its columns' names."""
    if not layout.labelled:
        return None
    names = check_names(path, [cells[0].strip() for _, cells in _rows(path, lines, layout.delimiter, layout.n_before)])
    if kind == "graph" and layout.names is not None and names != layout.names:
        raise FileProblem(path, "its rows and columns have other names, or another order.", "Sort both alike.")
    return names


def _check_clock(path, values, names):
    """Raise where a column is the time itself, which is no region."""
    for column, name in enumerate(names or ()):
        if name.lower() in CLOCKS and len(values) > 1 and (np.diff(values[:, column]) > 0).all():
            raise FileProblem(
                path,
                f"its column {name!r} counts the time; it is no region.",
                f"Name the others: columns: [{listed([n for n in names if n != name], most=4)}].",
            )
