import numpy as np
import pytest
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.augment_contrasts import between_0_and_1
from neuroloom.transforms.volume_unit_range import UnitRange

AFFINE = {"affine": np.eye(4)}


def volume(seed=0):
    return np.random.default_rng(seed).gamma(2.0, 40.0, (2, 24, 20, 22)).astype(np.float32)


def test_each_channel_lies_between_0_and_1_whatever_its_unit():
    data = volume()
    data[1] = 1000 * data[1] - 7
    scaled = UnitRange()(Scan(data, "volume", AFFINE)).data
    for channel in scaled:
        assert channel.min() == 0
        assert channel.max() == 1
        assert (channel == 0).mean() == pytest.approx(0.005, abs=1e-3)
        assert (channel == 1).mean() == pytest.approx(0.005, abs=1e-3)
    np.testing.assert_allclose(scaled[0], UnitRange()(Scan(3 * data + 5, "volume", AFFINE)).data[0], atol=1e-5)


def test_scans_are_scaled_as_the_simulated_ones_that_a_network_learns_from():
    data = volume()[:1]
    scaled = UnitRange()(Scan(data, "volume", AFFINE)).data[0]
    learned_from = between_0_and_1(torch.from_numpy(data[0])).numpy()
    assert np.abs(scaled - learned_from).max() < 0.1  # the quantiles of every eighth voxel
    assert np.corrcoef(scaled.ravel(), learned_from.ravel())[0, 1] > 0.9999


def test_nan_and_emptiness_are_refused():
    data = volume()
    data[0, 0, 0, :3] = np.nan
    with pytest.raises(NeuroloomError, match="3 of 10560 voxels are NaN"):
        UnitRange()(Scan(data, "volume", AFFINE))
    with pytest.raises(NeuroloomError, match="one value nearly everywhere"):
        UnitRange()(Scan(np.zeros_like(data), "volume", AFFINE))


def test_quantiles_in_the_wrong_order_are_refused():
    with pytest.raises(NeuroloomError, match="low < high"):
        UnitRange(low=0.9, high=0.1)
