"""Names of files as a table: what a pattern such as ``{stage}/{person}.mat`` says of who and what there is."""

import re

import pandas as pd

from neuroloom.errors import NeuroloomError

FIELD = re.compile(r"\{([^{}]*)\}")  # a column's name in a pattern of file names
WORD = re.compile(r"[A-Za-z_]\w*")


def named_by_files(told, names, root, path):
    """Return who and what there is, a row a file, by the names of the files of the first input.

    Parameters
    ----------
    told : CohortFile
    names : sequence of str
        Columns that name a row; the pattern must have them, and may have others, which are columns too.
    root : Path
        The data folder.
    path : Path
        The cohort file.

    Returns
    -------
    DataFrame
    """
    name, entry = next((name, entry) for name, entry in told.inputs.items() if entry.files)
    fields = FIELD.findall(entry.files)
    if not set(names) <= set(fields) or not all(map(WORD.fullmatch, fields)):
        raise NeuroloomError(
            f"{path}: without a table the files of {name!r} say who there is: its pattern needs {{{'}, {'.join(names)}}}, "
            f"each one word, but is {entry.files!r}."
        )
    pattern = _pattern(entry.files, fields)
    files = (file.relative_to(root).as_posix() for file in sorted(root.rglob("*")) if file.is_file())
    rows = [match.groupdict() for match in map(pattern.fullmatch, files) if match]
    if not rows:
        raise NeuroloomError(f"{path}: no file in {root} is named like {entry.files!r}, the pattern of input {name!r}.")
    return pd.DataFrame(rows)


def _pattern(files, fields):
    """Return the expression that a file's name must fit; a field that stands twice is the same text twice."""
    literal = iter(re.escape(text) for text in FIELD.split(files)[::2])
    pattern, seen = next(literal), set()
    for field, following in zip(fields, literal, strict=True):
        pattern += (f"(?P={field})" if field in seen else f"(?P<{field}>[^/]+?)") + following
        seen.add(field)
    return re.compile(pattern)
