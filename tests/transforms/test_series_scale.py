"""Scales of recordings: quartiles in closed form, and the running scale by the formula of braindecode."""

import numpy as np
import pandas as pd
import pytest
from made_eeg import made_recording

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.series_exponential import ExponentialStandardize
from neuroloom.transforms.series_scale_robust import ScaleRobust


def test_quartiles_of_a_scaled_channel_lie_one_apart_around_zero():
    out = ScaleRobust()(made_recording(seconds=10))
    low, middle, high = np.quantile(out.data, (0.25, 0.5, 0.75), axis=1)
    np.testing.assert_allclose(middle, 0, atol=1e-5)
    np.testing.assert_allclose(high - low, 1, atol=1e-5)


def test_gain_and_offset_of_the_amplifier_do_not_matter():
    scan = made_recording(seconds=5)
    other = scan.with_data((1e6 * scan.data + 40).astype(np.float32))
    np.testing.assert_allclose(ScaleRobust()(other).data, ScaleRobust()(scan).data, atol=2e-5)


def test_clipping_is_only_on_the_recipes_word():
    scan = made_recording(seconds=5)
    data = scan.data.copy()
    data[3, 40] = 1e-2
    assert ScaleRobust()(scan.with_data(data)).data.max() > 100
    clipped = ScaleRobust(clip=20)(scan.with_data(data)).data
    assert clipped.max() == 20
    assert clipped[3, 40] == 20


def test_a_constant_channel_is_zero_and_named_and_a_half_constant_one_is_an_error():
    scan = made_recording(seconds=5)
    data = scan.data.copy()
    data[1] = 7e-3
    out = ScaleRobust()(scan.with_data(data))
    assert out.geometry["constant_regions"] == ["Fpz"]
    assert not out.data[1].any()
    data[2, :900] = 0
    with pytest.raises(NeuroloomError, match="half of all samples are equal in Fp2"):
        ScaleRobust()(scan.with_data(data))


def test_the_running_scale_is_braindecodes():
    """`exponential_moving_standardize(data in microvolts, factor_new=1e-3, init_block_size=None, eps=1e-4)`."""
    scan = made_recording(seconds=20)
    frame = pd.DataFrame(1e6 * scan.data.astype(np.float64).T)
    demeaned = frame - frame.ewm(alpha=1e-3).mean()
    spread = np.sqrt((demeaned * demeaned).ewm(alpha=1e-3).mean())
    expected = (demeaned / np.maximum(1e-4, spread)).to_numpy().T
    np.testing.assert_allclose(ExponentialStandardize(factor=1e-3)(scan).data, expected, atol=1e-5)


def test_a_constant_channel_stays_zero():
    scan = made_recording(seconds=5)
    out = ExponentialStandardize()(scan.with_data(np.full_like(scan.data, 0.02)))
    assert np.abs(out.data).max() < 1e-3


@pytest.mark.parametrize("factor", [0, 1, -0.1, "x"])
def test_a_factor_outside_is_told(factor):
    with pytest.raises(NeuroloomError, match="factor must"):
        ExponentialStandardize(factor=factor)
