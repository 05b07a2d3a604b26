import numpy as np
import pytest
from nilearn.datasets import load_mni152_brain_mask

from neuroloom.atlases import coarse_regions, region_masks
from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.volume_regional_means import RegionalMeans


def test_regions_lie_in_the_brain_and_are_mirror_images():
    brain = load_mni152_brain_mask(resolution=2)
    inside = brain.get_fdata() > 0
    for name, mask in region_masks(inside.shape, brain.affine).items():
        assert inside[mask].mean() > 0.75, name
        volume = mask.sum() * 8.0  # mm3
        region = coarse_regions()[name]
        assert volume == pytest.approx(4 / 3 * np.pi * np.prod(region.radii), rel=0.1), name
        if name.startswith("left_"):
            right = coarse_regions()[name.replace("left_", "right_")]
            assert np.array(right.centre) * [-1, 1, 1] == pytest.approx(np.array(region.centre))


def test_a_region_reads_its_own_voxels():
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (-90, -126, -72)
    masks = region_masks((46, 55, 46), affine)
    data = np.zeros((1, 46, 55, 46), np.float32)
    data[0][masks["left_hippocampus"]] = 7.0
    table = RegionalMeans()(Scan(data, "volume", {"affine": affine}))
    values = dict(zip(table.geometry["names"], table.data, strict=True))
    assert values["left_hippocampus_mean"] == pytest.approx(7.0)
    assert values["left_hippocampus_spread"] == pytest.approx(0.0, abs=1e-6)
    assert values["right_hippocampus_mean"] == 0.0


def test_a_grid_elsewhere_is_refused():
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = 400
    with pytest.raises(NeuroloomError, match="No coarse region"):
        RegionalMeans()(Scan(np.ones((1, 5, 6, 7), np.float32), "volume", {"affine": affine}))
