"""Spatial augmentation against scipy, closed forms and symmetries."""

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline
from scipy.ndimage import affine_transform, gaussian_filter, map_coordinates

from neuroloom.batch import Batch
from neuroloom.errors import NeuroloomError
from neuroloom.transforms import augment_spatial
from neuroloom.transforms.augment_fields import spline_field
from neuroloom.transforms.augment_spatial import Spatial

SHAPE = (22, 26, 18)
STILL = {"flip": 0.0, "rotation": 0.0, "scale": 0.0, "translation": 0.0, "elastic": 0.0}


def smooth_volumes(n, shape=SHAPE, seed=0):
    rng = np.random.default_rng(seed)
    volumes = [gaussian_filter(rng.standard_normal(shape), 2.0) for _ in range(n)]
    return torch.tensor(np.stack(volumes)[:, None], dtype=torch.float32)


def augmented(x, seed=0, **arguments):
    generator = torch.Generator().manual_seed(seed)
    return Spatial(**{**STILL, **arguments})(Batch({"t1w": x}), generator).inputs["t1w"]


@pytest.fixture
def strongest(monkeypatch):
    """Make every draw the largest one, so that its size is known."""
    monkeypatch.setattr(
        augment_spatial, "uniform", lambda generator, shape, low, high, device: torch.full(shape, float(high))
    )


def euler_matrix(degrees):
    """Rotation about i, then j, then k, each by the right-hand rule."""
    a, b, c = np.deg2rad(degrees)
    about_i = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_j = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_k = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_k @ about_j @ about_i


@pytest.mark.parametrize("voxel_size", [1.0, (2.0, 1.0, 3.0)])
@pytest.mark.parametrize(
    ("strength", "matrix", "shift"),
    [
        ({"rotation": (0, 0, 20)}, euler_matrix((0, 0, 20)), (0, 0, 0)),
        ({"rotation": (10, 15, 20)}, euler_matrix((10, 15, 20)), (0, 0, 0)),
        ({"scale": 0.25}, 1.25 * np.eye(3), (0, 0, 0)),
        ({"shear": 0.2}, np.eye(3) + 0.2 * (1 - np.eye(3)), (0, 0, 0)),
        ({"translation": (3, 0, 1.5)}, np.eye(3), (3, 0, 1.5)),
        ({"rotation": 12, "translation": 2}, euler_matrix((12, 12, 12)), (2, 2, 2)),
    ],
)
def test_affine_is_that_of_scipy(strongest, strength, matrix, shift, voxel_size):
    x = smooth_volumes(1)
    spacing = np.broadcast_to(voxel_size, 3).astype(float)
    in_voxels = matrix * spacing / spacing[:, None]  # mm -> voxels
    centre = (np.array(SHAPE) - 1) / 2
    offset = centre - in_voxels @ centre + np.array(shift) / spacing
    expected = affine_transform(x[0, 0].numpy(), in_voxels, offset, order=1, mode="nearest")
    found = augmented(x, voxel_size=voxel_size, **strength)[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=2e-5)


def bspline_weights(n_voxels, n_points):
    """Cubic B-spline weights at each voxel, from scipy: knots one spacing apart, two points outside."""
    knots = np.arange(-3, n_points + 1, dtype=float)
    place = np.linspace(0, n_points - 3, n_voxels)
    place[-1] -= 1e-9  # the last voxel lies on the last knot, where the basis is closed from the left
    return BSpline.design_matrix(place, knots, 3).toarray()


def test_spline_field_is_that_of_scipy():
    points = torch.randn(2, 5, 6, 7, generator=torch.Generator().manual_seed(0))
    weights = [bspline_weights(n, p) for n, p in zip(SHAPE, points.shape[1:], strict=True)]
    expected = np.einsum("npqr,ip,jq,kr->nijk", points.numpy(), *weights)
    np.testing.assert_allclose(spline_field(points, SHAPE).numpy(), expected, atol=2e-6)


def test_elastic_warp_is_that_of_scipy():
    x = smooth_volumes(1)
    spatial = Spatial(**{**STILL, "elastic": 1.2, "elastic_points": 6, "rotation": 8.0})
    generator = torch.Generator().manual_seed(3)
    found = spatial(Batch({"t1w": x}), generator).inputs["t1w"][0, 0].numpy()
    generator.manual_seed(3)
    torch.rand(1, generator=generator)  # whether the item is chosen
    draw = spatial.draw(1, SHAPE, generator, x.device)
    half = (np.array(SHAPE) - 1) / 2
    weights = [bspline_weights(n, 6) for n in SHAPE]
    warp = np.einsum("cpqr,ip,jq,kr->cijk", draw.elastic[0].numpy(), *weights)  # in half extents
    u = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij"))
    moved = np.einsum("ab,bijk->aijk", draw.linear[0].numpy(), u) + warp
    coordinates = (moved + 1) * half[:, None, None, None]
    expected = map_coordinates(x[0, 0].numpy(), coordinates, order=1, mode="nearest")
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert np.abs(warp * half[:, None, None, None]).max() < 1.2


def test_zero_strength_keeps_the_bytes():
    x = smooth_volumes(3)
    assert torch.equal(augmented(x), x)


def test_almost_zero_strength_is_identity_through_the_resampling():
    x = smooth_volumes(3)
    torch.testing.assert_close(augmented(x, rotation=1e-6, elastic=1e-6, crop=1e-7), x, atol=1e-5, rtol=0)


def test_flip_mirrors_left_right_and_nothing_else():
    x = torch.randn(3, 2, *SHAPE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(augmented(x, flip=1.0), x.flip(2))  # axis 0 of (i, j, k)
    through_the_grid = augmented(x, flip=1.0, rotation=1e-7)
    torch.testing.assert_close(through_the_grid, x.flip(2), atol=1e-4, rtol=0)


def test_crop_shows_a_box_inside_the_volume(strongest):
    i = torch.linspace(-1, 1, SHAPE[0]).view(1, 1, -1, 1, 1).expand(1, 1, *SHAPE).contiguous()
    found = augmented(i, crop=0.3)[0, 0, :, 0, 0]  # keeps 70 %, pushed to the far end
    torch.testing.assert_close(found, torch.linspace(-0.4, 1.0, SHAPE[0]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.uint16, torch.int64, torch.uint8])
def test_flip_swaps_left_and_right_labels(dtype):
    labels = torch.zeros(2, *SHAPE, dtype=torch.int64)
    labels[:, : SHAPE[0] // 2, 4:12], labels[:, SHAPE[0] // 2 :, 4:12] = 2, 41  # a symmetric brain
    labels[:, :, 14:20] = 24  # a structure without a side
    batch = Batch({"t1w": smooth_volumes(2), "seg": labels.to(dtype)})
    arguments = {**STILL, "flip": 1.0}
    found = Spatial(**arguments, pairs=[(2, 41)])(batch, torch.Generator().manual_seed(0))
    assert found.inputs["seg"].dtype == dtype
    assert torch.equal(found.inputs["seg"].long(), labels)
    unpaired = Spatial(**arguments, pairs=[])(batch, torch.Generator().manual_seed(0))
    assert torch.equal(unpaired.inputs["seg"].long(), labels.flip(1))


def test_flip_swaps_one_hot_channels():
    one_hot = torch.zeros(2, 3, *SHAPE)
    one_hot[:, 1, : SHAPE[0] // 2], one_hot[:, 2, SHAPE[0] // 2 :] = 1.0, 1.0
    spatial = Spatial(**{**STILL, "flip": 1.0}, one_hot=["seg"], pairs=[(1, 2)])
    assert torch.equal(spatial(Batch({"seg": one_hot}), torch.Generator()).inputs["seg"], one_hot)


def test_flip_of_labels_without_pairs_is_refused():
    batch = Batch({"seg": torch.zeros(1, *SHAPE, dtype=torch.int64)})
    with pytest.raises(NeuroloomError, match=r"seg.*pairs"):
        Spatial()(batch, torch.Generator())


def test_inputs_on_one_grid_get_one_draw():
    x = smooth_volumes(2)
    labels = (x[:, 0] > 0).to(torch.uint16)
    batch = Batch({"t1w": x, "flair": 2 * x, "seg": labels})
    found = Spatial(elastic=1.0, pairs=[])(batch, torch.Generator().manual_seed(1)).inputs
    torch.testing.assert_close(found["flair"], 2 * found["t1w"])
    inside = found["t1w"][:, 0].abs() > 0.15  # away from the surface nearest and linear agree
    assert torch.equal(found["seg"].bool()[inside], (found["t1w"][:, 0] > 0)[inside])


def test_result_depends_on_the_generator_and_on_nothing_else():
    x = smooth_volumes(3)
    state = torch.get_rng_state()
    first, again, other = (augmented(x, seed, flip=0.5, rotation=10.0, elastic=1.0) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_an_item_does_not_see_the_others():
    x = smooth_volumes(3)
    changed = x.clone()
    changed[0] = float("nan")
    arguments = {"flip": 0.5, "rotation": 10.0, "elastic": 1.0}
    found, beside_nan = augmented(x, **arguments), augmented(changed, **arguments)
    assert torch.equal(found[1:], beside_nan[1:])
    same = smooth_volumes(1).expand(3, -1, -1, -1, -1)
    found = augmented(same, **arguments)
    assert not torch.equal(found[0], found[1])
    assert torch.equal(x, smooth_volumes(3))  # nothing was done in place


def test_probability_is_that_of_the_items():
    x = smooth_volumes(1, (4, 4, 4)).expand(2000, -1, -1, -1, -1)
    moved = (augmented(x, probability=0.3, rotation=10.0) != x).flatten(1).any(dim=1)
    assert abs(moved.float().mean() - 0.3) < 4 * (0.3 * 0.7 / 2000) ** 0.5
    assert torch.equal(augmented(x, probability=0.0, rotation=10.0), x)


def test_strongest_elastic_warp_does_not_fold_and_stronger_is_refused():
    spatial = Spatial(**{**STILL, "elastic": 1.7, "elastic_points": 7})  # 17 voxels / 4 spacings * .40 = 1.7
    draw = spatial.draw(20, SHAPE, torch.Generator().manual_seed(0), torch.device("cpu"))
    half = (torch.tensor(SHAPE) - 1) / 2
    warp = spline_field(draw.elastic * half[:, None, None, None], SHAPE)
    gradient = torch.stack(torch.gradient(warp, dim=(2, 3, 4)), dim=2).permute(0, 3, 4, 5, 1, 2)
    assert torch.linalg.det(gradient + torch.eye(3)).min() > 0
    with pytest.raises(NeuroloomError, match=r"at most 1\.7"):
        augmented(smooth_volumes(1), elastic=1.75)


def test_slabs_give_the_bytes_of_one_piece(monkeypatch):
    x = smooth_volumes(2)
    whole = augmented(x, rotation=10.0, elastic=1.0)
    monkeypatch.setattr("neuroloom.transforms.augment_resample.SLAB_BYTES", 1)
    torch.testing.assert_close(augmented(x, rotation=10.0, elastic=1.0), whole, atol=1e-6, rtol=0)


def test_half_precision_volumes_keep_their_type():
    x = smooth_volumes(2).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = augmented(x, rotation=10.0)
    assert found.dtype == torch.bfloat16
    expected = augmented(x.float(), rotation=10.0)
    torch.testing.assert_close(found.float(), expected, atol=2e-3, rtol=1e-2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"probability": 1.5}, "probability is 1.5"),
        ({"rotation": -1}, ">= 0"),
        ({"padding": "mirror"}, "border, zeros"),
        ({"inputs": ["flair"]}, "no input 'flair'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        Spatial(**arguments)(Batch({"t1w": smooth_volumes(1)}), torch.Generator())
