"""Label maps of new scans: the mean of the folds' networks, on each scan's own grid."""

from pathlib import Path

import numpy as np
import torch

from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats import read, stem
from neuroloom.formats.atomic import make_folder, refuse_to_replace
from neuroloom.formats.nifti import write_nifti
from neuroloom.formats.tables import read_table
from neuroloom.known import check_known
from neuroloom.scan import Scan
from neuroloom.scan_jobs import Job, drop_rows, each, put_row
from neuroloom.training.learner import load_learner
from neuroloom.transforms.chain import ScanChain
from neuroloom.transforms.volume_grid import voxel_sizes
from neuroloom.transforms.volume_posteriors import likeliest_onto

VOLUMES = "volumes.tsv"


def segment(run, files, out, *, learner=None, reader=None, force=False, on_progress=None):
    """Write a label map of each scan, and a table of volumes; one that fails does not cost the others.

    Parameters
    ----------
    run : Run
        A finished run that segments.
    files : list of Path
        Scans, one a person.
    out : Path
        A folder: ``NAME_dseg.nii.gz`` of each scan, on the scan's own grid and affine; ``volumes.tsv``, the volume of each
        class in ml, by counting voxels; and ``scans.tsv``, what became of each scan.
    learner : str or None
        A trained learner of the run; by default the model.
    reader : dict or None
        Arguments for the reader of the files, such as ``orientation``.
    force : bool
        Replace files that are there.
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    DataFrame
        A row a scan, as in ``scans.tsv``: ``sample_id``, ``status`` (done or failed), ``reason``.
    """
    name = learner or run.metrics["deep"]
    check_known("learner of this run", name, run.metrics["learners"])
    learners = [load_learner(folder) for folder in sorted(run.folder.glob(f"folds/*/{name}"))]
    if learners[0].plan.kind != "trained":
        raise NeuroloomError(
            f"{name} does not look at scans, so it has no answer for a new one. Name a network of the run."
        )
    out = Path(out)
    jobs = _jobs(files, out, force)
    _refuse_other_classes(out / VOLUMES, learners[0].task)
    _clear(out, jobs)
    make_folder(out)

    def work(job):
        """Write the label map of one scan, and its volumes."""
        scan = read(job.path, kind="volume", **(reader or {}))
        try:
            labels = label_map(learners, scan)
        except NeuroloomError as error:
            raise FileProblem(job.path, str(error)) from error
        write_nifti(_place(out, job), labels)
        put_row(out / VOLUMES, {"sample_id": job.name, **volumes(labels, learners[0].task)})
        return {"status": "done", "reason": ""}

    return each(jobs, out, work, on_progress=on_progress)


def label_map(learners, scan):
    """Return the likeliest class of each voxel of a scan, by its number in label maps, on the scan's own grid.

    The posteriors of all learners are averaged on the network's grid, and each class is brought to the scan's grid from
    affine to affine, so that the axes of the file do not matter.

    Parameters
    ----------
    learners : list of Segmenter
        One a fold, alike but for their weights.
    scan : Scan
        A volume.

    Returns
    -------
    Scan
        ``labels``.
    """
    source, plan = next(iter(learners[0].plan.inputs.items()))
    if len(learners[0].plan.inputs) > 1:
        raise NeuroloomError(f"this run's network takes several scans a person ({', '.join(learners[0].plan.inputs)}).")
    prepared = ScanChain(plan.scan)(scan)
    x = torch.from_numpy(np.ascontiguousarray(prepared.data, dtype=np.float32))[None]
    posteriors = learners[0].posteriors({source: x})  # (class, i, j, k)
    for one in learners[1:]:
        posteriors += one.posteriors({source: x})
    posteriors /= len(learners)
    shape, affine = scan.data.shape[1:], scan.geometry["affine"]
    found = likeliest_onto(Scan(posteriors, "volume", prepared.geometry), shape, affine)
    labels = np.array(learners[0].task.numbers, dtype=np.uint16)[found]
    return Scan(labels, "labels", {"affine": affine})


def volumes(labels, task):
    """Return the volume of each class in a label map, ml."""
    voxel = float(np.prod(voxel_sizes(labels.geometry["affine"]))) / 1000
    counts = np.bincount(labels.data.ravel(), minlength=max(task.numbers) + 1)
    return {f"{name}_ml": counts[number] * voxel for name, number in zip(task.classes, task.numbers[1:], strict=True)}


def _jobs(files, out, force):
    """Return what is to be done; files that are missing, alike in name or in the way are errors."""
    absent = [str(file) for file in files if not file.exists()]
    if absent:
        raise NeuroloomError(f"{listed(absent)}: there is no such file.")
    names = [stem(file) for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NeuroloomError(
            f"several scans are called {listed(twice)}, and so would their label maps be. Run them apart."
        )
    jobs = [Job(name, file) for name, file in zip(names, files, strict=True)]
    refuse_to_replace([_place(out, job) for job in jobs], force)
    return jobs


def _refuse_other_classes(path, task):
    """Raise where a table of volumes is there that a run with other classes has written."""
    ours = [f"{name}_ml" for name in task.classes]
    if path.exists() and (theirs := [name for name in read_table(path) if name.endswith("_ml")]) != ours:
        raise FileProblem(path, f"it holds {listed(theirs)}, and this run tells {listed(ours)}.", "Name another --out.")


def _clear(out, jobs):
    """Delete what an earlier run wrote for these scans, so that nothing of it stays where one now fails."""
    for job in jobs:
        _place(out, job).unlink(missing_ok=True)
    drop_rows(out / VOLUMES, [job.name for job in jobs])


def _place(out, job):
    return out / f"{job.name}_dseg.nii.gz"
