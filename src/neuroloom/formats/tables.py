"""Tables of people, .csv and .tsv."""

import csv
import io
import re
from numbers import Number
from pathlib import Path

import numpy as np
import pandas as pd

from neuroloom.errors import FileProblem, listed
from neuroloom.formats import limits
from neuroloom.formats.atomic import atomic_write

MISSING = {"", "n/a", "N/A", "NA", "NaN", "nan"}  # BIDS's n/a, and what spreadsheets and R write
DELIMITERS = {".csv": ",", ".tsv": "\t"}
IDENTIFIER = re.compile(r"(^|[ _])id$", re.IGNORECASE)
WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")  # 007, and more digits than int64 has, are identifiers
NUMBER = re.compile(r"[+-]?((0|[1-9][0-9]{0,17})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?inf")


def read_table(path, *, text=(), delimiter=None):
    """Read a table with a line of column names.

    A column becomes int64 or float64 where all its values are plain numbers, bool where all are True or
    False, and text else. Identifiers stay text: columns whose name ends in the word id (``participant_id``,
    ``Subject ID``), numbers with leading zeros (``007``), and the columns named in ``text``. Missing cells
    (``n/a``, ``NA``, ``NaN``, empty) are NaN. Spaces around a cell are dropped; cells that `write_table`
    escaped come back as they were.

    Parameters
    ----------
    path : str or Path
        .csv or .tsv, UTF-8.
    text : sequence of str
        Further columns that stay text whatever they hold.
    delimiter : str or None
        None goes by the ending: a comma, or a tab.

    Returns
    -------
    DataFrame
        Columns and rows in the file's order; no index is set.
    """
    delimiter = delimiter_of(path) if delimiter is None else delimiter
    content = limits.read_text(path, limits.MAX_TABLE_BYTES, "table")
    limits.check_memory(path, 10 * len(content), "its table")  # what Python's text takes
    rows = _rows(path, content, delimiter)
    line, header = next(rows, (1, []))
    names = _names(path, line, header, delimiter)
    body = []
    for line, cells in rows:
        if len(cells) != len(names):
            raise FileProblem(
                path,
                f"line {line} has {len(cells)} cells, expected {len(names)} as in its line of names.",
                "A cell with the delimiter in it must be quoted: export it again.",
            )
        body.append(cells)
    if not body:
        raise FileProblem(path, "it has a line of names and no rows.", "Export it again.")
    columns = zip(names, zip(*body, strict=True), strict=True)
    kept = {name for name in names if name in text or IDENTIFIER.search(name)}
    return pd.DataFrame({name: _typed(cells, keep_text=name in kept) for name, cells in columns})


def write_table(path, frame):
    """Write a table that `read_table` gives back, whole or not at all.

    Text that a spreadsheet would run as a formula is escaped; missing cells are ``n/a``; a named index is
    written as the first columns.

    Parameters
    ----------
    path : str or Path
        .csv or .tsv.
    frame : DataFrame
    """
    delimiter = delimiter_of(path)
    named = any(name is not None for name in frame.index.names)
    frame = frame.reset_index() if named else frame
    written = pd.DataFrame({name: _written(frame.iloc[:, i]) for i, name in enumerate(frame.columns)})
    written.columns = [limits.escape_cell(str(name)) for name in frame.columns]
    content = written.to_csv(index=False, sep=delimiter, na_rep="n/a", lineterminator="\n")
    atomic_write(path, content.encode())


def delimiter_of(path):
    """Return what stands between the cells of a table, by the ending of its name; another ending is an error."""
    ending = Path(path).suffix.lower()
    if ending not in DELIMITERS:
        raise FileProblem(path, f"a table ends in .csv or .tsv, not in {ending!r}.", "Save it as one of them.")
    return DELIMITERS[ending]


def _rows(path, content, delimiter):
    """Yield (line number, cells) of the lines that are not blank."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        reason = "a quote is opened and never closed" if "end of data" in str(error) else str(error)
        raise FileProblem(path, f"line {reader.line_num}: {reason}.", "Export it again.") from None


def _names(path, line, header, delimiter):
    """Return the column names; a nameless one (an index that was saved with the table) is column_N."""
    names = [limits.unescape_cell(name.strip()) for name in header]
    names = [name or f"column_{number}" for number, name in enumerate(names, start=1)]
    if len(names) > limits.MAX_COLUMNS:
        raise FileProblem(path, f"{len(names)} columns, {limits.MAX_COLUMNS} at most.", "Is its delimiter right?")
    others = [other for other in ",;\t" if other != delimiter and other in "".join(header)]
    if len(names) == 1 and others:
        raise FileProblem(
            path,
            f"its line of names is one column ({names[0][:60]!r}); its delimiter seems to be {others[0]!r}.",
            f"Export it with {delimiter!r} between cells and a point in numbers, or correct its ending.",
        )
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise FileProblem(path, f"line {line}: columns of the same name: {listed(twice)}.", "Rename them.")
    return names


def _typed(cells, keep_text):
    """Return one column with the type that its cells have."""
    cells = [cell.strip() for cell in cells]
    held = [cell for cell in cells if cell not in MISSING]
    whole = len(held) == len(cells)
    if not held:
        return np.full(len(cells), np.nan)
    if whole and not keep_text and set(held) <= {"True", "False"}:
        return np.array([cell == "True" for cell in held])
    if whole and not keep_text and all(map(WHOLE.fullmatch, held)):
        return np.array(held, dtype=np.int64)
    if not keep_text and all(map(NUMBER.fullmatch, held)):
        return np.array([np.nan if cell in MISSING else float(cell) for cell in cells])
    return pd.Series([np.nan if cell in MISSING else limits.unescape_cell(cell) for cell in cells])


def _written(column):
    """Return a column's values with text escaped; numbers stay numbers."""
    if column.dtype.kind in "biuf":
        return column.to_numpy()
    return [_written_cell(value) for value in column]


def _written_cell(value):
    if isinstance(value, Number) or pd.isna(value):
        return value
    return limits.escape_cell(str(value))
