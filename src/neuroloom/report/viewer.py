"""A page to look through a scan's slices and labels: niivue and the brain in one file that asks the network for nothing."""

import base64
from pathlib import Path

import nibabel as nib
import numpy as np
from isal import igzip
from markupsafe import Markup

from neuroloom.atlases.anatomy import base_name
from neuroloom.formats.atomic import atomic_write
from neuroloom.report.figures_overlay import in_box
from neuroloom.report.page import rendered
from neuroloom.report.structure_colours import css, label_colours
from neuroloom.report.volumes_record import in_words
from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import box_grid, resample_onto

VENDORED = Path(__file__).parent / "vendored"
MOST_VOXELS = 8_000_000  # in the box about the brain; more of them are shown at COARSE
COARSE = 1.0  # mm


def write_viewer(path, title, scan, labels):
    """Write a page that shows the brain-masked scan with its labels in three planes and in 3D; a click names the structure.

    Parameters
    ----------
    path : Path
    title : str
    scan, labels : Scan
        On one grid, axes in RAS order; the scan shows the brain alone.
    """
    grey, found, affine = shown_volumes(scan, labels)
    numbers = [int(number) for number in np.unique(found)]
    told = label_colours(numbers)
    content = {
        "title": title,
        "niivue": niivue(),
        "scan": packed(np.round(255 * grey).astype(np.uint8), affine),
        "labels": packed(found, affine),
        "names": {number: in_words(name) for number, (name, _) in told.items()},
        "colours": colour_table(told),
        "legend": {in_words(base_name(name)): css(colour) for name, colour in told.values()},
    }
    atomic_write(path, rendered("viewer.html", ["style.css", "viewer.css"], **content).encode("utf-8"))


def niivue():
    """Return niivue's code as it goes into a page, its licence before it: that asks to be told wherever a copy is."""
    licence, code = ((VENDORED / name).read_text("utf-8") for name in ("niivue-LICENSES.txt", "niivue-0.69.0.umd.js"))
    return Markup(f"/*!\n{licence}*/\n{code}".replace("</script", "<\\/script"))


def shown_volumes(scan, labels):
    """Return what the viewer shows: grey (0 to 1) and labels of shape (i, j, k), and their affine."""
    shown = in_box(scan, labels)
    if shown.grey.size <= MOST_VOXELS:
        return shown.grey, shown.labels, shown.affine
    corners = np.array(np.meshgrid(*((-0.5, n - 0.5) for n in shown.grey.shape))).reshape(3, -1)
    places = shown.affine[:3, :3] @ corners + shown.affine[:3, 3:]  # (3, 8) mm
    shape, affine = box_grid(places.min(axis=1), places.max(axis=1), COARSE)
    told = {"affine": shown.affine}
    grey = resample_onto(Scan(shown.grey[None].astype(np.float32), "volume", told), shape, affine).data[0]
    return grey, resample_onto(Scan(shown.labels, "labels", told), shape, affine).data, affine


def packed(array, affine):
    """Return an array as a compressed NIfTI file in base64."""
    held = nib.Nifti1Image(array, affine)
    return Markup(base64.b64encode(igzip.compress(held.to_bytes(), 2)).decode())  # its / are no folders


def colour_table(told):
    """Return niivue's table of label colours, the background clear."""
    colours = {0: ("", (0, 0, 0)), **told}
    return {
        "I": list(colours),
        **{band: [colour[place] for _, colour in colours.values()] for place, band in enumerate("RGB")},
        "A": [0 if number == 0 else 255 for number in colours],
        "labels": [in_words(name) for name, _ in colours.values()],
    }
