"""Eye artefacts: planted blinks go, the brain under them stays."""

import numpy as np
import pytest
from made_eeg import made_recording, places, with_channel

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.series_filter import Filter
from neuroloom.transforms.series_ica_clean import IcaClean


@pytest.fixture(scope="module")
def blinking():
    return made_blinking(3)


def made_blinking(seed):
    """Return a recording with blinks of 160 microvolts in front, the same without, and the blinks.

    It has fewer sources than channels, as ICA supposes; with more, something of the frontal brain goes too.
    """
    brain = Filter(high_pass=1.0, low_pass=40.0)(made_recording(seconds=120, seed=seed, n_sources=24, noise=0.5e-6))
    rng, n = np.random.default_rng(seed), brain.data.shape[1]
    starts = np.zeros(n)
    starts[rng.integers(256, n - 256, size=35)] = rng.uniform(0.6, 1.2, size=35)
    blinks = np.convolve(starts, np.hanning(80), mode="same")  # 0.3 s each
    blinks -= blinks.mean()
    front = np.clip(places()[:, 1] / 0.095, 0, None) ** 2
    data = brain.data + (160e-6 * front[:, None] * blinks).astype(np.float32)
    eye = 200e-6 * blinks + 5e-6 * rng.standard_normal(n)
    return with_channel(brain.with_data(data), eye, "EOG", "eog"), brain.data, blinks


def correlation(series, other):
    return np.array([np.corrcoef(one, other)[0, 1] for one in series])


@pytest.mark.parametrize("eog", [None, "EOG", ["Fp1", "Fp2"]])
def test_blinks_go_and_the_brain_stays(blinking, eog):
    scan, brain, blinks = blinking
    assert np.abs(correlation(scan.data[:3], blinks)).min() > 0.5
    out = IcaClean(eog=eog, max_iterations=100)(scan)
    assert np.abs(correlation(out.data[:32], blinks)).max() < 0.1
    assert np.corrcoef(out.data[:32].ravel(), brain.ravel())[0, 1] > 0.98
    kept = [np.corrcoef(one, truth)[0, 1] for one, truth in zip(out.data[:32], brain, strict=True)]
    assert np.median(kept) > 0.999
    assert min(kept) > 0.9  # in front, where a blink is five times the brain
    np.testing.assert_array_equal(out.data[32], scan.data[32])
    assert out.geometry["rank"] == 31
    assert {one["component"] for one in out.geometry["removed_components"]} == {
        out.geometry["removed_components"][0]["component"]
    }


def test_nothing_is_removed_where_the_eyes_are_still(blinking):
    _, brain, _ = blinking
    still = with_channel(
        made_recording(seconds=120).with_data(brain),
        np.random.default_rng(0).standard_normal(brain.shape[1]),
        "EOG",
        "eog",
    )
    out = IcaClean(max_iterations=100)(still)
    assert out.geometry["removed_components"] == []
    np.testing.assert_array_equal(out.data, still.data)


def test_the_same_seed_gives_the_same_bytes(blinking):
    scan, _, _ = blinking
    np.testing.assert_array_equal(
        IcaClean(seed=4, max_iterations=30)(scan).data, IcaClean(seed=4, max_iterations=30)(scan).data
    )


def test_that_it_did_not_come_to_rest_is_told(blinking):
    scan, _, _ = blinking
    assert not IcaClean(max_iterations=1)(scan).geometry["ica_at_rest"]


def test_what_cannot_be_is_told():
    with pytest.raises(NeuroloomError, match=r"no channel of type eog.*eog: \[Fp1, Fp2\]"):
        IcaClean()(made_recording(seconds=12))
    with pytest.raises(NeuroloomError, match="needs 10 s at least"):
        IcaClean(eog="Fp1")(made_recording(seconds=5))
