"""The cohort file: says once how a user's own files map to a cohort (see ``cohort.yaml`` in the docs)."""

import fnmatch
import string
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from neuroloom.cohort.cohort import ArraySource, Cohort, FileSource
from neuroloom.cohort.where import chosen_rows
from neuroloom.cohort.words import take_common_words
from neuroloom.errors import NeuroloomError, listed
from neuroloom.formats.limits import inside, load_yaml
from neuroloom.formats.tables import read_table
from neuroloom.parts import check_known
from neuroloom.scan import KINDS


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Settings):
    """``{from: SEX, values: {1: M, 2: F}}``."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    source: str
    values: dict[Any, Any] | None = None


class InputFiles(BaseModel):
    """Where one input lies; keys beyond these are arguments of its reader."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str
    files: str | None = None  # pattern with column names in braces, one file a row
    file: str | None = None  # one table with a row a participant
    key: str = "participant_id"  # its column that names the participant
    columns: list[str] | str | None = None  # names or patterns of feature columns


class CohortFile(Settings):
    """The whole of a cohort file."""

    table: str
    name: str | None = None
    participant_id: str = "participant_id"
    session_id: str | None = None
    columns: dict[str, Any] = {}
    inputs: dict[str, InputFiles] = {}
    contradictions: Literal["error", "leave_out"] = "error"  # people whose rows contradict each other
    where: str | None = None


def read_cohort_file(path, data=None):
    """Return the cohort that a cohort file describes.

    Parameters
    ----------
    path : Path
        The YAML file.
    data : Path or None
        The folder that its paths start from; by default the folder of the file.

    Returns
    -------
    Cohort
    """
    path = Path(path)
    root = Path(data) if data else path.parent
    told = _parse(path)
    raw, doubles = _one_row_each(read_table(inside(root, told.table)), told, path)
    table, notes = _columns(raw, told, path)
    table.insert(0, "participant_id", raw[told.participant_id].astype(str))
    if told.session_id:
        table.insert(1, "session_id", raw[told.session_id].astype(str))
    inputs = _inputs(told, raw, table, root, path)
    table, absent = _measured(table, inputs)
    if told.where:
        table = table[chosen_rows(table, told.where)]
    return Cohort(table, inputs, name=told.name or root.resolve().name, notes=(*doubles, *notes, *absent))


def _parse(path):
    content = load_yaml(path, "cohort file")
    if not isinstance(content, dict):
        raise NeuroloomError(f"{path}: a cohort file is a mapping with at least 'table: FILE'.")
    try:
        return CohortFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            check_known(f"key in {path.name}", first["loc"][0], CohortFile.model_fields)
        raise NeuroloomError(f"{path}: {where}: {first['msg']}.") from None


def _column(raw, name, path):
    check_known(f"column named in {path.name}", name, raw.columns)
    return raw[name]


def _one_row_each(raw, told, path):
    """Return the table with a row a sample, by sample_id; equal rows are one, contradicting rows are refused."""
    raw = raw.copy()
    sample = _column(raw, told.participant_id, path).astype(str)
    if told.session_id:
        sample = sample + "_" + _column(raw, told.session_id, path).astype(str)
    raw.index = pd.Index(sample, name="sample_id")
    notes = []
    equal = raw.assign(sample=raw.index).duplicated()
    if equal.any():
        notes.append(f"{int(equal.sum())} rows of {told.table} say the same as another and are read once")
        raw = raw[~equal.to_numpy()]
    twice = raw.index[raw.index.duplicated()].unique()
    if len(twice) and told.contradictions == "error":
        raise NeuroloomError(
            f"{told.table}: {len(twice)} participants have rows that differ: {listed(twice)}. "
            "If these are visits, name their column: 'session_id: COLUMN'. If they contradict each other, mend the "
            "table, or write 'contradictions: leave_out' into the cohort file."
        )
    if len(twice):
        notes.append(f"{len(twice)} participants with contradicting rows in {told.table} left out: {listed(twice)}")
        raw = raw[~raw.index.isin(twice)]
    return raw, notes


def _columns(raw, told, path):
    """Return the table of named columns (common words are taken where nothing is said) and the notes."""
    table, notes = take_common_words(raw, told.columns)
    table = table.drop(columns=["participant_id", "session_id"], errors="ignore")
    for word, how in told.columns.items():
        column = Column(source=how) if isinstance(how, str) else _named(how, word, path)
        values = _column(raw, column.source, path)
        table[word] = values if column.values is None else _mapped(values, column, path)
    return table, notes


def _named(how, word, path):
    if not isinstance(how, dict) or "from" not in how:
        raise NeuroloomError(f"{path}: columns.{word} must be a column's name, or {{from: NAME, values: {{...}}}}.")
    check_values = {key: value for key, value in how.items() if key != "from"}
    for key in check_values:
        check_known(f"key of columns.{word} in {path.name}", key, ["from", "values"])
    return Column(source=how["from"], **check_values)


def _mapped(values, column, path):
    """Return the values by their mapping; 1, 1.0 and '1' are the same key; an unnamed value is an error."""
    mapping = {_key(key): value for key, value in column.values.items()}
    keys = values.map(_key, na_action="ignore")
    odd = sorted({str(key) for key in keys.dropna() if key not in mapping})
    if odd:
        raise NeuroloomError(
            f"{path}: column {column.source!r} holds {listed(odd)}, which its 'values' do not name "
            f"(they name {listed(column.values)})."
        )
    return keys.map(mapping)


def _key(value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value).strip()
    return str(int(number)) if number.is_integer() else str(number)


def _inputs(told, raw, table, root, path):
    inputs = {}
    for name, entry in told.inputs.items():
        check_known(f"kind of input {name!r} in {path.name}", entry.kind, KINDS)
        if entry.files:
            inputs[name] = _files(name, entry, raw, root, path)
        elif entry.kind == "table":
            inputs[name] = _features(name, entry, raw, table, root, path)
        else:
            raise NeuroloomError(f"{path}: input {name!r} needs 'files: PATTERN', for example \"{{FILE_ID}}.nii.gz\".")
    return inputs


def _measured(table, inputs):
    """Return the rows that have any input, and a note about the others."""
    if not inputs:
        return table, []
    has_any = np.array([any(source.available(sample) for source in inputs.values()) for sample in table.index])
    if has_any.all():
        return table, []
    absent = table.index[~has_any]
    return table[has_any], [f"{len(absent)} rows of the table have no data and are left out: {listed(absent)}"]


def _files(name, entry, raw, root, path):
    fields = [field for _, field, _, _ in string.Formatter().parse(entry.files) if field is not None]
    for field in fields:
        check_known(f"column in the files pattern of input {name!r}", field, raw.columns)
    paths, arguments = {}, {}
    for sample, row in raw.iterrows():
        file = inside(root, entry.files.format_map({field: row[field] for field in fields}))
        if file.exists():
            paths[sample] = file
            arguments[sample] = {key: _argument(key, how, row, path) for key, how in entry.model_extra.items()}
    if not paths:
        expected = inside(root, entry.files.format_map({field: raw.iloc[0][field] for field in fields}))
        raise NeuroloomError(
            f"{path}: input {name!r}: none of the {len(raw)} files was found; the first looked for was {expected}. "
            "Check 'files' and the folder given with --data."
        )
    return FileSource(entry.kind, paths, arguments)


def _argument(key, how, row, path):
    """Return a reader's argument: a value, or ``{by: COLUMN, values: {...}}`` looked up for the row."""
    if not (isinstance(how, dict) and "by" in how):
        return how
    check_known(f"column in {key} of {path.name}", how["by"], row.index)
    values = {_key(k): v for k, v in how.get("values", {}).items()}
    wanted = _key(row[how["by"]])
    if wanted not in values:
        raise NeuroloomError(f"{path}: {key} has no value for {how['by']} = {row[how['by']]!r}.")
    return values[wanted]


def _features(name, entry, raw, table, root, path):
    """Return features that are columns: of the cohort's own table, or of another, joined by participant."""
    if entry.file is None:
        frame = raw
    else:
        other = read_table(inside(root, entry.file))
        check_known(f"key column of {entry.file}", entry.key, other.columns)
        other.index = other[entry.key].astype(str)
        twice = other.index[other.index.duplicated()].unique()
        if len(twice):
            raise NeuroloomError(f"{entry.file}: {len(twice)} participants have several rows: {listed(twice)}.")
        frame = other.reindex(table["participant_id"]).set_axis(table.index)
    columns = _chosen_columns(name, entry, frame, path)
    numbers = frame[columns].apply(pd.to_numeric, errors="coerce")
    worded = [c for c in columns if (numbers[c].isna() & frame[c].notna()).any()]
    if worded:
        raise NeuroloomError(f"{path}: input {name!r}: columns that hold words, not numbers: {listed(worded)}.")
    known = numbers.notna().any(axis=1)
    values = numbers[known].to_numpy(dtype=np.float32)
    return ArraySource("table", tuple(numbers.index[known]), values, {"names": columns})


def _chosen_columns(name, entry, frame, path):
    patterns = [entry.columns] if isinstance(entry.columns, str) else entry.columns
    if not patterns:
        raise NeuroloomError(f"{path}: input {name!r} needs 'columns': names or patterns such as '*_thickness'.")
    columns = [c for c in frame.columns if any(fnmatch.fnmatchcase(str(c), pattern) for pattern in patterns)]
    if not columns:
        raise NeuroloomError(
            f"{path}: input {name!r}: no column matches {listed(patterns)}. There are: {listed(frame.columns)}."
        )
    return columns
