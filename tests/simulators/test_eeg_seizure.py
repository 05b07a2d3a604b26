"""Simulated seizures: where they lie, how they sound, what comes before, and room for long recordings."""

import numpy as np
import pytest
from scipy.signal import welch

from neuroloom.errors import NeuroloomError
from neuroloom.formats import spacious
from neuroloom.simulators.eeg_seizure import BUILD_UP, Epilepsy, discharge, simulate_seizures

SMALL = {"n_participants": 3, "hours": 0.5, "sampling_rate": 128.0, "bad_channels": 0.0}


def in_seizures(scan, label="seizure"):
    """Return a mask of the samples that lie in events of a label."""
    rate, mask = scan.geometry["sampling_rate"], np.zeros(scan.data.shape[1], dtype=bool)
    for onset, duration, name in scan.geometry["events"]:
        if name == label:
            mask[round(onset * rate) : round((onset + duration) * rate)] = True
    return mask


def test_the_rhythm_slows_from_first_to_last_frequency_and_grows():
    person = Epilepsy("left temporal", 60e-6, 10.0, 3.0, 0.5, 70e-6, 6e-6)
    wave = discharge(person, 80.0, 256.0, np.random.default_rng(0))
    for begin, expected in ((0.0, 10.0), (0.5, np.sqrt(30.0)), (0.92, 3.0 * (10 / 3) ** 0.05)):
        part = wave[int(begin * len(wave)) :][: int(0.08 * len(wave))]
        f, power = welch(part, 256.0, nperseg=len(part), nfft=8192)
        assert f[np.argmax(power)] == pytest.approx(expected, rel=0.12)
    assert wave[-2560:].std() > 3 * wave[:2560].std()
    assert np.abs(wave).max() == pytest.approx(60e-6, rel=0.02)


@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_electrodes_over_the_focus_tell_seizures_where_they_are_planted(effect):
    """Power from 2 to 12 Hz of each second; areas under the curve are those of seconds in seizures against the rest."""
    cohort, areas = simulate_seizures(**SMALL, artefacts=0.0, effect=effect), []
    for sample in cohort.samples:
        scan = cohort.load("eeg", sample)
        best = np.argmax(np.abs(cohort.inputs["eeg"].draw.maps(sample)["focus"]))
        seconds = scan.data[best].astype(float).reshape(-1, 128)
        spectrum = np.abs(np.fft.rfft(seconds * np.hanning(128), axis=1)) ** 2
        power, mask = spectrum[:, 2:13].sum(axis=1), in_seizures(scan).reshape(-1, 128).mean(axis=1) > 0.5
        ranks = np.argsort(np.argsort(power))
        areas.append((ranks[mask].mean() - (mask.sum() - 1) / 2) / (~mask).sum())
    if effect:
        assert np.mean(areas) > 0.75
    else:
        assert abs(np.mean(areas) - 0.5) < 0.1  # seconds follow each other: some 30 free ones a seizure, 3 seizures


def test_seizures_keep_their_distance_and_length_and_one_is_always_there():
    cohort = simulate_seizures(**SMALL | {"n_participants": 20, "hours": 24.0}, seizures_per_day=12.0)
    draw, counts = cohort.inputs["eeg"].draw, []
    for sample in cohort.samples:
        onsets, durations = draw.seizures(sample)
        assert np.all(np.diff(onsets) >= 1499.9)
        assert 20 <= durations.min() <= durations.max() <= 100
        assert onsets[-1] + durations[-1] < 24 * 3600 - 60
        counts.append(len(onsets))
    assert np.mean(counts) == pytest.approx(12, abs=4 * np.sqrt(12 / 20))
    rare = simulate_seizures(**SMALL, seizures_per_day=0.1)
    assert rare.truth["n_seizures"].tolist() == [1, 1, 1]


def test_recordings_between_seizures_hold_spikes_alone():
    cohort = simulate_seizures(**SMALL, seizures_per_day=0)
    for sample in cohort.samples:
        events = cohort.load("eeg", sample).geometry["events"]
        assert {label for *_, label in events} == {"spike"}
    assert cohort.truth["n_seizures"].tolist() == [0, 0, 0]
    assert cohort.truth["seizure_seconds"].tolist() == [0.0, 0.0, 0.0]


def test_spikes_are_as_high_as_asked_for_and_at_0_their_events_mark_nothing():
    how = SMALL | {"seizures_per_day": 0, "n_participants": 1, "n_runs": 1}
    drawn = {h: simulate_seizures(**how, spike_height=h) for h in (0.0, 1.0, 2.0)}
    [sample] = drawn[1.0].samples
    without, single, double = (drawn[h].load("eeg", sample) for h in drawn)
    assert without.geometry["events"] == single.geometry["events"]
    added = single.data.astype(np.float64) - without.data
    np.testing.assert_allclose(double.data - without.data, 2 * added, atol=2e-10 + 1e-4 * np.abs(added).max())
    rate, inside = single.geometry["sampling_rate"], np.zeros(added.shape[1], dtype=bool)
    for onset, duration, _ in single.geometry["events"]:
        inside[round(onset * rate) : round((onset + duration) * rate) + 1] = True
    assert np.abs(added[:, ~inside]).max() < 1e-9
    # the median of log-normal heights is the person's own, at the electrode of the largest
    heights = [np.abs(added[:, round(o * rate) : round((o + d) * rate)]).max() for o, d, _ in single.geometry["events"]]
    spread = 1.25 * 0.3 / np.sqrt(len(heights))
    assert abs(np.log(np.median(heights) / drawn[1.0].truth.loc[sample, "spike"])) < 4 * spread + 0.02


@pytest.mark.parametrize("preictal", [0.0, 1.0])
def test_spikes_come_as_often_as_the_build_up_says(preictal):
    cohort = simulate_seizures(**SMALL | {"n_participants": 12, "hours": 24.0}, preictal=preictal, seizures_per_day=6.0)
    draw, expected, seen = cohort.inputs["eeg"].draw, 0.0, 0
    for sample in cohort.samples:
        onsets, durations = draw.seizures(sample)
        spikes = draw.spikes(sample)
        per_second = cohort.truth.loc[sample, "spikes"] / 60
        for onset, before, length in zip(onsets[1:], onsets[:-1], durations[:-1], strict=True):
            begin = max(before + length, onset - BUILD_UP)
            share = 1 - (onset - begin) / BUILD_UP  # of the way up, where the stretch begins
            expected += per_second * (onset - 1 - begin) * (1 + 4 * preictal * (1 + share) / 2)
            seen += np.sum((spikes > begin) & (spikes < onset - 1))
    assert seen == pytest.approx(expected, abs=4 * np.sqrt(expected) + 0.01 * expected)


def test_the_other_side_joins_later():
    draw = simulate_seizures(**SMALL).inputs["eeg"].draw
    sample = "sub-001_ses-01_run-01"
    moments = draw.discharges(sample, draw.maps(sample))
    onsets, durations = draw.seizures(sample)
    assert moments.starts[0] == round(onsets[0] * 128)
    assert moments.starts[2] == pytest.approx((onsets[0] + 0.45 * durations[0]) * 128, abs=2)
    names = draw.cap.names
    focus, across = (names[np.argmax(np.abs(moments.maps[n]))] for n in (0, 2))
    assert (int(focus[-1]) % 2) != (int(across[-1]) % 2)  # odd electrodes lie left


def test_a_long_recording_lies_in_a_file_with_the_same_numbers(monkeypatch):
    cohort = simulate_seizures(**SMALL | {"n_participants": 1})
    held = cohort.load("eeg", cohort.samples[0]).data
    monkeypatch.setattr(spacious, "HELD_BYTES", 0)
    filed = cohort.load("eeg", cohort.samples[0]).data
    assert isinstance(filed, np.memmap)
    assert filed.tobytes() == held.tobytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hours": 0.1}, "0.25 to 48"),
        ({"seizures_per_day": -1}, "0 or more"),
        ({"spike_height": 4.0}, "spike_height is a factor from 0 to 3"),
        ({"preictal": -1}, "preictal is a factor"),
        ({"n_runs": 0}, "n_runs must be a whole number"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        simulate_seizures(**arguments)
