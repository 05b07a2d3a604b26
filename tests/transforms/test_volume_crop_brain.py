import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.volume_crop_brain import CropBrain


def labels():
    """Return a head of 2 mm voxels: a hippocampus, soft tissue far from it, a brain stem down to the edge."""
    data = np.zeros((30, 40, 20), dtype=np.uint16)
    data[10:13, 20:26, 8:10] = 17
    data[1, 1, 1] = 507
    data[11, 20, :8] = 16
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = [-30, -50, -10]
    return Scan(data, "labels", {"affine": affine})


def test_the_box_is_the_brain_with_its_margin_and_the_affine_goes_with_it():
    whole, cut = labels(), CropBrain(margin=5.0)(labels())
    assert cut.data.shape == (3 + 6, 6 + 6, 2 + 6)
    np.testing.assert_array_equal(cut.data, whole.data[7:16, 17:29, 5:13])
    first, moved = whole.geometry["affine"], cut.geometry["affine"]
    np.testing.assert_allclose(moved @ [0, 0, 0, 1], first @ [7, 17, 5, 1])


def test_the_box_ends_with_the_map():
    assert CropBrain(margin=30.0)(labels()).data.shape == (28, 35, 20)


def test_a_map_without_a_brain_is_refused():
    scan = labels()
    with pytest.raises(NeuroloomError, match="no structure of the brain"):
        CropBrain()(scan.with_data(np.where(scan.data == 507, scan.data, 0)))


def test_a_volume_is_refused():
    with pytest.raises(NeuroloomError, match="kind 'volume'"):
        CropBrain()(Scan(np.zeros((1, 4, 4, 4), dtype=np.float32), "volume", {"affine": np.eye(4)}))
