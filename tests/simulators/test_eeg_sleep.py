"""Simulated nights: how stages follow each other, and what tells them apart."""

import numpy as np
import pytest
from scipy.signal import welch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from neuroloom.errors import NeuroloomError
from neuroloom.simulators.eeg_sleep import STAGES, TRANSITIONS, hypnogram, simulate_sleep


@pytest.fixture(scope="module")
def night():
    cohort = simulate_sleep(n_participants=1, hours=4.0, seed=2)
    scan = cohort.load("eeg", cohort.samples[0])
    labels = np.array([label for _, _, label in scan.geometry["events"]])
    return cohort, scan, labels, epochs_of(scan)


def epochs_of(scan):
    """Return microvolts by epoch, channel and time."""
    n = int(30 * scan.geometry["sampling_rate"])
    return np.moveaxis((scan.data.astype(float) * 1e6).reshape(len(scan.data), -1, n), 1, 0)


def power(epochs, *bands, rate=128.0):
    """Return the power in bands (Hz), in squared microvolts, shape (..., band), or (...,) for two numbers."""
    f, density = welch(epochs.astype(np.float32), rate, nperseg=int(4 * rate))
    if len(bands) == 2 and np.isscalar(bands[0]):
        return density[..., (f >= bands[0]) & (f <= bands[1])].sum(axis=-1) * (f[1] - f[0])
    return np.stack(
        [density[..., (f >= low) & (f <= high)].sum(axis=-1) * (f[1] - f[0]) for low, high in bands], axis=-1
    )


def test_shares_of_stages_are_those_of_young_adults():
    """Of sleep: N1 5, N2 50, N3 20, REM 22 % (Ohayon et al. 2004), each within some five hundredths."""
    np.testing.assert_allclose(TRANSITIONS.sum(axis=1), 1.0)
    values, vectors = np.linalg.eig(TRANSITIONS.T)
    still = np.real(vectors[:, np.argmax(np.real(values))])
    asleep = still[1:] / still[1:].sum()
    np.testing.assert_allclose(asleep, [0.05, 0.51, 0.21, 0.23], atol=0.05)
    nights = np.stack([hypnogram(960, np.random.default_rng(seed)) for seed in range(60)])
    shares = np.bincount(nights.ravel(), minlength=5) / nights.size
    np.testing.assert_allclose(shares, still / still.sum(), atol=0.04)
    assert shares[1] == min(shares)


def test_slow_wave_sleep_comes_early_and_rem_late():
    nights = np.stack([hypnogram(960, np.random.default_rng(seed)) for seed in range(60)])
    for stage, early in (("N3", True), ("R", False)):
        first, last = ((half == STAGES.index(stage)).mean() for half in np.split(nights, 2, axis=1))
        assert (first > 1.3 * last) if early else (last > 1.3 * first)


def test_each_stage_has_what_it_is_scored_by(night):
    cohort, scan, labels, epochs = night
    names = scan.geometry["names"]
    at = names.index
    assert {"N2", "N3", "R", "W"} <= set(labels)

    def mean(values, stage):
        return np.median(values[labels == stage])

    slow = power(epochs[:, at("Fz")], 0.5, 2.0)
    assert mean(slow, "N3") > 3 * mean(slow, "N2")
    assert np.sqrt(mean(slow, "N3")) > 20  # microvolts: waves of over 75 from peak to peak
    alpha = power(epochs[:, at("O1")], 8, 12)
    assert mean(alpha, "W") > 2 * mean(alpha, "R")
    frequency = cohort.truth["spindle_frequency"].iloc[0]
    sigma = power(epochs[:, at("Cz")], frequency - 1, frequency + 1)
    assert mean(sigma, "N2") > 1.5 * mean(sigma, "R")
    tone = power(epochs[:, at("EMG chin")], 15, 45)
    assert mean(tone, "R") < 0.1 * mean(tone, "N2")
    eyes = power(epochs[:, at("EOG left")] - epochs[:, at("EOG right")], 0.3, 3)
    assert np.mean(eyes[labels == "R"]) > 2 * np.mean(eyes[labels == "N2"])
    assert scan.geometry["types"][-3:] == ["eog", "eog", "emg"]
    assert scan.geometry["positions"][-1] is None


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_stages_can_be_told_where_they_differ_and_nowhere_else(effect):
    cohort = simulate_sleep(n_participants=2, hours=4.0, effect=effect)
    features, labels = [], []
    for sample in cohort.samples:
        scan = cohort.load("eeg", sample)
        rows = [scan.geometry["names"].index(name) for name in ("Fz", "Cz", "O1", "EOG left", "EMG chin")]
        epochs = epochs_of(scan)[:, rows]
        features.append(np.log(power(epochs, (0.5, 2), (4, 7), (8, 12), (12, 15), (15, 45))).reshape(len(epochs), -1))
        features[-1] -= features[-1].mean(axis=0)
        labels.append([label for _, _, label in scan.geometry["events"]])
    predicted = (
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(features[0], labels[0]).predict(features[1])
    )
    truth = np.array(labels[1])
    recall = np.array([(predicted[truth == stage] == stage).mean() for stage in np.unique(truth)])
    if effect:
        assert recall.mean() > 0.6
    else:
        assert (
            recall.mean() < 1 / len(recall) + 0.08
        )  # balanced accuracy of guesses, some 20 epochs in the rarest stage


def test_a_scorer_calls_stages_as_often_so_as_scorers_do():
    """Rosenberg and Van Hout 2013: 63 % of N1, 67 % of N3; over nights like those of the simulator .82 to .84."""
    draw = simulate_sleep(n_participants=40, hours=8.0, disagreement=1.0).inputs["eeg"].draw
    true, called = (np.concatenate([stages(sample) for sample in draw.which]) for stages in (draw.stages, draw.scored))
    for number, agreed in enumerate((0.841, 0.630, 0.852, 0.674, 0.905)):
        error = np.sqrt(agreed * (1 - agreed) / (true == number).sum())
        assert (called[true == number] == number).mean() == pytest.approx(agreed, abs=4 * error)
    assert (called == true).mean() == pytest.approx(0.826, abs=0.02)
    same = simulate_sleep(n_participants=1, hours=8.0).inputs["eeg"].draw
    assert (same.scored("sub-001_ses-01_run-01") == same.stages("sub-001_ses-01_run-01")).all()


def test_the_ceiling_is_what_the_stages_reach_on_the_calls():
    cohort = simulate_sleep(n_participants=60, hours=8.0, disagreement=1.0)
    draw = cohort.inputs["eeg"].draw
    true, called = (np.concatenate([stages(sample) for sample in draw.which]) for stages in (draw.stages, draw.scored))
    ceiling = cohort.planted["ceiling"]
    assert ceiling["accuracy"] == pytest.approx((true == called).mean(), abs=0.01)  # the likeliest call is the stage
    found = [(true[called == number] == number).mean() for number in range(5)]
    assert ceiling["balanced_accuracy"] == pytest.approx(np.mean(found), abs=0.02)
    assert simulate_sleep(n_participants=2, hours=1.0).planted["ceiling"]["accuracy"] == 1.0
    assert "ceiling" not in simulate_sleep(n_participants=2, hours=1.0, effect=0.0).planted


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_channels": 22}, "near the eyes"),
        ({"hours": 0}, "0.5 to 24"),
        ({"effect": 9}, "effect is a factor"),
        ({"disagreement": -1}, "disagreement is a factor"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        simulate_sleep(**arguments)
