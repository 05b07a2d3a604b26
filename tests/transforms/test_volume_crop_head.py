import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.volume_crop_head import CropHead

SHAPE, EDGE = (70, 90, 100), 3.0  # voxels of 3 mm


def scan(neck=True, speck=True):
    """Return a head: an ellipsoid, a neck below it down to the edge, noise in the air, a bright speck far off."""
    place = np.moveaxis(np.indices(SHAPE), 0, -1) * EDGE
    head = (((place - [105, 130, 200]) / [70, 90, 80]) ** 2).sum(axis=-1) < 1
    if neck:
        head |= (((place[..., :2] - [105, 120]) / 40) ** 2).sum(axis=-1) < 1
    data = np.where(head, 500.0, 0.0)
    data[:, :, 96:] = 0
    data += np.abs(np.random.default_rng(0).normal(scale=10, size=SHAPE))
    if speck:
        data[2:4, 2:4, 2:4] = 3000
    affine = np.diag([EDGE, EDGE, EDGE, 1.0])
    affine[:3, 3] = [-100, -120, -150]
    return Scan(data[None].astype(np.float32), "volume", {"affine": affine})


def test_air_and_neck_are_cut_away_and_the_affine_goes_with_it():
    whole, cut = scan(), CropHead(margin=6.0, height=150.0)(scan())
    assert np.abs(np.array(cut.data.shape[1:]) - [51, 65, 54]).max() <= 1
    start = np.round((cut.geometry["affine"][:3, 3] - whole.geometry["affine"][:3, 3]) / EDGE).astype(int)
    box = tuple(slice(a, a + n) for a, n in zip(start, cut.data.shape[1:], strict=True))
    np.testing.assert_array_equal(cut.data[0], whole.data[0][box])
    assert (whole.data[0] > 250).any(axis=(0, 1)).nonzero()[0].max() == start[2] + cut.data.shape[3] - 1 - 2


def test_the_axes_of_the_file_do_not_matter():
    plain = scan()
    turned = Scan(
        np.ascontiguousarray(plain.data[:, ::-1].transpose(0, 3, 1, 2)), "volume",
        {"affine": plain.geometry["affine"] @ np.array([[0, -1, 0, SHAPE[0] - 1], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])},
    )  # fmt: skip
    first, second = CropHead()(plain), CropHead()(turned)
    np.testing.assert_array_equal(first.data, second.data)
    np.testing.assert_allclose(first.geometry["affine"], second.geometry["affine"])


def test_a_skull_stripped_brain_is_found_too():
    data = scan(neck=False, speck=False)
    data = data.with_data(np.where(data.data > 250, data.data, 0))
    cut = CropHead(margin=0.0)(data)
    assert (cut.data[0] > 250).any(axis=(1, 2)).all()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros(SHAPE), "one value everywhere"),
        (np.full(SHAPE, np.nan), "NaN"),
        (np.eye(90, 100)[None] * np.ones((70, 1, 1)), None),
    ],
)
def test_what_is_no_head_is_refused(data, words):
    affine = np.diag([0.3, 0.3, 0.3, 1.0])
    with pytest.raises(NeuroloomError, match=words or "too small for a head"):
        CropHead()(Scan(data[None].astype(np.float32), "volume", {"affine": affine}))
