import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.sampling.patches import Patches
from neuroloom.transforms.store import ArrayStore


def volumes(*shapes, channels=1):
    values = {
        row: np.random.default_rng(row).normal(size=(channels, *shape)).astype(np.float32)
        for row, shape in enumerate(shapes)
    }
    return {"t1w": ArrayStore("volume", tuple(f"sub-{row}" for row in values), values)}


def with_labels(stores):
    labels = {row: (volume[0] > 0).astype(np.uint16) for row, volume in stores["t1w"].values.items()}
    return {**stores, "labels": ArrayStore("labels", stores["t1w"].samples, labels)}


def test_patches_to_answer_from_cover_every_voxel_and_overlap():
    sampling = Patches((6, 5, 4), overlap=0.5)
    items = sampling.items(volumes((13, 11, 4)), [0])
    seen = np.zeros((13, 11, 4), dtype=int)
    for _, i, j, k in items:
        seen[i : i + 6, j : j + 5, k : k + 4] += 1
    assert seen.min() == 1
    along_i = np.unique(items[:, 1])
    assert along_i.tolist() == [0, 2, 5, 7]
    assert np.diff(along_i).max() <= 3


def test_patches_to_learn_from_lie_anywhere_and_never_outside():
    sampling, stores = Patches((6, 5, 4), per_sample=300), volumes((13, 11, 9), (8, 5, 4))
    items = sampling.items(stores, [0, 1], np.random.default_rng(0))
    assert len(items) == 600
    of_first, of_second = (items[items[:, 0] == row, 1:] for row in (0, 1))
    assert of_first.max(axis=0).tolist() == [7, 6, 5]
    assert of_first.min(axis=0).tolist() == [0, 0, 0]
    assert of_second.max(axis=0).tolist() == [2, 0, 0]
    other = sampling.items(stores, [0, 1], np.random.default_rng(1))
    assert not np.array_equal(items, other)


def test_a_patch_is_a_view_of_volume_and_labels_at_one_place():
    sampling, stores = Patches((6, 5, 4)), with_labels(volumes((13, 11, 9)))
    cut = sampling.cut(stores, np.array([0, 3, 2, 5]))
    assert cut["t1w"].base is not None
    np.testing.assert_array_equal(cut["t1w"], stores["t1w"][0][:, 3:9, 2:7, 5:9])
    np.testing.assert_array_equal(cut["labels"], cut["t1w"][0] > 0)


def test_a_smaller_volume_is_filled_up_at_its_end():
    sampling, stores = Patches((6, 5, 4)), volumes((5, 5, 9), channels=2)
    cut = sampling.cut(stores, np.array([0, 0, 0, 2]))["t1w"]
    assert cut.shape == (2, 6, 5, 4)
    np.testing.assert_array_equal(cut[:, :5], stores["t1w"][0][..., 2:6])
    assert (cut[:, 5] == 0).all()


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.7])
def test_patches_put_together_are_the_volume(overlap):
    sampling, stores = Patches((6, 5, 4), overlap=overlap), volumes((13, 11, 9), (13, 11, 9), channels=2)
    items = sampling.items(stores, [1, 0])
    answers = np.stack([sampling.cut(stores, item)["t1w"] for item in items])
    rows, joined = sampling.join(items, answers)
    assert rows.tolist() == [0, 1]
    for row, whole in zip(rows, joined, strict=True):
        np.testing.assert_allclose(whole, stores["t1w"][row], atol=1e-5)


def test_where_patches_overlap_the_nearer_middle_counts_more():
    sampling = Patches((4, 1, 1), overlap=0.5)
    items = np.array([[0, 0, 0, 0], [0, 2, 0, 0]])
    answers = np.array([0.0, 1.0])[:, None, None, None, None] * np.ones((2, 1, 4, 1, 1))
    _, (joined,) = sampling.join(items, answers)
    shared = joined[0, :, 0, 0]
    assert shared[[0, 1]].tolist() == [0, 0]
    assert 0 < shared[2] < 0.5 < shared[3] < 1
    assert shared[[4, 5]].tolist() == [1, 1]


def test_inputs_on_different_grids_are_named():
    stores = with_labels(volumes((13, 11, 9)))
    stores["labels"].values[0] = np.zeros((13, 11, 8), dtype=np.uint16)
    with pytest.raises(NeuroloomError, match="sub-0: its inputs lie on different grids"):
        Patches((6, 5, 4)).items(stores, [0])


@pytest.mark.parametrize("arguments", [{"shape": (4, 4)}, {"shape": (4, 4, 0)}, {"shape": (4, 4, 4), "overlap": 1.0}])
def test_sizes_that_make_no_patch_are_refused(arguments):
    with pytest.raises(NeuroloomError, match="patches"):
        Patches(**arguments)
