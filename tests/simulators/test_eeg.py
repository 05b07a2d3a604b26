"""What all simulated EEG shares: artefacts where they belong, a background like a real one, long recordings."""

import mne
import numpy as np
import pytest
from scipy.signal import butter, csd, sosfiltfilt, welch

from neuroloom.formats import spacious
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import (
    Cap,
    alpha,
    background,
    bad_of,
    cross_spectrum,
    everyday,
    recorded,
    summed,
    traits,
)
from neuroloom.simulators.eeg_artefacts import FLAT, Moments, blinks, eye_map, poisson_times
from neuroloom.simulators.eeg_head import head


def resting(cap, duration, number=1, seed=0):
    key = (seed, "test", f"sub-{number:03d}", "ses-01", "run-01")
    person = traits(generator(*key[:3], "traits"))
    streams = [*everyday(person, cap, duration, key), background(person, cap, generator(*key, "background"))]
    return person, recorded(
        [*streams, alpha(person, cap, key).steps(cap.rate, generator(*key, "alpha"))], cap, duration, key, []
    )


def test_blinks_fade_from_the_forehead_to_the_back():
    """Some third of a blink reaches F3, a tenth the vertex, next to nothing the back (Lins et al. 1993)."""
    at = dict(zip(head().names, eye_map([0.0, 0.5, 1.0]), strict=True))
    assert at["Fp1"] == pytest.approx(1.0, abs=0.1)
    assert 0.15 < at["F3"] < 0.45
    assert 0.02 < at["Cz"] < 0.2
    assert abs(at["O1"]) < 0.1
    assert at["F3"] == pytest.approx(at["F4"], rel=0.15)


def test_looks_to_the_right_are_positive_at_the_right():
    at = dict(zip(head().names, eye_map([1.0, 0.0, 0.0]), strict=True))
    assert at["F8"] > 0.5
    assert at["F8"] == pytest.approx(-at["F7"], rel=0.15)
    assert abs(at["Cz"]) < 0.05


def test_blinks_come_as_often_and_as_high_as_asked():
    duration, rate = 3600.0, 100.0
    moments = blinks(duration, rate, [0], 15.0, 1e-4, np.random.default_rng(0))
    expected = 15 * 60 / (1 + 15 / 60 * 0.5)  # less than the Poisson rate by those that would follow within 0.5 s
    assert len(moments.starts) == pytest.approx(expected, abs=4 * np.sqrt(expected))
    heights = np.log([wave.max() / 1e-4 for wave in moments.waves])
    assert heights.mean() == pytest.approx(0.0, abs=4 * 0.2 / np.sqrt(len(heights)) + 0.01)
    assert np.diff(poisson_times(60.0, 600.0, np.random.default_rng(1))).min() >= 0.5


def test_waves_are_whole_across_steps():
    starts, length = np.array([10, 8100, 8190, 16000]), 700
    moments = Moments(starts, [np.arange(1.0, length + 1)] * 4, np.ones((4, 2)))
    stream = moments.steps()
    whole = np.concatenate([next(stream) for _ in range(3)], axis=1)
    expected = np.zeros(whole.shape[1])
    for start in starts:
        expected[start : start + length] += np.arange(1.0, length + 1)
    np.testing.assert_array_equal(whole, [expected, expected])


@pytest.mark.parametrize("frequency", [50.0, 60.0])
def test_the_mains_are_as_large_as_the_person_s(frequency):
    logs, hums = [], []
    for number in range(1, 7):
        person, scan = resting(Cap(19, 256.0, mains=frequency, artefacts=0.0, bad_channels=0.0), 64.0, number)
        f, power = welch(scan.data, 256.0, nperseg=512, scaling="spectrum")
        around = power[:, np.abs(f - frequency) == 3.0].mean(axis=1)
        logs.append(np.log(power[:, f == frequency][:, 0] - around) / 2)
        hums.append(np.log(person.hum))
    error = 0.6 / np.sqrt(6 * 19)  # spread of log size between channels
    assert np.mean(logs) == pytest.approx(np.mean(hums), abs=4 * error + 0.04)  # it waxes and wanes by a fifth
    _, scan = resting(Cap(19, 250.0, mains=0.0), 60.0)
    f, power = welch(scan.data, 250.0, nperseg=500)
    assert np.median(power[:, f == 50.0] / power[:, f == 48.0]) == pytest.approx(1.0, abs=0.2)


def test_the_cross_spectrum_is_that_of_what_is_drawn():
    """The mean power of Welch's segments, against the density that the best rules are computed from."""
    cap = Cap(19, 128.0, mains=0.0, artefacts=0.0, bad_channels=0.0)
    person, scan = resting(cap, 2000.0)
    f, measured = csd(scan.data[3], scan.data, 128.0, nperseg=512)
    kept = (f > 2) & (f < 50)
    key = (0, "test", "sub-001", "ses-01", "run-01")
    expected = cross_spectrum(person, cap, key, f[kept])  # (frequency, channel, channel)
    size = np.sqrt(expected[:, 3, 3][:, None] * np.diagonal(expected, axis1=1, axis2=2))
    error = 1 / np.sqrt(2 * 2000 * 128 / 512)
    assert np.all(np.abs(measured.real.T[kept] - expected[:, 3]) < 6 * error * size)


def test_a_bad_channel_is_flat_or_noisy_and_named():
    cap = Cap(19, 128.0, bad_channels=1.0)
    kinds = set()
    for number in range(1, 9):
        _, scan = resting(cap, 30.0, number)
        name, kind = bad_of(cap, (0, "test", f"sub-{number:03d}", "ses-01", "run-01"))
        spread = scan.data.std(axis=1)
        row = scan.geometry["names"].index(name)
        assert spread[row] == pytest.approx(FLAT, rel=0.1) if kind == "flat" else spread[row] > 40e-6
        kinds.add(kind)
    assert kinds == {"flat", "noisy"}
    few = [bad_of(Cap(19, 128.0, bad_channels=0.1), (0, "test", f"sub-{n}", "s", "r")) for n in range(2000)]
    assert np.mean([one is not None for one in few]) == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 2000))


def test_alpha_peaks_at_the_person_s_frequency_behind():
    for number in (1, 2, 3):
        person, scan = resting(Cap(64, 128.0, artefacts=0.0, bad_channels=0.0), 120.0, number)
        f, power = welch(scan.data, 128.0, nperseg=512)
        band = (f >= 7) & (f <= 13)
        names = np.array(scan.geometry["names"])
        flat = power * f**person.exponent  # the background's fall taken out
        ratio = flat[:, band].max(axis=1) / np.median(flat[:, (f > 15) & (f < 40)], axis=1)
        assert names[np.argmax(ratio)][0] in "PO"
        assert f[band][np.argmax(flat[np.argmax(ratio)][band])] == pytest.approx(person.alpha_frequency, abs=1.0)


def test_a_recording_in_a_file_has_the_same_numbers(monkeypatch):
    cap = Cap(19, 100.0, mains=0.0)
    _, held = resting(cap, 200.0)
    monkeypatch.setattr(spacious, "HELD_BYTES", 0)
    _, filed = resting(cap, 200.0)
    assert isinstance(filed.data, np.memmap)
    assert filed.data.tobytes() == held.data.tobytes()
    assert len(summed([iter([np.ones((2, 8192), np.float32)])], 2, 5)[0]) == 5


def test_geometry_is_that_of_a_recording():
    _, scan = resting(Cap(32, 128.0), 10.0)
    told = scan.geometry
    assert len(told["names"]) == len(told["types"]) == len(told["positions"]) == len(scan.data) == 32
    assert (told["unit"], told["sampling_rate"], set(told["types"])) == ("V", 128.0, {"eeg"})
    assert scan.data.dtype == np.float32
    fp1, o1 = (told["positions"][told["names"].index(name)] for name in ("Fp1", "O1"))
    assert fp1[1] > 0.08 > 0 > o1[1]  # m: y points to the nose


def apart_and_alike(data, positions):
    """Return the mean correlation of channels against their average, by distance: below 4, 4-6, 6-9, 12-15 cm."""
    correlation = np.corrcoef(data - data.mean(axis=0))
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=2) * 100
    upper = np.triu_indices(len(data), 1)
    edges = ((0, 4), (4, 6), (6, 9), (12, 15))
    return [correlation[upper][(distance[upper] >= a) & (distance[upper] < b)].mean() for a, b in edges]


def gauges(data, rate, names):
    """Return what describes a recording (V): size, slope, alpha and how alike channels are."""
    rows = [n for n, name in enumerate(names) if name in head().names]
    names = [names[n] for n in rows]
    behind = [n for n, name in enumerate(names) if name in ("Pz", "POz", "O1", "O2", "Oz")]
    filtered = sosfiltfilt(butter(4, [1, 40], "bandpass", fs=rate, output="sos"), data[rows] * 1e6)
    filtered -= filtered.mean(axis=0)  # the references differ
    f, power = welch(filtered, rate, nperseg=int(4 * rate))
    rest = ((f >= 2) & (f <= 6)) | ((f >= 15) & (f <= 35))
    lines = [np.polyfit(np.log(f[rest]), np.log(row[rest]), 1) for row in power]
    band = (f >= 8) & (f <= 13)
    over = [
        np.log10(row[band].max() / np.exp(np.polyval(line, np.log(10.0))))
        for row, line in zip(power, lines, strict=True)
    ]
    return {
        "size": float(np.median(1.4826 * np.median(np.abs(filtered), axis=1))),
        "slope": float(np.median([line[0] for line in lines])),
        "alpha": float(np.median(np.array(over)[behind])),
        "alike": apart_and_alike(filtered, head().positions[head().rows(names)]),
    }


@pytest.mark.real_data
def test_people_at_rest_are_like_a_real_one(real_data):
    """The real person lies among 12 drawn ones (within 3 of their standard deviations, or of what one recording tells)."""
    path = real_data / "eeg" / "eeglab_sample" / "eeglab_data.set"
    if not path.is_file():
        pytest.skip(f"no {path}")
    raw = mne.io.read_raw_eeglab(path, preload=True, verbose="error")
    real = gauges(raw.get_data(), raw.info["sfreq"], raw.ch_names)
    cap = Cap(32, 128.0, mains=60.0, bad_channels=0.0)
    ours = [
        gauges(scan.data.astype(float), 128.0, cap.names) for _, scan in (resting(cap, 120.0, n) for n in range(12))
    ]
    for gauge, least in (("size", 0.0), ("slope", 0.1), ("alpha", 0.1)):
        values = np.array([one[gauge] for one in ours])
        assert abs(real[gauge] - values.mean()) < 3 * max(values.std(ddof=1), least), (gauge, real[gauge], values)
    np.testing.assert_allclose(np.mean([one["alike"] for one in ours], axis=0), real["alike"], atol=0.15)
