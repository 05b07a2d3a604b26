"""Filtering: gains and delays in closed form, the same numbers as scipy and mne, and the same live."""

import numpy as np
import pytest
from made_eeg import as_raw, made_recording, with_channel
from scipy import signal

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.series_filter import Filter

RATE = 250.0


def wave(frequency, seconds=40.0, level=0.0):
    t = np.arange(round(seconds * RATE)) / RATE
    data = level + np.sin(2 * np.pi * frequency * t)[None]
    return t, Scan(data.astype(np.float32), "series", {"sampling_rate": RATE, "names": ["Cz"]})


@pytest.mark.parametrize("frequency", [0.5, 1.0, 4.0, 10.0, 30.0, 40.0, 60.0])
def test_zero_phase_gain_is_the_square_of_butterworths_and_there_is_no_delay(frequency):
    t, scan = wave(frequency)
    out = Filter(high_pass=1.0, low_pass=40.0)(scan).data[0]
    w = np.tan(np.pi * np.array([frequency, 1.0, 40.0]) / RATE)  # the bilinear transform's frequencies
    gain = 1 / (1 + ((w[0] ** 2 - w[1] * w[2]) / (w[0] * (w[2] - w[1]))) ** 8)  # |H|^2 of order 4
    middle = (t > 10) & (t < 30)  # whole periods, away from the ends
    both = np.array([np.sin(2 * np.pi * frequency * t[middle]), np.cos(2 * np.pi * frequency * t[middle])])
    fitted = 2 * both @ out[middle] / middle.sum()
    np.testing.assert_allclose(fitted, [gain, 0], atol=2e-3)


def test_same_numbers_as_mne_with_its_padding():
    scan = made_recording(seconds=20)
    raw = as_raw(scan)
    sections = signal.butter(4, [1.0, 40.0], "bandpass", fs=256.0, output="sos")
    expected = signal.sosfiltfilt(sections, scan.data.astype(float), axis=1, padlen=256)
    out = Filter(high_pass=1.0, low_pass=40.0)(scan).data
    np.testing.assert_allclose(out, expected, atol=1e-7 * np.abs(expected).max())
    iir = {"order": 4, "ftype": "butter", "output": "sos"}
    peer = raw.filter(1.0, 40.0, method="iir", iir_params=iir, verbose="error").get_data()
    inner = slice(512, -512)  # the two continue the ends differently
    np.testing.assert_allclose(out[:, inner], peer[:, inner], atol=2e-3 * peer.std())


def test_a_notch_takes_out_the_mains_and_leaves_its_neighbours():
    for frequency, gain in ((50.0, 0.0), (100.0, 0.0), (45.0, 1.0), (10.0, 1.0), (51.0, 0.5)):  # edge: half, twice 3 dB
        t, scan = wave(frequency)
        out = Filter(notch=[50.0, 100.0], notch_width=2.0)(scan).data[0]
        middle = (t > 10) & (t < 30)
        assert np.sqrt(2 * np.mean(out[middle] ** 2)) == pytest.approx(gain, abs=0.04)


def test_an_offset_of_the_amplifier_leaves_no_ringing_at_the_ends():
    _, scan = wave(10.0, level=2e4)
    for form in ("zero_phase", "causal"):
        out = Filter(high_pass=0.5, form=form)(scan).data
        assert np.abs(out).max() < 1.5


def test_the_causal_form_does_not_look_ahead():
    scan = made_recording(seconds=4)
    changed = scan.data.copy()
    changed[:, 600:] = 1e-3
    one = Filter(high_pass=1.0, low_pass=40.0, form="causal")
    np.testing.assert_array_equal(one(scan).data[:, :600], one(scan.with_data(changed)).data[:, :600])
    assert one.causal
    assert not Filter(high_pass=1.0).causal


def test_triggers_are_left_as_they_are():
    steps = (np.arange(256 * 20) // 700 % 2).astype(float)
    scan = with_channel(made_recording(seconds=20), steps, "STI", "misc")
    for form in ("zero_phase", "causal"):
        np.testing.assert_array_equal(Filter(high_pass=1.0, form=form)(scan).data[-1], steps.astype(np.float32))


def test_a_bad_channel_may_hold_nan_and_another_may_not():
    scan = made_recording(seconds=4)
    data = scan.data.copy()
    data[3, 17] = np.nan
    for form in ("zero_phase", "causal"):
        one = Filter(high_pass=1.0, form=form)
        with pytest.raises(NeuroloomError, match=r"not numbers.*AF3.*bad_channels"):
            one(scan.with_data(data))
        out = one(scan.with_data(data, bad={"AF3": "not a number"})).data
        np.testing.assert_array_equal(np.delete(out, 3, axis=0), np.delete(one(scan).data, 3, axis=0))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "needs high_pass, low_pass or notch"),
        ({"high_pass": 40.0, "low_pass": 1.0}, "in this order between 0 and 125 Hz"),
        ({"low_pass": 200.0}, "between 0 and 125 Hz"),
        ({"notch": 130}, "does not lie between 0 and 125 Hz"),
        ({"low_pass": "40 Hz"}, "low_pass must be a number above 0, but is '40 Hz'"),
        ({"low_pass": 40, "order": 0}, "order must be a whole number"),
        ({"low_pass": 40, "form": "linear"}, "Unknown form of filter"),
    ],
)
def test_wrong_settings_are_told(arguments, match):
    with pytest.raises(NeuroloomError, match=match):
        Filter(**arguments)(wave(10.0)[1])


def test_a_short_series_is_told():
    with pytest.raises(NeuroloomError, match="10 samples, and this filter needs more than"):
        Filter(low_pass=40.0)(wave(10.0, seconds=0.04)[1])
