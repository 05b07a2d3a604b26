"""A simulated head that was segmented, as files: unequal axes, another order of axes, and numbers that tests choose."""

import json

import nibabel as nib
import numpy as np

from neuroloom.atlases.anatomy import generation_table, structures
from neuroloom.formats.nifti import write_nifti
from neuroloom.scan import Scan
from neuroloom.simulators.label_maps import LabelMapDraw
from neuroloom.transforms.volume_grid import resample_onto, voxel_sizes

NAME = "sub-001_T1w"
SIZES = np.array([1.9, 2.3, 3.1])  # mm
ORDER = "PIL"  # which ways the axes of the file run


def simulated_brain(seed=3):
    """Return a brain-masked T1w scan and its label map on one grid: unequal voxels, axes that are not RAS."""
    head = LabelMapDraw(seed)("sub-001")
    labels = in_order(on_grid(head), ORDER)
    known = [one.number for one in structures()]
    found = np.where(np.isin(labels.data, known), labels.data, 0).astype(np.uint16)
    table = generation_table()
    bright = np.zeros(max(table["label"]) + 1)
    bright[table["label"]] = table["contrasts"]["t1"]
    noise = np.random.default_rng(seed).normal(0, 0.03, found.shape)
    volume = np.where(found > 0, 900 * np.clip(bright[found] + noise, 0, None), 0).astype(np.float32)
    return Scan(volume[None], "volume", labels.geometry), labels.with_data(found)


def on_grid(labels, sizes=SIZES):
    """Return a label map on a grid of other voxel sizes over the same place."""
    old = labels.geometry["affine"]
    extent = np.array(labels.data.shape) * voxel_sizes(old)
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = old[:3, 3]
    return resample_onto(labels, tuple(int(n) for n in extent // sizes), affine)


def in_order(scan, order):
    """Return a label map with its axes flipped and permuted to run as ``order`` says; no voxel moves in space."""
    image = nib.Nifti1Image(scan.data, scan.geometry["affine"])
    turns = nib.orientations.ornt_transform(
        nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(tuple(order))
    )
    turned = image.as_reoriented(turns)
    return scan.with_data(np.ascontiguousarray(turned.dataobj), affine=turned.affine)


def structure(name, left=None, right=None, total=None, **told):
    """Return a structure's entry; further keys as in the file."""
    total = left + right if total is None else total
    asymmetry = None if left is None else 200 * (left - right) / total
    return {
        "name": name, "left_ml": left, "right_ml": right, "total_ml": total, "asymmetry_percent": asymmetry,
        "percent_of_icv": 100 * total / 1500, "quality": 0.9, "flag": None, "repeatability_percent": None,
        "percentile": None, **told,
    }  # fmt: skip


def percentile(value, low=None, high=None):
    ages = [20.0, 50.0, 80.0]
    centiles = {str(c): [0.3 + c / 1000, 0.28 + c / 1000, 0.25 + c / 1000] for c in (5, 25, 50, 75, 95)}
    curve = {"ages": ages, "centiles": centiles}
    return {"value": value, "low": low, "high": high, "of": "percent_of_icv", "curve": curve}


def told(structures=None, **changes):
    """Return the content of ``NAME_volumes.json``; nothing in it is notable."""
    return {
        "scan": NAME, "age": 63.0, "sex": "F", "voxel_mm": list(SIZES), "shape": [60, 70, 80],
        "weights": {"name": "anatomy", "sha256": "ab" * 32, "answer_mm": 2.0, "summary": "Learned from label maps.",
                    "scores": {"dice": 0.79, "on": "12 heads not learned from"}},
        "intracranial_ml": 1500.0, "brain_ml": 1200.0, "tissues": {"grey_ml": 700.0, "white_ml": 500.0, "csf_ml": 300.0},
        "structures": structures or [structure("hippocampus", 3.81, 3.92), structure("brain_stem", total=21.5)],
        "hippocampal_occupancy": {"left": 0.81, "right": 0.84, "total": 0.825},
        "quality": {"score": 0.93, "passed": True, "reasons": []}, "norms": None, "prior": None, "warnings": [],
        "software": "neuroloom 0.1.0", "orientation": ORDER, "repeatability_pairs": None,
        "files": {"labels": f"{NAME}_dseg.nii.gz", "mask": f"{NAME}_desc-brain_mask.nii.gz", "brain": f"{NAME}_desc-brain.nii.gz"},
        **changes,
    }  # fmt: skip


NORMS = {"name": "Healthy adults", "n": 563, "ages": [20, 86], "reason": None}


def write_answer(folder, content, name=NAME, brain=None):
    """Write what `neuroloom volumes` leaves: the numbers, the label map and the brain-masked scan."""
    scan, labels = brain or simulated_brain()
    write_nifti(folder / content["files"]["brain"], scan)
    write_nifti(folder / content["files"]["labels"], labels)
    (folder / f"{name}_volumes.json").write_text(json.dumps(content))
    return folder
