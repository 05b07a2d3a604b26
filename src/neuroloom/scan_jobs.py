"""Many scans, one after the other: what fails is told at the end, and the others are done."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from neuroloom.errors import NeuroloomError
from neuroloom.formats.tables import read_table, write_table
from neuroloom.report.wording import without_paths

SUMMARY = "scans.tsv"


@dataclass(frozen=True)
class Job:
    """One scan to be worked on.

    Parameters
    ----------
    name : str
        What its files are named after.
    path : Path
    """

    name: str
    path: Path


def each(jobs, out, work, told=(), on_progress=None):
    """Do some work for each job; after each, ``scans.tsv`` tells what became of it, beside what it told before.

    Parameters
    ----------
    jobs : list of Job
    out : Path
        A folder that is there.
    work : callable
        Job -> dict of ``status``, ``reason`` and what ``told`` names.
    told : sequence of str
        Further columns of the table; NaN where a scan failed.
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    DataFrame
        The rows of these jobs: ``sample_id``, ``status``, what ``told`` names, ``reason``.
    """
    columns, rows = ("sample_id", "status", *told, "reason"), []
    for number, job in enumerate(jobs, start=1):
        found = {"sample_id": job.name, **_tried(work, job)}
        rows.append({name: found.get(name, np.nan) for name in columns})
        put_row(out / SUMMARY, {**rows[-1], "reason": without_paths(rows[-1]["reason"])})
        if on_progress:
            on_progress("scans", number, len(jobs))
    return pd.DataFrame(rows, columns=columns)


def _tried(work, job):
    """Return what became of a job; whatever goes wrong with one scan must not cost the others."""
    try:
        return work(job)
    except NeuroloomError as error:
        reason = str(error)
    except MemoryError:
        reason = "memory ran out. Close other programs, or take a machine with more."
    except Exception as error:
        reason = f"this should not happen and is a fault of neuroloom: {type(error).__name__}: {error}"
    return {"status": "failed", "reason": reason}


def put_row(path, row):
    """Write a row into a table of scans, in place of an earlier one of that scan; the others stay."""
    rows = pd.DataFrame([row])
    if path.exists():
        before = _rows(path)
        rows = pd.concat([before[before["sample_id"] != row["sample_id"]], rows], ignore_index=True)
    write_table(path, rows)


def drop_rows(path, names):
    """Take the rows of some scans out of a table, where there is one; a table without rows is no file."""
    if not path.exists():
        return
    rows = _rows(path)
    kept = rows[~rows["sample_id"].isin(names)]
    if len(kept):
        write_table(path, kept)
    else:
        path.unlink()


def _rows(path):
    return read_table(path, text=("sample_id", "participant_id", "reason"))
