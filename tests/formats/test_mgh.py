"""FreeSurfer's images: the same numbers and affine as nibabel's."""

import nibabel as nib
import numpy as np
import pytest

from neuroloom.errors import FileProblem
from neuroloom.formats import read

AFFINE = np.array([[-1.1, 0, 0.1, 90], [0.1, 0, 1.2, -110], [0, -1.3, 0, 100], [0, 0, 0, 1.0]])


@pytest.mark.parametrize("ending", [".mgh", ".mgz"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4"])
def test_numbers_and_affine_are_nibabels(tmp_path, ending, dtype):
    data = np.random.default_rng(0).integers(0, 200, (5, 6, 7)).astype(dtype)
    nib.save(nib.MGHImage(data, AFFINE), tmp_path / f"a{ending}")
    scan = read(tmp_path / f"a{ending}")
    image = nib.load(tmp_path / f"a{ending}")
    np.testing.assert_array_equal(scan.data[0], data.astype(np.float32))
    np.testing.assert_allclose(scan.geometry["affine"], image.affine, atol=1e-6)
    assert scan.data.dtype.isnative


def test_labels(tmp_path):
    data = np.random.default_rng(1).choice([0, 17, 53, 12175], (5, 6, 7)).astype("i4")
    nib.save(nib.MGHImage(data, AFFINE), tmp_path / "a.mgz")
    scan = read(tmp_path / "a.mgz", kind="labels")
    assert scan.data.dtype == np.uint16
    np.testing.assert_array_equal(scan.data, data)


def test_several_frames_need_their_rate(tmp_path):
    data = np.random.default_rng(2).standard_normal((4, 5, 6, 3)).astype("f4")
    nib.save(nib.MGHImage(data, AFFINE), tmp_path / "a.mgz")
    with pytest.raises(FileProblem, match="4 axes"):
        read(tmp_path / "a.mgz")
    with pytest.raises(FileProblem, match="Set sampling_period"):
        read(tmp_path / "a.mgz", kind="series")
    scan = read(tmp_path / "a.mgz", kind="series", sampling_period=2)
    np.testing.assert_array_equal(scan.data, data.reshape(-1, 3))
    assert scan.geometry["sampling_rate"] == 0.5


@pytest.mark.real_data
def test_real_freesurfer_subject(real_data):
    folder = real_data / "t1w_with_labels" / "freesurfer_subject"
    norm, labels = read(folder / "norm.mgz"), read(folder / "aparc.a2009s+aseg.mgz", kind="labels")
    image = nib.load(folder / "norm.mgz")
    assert norm.data.shape == (1, 256, 256, 256)
    np.testing.assert_array_equal(norm.data[0], image.get_fdata(dtype=np.float32))
    np.testing.assert_allclose(norm.geometry["affine"], image.affine, atol=1e-5)
    np.testing.assert_allclose(nib.affines.voxel_sizes(norm.geometry["affine"]), 1, atol=1e-6)
    assert nib.aff2axcodes(norm.geometry["affine"]) == ("L", "I", "A")
    np.testing.assert_allclose(norm.geometry["affine"], labels.geometry["affine"])  # one grid
    hippocampi = (labels.data == 17) | (labels.data == 53)
    assert 5000 < hippocampi.sum() < 12_000  # mm3, both sides of an adult
    assert (norm.data[0][hippocampi] > 0).all()
