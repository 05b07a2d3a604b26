"""The table of people that norms are fitted on or applied to: a file, or a data folder with a cohort."""

from pathlib import Path

import numpy as np
import pandas as pd

from neuroloom.cohort.opened import open_cohort
from neuroloom.errors import NeuroloomError, listed
from neuroloom.formats.tables import read_table


def people_table(path, cohort_file=None):
    """Return a table of people with their measures, and notes.

    Parameters
    ----------
    path : str or Path
        A .csv or .tsv; or a data folder (BIDS, or with a ``cohort.yaml``), whose inputs of kind ``table`` are the
        measures, and whose own table is where it has none.
    cohort_file : str, Path or None
        A cohort file that lies elsewhere, or a preset's name; for folders.

    Returns
    -------
    table : DataFrame
    notes : list of str
    """
    path = Path(path)
    if not path.is_dir():
        if cohort_file is not None:
            raise NeuroloomError(f"{path}: a cohort file goes with a data folder: name the folder of the table.")
        return read_table(path), []
    cohort = open_cohort(path, cohort_file)
    inputs = [name for name, source in cohort.inputs.items() if source.kind == "table"]
    if not inputs:
        return cohort.table, list(cohort.notes)
    kept = [column for column in ("participant_id", "session_id", "age", "sex") if column in cohort.table]
    features = [_features(cohort, name) for name in inputs]
    names = [column for part in features for column in part]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NeuroloomError(f"{cohort.name}: several inputs have columns called {listed(twice)}: keep one.")
    return pd.concat([cohort.table[kept], *features], axis=1), list(cohort.notes)


def _features(cohort, name):
    """Return one input as a table, a row a sample of the cohort; who was not measured has NaN."""
    source, rows, names = cohort.inputs[name], {}, None
    for sample in cohort.samples:
        if source.available(sample):
            scan = source.load(sample)
            written = np.asarray(scan.data).astype(str)  # 2.476 as the file has it, not the float32 2.47600007
            rows[sample], names = written.astype(np.float64), scan.geometry["names"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names).reindex(cohort.table.index)
