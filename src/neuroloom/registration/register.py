"""Registration of two files: the moved scan, the map, how alike the scans became, and a picture to check it by."""

import json
from pathlib import Path

import numpy as np

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats import read, stem
from neuroloom.formats.atomic import atomic_write, check_can_make, make_folder, refuse_to_replace
from neuroloom.formats.limits import read_json
from neuroloom.formats.nifti import write_nifti
from neuroloom.registration.affine import affine_between, distance, head_points, overlap_of
from neuroloom.registration.deformable import field_between, jacobian
from neuroloom.registration.picture import check_picture
from neuroloom.transforms.volume_grid import affine_of, resample_onto

BINS = 64
LEAST_OF_LABELS = 0.9  # of a label map's voxels that lie in the moving scan


def register(moving, fixed, out, *, degrees=None, deformable=False, labels=None, force=False):
    """Register one scan to another, and write what was found.

    Parameters
    ----------
    moving, fixed : Path
        Scans of one channel, such as NIfTI or MGH files.
    out : Path
        A folder. It gets ``MOVING_space-FIXED.nii.gz``, the moving scan on the fixed scan's grid, resampled once;
        ``MOVING_space-FIXED.json``, the map, the likeness before and after, and of a deformation its Jacobian;
        ``MOVING_space-FIXED.png``, a picture to check it by; and ``MOVING_space-FIXED_displacement.nii.gz`` and
        ``LABELS_space-FIXED.nii.gz`` where they were asked for.
    degrees : {"rigid", "similarity", "affine"} or None
        None is ``affine`` for a deformable registration and ``rigid`` else.
    deformable : bool
        After the affine map, deform smoothly without folds.
    labels : Path or None
        A label map of the moving scan, which is moved along; each voxel takes the nearest label.
    force : bool
        Replace files that are there, and delete those of an earlier registration of these names that are not written anew.

    Returns
    -------
    dict
        What the JSON says.
    """
    places, stale = _places(moving, fixed, out, deformable, labels, force)
    scans = [read(file, kind="volume") for file in (moving, fixed)]
    label_map = None if labels is None else _labels_of(labels, scans[0])
    degrees = degrees or ("affine" if deformable else "rigid")
    matrix, field = _found(*scans, degrees, deformable, f"{moving} to {fixed}")
    before, after = (_moved(scans[0], scans[1], *how) for how in ((np.eye(4), None), (matrix, field)))
    told = _told(moving, fixed, scans, degrees, matrix, field) | {
        "likeness": {"before": likeness(before, scans[1]), "after": likeness(after, scans[1])},
        "notes": _notes({moving: scans[0], fixed: scans[1], labels: label_map}),
        "files": {what: place.name for what, place in places.items()},
    }
    make_folder(out)
    for place in stale:
        place.unlink()
    write_nifti(places["scan"], after)
    if field is not None:
        write_nifti(places["displacement"], field)
    if labels is not None:
        write_nifti(places["labels"], _moved(label_map, scans[1], matrix, field))
    atomic_write(places["picture"], check_picture(before, after, scans[1]))
    atomic_write(places["record"], json.dumps(told, indent=1).encode())
    return told


def _found(moving, fixed, degrees, deformable, names):
    """Return the matrix and the field (on the fixed scan's grid) between two scans; errors name the files."""
    try:
        matrix = affine_between(moving, fixed, degrees=degrees)
        field = field_between(moving, fixed, matrix) if deformable else None
    except NeuroloomError as error:
        raise NeuroloomError(f"{names}: {error}") from error
    return matrix, field


def _moved(scan, fixed, matrix, field):
    """Return a scan or label map on the fixed scan's grid: one resampling, through matrix and field together.

    Where the moving scan was not seen there is 0 or, where it has values below that (CT: air), the least of them.
    """
    shape, affine = fixed.data.shape[1:], affine_of(fixed)
    displacement = None if field is None else resample_onto(field, shape, affine).data
    least = min(scan.data.min(), 0)
    in_fixed = scan.with_data(scan.data - least, affine=np.linalg.inv(matrix) @ affine_of(scan))
    moved = resample_onto(in_fixed, shape, affine, displacement)  # 0 where the scan was not seen
    return moved.with_data(moved.data + least)


def _told(moving, fixed, scans, degrees, matrix, field):
    """Return what was found, for a reader who has nothing but the JSON."""
    told = {
        "moving": Path(moving).name,
        "fixed": Path(fixed).name,
        "degrees": degrees,
        "matrix": {"is": "from mm of the fixed scan (RAS) to mm of the moving scan (RAS)", "rows": matrix.tolist()},
        "mean_shift_mm": round(distance(matrix, np.eye(4), scans[1]), 3),
        "overlap": round(overlap_of(matrix, *scans), 4),
    }
    if field is None:
        return told
    growth = jacobian(field)
    where = np.linalg.inv(affine_of(field)) @ np.vstack([points := head_points(scans[1]), np.ones(points.shape[1])])
    at = np.clip(np.rint(where[:3]).astype(int), 0, np.array(growth.shape)[:, None] - 1)
    in_head = growth[tuple(at)]
    told["displacement"] = {
        "is": "x of the fixed scan lies in the moving one at matrix @ (x + displacement(x)); mm, RAS",
        "root_mean_square_mm": round(float(np.sqrt((field.data[:, *at] ** 2).sum(axis=0).mean())), 3),
        "jacobian_smallest": round(float(growth.min()), 4),
        "jacobian_largest": round(float(growth.max()), 4),
        "jacobian_in_head_5_50_95_percent": np.quantile(in_head, (0.05, 0.5, 0.95)).round(4).tolist(),
        "folded_share": float((growth <= 0).mean()),
    }
    return told


def _notes(scans):
    """Return what the readers of files noted, each with its file's name."""
    known = {path: scan for path, scan in scans.items() if scan is not None}
    return [f"{Path(path).name}: {note}" for path, scan in known.items() for note in scan.geometry.get("notes", ())]


def likeness(scan, fixed):
    """Return how alike two scans of one grid are: mutual information (nats) and correlation over the fixed head."""
    head = fixed.data[0] > fixed.data.mean()
    pair = [np.clip(x.data[0], *np.quantile(x.data[0], (0.001, 0.999))) for x in (scan, fixed)]
    joint = np.histogram2d(*(x.ravel() for x in pair), bins=BINS)[0] / head.size
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    information = float((joint[joint > 0] * np.log(joint[joint > 0] / apart[joint > 0])).sum())
    inside = [x[head] for x in pair]
    varied = min(x.std() for x in inside) > 0
    correlation = round(float(np.corrcoef(*inside)[0, 1]), 4) if varied else None
    return {"mutual_information": round(information, 4), "correlation_in_head": correlation}


def _labels_of(path, moving):
    """Return a label map whose labels lie in the moving scan, or say that it is of another scan."""
    labels = read(path, kind="labels")
    where = np.argwhere(labels.data > 0).T
    if not where.size:
        raise FileProblem(path, "it has no labels: all of it is 0.", "Name the moving scan's label map.")
    to_voxel = np.linalg.inv(affine_of(moving)) @ affine_of(labels)
    at = to_voxel[:3, :3] @ where + to_voxel[:3, 3:]
    share = ((at >= -0.5) & (at <= np.array(moving.data.shape[1:])[:, None] - 0.5)).all(axis=0).mean()
    if share < LEAST_OF_LABELS:
        raise FileProblem(path, f"{share:.0%} of its labels lie in the moving scan.", "Is it that scan's label map?")
    return labels


def _places(moving, fixed, out, deformable, labels, force):
    """Return where each file goes, and the files of an earlier registration of these names that none of them replaces.

    Files that are missing, alike in name or in the way are errors.
    """
    for path in (moving, fixed, *([] if labels is None else [labels])):
        if not Path(path).is_file():
            raise FileProblem(path, "there is no such file.", "Correct its name.")
    told = f"_space-{stem(fixed)}"
    name = stem(moving) + told
    places = {"scan": f"{name}.nii.gz", "record": f"{name}.json", "picture": f"{name}.png"}
    if deformable:
        places["displacement"] = f"{name}_displacement.nii.gz"
    if labels is not None:
        places["labels"] = f"{stem(labels)}{told}.nii.gz"
    if len(set(places.values())) < len(places):
        raise FileProblem(labels, "it has the name of the moving scan, and so would what is written.", "Rename it.")
    places = {what: Path(out) / place for what, place in places.items()}
    check_can_make(out)
    stale = [place for place in _earlier(Path(out), name, told) if place not in places.values()]
    refuse_to_replace([*places.values(), *stale], force)
    return places, [place for place in stale if place.exists()]


def _earlier(out, name, told):
    """Return what an earlier registration of the same names may have left beside what every one writes.

    Its record says what its label map was called; a record that cannot be read, or is of another program, says nothing.
    """
    try:
        record = read_json(out / f"{name}.json")
    except NeuroloomError:
        record = None
    files = record.get("files") if isinstance(record, dict) else None
    labels = files.get("labels") if isinstance(files, dict) else None
    ours = isinstance(labels, str) and labels == Path(labels).name and labels.endswith(f"{told}.nii.gz")
    return [out / f"{name}_displacement.nii.gz", *([out / labels] if ours else [])]
