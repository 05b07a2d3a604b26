"""Simulated n-back: what rises, what falls, and what the best rule reaches."""

import numpy as np
import pytest
from scipy.signal import welch
from scipy.stats import binom
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from neuroloom.errors import NeuroloomError
from neuroloom.simulators.eeg_ceiling import linear_accuracy
from neuroloom.simulators.eeg_workload import simulate_workload

SMALL = {"n_channels": 19, "sampling_rate": 128.0, "bad_channels": 0.0, "block": 20.0}


def powers(cohort, samples):
    """Return log power of theta at Fz and of alpha at Pz and O1, a row a block, and the blocks' n."""
    features, levels = [], []
    for sample in samples:
        scan = cohort.load("eeg", sample)
        rows = [scan.geometry["names"].index(name) for name in ("Fz", "Pz", "O1")]
        person = cohort.truth.loc[sample]
        for onset, duration, label in scan.geometry["events"]:
            part = scan.data[rows, round(onset * 128) : round((onset + duration) * 128)].astype(float)
            f, density = welch(part, 128.0, nperseg=512)
            centres = (person["theta_frequency"], person["alpha_frequency"], person["alpha_frequency"])
            features.append([np.log(d[np.abs(f - c) < 1].sum()) for d, c in zip(density, centres, strict=True)])
            levels.append(int(label[0]))
    return np.array(features), np.array(levels)


def test_theta_rises_and_alpha_falls_with_n():
    cohort = simulate_workload(**SMALL, n_participants=6, n_blocks=16, levels=(0, 1, 2, 3), effect=2.0, artefacts=0.0)
    features, levels = powers(cohort, cohort.samples)
    person = np.repeat(np.arange(len(cohort)) // 2, 16)
    for column, sign in ((0, 1), (1, -1), (2, -1)):
        own = features[:, column] - np.array([features[person == p, column].mean() for p in person])
        slope, error = np.polyfit(levels, own, 1)[0], own.std() / (levels.std() * np.sqrt(len(own)))
        assert sign * slope > 3 * error


@pytest.mark.parametrize("effect", [0.0, 2.0])
def test_a_decoder_finds_what_is_planted_and_nothing_else(effect):
    cohort = simulate_workload(**SMALL, n_participants=5, n_blocks=20, levels=(0, 3), effect=effect, artefacts=0.0)
    right = n = 0
    for _, rows in cohort.table.groupby("participant_id"):
        learnt = LinearDiscriminantAnalysis().fit(*powers(cohort, rows.index[:1]))
        features, levels = powers(cohort, rows.index[1:])
        right, n = right + int((learnt.predict(features) == levels).sum()), n + len(levels)
    low, high = binom.interval(0.999, n, 0.5)
    ceiling = cohort.planted["ceiling"]["accuracy"]
    if effect:
        assert high < right < n * ceiling + 3.3 * np.sqrt(n * 0.25)
    else:
        assert low <= right <= high
        assert ceiling == 0.5


def test_the_best_linear_rule_is_that_of_normal_classes():
    """Two classes, one feature: Phi(d / 2) (Fisher 1936); draws of three classes, against a fitted rule."""
    assert linear_accuracy(np.array([[0.0], [2.0]]), np.eye(1)) == pytest.approx(0.841345, abs=1e-5)
    means, rng = np.array([[0.0, 0.0], [1.0, 0.5], [-1.0, 1.0]]), np.random.default_rng(0)
    covariance = np.array([[1.0, 0.3], [0.3, 0.5]])
    labels = np.arange(60_000) % 3
    drawn = means[labels] + rng.multivariate_normal([0, 0], covariance, len(labels))
    reached = LinearDiscriminantAnalysis().fit(drawn[::2], labels[::2]).score(drawn[1::2], labels[1::2])
    assert linear_accuracy(means, covariance) == pytest.approx(reached, abs=4 * np.sqrt(0.25 / 30_000) + 0.004)
    assert linear_accuracy(np.zeros((4, 2)), covariance) == 0.25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"levels": [0]}, "two or more different"),
        ({"levels": [0, 9]}, "0 to 4"),
        ({"n_blocks": 1}, "cannot hold"),
        ({"block": 1}, "5 to 600"),
        ({"effect": -1}, "effect is a factor"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        simulate_workload(**arguments)
