"""Files of one segmented scan, with the names of BIDS derivatives."""

import json
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.ndimage import binary_fill_holes

from neuroloom.anatomy.answer import Answer, largest
from neuroloom.anatomy.measures import tissue_of
from neuroloom.atlases.anatomy import structures
from neuroloom.formats.atomic import atomic_write
from neuroloom.formats.nifti import write_nifti
from neuroloom.formats.tables import write_table
from neuroloom.scan import Scan
from neuroloom.transforms.volume_posteriors import likeliest_onto, on_grid

ALSO = ("tissues", "posteriors")  # written where asked for
TISSUES = {"GM": "grey", "WM": "white", "CSF": "csf"}
SUFFIX = re.compile(r"^(?P<entities>sub-.+)_(?P<suffix>[A-Za-z0-9]+)$")
PAGES = ("report.pdf", "view.html", "volumes.tsv", "volumes.csv")  # of a scan's volumes


@dataclass(frozen=True)
class Segmented:
    """A scan, what was answered, and the answer at the scan's own voxels."""

    scan: Scan
    answer: Answer
    classes: np.ndarray  # (i, j, k) uint8, outputs

    @classmethod
    def of(cls, scan, answer):
        """Return a scan with its answer brought to the scan's own voxels."""
        affine = scan.geometry["affine"]
        return cls(scan, answer, likeliest_onto(answer.posteriors, scan.data.shape[1:], affine))

    @property
    def affine(self):
        return self.scan.geometry["affine"]

    def labels(self, numbers):
        """Return the label map on the scan's own grid."""
        return Scan(numbers[self.classes], "labels", {"affine": self.affine})

    def brain(self):
        """Return the brain's mask on the scan's own grid: all structures, the fluid about them too, holes filled."""
        solid = binary_fill_holes(self.answer.posteriors.data.argmax(axis=0) > 0)
        shares = np.stack([~solid, solid]).astype(np.float32)
        found = likeliest_onto(self.answer.posteriors.with_data(shares), self.classes.shape, self.affine)
        return Scan(largest(found > 0).astype(np.uint16), "labels", {"affine": self.affine})


def start_of(name):
    """Return what the names of a scan's files start with: of ``sub-01_T1w`` that is ``sub-01``."""
    told = SUFFIX.match(name)
    return told["entities"] if told else name


def file_names(name):
    """Return what the files of a scan are called: key -> name.

    Of ``sub-01_T1w`` they are called ``sub-01_...``, the contrast kept in the name of what still shows it.
    """
    start = start_of(name)
    ending = name.removeprefix(start)
    return {
        "labels": f"{start}_dseg.nii.gz",
        "mask": f"{start}_desc-brain_mask.nii.gz",
        "brain": f"{start}_desc-brain{ending}.nii.gz",
        "posteriors": f"{start}_probseg.nii.gz",
        **{tissue: f"{start}_label-{tissue}_probseg.nii.gz" for tissue in TISSUES},
        "quality": f"{start}_quality.json",
        "volumes": f"{start}_volumes.json",
        "page": f"{start}_report.html",
    }


def all_names(name):
    """Return the names of all files that may be written for a scan."""
    pages = (f"{start_of(name)}_{ending}" for ending in PAGES)
    return [*file_names(name).values(), *pages]


def write_images(folder, name, found, numbers, also=()):
    """Write label map, brain mask, the scan without what is not brain and, where asked for, tissue maps and posteriors.

    Parameters
    ----------
    folder : Path
    name : str
        Of the scan.
    found : Segmented
    numbers : ndarray of int
        Number in label maps of each output.
    also : sequence of str
        Of ``ALSO``.

    Returns
    -------
    dict
        Key -> file name, as `file_names`, of what was written.
    """
    names, mask = file_names(name), found.brain()
    scans = {
        "labels": found.labels(numbers),
        "mask": mask,
        "brain": found.scan.with_data(np.where(mask.data > 0, found.scan.data, np.float32(0))),
    }
    if "tissues" in also:
        scans |= tissue_maps(found)
    if "posteriors" in also:
        scans["posteriors"] = on_grid(found.answer.posteriors, found.classes.shape, found.affine)
    for key, scan in scans.items():
        write_nifti(folder / names[key], scan)
    return {key: names[key] for key in scans}


def tissue_maps(found):
    """Return the probability of grey and white matter and fluid on the scan's own grid: key -> Scan."""
    of_output = np.array(["none", *(tissue_of(one.name) for one in structures())])
    p = found.answer.posteriors
    sums = np.stack([p.data[0], *(p.data[of_output == tissue].sum(axis=0) for tissue in TISSUES.values())])
    whole = on_grid(p.with_data(sums), found.classes.shape, found.affine)
    return {key: whole.with_data(whole.data[n : n + 1]) for n, key in enumerate(TISSUES, start=1)}


def write_label_table(folder):
    """Write ``dseg.tsv``: the number, name and tissue of each label."""
    rows = [{"index": one.number, "name": one.name, "tissue": tissue_of(one.name)} for one in structures()]
    write_table(folder / "dseg.tsv", pd.DataFrame(rows))


def write_json(path, told):
    atomic_write(path, (json.dumps(told, indent=1, allow_nan=False) + "\n").encode())
