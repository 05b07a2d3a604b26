"""Slices of a scan: the patient's right at the picture's left, millimetres to scale, whatever the file's axes."""

import nibabel as nib
import numpy as np
import pytest
from small_volumes import SIZES, in_order, on_grid

from neuroloom.report.figures_overlay import PIXEL, PLANES, cuts, in_box, overlay_figure, side_shown, slice_picture
from neuroloom.report.structure_colours import COLOURS, colour_of
from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import ras

AXIAL, CORONAL, SAGITTAL = PLANES
ORDERS = ["RAS", "LPI", "PIR", "SAL", "IPR", "ASR"]
HIPPOCAMPUS = np.array(colour_of("hippocampus")) / 255


def head(order="RAS", sizes=SIZES, left=17, right=0):
    """Return scan and labels: a ball of 60 mm; at its left, back and below, and mirrored at its right, balls of 8 mm."""
    grid = Scan(
        np.zeros((80, 80, 80), np.uint16), "labels", {"affine": nib.affines.from_matvec(np.eye(3) * 2, [-80] * 3)}
    )
    empty = on_grid(grid, sizes)
    voxels = np.moveaxis(np.indices(empty.data.shape), 0, -1)
    points = nib.affines.apply_affine(empty.geometry["affine"], voxels)
    labels = np.where(np.linalg.norm(points, axis=-1) < 60, 2, 0).astype(np.uint16)
    for x, number in ((-30, left), (30, right)):
        if number:
            labels[np.linalg.norm(points - [x, -15, -20], axis=-1) < 8] = number
    turned = in_order(empty.with_data(labels), order)
    scan = Scan((turned.data[None] > 0).astype(np.float32) * 100, "volume", turned.geometry)
    return ras(scan), ras(turned)


def coloured(picture):
    """Return rows and columns, 0 to 1, of what has the hippocampus's hue: blue far below red and green."""
    yellow = (picture[..., :2].min(axis=-1) - picture[..., 2]) > 0.15
    return [(axis + 0.5) / n for axis, n in zip(np.nonzero(yellow), yellow.shape, strict=True)]


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_on_the_left_is_at_the_pictures_right(order):
    shown = in_box(*head(order))
    for plane, row, column in ((AXIAL, 0.62, 0.74), (CORONAL, 0.66, 0.74), (SAGITTAL, 0.66, 0.62)):
        at = cuts(shown, plane)[1]
        rows, columns = coloured(slice_picture(shown, plane, at))
        assert rows.size > 20, plane.name
        # a ball of 60 mm and 4 mm of room: -30 mm lies at 0.5 + 30 / 128 of the picture, from its other end
        assert np.mean(rows) == pytest.approx(row, abs=0.03), plane.name
        assert np.mean(columns) == pytest.approx(column, abs=0.03), plane.name


def test_the_pictures_are_the_same_for_every_order_of_axes():
    pictures = [[slice_picture(in_box(*head(order)), plane, 20) for plane in PLANES] for order in ("RAS", "LPI")]
    for one, other in zip(*pictures, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("sizes", [(1.0, 1.0, 4.0), (3.0, 1.2, 2.0)])
def test_a_ball_is_round_in_every_plane_and_to_scale(sizes):
    shown = in_box(*head(sizes=np.array(sizes)))
    for plane in PLANES:
        picture = slice_picture(shown, plane, shown.labels.shape[plane.cut] // 2)
        inside = picture.max(axis=-1) > 0.3
        tall, wide = (PIXEL * np.any(inside, axis=axis).sum() for axis in (1, 0))
        for length, axis in ((tall, plane.up), (wide, plane.across)):
            assert length == pytest.approx(120, abs=2 * sizes[axis] + 2 * PIXEL)  # a voxel at each end


def test_slices_go_through_what_they_should():
    shown = in_box(*head(right=53))
    for at in cuts(shown, CORONAL):
        assert np.isin(shown.labels[:, at], [17, 53]).any()


@pytest.mark.parametrize(("labels", "side"), [([17, 17, 0, 2], "left"), ([53, 41], "right"), ([2, 41], "middle"), ([0, 16], "middle")])  # fmt: skip
def test_the_side_of_a_sagittal_slice_is_that_of_its_labels(labels, side):
    assert side_shown(np.array(labels)) == side


def test_every_structure_has_a_colour_of_its_own():
    from neuroloom.atlases.anatomy import structures

    assert {one.name.removeprefix("left_").removeprefix("right_") for one in structures()} <= set(COLOURS)
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert colour_of("left_hippocampus") == colour_of("right_hippocampus") == (220, 216, 20)


def test_the_picture_is_inside_the_page():
    drawn = overlay_figure(*head())
    assert str(drawn["svg"]).startswith('<img class="slices" alt="Slices of the brain')
    assert "data:image/png;base64," in drawn["svg"]
