"""Axis order, voxel size, boxes and intensity of volumes."""

import nibabel
import numpy as np
import pytest
import torch
from nibabel.processing import resample_from_to

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms import volume_grid
from neuroloom.transforms.volume_crop_box import CropBox
from neuroloom.transforms.volume_resample import Resample
from neuroloom.transforms.volume_to_ras import ToRAS
from neuroloom.transforms.volume_zscore import ZScore


def head(shape=(20, 26, 17), sizes=(1.0, 1.5, 2.0), seed=0):
    """A smooth volume on unequal axes, with an oblique affine."""
    draw = np.random.default_rng(seed)
    coarse = torch.from_numpy(draw.normal(size=(1, 1, 5, 5, 5)))
    data = torch.nn.functional.interpolate(coarse, shape, mode="trilinear", align_corners=True)[0].numpy()
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = (-9.0, -18.0, -15.0)
    return Scan(data.astype(np.float32) + 5, "volume", {"affine": affine})


def flipped(scan, axes, order):
    """The same head saved with other axes: flipped, permuted, and the affine with them."""
    data, affine = scan.data[0], scan.geometry["affine"].copy()
    for axis in axes:
        data = np.flip(data, axis)
        affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
        affine[:3, axis] *= -1
    affine[:, :3] = affine[:, list(order)]
    return Scan(np.ascontiguousarray(data.transpose(order))[None], "volume", {"affine": affine})


@pytest.mark.parametrize(("axes", "order"), [((0,), (0, 1, 2)), ((1, 2), (2, 0, 1)), ((0, 1, 2), (1, 0, 2))])
def test_every_way_to_save_a_head_reads_the_same(axes, order):
    one, other = ToRAS()(head()), ToRAS()(flipped(head(), axes, order))
    assert np.array_equal(one.data, other.data)
    assert other.geometry["affine"] == pytest.approx(one.geometry["affine"])


def test_resampling_keeps_the_field_of_view_and_its_centre():
    scan = head()
    new = Resample(voxel_size=3.0)(scan)
    centres = [s.geometry["affine"][:3] @ [*((np.array(s.data.shape[1:]) - 1) / 2), 1] for s in (scan, new)]
    assert centres[1] == pytest.approx(centres[0])
    assert new.data.shape[1:] == (7, 13, 12)  # 20 x 39 x 34 mm in whole voxels of 3 mm
    assert volume_grid.voxel_sizes(new.geometry["affine"]) == pytest.approx([3, 3, 3])


def test_smaller_voxels_agree_with_nibabel():
    scan = head()
    new = Resample(voxel_size=1.0)(scan)
    image = nibabel.Nifti1Image(scan.data[0], scan.geometry["affine"])
    oracle = resample_from_to(image, (new.data.shape[1:], new.geometry["affine"]), order=1).get_fdata()
    inner = (slice(2, -2),) * 3
    assert new.data[0][inner] == pytest.approx(oracle[inner], abs=1e-4)


def test_larger_voxels_hold_means_and_lose_nothing():
    scan = head(shape=(24, 24, 24), sizes=(1.0, 1.0, 1.0))
    new = Resample(voxel_size=2.0)(scan)
    blocks = scan.data[0].reshape(12, 2, 12, 2, 12, 2).mean(axis=(1, 3, 5))
    assert new.data[0] == pytest.approx(blocks, abs=1e-4)


def test_axis_by_axis_and_at_once_are_the_same():
    scan = head()
    affine = np.diag([2.5, 2.5, 2.5, 1.0])
    affine[:3, 3] = (-8, -16, -14)
    to_old = np.linalg.inv(scan.geometry["affine"]) @ affine
    by_axis = volume_grid._axis_by_axis(scan.data, (7, 13, 11), to_old)
    turned = to_old.copy()
    turned[0, 1] = 1e-5  # a rotation too small to matter, which takes the other way
    at_once = volume_grid._mean_over_voxels(scan.data, (7, 13, 11), turned)
    assert by_axis == pytest.approx(at_once, abs=2e-3)


def test_labels_take_the_nearest_label():
    labels = Scan(np.arange(2 * 3 * 4, dtype=np.uint16).reshape(2, 3, 4), "labels", {"affine": np.diag([2.0, 2, 2, 1])})
    new = Resample(voxel_size=1.0)(labels)
    assert new.data.dtype == np.uint16
    assert new.data[::2, ::2, ::2].tolist() == labels.data.tolist()
    assert set(np.unique(new.data)) == set(range(24))


@pytest.mark.parametrize("kind", ["volume", "labels"])
def test_the_same_displacement_everywhere_is_a_shift_of_the_affine(kind):
    scan, by = head(), np.array([2.0, -1.5, 4.0])
    if kind == "labels":
        scan = Scan((scan.data[0] * 100).astype(np.uint16), "labels", scan.geometry)
    turned = volume_grid.affine_of(flipped(head(), (0, 2), (2, 1, 0)))
    turned[:3, 3] += 0.123  # no voxel lies half-way between two labels
    grid = (15, 18, 20), turned
    shifted = scan.geometry["affine"].copy()
    shifted[:3, 3] -= by
    expected = volume_grid.resample_onto(scan.with_data(scan.data, affine=shifted), *grid)
    made = volume_grid.resample_onto(scan, *grid, np.broadcast_to(by[:, None, None, None], (3, *grid[0])))
    assert made.data.any()
    np.testing.assert_allclose(made.data, expected.data, atol=1e-3)


def test_a_box_is_the_same_grid_for_heads_of_any_grid():
    box = CropBox(lower=(-6, -12, -12), upper=(6, 12, 12), voxel_size=3.0)
    one, other = box(head()), box(flipped(head(), (0, 2), (2, 1, 0)))
    assert one.data.shape == (1, 4, 8, 8)
    assert other.data == pytest.approx(one.data, abs=1e-4)
    assert one.geometry["affine"][:3, 3] == pytest.approx([-4.5, -10.5, -10.5])


def test_a_box_outside_the_scan_is_refused():
    with pytest.raises(NeuroloomError, match=r"holds 0% of the box .* align"):
        CropBox(lower=(100, 100, 100), upper=(140, 140, 140))(head())


def test_zscore_is_over_the_brain_and_leaves_shape_and_affine():
    data = np.zeros((1, 4, 5, 6), np.float32)
    data[0, 1:3, 1:4, 1:5] = np.arange(24).reshape(2, 3, 4) + 10
    inside = data != 0
    made = ZScore(background=-3.0)(Scan(data, "volume", {"affine": np.eye(4)}))
    assert made.data[inside].mean() == pytest.approx(0, abs=1e-6)
    assert made.data[inside].std() == pytest.approx(1, abs=1e-6)
    assert set(made.data[~inside]) == {-3.0}


def test_an_empty_volume_cannot_be_standardised():
    with pytest.raises(NeuroloomError, match="one value everywhere"):
        ZScore()(Scan(np.zeros((1, 3, 3, 3), np.float32), "volume", {"affine": np.eye(4)}))


def test_voxels_of_a_microscope_are_a_grid():
    scan = Scan(np.ones((1, 4, 4, 4), np.float32), "volume", {"affine": np.diag([0.005, 0.005, 0.005, 1.0])})
    np.testing.assert_allclose(volume_grid.affine_of(scan), scan.geometry["affine"])
    flat = np.array([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    with pytest.raises(NeuroloomError, match="not an invertible"):
        volume_grid.affine_of(scan.with_data(scan.data, affine=flat))
