"""Many scans, one after the other: what fails is told at the end, and the others are done."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from nibabel import aff2axcodes

from neuroloom.anatomy.answer import Answerer
from neuroloom.anatomy.intensities import is_hounsfield
from neuroloom.anatomy.orientation import doubt_of_header
from neuroloom.anatomy.quality import confidence, judged
from neuroloom.anatomy.scan_outputs import (
    ALSO,
    Segmented,
    all_names,
    file_names,
    start_of,
    write_images,
    write_json,
    write_label_table,
)  # fmt: skip
from neuroloom.anatomy.weight_card import load_weights
from neuroloom.cohort.scan_files import scans_of
from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats import fitting_arguments, read
from neuroloom.formats.atomic import make_folder
from neuroloom.formats.tables import read_table, write_table
from neuroloom.known import check_known
from neuroloom.report.wording import without_paths
from neuroloom.transforms.volume_grid import voxel_sizes

SUMMARY = "scans.tsv"


@dataclass(frozen=True)
class Job:
    """One scan to be segmented.

    Parameters
    ----------
    name : str
        What its files are named after.
    path : Path
    """

    name: str
    path: Path


@dataclass
class Understood:
    """A scan that was segmented: what was found, how good it is, what a user should know."""

    found: Segmented
    scores: dict
    flags: dict
    quality: dict
    warnings: list = field(default_factory=list)


def understand(answerer, path, reader=None):
    """Read a scan and segment it.

    Parameters
    ----------
    answerer : Answerer
    path : Path
    reader : dict or None
        Arguments of the reader, such as ``orientation``.

    Returns
    -------
    Understood
    """
    return understand_scan(answerer, read(path, kind="volume", **fitting_arguments(reader or {}, path)), path)


def understand_scan(answerer, scan, path):
    """Segment a scan that was read from a path, which errors name."""
    try:
        answer = answerer(scan)
    except NeuroloomError as error:
        doubt = _doubt(answerer, scan)
        raise FileProblem(path, str(error), doubt[0].upper() + doubt[1:] if doubt else "") from error
    scores, flags, quality = judged(answer, scan, answerer.weights.card["quality"])
    done = Understood(Segmented.of(scan, answer), scores, flags, quality, list(scan.geometry.get("notes", ())))
    if is_hounsfield(scan):
        done.warnings.append(
            "it reaches below -900, so it was taken for CT in Hounsfield units and seen from -215 to 425"
        )
    if not quality["passed"]:
        doubt = doubt_of_header(answerer, scan, float(confidence(answer.posteriors.data)[1:].mean()))
        done.warnings += [doubt] if doubt else []
    return done


def _doubt(answerer, scan):
    """Return the doubt about a scan in which no brain was found; one that cannot be looked at has none."""
    try:
        return doubt_of_header(answerer, scan, 0.0)
    except NeuroloomError:
        return None


def segment_scans(
    jobs, out, *, weights=None, also=(), reader=None, force=False, skip_done=False, device="cpu", on_progress=None
):
    """Write label map, brain mask, stripped scan and quality of each scan.

    Parameters
    ----------
    jobs : list of Job
    out : Path
        A folder, made if it is not there.
    weights : Path or None
        The card of other weights than those that ship.
    also : sequence of str
        ``tissues``, ``posteriors``: written too.
    reader : dict or None
        Arguments of the files' reader.
    force : bool
        Replace files that are there.
    skip_done : bool
        Pass over scans whose results are there.
    device : str
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    DataFrame
        A row a scan, as in ``scans.tsv``: ``sample_id``, ``status`` (done, poor or failed), ``quality`` (Dice expected),
        ``reason``.
    """
    for one in also:
        check_known("further output", one, ALSO)
    jobs = jobs_to_do(jobs, out, "quality", force=force, skip_done=skip_done)
    make_folder(out)
    answerer = Answerer(load_weights(weights), device)

    def work(job):
        done = understand(answerer, job.path, reader)
        write_images(out, job.name, done.found, answerer.weights.numbers, also)
        write_json(out / file_names(job.name)["quality"], told_quality(done, answerer.weights))
        return done

    return each(jobs, out, work, on_progress)


def told_quality(done, weights):
    """Return what is told of a segmented scan beside its images."""
    affine = done.found.affine
    return {
        "voxel_mm": [round(float(size), 4) for size in voxel_sizes(affine)],
        "shape": list(done.found.classes.shape),
        "orientation": "".join(aff2axcodes(affine)),
        "weights": told_weights(weights),
        "window": done.found.answer.seen,
        "quality": done.quality,
        "structures": {name: {"quality": score, "flag": done.flags.get(name)} for name, score in done.scores.items()},
        "warnings": done.warnings,
    }


def told_weights(weights):
    """Return what a result keeps of the weights it came from."""
    card = weights.card
    return {key: card[key] for key in ("name", "sha256", "answer_mm", "summary", "scores")}


def each(jobs, out, work, on_progress=None):
    """Do some work for each job; after each, ``scans.tsv`` tells what became of it, beside what it told before.

    Parameters
    ----------
    jobs : list of Job
    out : Path
    work : callable
        Job -> Understood.
    on_progress : callable or None

    Returns
    -------
    DataFrame
        The rows of these jobs.
    """
    write_label_table(out)
    rows = []
    for number, job in enumerate(jobs, start=1):
        rows.append({"sample_id": job.name, **_tried(work, job)})
        put_row(out / SUMMARY, {**rows[-1], "reason": without_paths(rows[-1]["reason"])})
        if on_progress:
            on_progress("scans", number, len(jobs))
    return pd.DataFrame(rows, columns=["sample_id", "status", "quality", "reason"])


def _tried(work, job):
    """Return what became of a job; whatever goes wrong with one scan must not cost the others."""
    try:
        done = work(job)
    except NeuroloomError as error:
        reason = str(error)
    except MemoryError:
        reason = "memory ran out. Close other programs, or take a machine with more."
    except Exception as error:
        reason = f"this should not happen and is a fault of neuroloom: {type(error).__name__}: {error}"
    else:
        reasons = [*done.warnings, *done.quality["reasons"]]
        status = "done" if done.quality["passed"] else "poor"
        return {"status": status, "quality": round(done.quality["score"], 4), "reason": "; ".join(reasons)}
    return {"status": "failed", "quality": np.nan, "reason": reason}


def put_row(path, row):
    """Write a row into a table of scans, in place of an earlier one of that scan; the others stay."""
    rows = pd.DataFrame([row])
    if path.exists():
        before = read_table(path, text=("sample_id", "participant_id", "reason"))
        rows = pd.concat([before[before["sample_id"] != row["sample_id"]], rows], ignore_index=True)
    write_table(path, rows)


def drop_rows(path, names):
    """Take the rows of some scans out of a table, where there is one."""
    if path.exists():
        rows = read_table(path, text=("sample_id", "participant_id", "reason"))
        write_table(path, rows[~rows["sample_id"].isin(names)])


def jobs_of(paths, suffix="T1w"):
    """Return a job for each scan that files and folders mean; two whose results would have one name are an error.

    Parameters
    ----------
    paths : list of Path
        See `neuroloom.cohort.scan_files.scans_of`.
    suffix : str
        Of the files that are meant in BIDS folders.
    """
    jobs = [Job(name, path) for name, path in scans_of(paths, suffix=suffix)]
    starts = [start_of(job.name) for job in jobs]
    twice = sorted({start for start in starts if starts.count(start) > 1})
    if twice:
        raise NeuroloomError(
            f"several scans would be answered in files of one name: {listed(twice)}. Run them apart, into other folders."
        )
    return jobs


def jobs_to_do(jobs, out, key, *, force, skip_done):
    """Return the jobs that are to be done, before any work is done: a file that would be lost is an error.

    Parameters
    ----------
    jobs : list of Job
    out : Path
    key : str
        Of the file that is written last, see `file_names`: where it is, a scan is done.
    force : bool
        Do all anew; what an earlier run wrote for them is deleted, so that nothing of it stays where a scan now fails.
    skip_done : bool
        Pass over those that are done.
    """
    if force:
        for path in (out / name for job in jobs for name in all_names(job.name)):
            path.unlink(missing_ok=True)
        return jobs
    if skip_done:
        return [job for job in jobs if not (out / file_names(job.name)[key]).exists()]
    there = [path for job in jobs for name in all_names(job.name) if (path := out / name).exists()]
    if there:
        raise FileProblem(
            there[0],
            "it exists already.",
            "Name another folder with --out, replace it with --force, or pass over what is done with --skip-done.",
        )
    return jobs
