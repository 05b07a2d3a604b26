"""Label maps of new scans: the mean of the folds' networks, on each scan's own grid."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats import read, stem
from neuroloom.formats.nifti import write_nifti
from neuroloom.formats.tables import write_table
from neuroloom.known import check_known
from neuroloom.scan import Scan
from neuroloom.training.learner import load_learner
from neuroloom.transforms.chain import ScanChain
from neuroloom.transforms.volume_grid import voxel_sizes
from neuroloom.transforms.volume_posteriors import likeliest_onto


def segment(run, files, out, *, learner=None, reader=None, force=False):
    """Write a label map of each scan, and a table of volumes.

    Parameters
    ----------
    run : Run
        A finished run that segments.
    files : list of Path
        Scans, one a person.
    out : Path
        A folder: ``NAME_dseg.nii.gz`` of each scan, on the scan's own grid and affine, and ``volumes.tsv``.
    learner : str or None
        A trained learner of the run; by default the model.
    reader : dict or None
        Arguments for the reader of the files, such as ``orientation``.
    force : bool
        Replace files that are there.

    Returns
    -------
    DataFrame
        A row a scan: ``sample_id``, and the volume of each class in ml, by counting voxels.
    """
    name = learner or run.metrics["deep"]
    check_known("learner of this run", name, run.metrics["learners"])
    learners = [load_learner(folder) for folder in sorted(run.folder.glob(f"folds/*/{name}"))]
    if learners[0].plan.kind != "trained":
        raise NeuroloomError(
            f"{name} does not look at scans, so it has no answer for a new one. Name a network of the run."
        )
    places = _places(files, Path(out), force)
    rows = []
    for file, place in zip(files, places, strict=True):
        scan = read(file, kind="volume", **(reader or {}))
        try:
            labels = label_map(learners, scan)
        except NeuroloomError as error:
            raise NeuroloomError(f"{file}: {error}") from error
        place.parent.mkdir(parents=True, exist_ok=True)
        write_nifti(place, labels)
        rows.append({"sample_id": stem(file), **volumes(labels, learners[0].task)})
    table = pd.DataFrame(rows)
    write_table(Path(out) / "volumes.tsv", table)
    return table


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


def _places(files, out, force):
    """Return where each label map goes; files that are missing, alike in name or in the way are errors."""
    absent = [str(file) for file in files if not file.exists()]
    if absent:
        raise NeuroloomError(f"{listed(absent)}: there is no such file.")
    names = [stem(file) for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NeuroloomError(
            f"several scans are called {listed(twice)}, and so would their label maps be. Run them apart."
        )
    places = [out / f"{name}_dseg.nii.gz" for name in names]
    there = [place for place in (*places, out / "volumes.tsv") if place.exists()]
    if there and not force:
        raise FileProblem(there[0], "it exists already.", "Name another folder with --out, or replace it with --force.")
    return places
