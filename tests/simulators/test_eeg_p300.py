"""The simulated speller: what flashes, what answers, and how well a linear rule can tell."""

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from neuroloom.errors import NeuroloomError
from neuroloom.simulators import eeg_p300
from neuroloom.simulators.eeg_p300 import (
    HEIGHT_JITTER,
    LATENCY_JITTER,
    LETTERS,
    MISSED,
    WIDTH,
    bell,
    best_auc,
    simulate_p300,
)

SMALL = {"n_participants": 2, "n_runs": 1, "n_letters": 2, "n_rounds": 3, "n_channels": 19, "sampling_rate": 128.0}


def flashes_of(cohort, samples):
    """Return 0 to 0.8 s after each flash (flash, channel, time), in microvolts from 0.5 to 12 Hz, and which are awaited."""
    windows, awaited = [], []
    for sample in samples:
        scan = cohort.load("eeg", sample)
        rate = scan.geometry["sampling_rate"]
        filtered = sosfiltfilt(butter(4, [0.5, 12], "bandpass", fs=rate, output="sos"), scan.data.astype(float) * 1e6)
        for onset, _, label in scan.geometry["events"]:
            begin = round(onset * rate)
            windows.append(filtered[:, begin : begin + int(0.8 * rate)])
            awaited.append(label.startswith("target"))
    return np.array(windows), np.array(awaited)


def test_each_round_flashes_every_line_once_and_the_letter_s_two_are_awaited():
    cohort = simulate_p300(**SMALL | {"n_letters": 3})
    told = [label.split("|") for _, _, label in cohort.load("eeg", cohort.samples[0]).geometry["events"]]
    assert len(told) == 3 * 3 * 12
    word = cohort.truth["word"].iloc[0]
    for first in range(0, len(told), 12):
        turn = told[first : first + 12]
        assert len({line for _, line, _, _ in turn}) == 12
        row, column = (
            [line for kind, line, _, _ in turn if kind == "target" and line.startswith(w)] for w in ("row", "column")
        )
        letter = LETTERS[6 * (int(row[0][4:]) - 1) + int(column[0][7:]) - 1]
        assert len(row) == len(column) == 1
        assert {tuple(end) for _, _, *end in turn} == {(f"trial {first // 36 + 1}", f"letter {letter}")}
        assert word[first // 36] == letter


def test_awaited_flashes_differ_by_the_planted_waves():
    """Mean height: that of the noticed times their share; jitter of a bell widens it and lowers its top."""
    cohort = simulate_p300(
        n_participants=1, n_runs=6, n_rounds=20, interval=1.0, n_channels=19, artefacts=0, mains=0, bad_channels=0,
        sampling_rate=128.0,
    )  # fmt: skip
    draw, truth = cohort.inputs["eeg"].draw, cohort.truth.iloc[0]
    windows, awaited = [], []
    for sample in cohort.samples:
        scan = cohort.load("eeg", sample)
        for onset, _, label in scan.geometry["events"]:
            begin = round(onset * 128)
            windows.append(scan.data[:, begin - 13 : begin + 102].astype(float))
            awaited.append(label.startswith("target"))
    windows, awaited = np.array(windows), np.array(awaited)
    windows -= windows[:, :, :13].mean(axis=2, keepdims=True)
    maps, times = draw.maps(cohort.samples[0]), np.arange(102) / 128
    best = np.argmax(maps["p300"])
    wide = np.hypot(WIDTH, LATENCY_JITTER)
    mean = (1 - MISSED) * bell(times, truth["p300_latency"], wide) * WIDTH / wide * truth["p300"] * maps["p300"][best]
    wide = np.hypot(0.025, LATENCY_JITTER / 3)
    mean -= (1 - MISSED) * bell(times, 0.21, wide) * 0.025 / wide * truth["n200"] * maps["n200"][best]
    late = windows[:, best, 13:]
    difference = late[awaited].mean(axis=0) - late[~awaited].mean(axis=0)
    error = np.sqrt(late[awaited].var(axis=0) / awaited.sum() + late[~awaited].var(axis=0) / (~awaited).sum())
    assert np.all(np.abs(difference - mean) < 4.5 * error)
    assert np.max(mean / error) > 4  # it can be seen
    at = cohort.load("eeg", cohort.samples[0]).geometry["names"]
    assert at[best] in ("Pz", "CPz", "CP1", "CP2", "P1", "P2")


def test_the_n200_is_negative_beside_the_visual_cortex_and_earlier():
    draw = simulate_p300(**SMALL | {"n_channels": 64}).inputs["eeg"].draw
    names, maps = draw.cap.names, draw.maps("sub-001_ses-01_run-01")
    waves = draw.waves(draw.person("sub-001")[1])
    assert {names[n] for n in np.argsort(maps["n200"])[-4:]} <= {"P7", "P8", "PO7", "PO8", "P9", "P10", "P5", "P6"}
    assert waves["n200"][0] < 0 < waves["p300"][0]
    assert waves["n200"][1] < waves["p300"][1]


def test_separation_in_white_noise_is_energy_over_variance(monkeypatch):
    """d'^2 = sum of squares / variance, where the noise is white and alike in all channels."""
    draw = simulate_p300(**SMALL).inputs["eeg"].draw
    sample, variance, rate = "sub-001_ses-01_run-01", 25e-12, 128.0

    def white(person, cap, key, frequencies):
        return np.broadcast_to(np.eye(19) * variance / (rate / 2), (len(frequencies), 19, 19))

    monkeypatch.setattr(eeg_p300, "cross_spectrum", white)
    person = draw.person("sub-001")[1]
    times = np.arange(512) / rate
    waves = draw.waves(person)
    response = sum(np.outer(draw.maps(sample)[name], h * bell(times, t, w)) for name, (h, t, w) in waves.items())
    response -= response.mean(axis=1, keepdims=True)  # frequency 0 is not counted: drifts hide it
    expected = np.sqrt((response**2).sum() / variance)
    assert draw.separation(sample) == pytest.approx(expected, rel=1e-3)


def test_best_auc_is_that_of_normal_scores():
    rng = np.random.default_rng(0)
    factors = np.maximum(1 + HEIGHT_JITTER * rng.standard_normal(4000), 0) * (rng.random(4000) >= MISSED)
    scores = np.concatenate([1.7 * factors + rng.standard_normal(4000), rng.standard_normal(20_000)])
    reached = roc_auc_score(np.arange(24_000) < 4000, scores)
    assert best_auc(1.7) == pytest.approx(reached, abs=0.02)
    assert best_auc(0.0) == 0.5


@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_a_decoder_finds_what_is_planted_and_nothing_else(effect):
    cohort = simulate_p300(n_participants=3, n_runs=3, n_letters=4, effect=effect, sampling_rate=128.0, bad_channels=0)
    scores, truth = [], []
    for _, rows in cohort.table.groupby("participant_id"):
        windows, awaited = flashes_of(cohort, rows.index[:-1])
        unseen, told = flashes_of(cohort, rows.index[-1:])

        def features(windows):
            return (
                windows[:, :, :102]
                .reshape(len(windows), windows.shape[1], 17, 6)
                .mean(axis=3)
                .reshape(len(windows), -1)
            )

        learnt = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(features(windows), awaited)
        scores.append(roc_auc_score(told, learnt.decision_function(features(unseen))))
        truth.append(told)
    n_targets = sum(told.sum() for told in truth)
    n_others = sum((~told).sum() for told in truth)
    error = np.sqrt((n_targets + n_others + 1) / (12 * n_targets * n_others))  # of the statistic of Mann and Whitney
    ceiling = cohort.planted["ceiling"]["auc"]
    if effect:
        assert 0.5 + 4 * error < np.mean(scores) < ceiling
    else:
        assert abs(np.mean(scores) - 0.5) < 3.3 * error
        assert ceiling == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_letters": 0}, "n_letters must be a whole number"),
        ({"interval": 0.01}, "0.06 to 5 s"),
        ({"effect": 5}, "effect is a factor"),
        ({"n_channels": 8}, "19, 22, 32, 64"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        simulate_p300(**arguments)
