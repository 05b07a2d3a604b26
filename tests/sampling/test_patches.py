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


def test_inputs_on_different_grids_are_named():
    stores = with_labels(volumes((13, 11, 9)))
    stores["labels"].values[0] = np.zeros((13, 11, 8), dtype=np.uint16)
    with pytest.raises(NeuroloomError, match="sub-0: its inputs lie on different grids"):
        Patches((6, 5, 4)).items(stores, [0], np.random.default_rng(0))


@pytest.mark.parametrize("arguments", [{"shape": (4, 4)}, {"shape": (4, 4, 0)}, {"shape": (4, 4, 4), "per_sample": 0}])
def test_sizes_that_make_no_patch_are_refused(arguments):
    with pytest.raises(NeuroloomError, match="patches"):
        Patches(**arguments)
