"""Structures of scans: one is understood, many are segmented one after the other."""

from dataclasses import dataclass, field

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
from neuroloom.formats.atomic import make_folder, refuse_to_replace
from neuroloom.known import check_known
from neuroloom.scan_jobs import Job, each
from neuroloom.transforms.volume_grid import voxel_sizes

TOLD = ("quality",)  # columns of scans.tsv beside what became of a scan


@dataclass
class Understood:
    """A scan that was segmented: what was found, how good it is, what a user should know."""

    found: Segmented
    scores: dict
    flags: dict
    quality: dict
    warnings: list = field(default_factory=list)

    def told(self):
        """Return the row of this scan in ``scans.tsv``."""
        status = "done" if self.quality["passed"] else "poor"
        reason = "; ".join([*self.warnings, *self.quality["reasons"]])
        return {"status": status, "quality": round(self.quality["score"], 4), "reason": reason}


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
    write_label_table(out)
    answerer = Answerer(load_weights(weights), device)

    def work(job):
        """Write what is found in one scan, its quality last: where that is, a scan is done."""
        done = understand(answerer, job.path, reader)
        write_images(out, job.name, done.found, answerer.weights.numbers, also)
        write_json(out / file_names(job.name)["quality"], told_quality(done, answerer.weights))
        return done.told()

    return each(jobs, out, work, TOLD, on_progress)


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
    paths = [out / name for job in jobs for name in all_names(job.name)]
    refuse_to_replace(paths, force, "Or pass over what is done with --skip-done.")
    return jobs
