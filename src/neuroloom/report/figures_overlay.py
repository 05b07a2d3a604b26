"""Slices of the brain-masked scan with the structures drawn on it, in three planes and in radiological convention."""

import base64
import io
from dataclasses import dataclass

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from scipy.ndimage import map_coordinates

from neuroloom.atlases.anatomy import base_name, structures
from neuroloom.report.structure_colours import label_colours
from neuroloom.report.svg import STYLE
from neuroloom.transforms.volume_grid import voxel_sizes

PIXEL = 0.6  # mm
N_SLICES = 4
WHITE = 1.15  # times the 99.5th percentile within the labels
MARGIN = 4.0  # mm about the brain
EDGE, VEIL, THIN_VEIL = 0.9, 0.28, 0.12  # share of a structure's colour along its border, inside it, inside a large one
LARGE = (
    "cerebral_white_matter",
    "cerebral_cortex",
    "cerebellum_white_matter",
    "cerebellum_cortex",
    "csf",
    "brain_stem",
)
DEEP = tuple(dict.fromkeys(base_name(one.name) for one in structures() if base_name(one.name) not in LARGE))
DPI = 200


@dataclass(frozen=True)
class Plane:
    """How a plane is drawn: which axis it cuts, and which axes run to the right and up on the picture.

    Its slices are spread over the structures ``through``.
    """

    name: str
    cut: int
    across: int
    up: int
    flipped: bool  # the axis across runs against the picture
    marks: tuple[str, str]  # at the picture's left and right
    through: tuple[str, ...]


# radiological: the patient's right is at the picture's left, as if seen from the feet and from the front
PLANES = (
    Plane("Axial", 2, 0, 1, True, ("R", "L"), DEEP),
    Plane("Coronal", 1, 0, 2, True, ("R", "L"), ("hippocampus", "amygdala")),
    Plane("Sagittal", 0, 1, 2, True, ("A", "P"), DEEP),
)


@dataclass(frozen=True)
class Shown:
    """What is drawn: the box about the brain, axes in RAS order.

    Parameters
    ----------
    grey : ndarray of shape (i, j, k)
        0 is black, 1 is white.
    labels : ndarray of shape (i, j, k)
    affine : ndarray of shape (4, 4)
        Voxel numbers of the box to the scanner's mm.
    """

    grey: np.ndarray
    labels: np.ndarray
    affine: np.ndarray


def overlay_figure(scan, labels):
    """Return the picture as markup, with a caption.

    Parameters
    ----------
    scan : Scan
        The brain-masked volume, axes in RAS order.
    labels : Scan
        On the same grid.
    """
    png = _assembled(in_box(scan, labels))
    told = "Slices of the brain with the structures that were found"
    image = f'<img class="slices" alt="{escape(told)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
    return {"svg": Markup(image), "caption": CAPTION}


CAPTION = (
    "The brain-masked scan with each structure's border and a veil of its colour (the colours of the table). "
    "Radiological convention: the patient's right (R) is at the picture's left in axial and coronal slices; in sagittal "
    "slices the front (A) is at the left, and the side is written. Slices follow the scan's own axes; mm are the scanner's."
)


def in_box(scan, labels):
    """Return the box about the brain as `Shown`; the same arguments as `overlay_figure`."""
    white = float(np.percentile(scan.data[0][labels.data > 0], 99.5)) * WHITE or 1.0
    shown = (labels.data > 0) | (scan.data[0] > 0.05 * white)
    room = np.ceil(MARGIN / voxel_sizes(labels.geometry["affine"])).astype(int)
    held = [np.flatnonzero(shown.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    first = [max(0, int(one[0]) - n) for one, n in zip(held, room, strict=True)]
    box = tuple(slice(low, int(one[-1]) + 1 + n) for low, one, n in zip(first, held, room, strict=True))
    affine = labels.geometry["affine"].copy()
    affine[:3, 3] += affine[:3, :3] @ first
    return Shown(np.clip(scan.data[0][box] / white, 0, 1), labels.data[box], affine)


def slice_picture(shown, plane, at):
    """Return one slice as it is looked at, (row, column, 3) from 0 to 1; row 0 is the top.

    Parameters
    ----------
    shown : Shown
    plane : Plane
    at : int
        Voxel along the axis that is cut.
    """
    sizes = voxel_sizes(shown.affine)
    across, up = (_places(shown.labels.shape[axis], sizes[axis]) for axis in (plane.across, plane.up))
    across = across[::-1] if plane.flipped else across
    places = np.meshgrid(across, up[::-1])  # (row, column) each; the top of the picture is the far end of its axis
    grey, labels = (np.take(held, at, axis=plane.cut) for held in (shown.grey, shown.labels))  # (across, up)
    grey = map_coordinates(grey.astype(np.float32), places, order=1, mode="nearest")
    return _painted(grey, map_coordinates(labels, places, order=0, mode="nearest"))


def cuts(shown, plane):
    """Return the voxels along a plane's axis at which slices are taken.

    Where the structures that they should go through are not there, they are spread over all that has a label. From the patient's left to right, back to front, bottom to top.
    """
    inside = np.isin(shown.labels, [one.number for one in structures() if base_name(one.name) in plane.through])
    inside = inside if inside.any() else shown.labels > 0
    held = np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {plane.cut})))
    shares = (np.arange(N_SLICES) + 0.5) / N_SLICES
    return [int(at) for at in np.round(held[0] + shares * (held[-1] - held[0]))]


def _places(n_voxels, size):
    """Return where pixels lie along an axis, in voxel numbers."""
    n = max(1, round(n_voxels * size / PIXEL))
    return (np.arange(n) + 0.5) * n_voxels / n - 0.5


def _painted(grey, labels):
    picture = np.repeat(grey[..., None], 3, axis=-1)
    edge = np.zeros(labels.shape, dtype=bool)  # inside a structure, beside another one
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    for number, (name, colour) in label_colours(np.unique(labels)).items():
        inside = labels == number
        veil = THIN_VEIL if base_name(name) in LARGE else VEIL
        share = np.where(edge & inside, EDGE, veil * inside)[..., None]
        picture = (1 - share) * picture + share * np.array(colour) / 255
    return picture


def _assembled(shown):
    """Return all slices as one PNG, with their marks."""
    at = [cuts(shown, plane) for plane in PLANES]
    rows = [[slice_picture(shown, plane, one) for one in row] for plane, row in zip(PLANES, at, strict=True)]
    width = max(row[0].shape[1] for row in rows)
    heights = np.array([row[0].shape[0] for row in rows])
    bottoms = 1 - np.cumsum(heights) / heights.sum()
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(N_SLICES * width / DPI, heights.sum() / DPI), dpi=DPI, facecolor="black")
        for row, plane in enumerate(PLANES):
            for column, (place, picture) in enumerate(zip(at[row], rows[row], strict=True)):
                where = (column / N_SLICES, bottoms[row], 1 / N_SLICES, heights[row] / heights.sum())
                _show(figure.add_axes(where), picture, width, plane, _said(shown, plane, place))
        held = io.BytesIO()
        figure.savefig(held, format="png", dpi=DPI, facecolor="black", metadata={"Software": None})
    return held.getvalue()


def _show(axes, picture, width, plane, said):
    """Show a slice in the middle of its place, with the marks of its sides."""
    cell = np.zeros((len(picture), width, 3))
    left = (width - picture.shape[1]) // 2
    cell[:, left : left + picture.shape[1]] = picture
    axes.imshow(cell, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    written = {"color": "white", "transform": axes.transAxes}
    for x, mark, side in ((0.02, plane.marks[0], "left"), (0.98, plane.marks[1], "right")):
        axes.text(x, 0.5, mark, fontsize=7, fontweight="bold", ha=side, va="center", **written)
    axes.text(0.03, 0.97, said, fontsize=5.5, ha="left", va="top", **written)


def _said(shown, plane, at):
    """Return the plane, the place in the scanner's mm, and for sagittal slices the side that the labels show."""
    middle = (np.array(shown.labels.shape) - 1) / 2
    middle[plane.cut] = at
    place = float((shown.affine @ [*middle, 1.0])[plane.cut])
    text = f"{plane.name}, {'xyz'[plane.cut]} = {place:.0f} mm".replace("-", "−")
    return f"{text}, {side_shown(np.take(shown.labels, at, axis=0))}" if plane.cut == 0 else text


def side_shown(found):
    """Return the side of most of a slice's labels that have one: left, right or middle."""
    sides = {one.number: one.name.split("_")[0] for one in structures() if one.partner != one.number}
    counts = {side: np.isin(found, [n for n, s in sides.items() if s == side]).sum() for side in ("left", "right")}
    total = sum(counts.values())
    if not total or min(counts.values()) > 0.2 * total:
        return "middle"
    return max(counts, key=counts.get)
