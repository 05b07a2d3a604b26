"""Long recordings: what lies in a file and is walked through in pieces gives the same as what is held."""

import json

import numpy as np
import pytest
from made_eeg import made_recording, with_channel
from scipy import signal

from neuroloom.formats import spacious
from neuroloom.parts import Part
from neuroloom.transforms import cache
from neuroloom.transforms.chain import ScanChain
from neuroloom.transforms.facts import facts
from neuroloom.transforms.series_crop import CropSeries
from neuroloom.transforms.series_regions import constant_regions, unknown_regions
from neuroloom.transforms.series_sections import forward_backward

PARTS = [
    {"name": "filter", "high_pass": 0.5, "low_pass": 40.0, "notch": 50},
    {"name": "filter", "high_pass": 0.5, "form": "causal"},
    {"name": "resample_series", "rate": 100},
    {"name": "resample_series", "rate": 128, "form": "causal"},
    {"name": "reference"},
    {"name": "pick", "names": ["Cz", "POz", "EOG"], "missing": "interpolate"},
    {"name": "bad_channels", "do": "drop"},
    {"name": "bad_channels", "do": "interpolate"},
    {"name": "ica_clean"},
    {"name": "scale_robust", "clip": 20},
    {"name": "exponential_standardize"},
    {"name": "crop_series", "length_s": 10, "start_s": 2.5},
]


@pytest.fixture(scope="module")
def scan():
    made = made_recording(seconds=30, events=[[1.0, 0.0, "a"], [2.0, 1.0, "b"], [11.0, 4.0, "c"], [14.0, 0.0, "d"]])
    data = made.data.copy()
    data[5] *= 9
    eye = data[0] + 1e-6 * np.random.default_rng(0).standard_normal(data.shape[1])
    return with_channel(made.with_data(data), eye, "EOG", "eog")


def in_a_file(array):
    room = spacious.empty(array.shape, array.dtype)
    room[:] = array
    return room


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part["name"])
def test_room_in_a_file_gives_the_same_bytes(monkeypatch, scan, part):
    step = ScanChain([Part(**part)])
    held = step(scan)
    monkeypatch.setattr(spacious, "HELD_BYTES", 0)
    far = step(scan.with_data(in_a_file(scan.data)))
    assert isinstance(far.data, np.memmap)
    assert far.data.tobytes() == held.data.tobytes()
    assert far.geometry == held.geometry


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part["name"])
def test_short_pieces_give_the_same_numbers(monkeypatch, scan, part):
    step = ScanChain([Part(**part)])
    whole = step(scan)
    monkeypatch.setattr(spacious, "BLOCK_BYTES", 8 * 33 * 1013)  # no multiple of a second
    pieces = step(scan)
    np.testing.assert_allclose(pieces.data, whole.data, atol=3e-7 * np.abs(whole.data).max())
    assert pieces.geometry == whole.geometry


def test_facts_and_flat_channels_are_the_same_in_short_pieces(monkeypatch):
    scan = made_recording(seconds=10)
    data = scan.data.copy()
    data[2], data[3, 9], data[4, 2000], data[5] = 3.0, np.nan, np.nan, 0
    expected = facts(scan.with_data(data))
    assert (expected["n_constant"], expected["n_nan"]) == (2, 2)
    monkeypatch.setattr(spacious, "BLOCK_BYTES", 8 * 32 * 77)
    assert facts(scan.with_data(data)) == expected
    assert np.flatnonzero(constant_regions(data)).tolist() == [2, 5]
    assert np.flatnonzero(unknown_regions(data)).tolist() == [3, 4]


def test_the_cache_writes_a_long_recording_piece_by_piece(monkeypatch, tmp_path):
    scan = made_recording(seconds=10)
    monkeypatch.setattr(spacious, "HELD_BYTES", 0)
    monkeypatch.setattr(spacious, "BLOCK_BYTES", 8 * 999)
    path = tmp_path / "a" / "one.npy"
    cache._write(path, scan.with_data(in_a_file(scan.data)), {"n": 1.0})
    np.testing.assert_array_equal(np.load(path), scan.data)
    assert json.loads(path.with_suffix(".json").read_text())["facts"] == {"n": 1.0}


def test_forward_and_backward_is_scipys(monkeypatch):
    monkeypatch.setattr(spacious, "BLOCK_BYTES", 8 * 1000)
    series = np.cumsum(np.random.default_rng(0).standard_normal(20_000))
    sections = signal.butter(4, [0.5, 40], "bandpass", fs=256, output="sos")
    expected = signal.sosfiltfilt(sections, series, padlen=512)
    np.testing.assert_allclose(forward_backward(sections, series, 512), expected, atol=1e-12 * np.abs(series).max())


def test_events_are_cropped_with_their_recording(scan):
    out = CropSeries(length_s=10, start_s=2.5)(scan)
    np.testing.assert_array_equal(out.data, scan.data[:, 640:3200])
    assert out.geometry["events"] == [[0.0, 0.5, "b"], [8.5, 1.5, "c"]]
