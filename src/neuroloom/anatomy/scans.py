"""Many scans, one after the other: what fails is told at the end, and the others are done."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from neuroloom.anatomy.answer import Answerer
from neuroloom.anatomy.orientation import doubt_of_header
from neuroloom.anatomy.quality import confidence, judged
from neuroloom.anatomy.scan_outputs import (
    ALSO,
    Segmented,
    file_names,
    keys_of,
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
from neuroloom.formats.tables import write_table
from neuroloom.known import check_known
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


def segment_scans(jobs, out, *, weights=None, also=(), reader=None, force=False, device="cpu", on_progress=None):
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
    device : str
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    DataFrame
        ``scans.tsv``: a row a scan: ``sample_id``, ``status`` (done, poor or failed), ``quality`` (Dice expected),
        ``reason``.
    """
    for one in also:
        check_known("further output", one, ALSO)
    refuse_to_replace(jobs, out, [*keys_of(also), "quality"], force)
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
    """Do some work for each job, and write ``scans.tsv``: what became of each.

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
    """
    write_label_table(out)
    rows = []
    for number, job in enumerate(jobs, start=1):
        try:
            rows.append({"sample_id": job.name, **_row(work(job))})
        except (NeuroloomError, MemoryError) as error:
            reason = str(error) or "memory ran out; close other programs"
            rows.append({"sample_id": job.name, "status": "failed", "quality": np.nan, "reason": reason})
        if on_progress:
            on_progress("scans", number, len(jobs))
    table = pd.DataFrame(rows)
    write_table(out / SUMMARY, table)
    return table


def _row(done):
    reasons = [*done.warnings, *done.quality["reasons"]]
    status = "done" if done.quality["passed"] else "poor"
    return {"status": status, "quality": round(done.quality["score"], 4), "reason": "; ".join(reasons)}


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


def refuse_to_replace(jobs, out, keys, force):
    """Raise where a file would be lost, before any work is done."""
    there = [
        out / file_names(job.name)[key] for job in jobs for key in keys if (out / file_names(job.name)[key]).exists()
    ]
    if there and not force:
        raise FileProblem(there[0], "it exists already.", "Name another folder with --out, or replace it with --force.")
