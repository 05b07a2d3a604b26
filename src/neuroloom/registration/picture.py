"""A picture to check a registration by: the edges of the fixed scan over the moving one, before and after."""

import io

import numpy as np
from scipy.ndimage import gaussian_filter

from neuroloom.transforms.volume_grid import affine_of, voxel_sizes
from neuroloom.transforms.volume_resample import Resample

CUTS = (-0.22, 0.0, 0.18)  # of the head's length from its middle: the slices that are shown
BLUR, AROUND = 1.2, 10.0  # of 250 parts of the scan's length: widths within which an edge is looked for
STEEPER = 1.4  # than around it is an edge
LEAST = 0.01  # of the scan's range that an edge rises by in one such part
COLOUR = (1.0, 0.35, 0.1)


def check_picture(before, after, fixed):
    """Return a PNG of three axial and three coronal slices, a row before and a row after.

    There is no slice along the midline: of a head with its skin it would show the face in profile.

    Parameters
    ----------
    before, after : Scan
        The moving scan on the fixed scan's grid, by the headers alone and as registered.
    fixed : Scan
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    length = (voxel_sizes(affine_of(fixed)) * fixed.data.shape[1:]).max()
    cubes = Resample(voxel_size=length / 250)
    before, after, fixed = (cubes(_from_zero(scan)).data[0] for scan in (before, after, fixed))
    box = _head_box(fixed)
    before, after, fixed = before[box], after[box], fixed[box]
    figure = Figure(figsize=(13, 5.6), facecolor="black", layout="constrained")
    axes = figure.subplots(2, 2 * len(CUTS))
    for row, (scan, title) in zip(axes, ((before, "before"), (after, "after")), strict=True):
        row[0].set_title(f"{title}: moving scan, edges of the fixed one", color="white", fontsize=10, loc="left")
        for ax, (axis, cut) in zip(row, [(axis, cut) for axis in (2, 1) for cut in CUTS], strict=True):
            at = int((0.5 + cut) * fixed.shape[axis])
            _draw(ax, *(np.take(x, at, axis=axis) for x in (scan, fixed)), (scan, fixed))
    file = io.BytesIO()
    FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})
    return file.getvalue()


def _from_zero(scan):
    """Return a scan whose values begin at 0 where some are below it (CT): 0 is drawn black, and is what lies outside."""
    return scan.with_data(scan.data - min(scan.data.min(), 0))


def _head_box(fixed):
    """Return the slices that cut a volume to its head and a little around it."""
    head = gaussian_filter(fixed, 2.0) > fixed.mean()
    box = []
    for axis, n in enumerate(fixed.shape):
        there = np.nonzero(head.any(axis=tuple({0, 1, 2} - {axis})))[0]
        box.append(slice(max(0, there[0] - 6), min(n, there[-1] + 7)))
    return tuple(box)


def _draw(ax, shown, outline, volumes):
    """Draw a slice of the moving scan, and over it the edges of the fixed one; ``volumes`` give their ranges."""
    top, range_of_fixed = (float(np.quantile(volume, 0.995)) or 1.0 for volume in volumes)
    ax.imshow(shown.T, origin="lower", cmap="gray", vmin=0, vmax=top)
    marked = np.zeros((*outline.T.shape, 4))
    marked[..., :3] = COLOUR
    marked[..., 3] = edges(outline / range_of_fixed).T * 0.9
    ax.imshow(marked, origin="lower", interpolation="nearest")
    ax.set_axis_off()


def edges(picture):
    """Return where a picture (a, b) has an edge: a ridge of slopes that are steeper than those around."""
    slopes = np.gradient(gaussian_filter(picture.astype(np.float32), BLUR))
    steep = np.hypot(*slopes)
    along = np.abs(slopes[0]) >= np.abs(slopes[1])  # the slope's own direction, to the nearer axis
    ridge = np.empty(steep.shape, dtype=bool)
    for axis, where in ((0, along), (1, ~along)):
        top = (steep >= np.roll(steep, 1, axis)) & (steep >= np.roll(steep, -1, axis))
        ridge[where] = top[where]
    return ridge & (steep > STEEPER * gaussian_filter(steep, AROUND)) & (steep > LEAST)
