"""Imagined movements: what falls where and by how much, what a decoder reaches, and nothing at effect 0."""

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.signal import butter, sosfiltfilt
from scipy.stats import binom
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from neuroloom.errors import NeuroloomError
from neuroloom.simulators.eeg_motor_imagery import (
    AREAS,
    CUE,
    PATTERNS,
    WINDOW,
    best_accuracy,
    changes,
    simulate_motor_imagery,
)

SMALL = {"n_participants": 2, "n_sessions": 1, "n_runs": 1, "n_trials": 8, "n_channels": 19, "sampling_rate": 128.0}


def trials_of(cohort, samples):
    """Return covariances from 8 to 30 Hz, 0.5 to 4 s after the cue, and labels."""
    covariances, labels = [], []
    for sample in samples:
        scan = cohort.load("eeg", sample)
        rate = scan.geometry["sampling_rate"]
        filtered = sosfiltfilt(butter(4, [8, 30], "bandpass", fs=rate, output="sos"), scan.data.astype(float) * 1e6)
        for onset, _, label in scan.geometry["events"]:
            begin = round((onset + 0.5) * rate)
            covariances.append(np.cov(filtered[:, begin : begin + int(3.5 * rate)]))
            labels.append(label)
    return np.array(covariances), np.array(labels)


def csp_right(cohort):
    """Return how many trials of the last run CSP (Ramoser et al. 2000) and LDA name rightly, and how many there are."""
    right = n = 0
    for _, rows in cohort.table.groupby("participant_id"):
        covariances, labels = trials_of(cohort, rows.index[:-1])
        left, other = (covariances[labels == name].mean(axis=0) for name in np.unique(labels))
        _, filters = eigh(left, left + other)
        filters = filters[:, [0, 1, -2, -1]]

        def features(covariances, filters=filters):
            return np.log(np.einsum("cf,ncd,df->nf", filters, covariances, filters))

        learnt = LinearDiscriminantAnalysis().fit(features(covariances), labels)
        unseen, truth = trials_of(cohort, rows.index[-1:])
        right, n = right + int((learnt.predict(features(unseen)) == truth).sum()), n + len(truth)
    return right, n


@pytest.mark.parametrize("effect", [0.0, 2.0])
def test_a_decoder_finds_what_is_planted_and_nothing_else(effect):
    cohort = simulate_motor_imagery(
        n_participants=5, n_sessions=1, n_runs=3, n_trials=32, effect=effect, bad_channels=0
    )
    right, n = csp_right(cohort)
    ceiling = cohort.planted["ceiling"]["accuracy"]
    low, high = binom.interval(0.999, n, 0.5)
    if effect:
        assert high < right < n * ceiling + 3.3 * np.sqrt(n * 0.25)
    else:
        assert low <= right <= high
        assert ceiling == 0.5


def test_the_contralateral_hand_area_loses_the_stated_share_of_power():
    cohort = simulate_motor_imagery(
        **SMALL | {"n_participants": 1, "n_runs": 12, "n_trials": 40, "sampling_rate": 64.0, "mains": 0.0}
    )
    draw = cohort.inputs["eeg"].draw
    person, areas = draw.person("sub-001")[1], list(AREAS)
    logs = {name: [] for name in draw.classes}
    for sample in cohort.samples:
        onsets, order = draw.cues(sample)
        rhythm = draw.rhythms(sample)["mu"]
        n_steps = int(np.ceil((onsets[-1] + 8) * 64 / 8192))
        stream = rhythm.courses(64.0, np.random.default_rng(0))
        course = np.concatenate([next(stream).copy() for _ in range(n_steps)], axis=1)
        for onset, c in zip(onsets, order, strict=True):
            during = course[:, int((onset + 0.8) * 64) : int((onset + 4) * 64)]
            before = course[:, int((onset - 1.0) * 64) : int((onset + 0.3) * 64)]
            logs[draw.classes[c]].append([np.log((part**2).mean(axis=1)) for part in (during, before)])
    # E log(chi2 / nu) differs between windows of 3.2 and 1.3 s, but not between classes: compare those
    fell = {name: np.array(told)[:, 0] - np.array(told)[:, 1] for name, told in logs.items()}
    for side, name, still in (
        ("right hand area", "left_hand", "right_hand"),
        ("left hand area", "right_hand", "left_hand"),
    ):
        area = areas.index(side)
        difference = fell[name][:, area].mean() - fell[still][:, area].mean()
        error = np.sqrt(fell[name][:, area].var() / len(fell[name]) + fell[still][:, area].var() / len(fell[still]))
        expected = np.log1p(-person.erd) * (1 - person.ipsilateral)
        assert difference == pytest.approx(expected, abs=4 * float(error))
    assert cohort.truth["erd"].iloc[0] == person.erd


def test_electrodes_show_it_on_the_other_side():
    cohort = simulate_motor_imagery(n_participants=6, n_sessions=1, n_runs=2, n_trials=40, bad_channels=0, artefacts=0)
    strongest = cohort.truth.groupby(cohort.table["participant_id"])["best_accuracy"].first().idxmax()
    covariances, labels = trials_of(cohort, cohort.table.index[cohort.table["participant_id"] == strongest])
    names = cohort.load("eeg", cohort.samples[0]).geometry["names"]
    power = np.log(np.diagonal(covariances, axis1=1, axis2=2))
    lower = power[labels == "right_hand"].mean(axis=0) - power[labels == "left_hand"].mean(axis=0)
    assert lower[names.index("C3")] < 0 < lower[names.index("C4")]


@pytest.mark.parametrize("classes", [("left_hand", "right_hand"), tuple(PATTERNS)])
def test_the_ceiling_is_what_the_linear_rule_reaches_on_drawn_powers(classes):
    draw = simulate_motor_imagery(**SMALL).inputs["eeg"].draw
    person = draw.person("sub-002")[1]
    rng, n = np.random.default_rng(1), 4000
    means = changes(person, classes)[np.arange(n) % len(classes)]  # (trial, band, area)
    levels = means * (1 + 0.35 * rng.standard_normal(means.shape)) + 0.25 * rng.standard_normal(means.shape)
    levels += 0.35 * rng.standard_normal((n, 1, 1))
    freedom = 2 * WINDOW * 2 * np.sqrt(np.pi) * np.array([1.0, 2.0])[:, None] * np.ones(len(AREAS))
    logs = (levels + np.log(rng.chisquare(freedom, means.shape) / freedom)).reshape(n, -1)
    labels = np.arange(n) % len(classes)
    learnt = LinearDiscriminantAnalysis().fit(logs[: n // 2], labels[: n // 2])
    reached = learnt.score(logs[n // 2 :], labels[n // 2 :])
    assert reached == pytest.approx(best_accuracy(person, classes), abs=4 * np.sqrt(0.25 / (n / 2)) + 0.01)


def test_eyes_follow_the_cue_when_asked():
    arguments = SMALL | {"n_trials": 24, "n_channels": 64, "effect": 0.0, "artefacts": 0.0, "bad_channels": 0.0}
    still, looking = (simulate_motor_imagery(**arguments, eyes_follow=share) for share in (0.0, 1.0))
    difference = looking.load("eeg", still.samples[0]).data - still.load("eeg", still.samples[0]).data
    geometry = looking.load("eeg", still.samples[0]).geometry
    f7, f8 = (geometry["names"].index(name) for name in ("F7", "F8"))
    for onset, _, label in geometry["events"]:
        at = round((onset + 0.6) * geometry["sampling_rate"])
        side = 1 if label == "right_hand" else -1
        assert side * difference[f8, at] > 10e-6
        assert side * difference[f7, at] < -10e-6


def test_recordings_are_as_the_competition_has_them():
    cohort = simulate_motor_imagery(**SMALL | {"n_sessions": 2, "n_runs": 2, "n_channels": 22})
    assert cohort.samples[:3] == ["sub-001_ses-01_run-01", "sub-001_ses-01_run-02", "sub-001_ses-02_run-01"]
    scan = cohort.load("eeg", cohort.samples[0])
    events = scan.geometry["events"]
    labels = [label for _, _, label in events]
    assert labels.count("left_hand") == labels.count("right_hand") == 4
    onsets = np.array([onset for onset, _, _ in events])
    assert np.all(np.diff(onsets) > 6.9)
    assert np.all((onsets - CUE) % 7.5 >= 0)
    np.testing.assert_allclose(onsets * 128, np.round(onsets * 128), atol=1e-9)
    assert scan.data.shape == (22, (5 + 8 * 7.5 + 3) * 128)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_participants": 0}, "n_participants must be a whole number"),
        ({"n_channels": 21}, "19, 22, 32, 64"),
        ({"classes": ["left_hand"]}, "two or more"),
        ({"classes": ["left_hand", "rigth_hand"]}, "Did you mean 'right_hand'"),
        ({"n_trials": 1}, "cannot hold 2 classes"),
        ({"effect": -1}, "effect is a factor"),
        ({"eyes_follow": 2}, "share of the trials"),
        ({"sampling_rate": 20}, "sampling_rate must be"),
        ({"sampling_rate": 90}, "below half"),
        ({"bad_channels": 3}, "a chance, 0 to 1"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        simulate_motor_imagery(**arguments)
