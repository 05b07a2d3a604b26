"""The cohort file: says once how a user's own files map to a cohort (see ``cohort.yaml`` in the docs)."""

import fnmatch
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from neuroloom.cohort.bids import read_bids
from neuroloom.cohort.cohort import ArraySource, Cohort, FileSource
from neuroloom.cohort.file_names import FIELD, named_by_files
from neuroloom.cohort.mapping import mapped, plain_key
from neuroloom.cohort.trials_file import read_trials_file
from neuroloom.cohort.where import chosen
from neuroloom.cohort.words import common_words, in_our_values, take_common_words
from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats.limits import inside, load_yaml, to_float32
from neuroloom.formats.tables import read_table
from neuroloom.known import check_known
from neuroloom.scan import KINDS

NAMES = ("participant_id", "session_id", "run_id", "sample_id")  # columns that the cohort file's own keys make
UNKNOWN = "who each recording is of is not known (identity: unknown): no split can be proven to keep people apart"
OF_BIDS = ("bids", "name", "where")  # the keys of a cohort file of a BIDS folder
TABLES = ("events", "channel_table", "electrodes")  # arguments of readers that name a table of each row


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Settings):
    """``{from: SEX, values: {1: M, 2: F}}``."""

    source: str
    values: dict[Any, str | int | float | bool | None] | None = None


class Labels(Settings):
    """``{column: hand, variable: y_train, values: {0: left, 1: right}}``: what each trial of a file is."""

    column: str
    variable: str
    values: dict[Any, str | int | float | bool | None] | None = None

    @property
    def source(self):
        """As `Column` calls it."""
        return self.variable


class InputFiles(BaseModel):
    """Where one input lies; keys beyond these are arguments of its reader."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str
    files: str | None = None  # pattern with column names in braces, one file a row
    file: str | None = None  # one table with a row a participant
    key: str = "participant_id"  # its column that names the participant
    columns: list[str] | str | None = None  # names or patterns of feature columns


class CohortFile(Settings):
    """The whole of a cohort file: of a table and what belongs to it, of files alone, or of a BIDS folder."""

    table: str | None = None
    bids: dict[str, dict[str, Any] | Literal["leave_out"]] | None = None  # choices of `read_bids`
    name: str | None = None
    participant_id: str = "participant_id"
    session_id: str | None = None
    run_id: str | None = None
    identity: Literal["known", "unknown"] = "known"  # unknown: files of one person may have several names
    participant: str | None = None  # of a file of trials: whose they are
    labels: Labels | None = None  # of a file of trials: what each is
    blocks: int | None = Field(default=None, ge=2)  # of a file of trials: parts of it in order, a column
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
    if told.bids is not None:
        cohort = read_bids(root, told.bids)
    elif told.labels is not None or told.participant is not None:
        cohort = read_trials_file(told, root, path)
    else:
        cohort = _of_table(told, root, path)
    unsure = (UNKNOWN,) if told.identity == "unknown" else ()
    cohort = replace(cohort, name=told.name or cohort.name, identity=told.identity, notes=(*cohort.notes, *unsure))
    return chosen(cohort, told.where) if told.where else cohort


def _of_table(told, root, path):
    names = _names(told)
    whole = (
        named_by_files(told, names, root, path)
        if told.table is None
        else read_table(inside(root, told.table), text=names)
    )
    raw, doubles = _one_row_each(whole, told, path)
    table, notes = _columns(raw, told, path)
    table.insert(0, "participant_id", raw[told.participant_id].astype(str))
    for place, (word, column) in enumerate([("session_id", told.session_id), ("run_id", told.run_id)], start=1):
        if column:
            table.insert(min(place, len(table.columns)), word, raw[column].astype(str))
    sources = _sources_of_words(raw, told, path)
    inputs, said = _inputs(told, raw, table, sources, root, path)
    table, absent = _measured(table, inputs)
    return Cohort(
        table, inputs, name=root.resolve().name, notes=(*doubles, *notes, *said, *absent),
        taken_from={word: source for word, source in sources.items() if word != source},
    )  # fmt: skip


def _names(told):
    """Return the columns that name a row: of the person, and where told of the visit and the run."""
    return tuple(column for column in (told.participant_id, told.session_id, told.run_id) if column)


def _parse(path):
    content = load_yaml(path, "cohort file")
    if not isinstance(content, dict):
        raise NeuroloomError(f"{path}: a cohort file is a mapping with at least 'table: FILE'.")
    try:
        told = CohortFile.model_validate(content)
    except ValidationError as error:
        problems = error.errors()
        for problem in problems:  # a misspelt key first: what it should have been is then missing too
            if problem["type"] == "extra_forbidden":
                check_known(f"key in {path.name}", problem["loc"][0], CohortFile.model_fields)
        where = ".".join(map(str, problems[0]["loc"]))
        raise NeuroloomError(f"{path}: {where}: {problems[0]['msg']}.") from None
    of_trials = told.labels is not None or told.participant is not None
    if told.table is None and told.bids is None and not of_trials and not any(e.files for e in told.inputs.values()):
        raise NeuroloomError(
            f"{path}: table: Field required (or 'bids: {{}}' for a BIDS folder, or an input whose 'files' say who there is)."
        )
    if told.blocks is not None and not of_trials:
        raise NeuroloomError(
            f"{path}: blocks is for a file of trials that were cut already (participant, labels). For trials of recordings say "
            "trials.blocks in the recipe; of a table name the column: columns: {block: COLUMN}."
        )
    foreign = [key for key in content if key not in OF_BIDS] if told.bids is not None else []
    if foreign:
        raise NeuroloomError(
            f"{path}: {listed(foreign)} cannot stand beside bids: there participants.tsv and file names say who and "
            f"what. Beside it may stand: {', '.join(OF_BIDS[1:])}."
        )
    return told


def _column(raw, name, path):
    check_known(f"column named in {path.name}", name, raw.columns)
    return raw[name]


def _one_row_each(raw, told, path):
    """Return the table with a row a sample, by sample_id; equal rows are one, contradicting rows are refused."""
    raw = raw.copy()
    first, *others = (_named_rows(raw, name, path) for name in _names(told))
    sample = first if not others else first.str.cat(others, sep="_")
    if told.table is None and sample.duplicated().any():  # files tell them apart by the further fields of their names
        sample = sample.str.cat([raw[name] for name in raw if name not in _names(told)], sep="_")
    raw.index = pd.Index(sample, name="sample_id")
    notes = []
    equal = raw.duplicated()
    if equal.any():
        notes.append(f"{int(equal.sum())} rows of {told.table} say the same as another and are read once")
        raw = raw[~equal.to_numpy()]
    twice = raw.index[raw.index.duplicated()].unique()
    if len(twice) and told.contradictions == "error":
        raise NeuroloomError(
            f"{told.table}: {len(twice)} participants have rows that differ: {listed(twice)}. "
            "If these are visits or runs, name their column: 'session_id: COLUMN', 'run_id: COLUMN'. If they contradict each other, mend the "
            "table, or write 'contradictions: leave_out' into the cohort file."
        )
    if len(twice):
        notes.append(f"{len(twice)} participants with contradicting rows in {told.table} left out: {listed(twice)}")
        raw = raw[~raw.index.isin(twice)]
    return raw, notes


def _named_rows(raw, name, path):
    """Return the names in a column, which every row must have."""
    column = _column(raw, name, path)
    nameless = int(column.isna().sum())
    if nameless:
        raise NeuroloomError(
            f"{path}: {nameless} of {len(raw)} rows of the table have no {name}. Fill the column, or delete the rows."
        )
    return column.astype(str)


def _columns(raw, told, path):
    """Return the table of named columns (common words are taken where nothing is said) and the notes."""
    for word in NAMES:
        if word in told.columns:
            raise NeuroloomError(f"{path}: {word} is a key of its own: write '{word}: COLUMN', not under columns.")
    table, notes = take_common_words(raw, {*told.columns, *NAMES})
    table = table.drop(columns=list(NAMES), errors="ignore")
    for word, how in told.columns.items():
        column = _named(how, word, path)
        values = _column(raw, column.source, path)
        table[word] = values if column.values is None else mapped(values, column, path)
    table, said = in_our_values(table)
    return table, list(dict.fromkeys(notes + said))


def _sources_of_words(raw, told, path):
    """Return word -> the user's column that it is taken from, told or found."""
    given = {word: _named(how, word, path).source for word, how in told.columns.items()}
    own = {"participant_id": told.participant_id, "session_id": told.session_id, "run_id": told.run_id}
    own = {word: column for word, column in own.items() if column}
    return {**common_words(raw.columns, {*given, *NAMES}), **given, **own}


def _named(how, word, path):
    """Return the `Column` that a word is taken from: a name, or ``{from: NAME, values: {...}}``."""
    if isinstance(how, str):
        return Column(source=how)
    if not isinstance(how, dict) or "from" not in how:
        raise NeuroloomError(f"{path}: columns.{word} must be a column's name, or {{from: NAME, values: {{...}}}}.")
    for key in how:
        check_known(f"key of columns.{word} in {path.name}", key, ["from", "values"])
    try:
        return Column(source=how["from"], values=how.get("values"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(["columns", word, *map(str, first["loc"])]).replace(".source", ".from")
        raise NeuroloomError(f"{path}: {where}: {first['msg']}.") from None


def _inputs(told, raw, table, sources, root, path):
    """Return the inputs by name, and notes."""
    inputs, notes = {}, []
    for name, entry in told.inputs.items():
        check_known(f"kind of input {name!r} in {path.name}", entry.kind, KINDS)
        if entry.files and entry.file:
            raise NeuroloomError(f"{path}: input {name!r} has 'files' (one a row) and 'file' (one for all): keep one.")
        if entry.files:
            inputs[name] = _files(name, entry, raw, root, path)
        elif entry.kind == "table":
            inputs[name], said = _features(name, entry, told, raw, table, sources, root, path)
            notes += said
        else:
            raise NeuroloomError(
                f"{path}: input {name!r} needs 'files: PATTERN', for example \"{{FILE_ID}}.nii.gz\"; or, where 'file' holds "
                "its trials, 'participant: NAME' beside inputs."
            )
    return inputs, notes


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
    fields = _fields(name, entry.files, raw, path)
    arguments_told = {**entry.model_extra, **({} if entry.columns is None else {"columns": entry.columns})}
    paths, arguments, first = {}, {}, None
    for sample, row in raw.iterrows():
        if any(pd.isna(row[field]) for field in fields):
            continue  # whoever has no file name has no file
        file = inside(root, FIELD.sub(lambda field, row=row: _shown(row[field[1]]), entry.files))
        first = first or file
        if _is_there(file, f"{path}: input {name!r}: row {sample[:40]!r}"):
            paths[sample] = file
            arguments[sample] = {key: _argument(key, how, row, root, path) for key, how in arguments_told.items()}
    if not paths:
        raise NeuroloomError(
            f"{path}: input {name!r}: none of the {len(raw)} files was found; the first looked for was {first}. "
            "Check 'files' and the folder given with --data."
        )
    return FileSource(entry.kind, paths, arguments)


def _is_there(file, where):
    try:
        return file.is_file() or file.is_dir()  # a folder of DICOM files
    except OSError as error:
        raise FileProblem(
            where, f"the file name that 'files' makes of it cannot be ({error.strerror}): {str(file.name)[:40]}...",
            "Correct its cells in the table.",
        ) from None  # fmt: skip


def _fields(name, pattern, raw, path):
    """Return the column names in the braces of a pattern."""
    where = f"{path}: input {name!r}: files: {pattern!r}"
    if set("{}") & set(FIELD.sub("", pattern)):
        raise NeuroloomError(f"{where} cannot be read (a brace has no partner).")
    fields = FIELD.findall(pattern)
    for field in fields:
        if field not in raw.columns and set(":!") & set(field):
            raise NeuroloomError(f"{where}: write {{COLUMN}} alone, without ':' or '!'.")
        check_known(f"column in the files pattern of input {name!r}", field, raw.columns)
    return fields


def _shown(value):
    """Return a cell as the table shows it: 1, not 1.0, in a column that other cells have made floating-point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _argument(key, how, row, root, path):
    """Return a reader's argument: a value, ``{by: COLUMN, values: {...}}`` looked up for the row, or a table's place."""
    if key in TABLES and str(how).lower().endswith((".tsv", ".csv")):
        fields = FIELD.findall(how)
        for field in fields:
            check_known(f"column in {key} of {path.name}", field, row.index)
        return inside(root, FIELD.sub(lambda field: _shown(row[field[1]]), how))
    if not (isinstance(how, dict) and "by" in how):
        return how
    check_known(f"column in {key} of {path.name}", how["by"], row.index)
    if not isinstance(how.get("values"), dict):
        raise NeuroloomError(f"{path}: {key} needs 'values': {{by: {how['by']}, values: {{NAME: ..., NAME: ...}}}}.")
    values = {plain_key(k): v for k, v in how["values"].items()}
    wanted = plain_key(row[how["by"]])
    if wanted not in values:
        raise NeuroloomError(f"{path}: {key} has no value for {how['by']} = {row[how['by']]!r}.")
    return values[wanted]


def _features(name, entry, told, raw, table, sources, root, path):
    """Return features that are columns, of the cohort's own table or of another, joined by participant; and notes."""
    for key in entry.model_extra:
        check_known(f"key of input {name!r} in {path.name}", key, InputFiles.model_fields)
    frame = raw if entry.file is None else _joined(entry, table, root, path)
    meant = {*sources, *sources.values(), *([entry.key] if entry.file else [])}
    columns, notes = _chosen_columns(name, entry, frame, meant, path)
    numbers = frame[columns].apply(pd.to_numeric, errors="coerce")
    worded = [c for c in columns if (numbers[c].isna() & frame[c].notna()).any()]
    if worded:
        raise NeuroloomError(f"{path}: input {name!r}: columns that hold words, not numbers: {listed(worded)}.")
    known = numbers.notna().any(axis=1)
    values = to_float32(numbers[known].to_numpy(dtype=np.float64), entry.file or told.table)
    if entry.file:
        notes += _repeated(name, entry, table[known.to_numpy()])
    return ArraySource("table", tuple(numbers.index[known]), values, {"names": columns}), notes


def _repeated(name, entry, table):
    """Return a note about people whose one row of features stands at several visits."""
    n_visits = table["participant_id"].value_counts(sort=False)
    several = n_visits[n_visits > 1]
    if several.empty:
        return []
    return [
        f"input {name!r}: {entry.file} has one row a person, the same at each of their visits "
        f"({int(several.sum())} visits of {len(several)} people): {listed(several.index)}"
    ]


def _joined(entry, table, root, path):
    """Return the rows of another table, one a sample, found by participant."""
    other = read_table(inside(root, entry.file), text=(entry.key,))
    check_known(f"key column of {entry.file}", entry.key, other.columns)
    other = other[other[entry.key].notna()]
    other.index = other[entry.key].astype(str)
    twice = other.index[other.index.duplicated()].unique()
    if len(twice):
        raise NeuroloomError(f"{entry.file}: {len(twice)} participants have several rows: {listed(twice)}.")
    if not other.index.isin(table["participant_id"]).any():
        raise NeuroloomError(
            f"{path}: no participant of the table is in {entry.file}: it has {listed(other.index, 3)}, the table has "
            f"{listed(table['participant_id'], 3)}. Check 'key', or write the names alike."
        )
    return other.reindex(table["participant_id"]).set_axis(table.index)


def _chosen_columns(name, entry, frame, meant, path):
    """Return the columns that an input's ``columns`` name, in that order, and a note of what patterns pass over.

    A pattern does not take columns that have a meaning of their own (who, where, the target ...): those are
    features only where they are named exactly.
    """
    entries = [entry.columns] if isinstance(entry.columns, str) else entry.columns
    if not entries:
        raise NeuroloomError(f"{path}: input {name!r} needs 'columns': names or patterns such as '*_thickness'.")
    columns, passed = {}, {}
    for one in entries:
        fitting = [one] if one in frame else [c for c in frame if fnmatch.fnmatchcase(c, one)]
        taken = [c for c in fitting if c == one or c not in meant]
        passed |= dict.fromkeys(c for c in fitting if c not in taken)
        if not taken:
            check_known(f"column or pattern of input {name!r}", one, [c for c in frame if c not in meant])
        columns |= dict.fromkeys(taken)
    passed = [c for c in passed if c not in columns]
    note = f"input {name!r}: columns with a meaning of their own are no features unless named: {listed(passed)}"
    return list(columns), [note] if passed else []
