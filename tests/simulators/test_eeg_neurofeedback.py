"""Somebody who learns from feedback: the same recording where nothing is learned, and growth as the rule has it."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from neuroloom.errors import NeuroloomError
from neuroloom.simulators.eeg_motor_imagery import simulate_motor_imagery
from neuroloom.simulators.eeg_neurofeedback import LEAST, MOST, Trainee, depths, with_feedback

SMALL = {"n_sessions": 1, "n_runs": 1, "n_channels": 22, "sampling_rate": 128.0, "bad_channels": 0.0, "artefacts": 0.0}


def drawn(**how):
    cohort = simulate_motor_imagery(**{**SMALL, "n_participants": 1, "n_trials": 8, **how})
    return cohort.inputs["eeg"].draw, cohort.table.index[0]


def test_without_learning_the_recording_is_that_of_the_simulator_whatever_the_pieces():
    draw, sample = drawn(artefacts=1.0, eyes_follow=0.5)
    whole, trainee = draw(sample), Trainee(draw, sample, learning=0.0)
    cuts = [0, 1, 500, 513, 5000, trainee.n_times + 99]
    made = np.concatenate([trainee.samples(*pair) for pair in itertools.pairwise(cuts)], axis=1)
    np.testing.assert_allclose(made, whole.data, atol=1e-6 * np.abs(whole.data).max())
    trainee.hear(0, 1.0)
    assert trainee.gain == 1.0
    told = {key: value for key, value in whole.geometry.items() if key != "events"}
    assert {key: value for key, value in trainee.geometry.items() if key != "events"} == told


def test_the_gain_multiplies_the_change_of_log_power():
    draw, sample = drawn(n_trials=24, effect=1.0)
    _, levels = draw.levels(sample, 1.0)
    _, doubled = draw.levels(sample, 2.0)
    _, none = draw.levels(sample, 0.0)
    np.testing.assert_allclose(doubled - none, 2 * (levels - none), atol=1e-12)


def test_a_larger_gain_shows_at_the_electrodes():
    """Mu power at C3 and C4 in the imagery, beside the same recording with gain 1: exp of the planted difference."""
    draw, sample = drawn(n_trials=16, seed=3)
    person = draw.person(draw.key(sample)[2])[1]
    one, more = (Trainee(draw, sample, 0.0, gain).samples(0, 10**6) for gain in (1.0, 2.0))
    band = butter(4, [person.mu_frequency - 2, person.mu_frequency + 2], "bandpass", fs=128.0, output="sos")
    powers = []
    for data in (one, more):
        filtered = sosfiltfilt(band, data.astype(float))
        cut = [filtered[:, round((t + 1) * 128) : round((t + 4) * 128)] for t, _, _ in draw.events(sample)]
        powers.append(np.var(np.concatenate(cut, axis=1), axis=1))
    ratio = (powers[1] / powers[0])[[draw.cap.names.index(name) for name in ("C3", "C4")]]
    loss = (
        1 - person.erd
    )  # of the contralateral area's mu power at gain 1; the other areas, and what is no mu, lose less
    assert (ratio < 1).all()
    assert (ratio > loss).all()


def test_depths_are_of_mean_0_and_spread_1():
    draw, sample = drawn(n_trials=600)
    z = depths(draw, sample)
    assert abs(z.mean()) < 4 / np.sqrt(600)
    assert abs(z.std() - 1) < 4 / np.sqrt(2 * 600)
    silent, sample = drawn(effect=0.0)
    np.testing.assert_array_equal(depths(silent, sample), 0.0)


def growth(rho, n_people=40, n_trials=200, learning=0.01):
    """Return how much the gain of each person grew with rewards that follow the depth by ``rho``, and noise."""
    draw, _ = drawn()
    draw, samples = with_feedback(draw, [f"sub-{n:03d}" for n in range(n_people)], 1, n_trials)
    grown = []
    for [sample] in samples.values():
        rng = np.random.default_rng(len(grown))
        trainee = Trainee.__new__(Trainee)  # its rule alone: the recording is not asked for
        trainee.learning, trainee.expected, trainee.gain, trainee.gains = learning, 0.0, 1.0, np.ones(n_trials)
        trainee.depths = depths(draw, sample)
        for trial, z in enumerate(trainee.depths):
            trainee.hear(trial, rho * z + 0.4 * rng.standard_normal())
        grown.append(trainee.gain - 1)
    return np.array(grown)


@pytest.mark.parametrize("rho", [0.0, 0.2])
def test_the_gain_grows_by_learning_times_what_feedback_knows_and_not_from_sham(rho):
    grown = growth(rho)
    expected = 0.01 * rho * 200  # each of n trials teaches; E[z^2] = 1
    assert abs(grown.mean() - expected) < 4 * grown.std(ddof=1) / np.sqrt(len(grown))
    assert grown.mean() > 0.2 if rho else abs(grown.mean()) < 0.05


def test_the_last_trial_of_a_run_teaches_as_the_others_do():
    draw, sample = drawn()
    trainee = Trainee(draw, sample, learning=0.1, expected=0.0)
    trainee.depths = np.full(8, 0.5)
    for trial in range(8):
        trainee.hear(trial, 1.0)
    surprise = 0.9 ** np.arange(8)  # 1 - expected, which comes nearer to 1 by a tenth each time
    np.testing.assert_allclose(trainee.gains, 1 + 0.05 * np.concatenate([[0.0], np.cumsum(surprise)[:-1]]))
    assert trainee.gain == pytest.approx(1 + 0.05 * surprise.sum())


def test_the_gain_stays_where_a_person_can_be():
    draw, sample = drawn()
    trainee = Trainee(draw, sample, learning=1.0, expected=0.0)
    trainee.depths = np.full(8, 100.0)
    trainee.hear(0, 1.0)
    assert trainee.gain == MOST
    trainee.hear(1, -1.0)
    assert trainee.gain == LEAST
    with pytest.raises(NeuroloomError, match="0 or more, not -1"):
        Trainee(draw, sample, learning=-1)


def test_runs_of_feedback_are_of_the_same_people_on_another_day():
    draw, _ = drawn()
    more, samples = with_feedback(draw, ["sub-001"], 2, 6)
    assert samples == {"sub-001": ["sub-001_ses-feedback_run-01", "sub-001_ses-feedback_run-02"]}
    assert more.person("sub-001") == draw.person("sub-001")
    one, two = (Trainee(more, name).samples(0, 1000) for name in samples["sub-001"])
    assert abs(np.corrcoef(one[0], two[0])[0, 1]) < 0.9
    assert replace(more, n_trials=8, which=draw.which) == draw
