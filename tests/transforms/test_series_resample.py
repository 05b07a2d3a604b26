"""Resampling: waves in closed form, nothing folded back, lengths and places of events."""

import numpy as np
import pytest
from made_eeg import made_recording

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.series_resample import ResampleSeries


def wave(frequency, rate, seconds=40.0, level=0.0):
    t = np.arange(round(seconds * rate)) / rate
    data = (level + np.sin(2 * np.pi * frequency * t))[None].astype(np.float32)
    return Scan(data, "series", {"sampling_rate": rate, "names": ["Cz"], "events": [[12.34, 0.5, "go"]]})


@pytest.mark.parametrize(
    ("old", "new"), [(256.0, 128.0), (512.0, 100.0), (1000.0, 256.0), (128.0, 250.0), (255.97, 200.0)]
)
def test_a_slow_wave_stays_where_it_is(old, new):
    frequency = 0.7 * min(old, new) / 2
    out = ResampleSeries(new)(wave(frequency, old))
    t = np.arange(out.data.shape[1]) / new
    inner = (t > 1) & (t < 39)
    np.testing.assert_allclose(out.data[0, inner], np.sin(2 * np.pi * frequency * t[inner]), atol=2e-3)
    assert out.geometry["sampling_rate"] == new
    assert out.geometry["events"] == [[12.34, 0.5, "go"]]


@pytest.mark.parametrize("frequency", [51.0, 60.0, 90.0, 120.0])
def test_a_fast_wave_is_not_folded_back(frequency):
    out = ResampleSeries(100.0)(wave(frequency, 512.0)).data[0, 200:-200]
    assert np.abs(out).max() < 10 ** (-70 / 20)  # designed: 80 dB


@pytest.mark.parametrize("n", [5000, 5001, 5002, 5003])
@pytest.mark.parametrize(("old", "new"), [(256, 100), (500, 128), (128, 256), (1000, 333.3)])
def test_length_is_the_old_one_in_the_new_rate(n, old, new):
    scan = Scan(np.zeros((2, n), np.float32), "series", {"sampling_rate": float(old)})
    assert ResampleSeries(new)(scan).data.shape == (2, round(n * new / old))


def test_an_offset_and_a_drift_have_no_edges():
    scan = wave(1.0, 256.0, level=1e4)
    drift = scan.with_data(scan.data + np.linspace(0, 50, scan.data.shape[1], dtype=np.float32))
    out = ResampleSeries(64.0)(drift).data[0]
    t = np.arange(len(out)) / 64
    expected = 1e4 + np.sin(2 * np.pi * t) + 50 * t * 256 / (scan.data.shape[1] - 1)
    np.testing.assert_allclose(out, expected, atol=0.02)


def test_the_causal_form_keeps_amplitudes_below_and_drops_what_is_above():
    low, high = wave(5.0, 512.0), wave(70.0, 512.0)
    out = ResampleSeries(128.0, form="causal")(low)
    assert out.data.shape == (1, 5120)
    assert np.abs(out.data[0, 1000:]).max() == pytest.approx(1, abs=0.01)
    assert np.abs(ResampleSeries(128.0, form="causal")(high).data[0, 1000:]).max() < 0.1
    with pytest.raises(NeuroloomError, match="512 Hz is no multiple of 100 Hz"):
        ResampleSeries(100.0, form="causal")(low)


def test_the_same_rate_leaves_every_byte():
    scan = made_recording(seconds=3)
    assert ResampleSeries(256)(scan).data is scan.data


def test_a_rate_far_above_is_told():
    with pytest.raises(NeuroloomError, match="more than twice the recording's 128 Hz"):
        ResampleSeries(1000)(wave(5.0, 128.0))
    with pytest.raises(NeuroloomError, match="rate must be a number above 0"):
        ResampleSeries(0)
