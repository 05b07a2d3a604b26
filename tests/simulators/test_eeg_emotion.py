"""Simulated clips: what is planted in rhythms, what a decoder finds of a known person, and nothing at effect 0."""

import numpy as np
import pytest
from scipy.signal import welch
from scipy.stats import binom
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from neuroloom.errors import NeuroloomError
from neuroloom.simulators.eeg_emotion import CHANGES, DAY, PLACES, WAXING, best_accuracy, simulate_emotion

SMALL = {"n_channels": 19, "bad_channels": 0.0, "clip": 20.0}


def powers(cohort, sample):
    """Return log powers of each clip that rhythms are strongest in (clip, 5), and its valence and arousal, 0 or 1."""
    scan, rhythms = cohort.load("eeg", sample), cohort.inputs["eeg"].draw.rhythms(sample)
    features, high = [], []
    for onset, duration, label in scan.geometry["events"]:
        part = scan.data[:, round(onset * 128) : round((onset + duration) * 128)].astype(float)
        f, density = welch(part - part.mean(axis=0), 128.0, nperseg=256)
        row = []
        for rhythm in rhythms.values():
            where = np.argmax(np.abs(rhythm.maps[0]))
            row.append(np.log(density[where][rhythm.density(f) > 0.3 * rhythm.density(f).max()].sum()))
        features.append(row)
        high.append([label.split("|")[0] == "high valence", label.split("|")[1] == "high arousal"])
    return np.array(features), np.array(high, dtype=int)


def test_gains_carry_the_planted_changes():
    """Over many clips, log power of each rhythm rises by its change with valence and with arousal (least squares)."""
    cohort = simulate_emotion(**SMALL, n_participants=1, n_sessions=1, n_clips=2000, effect=1.0)
    sample = cohort.samples[0]
    draw = cohort.inputs["eeg"].draw
    viewer, (_, high) = draw.person("sub-001")[1], draw.clips(sample)
    centred = high - 0.5
    for name, rhythm in draw.rhythms(sample).items():
        logs = 2 * np.log(rhythm.gains[0].reshape(-1, 4)[:, 1])
        fitted, *_ = np.linalg.lstsq(np.column_stack([centred, np.ones(len(logs))]), logs, rcond=None)
        error = WAXING / (0.5 * np.sqrt(2000))
        assert fitted[0] == pytest.approx(viewer.valence[name], abs=4 * error)
        assert fitted[1] == pytest.approx(viewer.arousal[name], abs=4 * error)
        assert abs(fitted[2]) < 4 * DAY


def test_people_differ_as_the_table_says():
    cohort = simulate_emotion(**SMALL, n_participants=900, n_sessions=1, n_clips=4)
    for felt, of_rhythms in CHANGES.items():
        for name, (mean, spread) in of_rhythms.items():
            drawn = cohort.truth[f"{felt}_{name.replace(' ', '_')}"]
            assert drawn.mean() == pytest.approx(mean, abs=4 * spread / 30)
            assert drawn.std() == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("effect", [0.0, 3.0])
def test_a_decoder_finds_what_is_planted_and_nothing_else(effect):
    cohort = simulate_emotion(**SMALL, n_participants=5, n_clips=32, effect=effect, artefacts=0.0)
    right = n = 0
    for _, rows in cohort.table.groupby("participant_id"):
        (learned, was), (features, is_high) = (powers(cohort, sample) for sample in rows.index)
        rule = LinearDiscriminantAnalysis().fit(learned - learned.mean(axis=0), was[:, 0])
        right += int((rule.predict(features - features.mean(axis=0)) == is_high[:, 0]).sum())
        n += len(features)
    low, high = binom.interval(0.999, n, 0.5)
    ceiling = cohort.planted["ceiling"]["accuracy"]
    if effect:
        assert high < right < n * ceiling + 3.3 * np.sqrt(n * 0.25)
    else:
        assert low <= right <= high
        assert ceiling == 0.5


@pytest.mark.parametrize("asked", CHANGES)
def test_the_ceiling_is_what_the_linear_rule_reaches_on_drawn_powers(asked):
    cohort = simulate_emotion(**SMALL, n_participants=1, n_sessions=1, effect=3.0, asked=asked)
    viewer, rng, n = cohort.inputs["eeg"].draw.person("sub-001")[1], np.random.default_rng(0), 8000
    high = rng.integers(2, size=(n, 2))
    changes = np.array([[viewer.valence[name], viewer.arousal[name]] for name in PLACES])
    widths = np.array([{"beta": 3.0, "gamma": 4.0}.get(name, 0.7) for name in PLACES])
    freedom = 2 * 20.0 * 2 * np.sqrt(np.pi) * widths
    logs = (high - 0.5) @ changes.T + WAXING * rng.standard_normal((n, 5))
    logs += np.log(rng.chisquare(freedom, (n, 5)) / freedom)
    label = high[:, list(CHANGES).index(asked)]
    reached = LinearDiscriminantAnalysis().fit(logs[::2], label[::2]).score(logs[1::2], label[1::2])
    assert reached == pytest.approx(best_accuracy(viewer, asked, 20.0), abs=4 * np.sqrt(0.25 / 4000))
    assert cohort.truth["best_accuracy"].iloc[0] == best_accuracy(viewer, asked, 20.0)


def test_clips_are_of_four_kinds_and_of_their_length():
    cohort = simulate_emotion(**SMALL, n_participants=1, n_sessions=2, n_clips=8)
    first, second = (cohort.load("eeg", sample).geometry["events"] for sample in cohort.samples)
    kinds = [label.rsplit("|", 1)[0] for _, _, label in first]
    assert sorted(kinds) == sorted(2 * [f"{v} valence|{a} arousal" for v in ("low", "high") for a in ("low", "high")])
    assert kinds != [label.rsplit("|", 1)[0] for _, _, label in second]
    assert {duration for _, duration, _ in first} == {20.0}
    assert min(np.diff([onset for onset, _, _ in first])) == 28.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"asked": "valance"}, "Did you mean 'valence'"),
        ({"n_clips": 3}, "four kinds"),
        ({"clip": 5}, "10 to 600"),
        ({"effect": 4}, "effect is a factor"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        simulate_emotion(**SMALL | arguments)
