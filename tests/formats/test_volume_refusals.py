"""What is no head in three dimensions is told, by the reader or where the head is cut out."""

import nibabel as nib
import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.formats import read
from neuroloom.transforms.volume_crop_head import CropHead

SHAPE = (40, 44, 42)
HEAD = ((np.indices(SHAPE) - np.array([20, 22, 21])[:, None, None, None]) ** 2).sum(axis=0) < 15**2


def saved(path, data, affine=np.diag([5.0, 5, 5, 1])):
    image = nib.Nifti1Image(data, affine)
    if affine is None:
        image.header["sform_code"] = image.header["qform_code"] = 0
    nib.save(image, path)
    return path


def colours():
    rgb = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb["R"] = 200 * HEAD
    return rgb


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (HEAD[:, :, 21].astype("f4"), "2 axes"),
        (np.stack([HEAD, HEAD], axis=3).astype("f4"), "4 axes .* it holds 2 volumes"),
        (colours(), "RGB"),
        (np.zeros(SHAPE, "f4"), "one value everywhere"),
        (np.where(HEAD, 1, np.nan).astype("f4"), "NaN"),
        (HEAD[:, :, 20:21].astype("f4"), "5 mm long along axis k, too small for a head"),
        (HEAD[:, :, 15:26].astype("f4"), "55 mm long along axis k"),
    ],
    ids=["2D", "4D", "RGB", "zeros", "NaN", "one slice", "slab"],
)
def test_what_is_no_head_is_refused(tmp_path, data, says):
    path = saved(tmp_path / "a.nii.gz", data)
    with pytest.raises(NeuroloomError, match=says):
        CropHead()(read(path))


def test_missing_affine_and_affine_in_metres(tmp_path):
    with pytest.raises(NeuroloomError, match="no affine"):
        read(saved(tmp_path / "a.nii.gz", HEAD.astype("f4"), None))
    with pytest.raises(NeuroloomError, match="is the affine in mm"):
        CropHead()(read(saved(tmp_path / "b.nii", HEAD.astype("f4"), np.diag([0.005, 0.005, 0.005, 1]))))


def test_a_head_is_not_refused(tmp_path):
    cut = CropHead()(read(saved(tmp_path / "a.nii.gz", HEAD.astype("f4"))))
    assert cut.data.sum() == HEAD.sum()
