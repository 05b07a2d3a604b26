"""What headers of NIfTI files say twice, and not the same; and what they leave unsaid."""

import nibabel as nib
import numpy as np

from neuroloom.cohort.check_findings import Finding
from neuroloom.errors import listed
from neuroloom.formats.volume import open_image

APART = 0.5  # of a voxel, between the places that two affines give a corner


def oddities(path):
    """Return what is odd in the header of a NIfTI file that could be read, as a set of kinds (see ``WORDS``)."""
    if not str(path).lower().endswith((".nii", ".nii.gz")):
        return set()
    header = _header(path)
    s_code, q_code = int(header["sform_code"]), int(header["qform_code"])
    if not s_code and not q_code:
        return {"unstated"}
    odd = set()
    if s_code and q_code:
        try:
            apart = _apart(header)
        except (ValueError, nib.spatialimages.HeaderDataError):
            return {"unreadable"}
        if apart > APART:
            odd.add("disagreeing" if s_code == q_code else "two spaces")
    if s_code:
        sizes, told = nib.affines.voxel_sizes(header.get_sform()), np.abs(header["pixdim"][1:4])
        if np.abs(sizes - told).max() > 0.01 * sizes.max():
            odd.add("voxel size")
    return odd


def _header(path):
    """Return the header as stored: nothing is repaired."""
    with open_image(path) as (stream, *_):
        block = stream.read(nib.Nifti2Header.sizeof_hdr)
    sizes = (int.from_bytes(block[:4], "little"), int.from_bytes(block[:4], "big"))
    form = nib.Nifti2Header if nib.Nifti2Header.sizeof_hdr in sizes else nib.Nifti1Header
    return form(block[: form.sizeof_hdr], check=False)


def _apart(header):
    """Return the largest distance between a corner by sform and by qform, in voxels."""
    s, q = header.get_sform(), header.get_qform()
    shape = np.array(header.get_data_shape()[:3])
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1)
    between = (s[:3, :3] - q[:3, :3]) @ corners + (s[:3, 3:] - q[:3, 3:])
    return float(np.linalg.norm(between, axis=0).max() / nib.affines.voxel_sizes(s).min())


WORDS = {  # kind -> level, what, text, way out
    "disagreeing": (
        "warning",
        "sform and qform disagree",
        "say in two ways where the head lies, more than half a voxel apart; the sform is used",
        "Find out which is right, and set the other's code to 0 with nibabel (image.set_qform(None)).",
    ),
    "unreadable": (
        "warning",
        "qform not readable",
        "have a qform that is no rotation; the sform is used",
        "Set it anew with nibabel (image.set_qform(image.get_sform())).",
    ),
    "two spaces": (
        "note",
        "two spaces in a header",
        "give two spaces (sform and qform of different codes); the sform is used",
        "",
    ),
    "voxel size": (
        "warning",
        "voxel size stated twice",
        "have another voxel size in pixdim than in their sform; the sform is used",
        "Find out which is right: load and save them with nibabel, or correct pixdim.",
    ),
    "unstated": (
        "warning",
        "left and right not in the files",
        "do not say which side is left (sform and qform codes 0); what the cohort file says is believed",
        "Check it against the scanner's own export: no one can see it in the image.",
    ),
}


def header_findings(name, odd):
    """Return the findings about headers of one input.

    Parameters
    ----------
    name : str
    odd : dict
        Sample -> set of kinds, from `oddities`.
    """
    found = []
    for kind, (level, what, text, way_out) in WORDS.items():
        who = tuple(sample for sample, kinds in odd.items() if kind in kinds)
        if who:
            told = f"{len(who)} of {len(odd)} files of {name} {text}: {listed(who)}."
            found.append(Finding(level, what, told, who, way_out))
    return found
