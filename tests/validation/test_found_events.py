"""Events of whole recordings: scores by hand, and a threshold that never sees the test part."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neuroloom.errors import NeuroloomError
from neuroloom.validation.found_events import evaluate_events
from neuroloom.validation.intervals import rate_interval
from neuroloom.validation.tested import read_tested

EVERY, LENGTH, SECONDS = 10.0, 10.0, 7200.0
ONSETS = np.arange(0, SECONDS, EVERY)
HOW = {"label": "seizure", "unit": "participant", "every": EVERY, "length": LENGTH, "random": 50}


def cohort(n_people=6, without=()):
    """Return windows (a row each), the recordings' events: two a person, none of those in ``without``."""
    events = {f"r{n}": [] if n in without else [(1200.0, 60.0), (5000.0, 40.0)] for n in range(n_people)}
    frames = []
    for n, (recording, spans) in enumerate(events.items()):
        inside = np.any([(a <= ONSETS) & (a + d > ONSETS) for a, d in spans] or [ONSETS < 0], axis=0)
        frames.append(
            pd.DataFrame({"participant_id": f"p{n}", "recording_id": recording, "onset": ONSETS,
                          "event": np.where(inside, "seizure", "background")})
        )  # fmt: skip
    table = pd.concat(frames, ignore_index=True)
    table.index = pd.Index([f"w{n}" for n in range(len(table))], name="sample_id")
    return table, {recording: (spans, SECONDS) for recording, spans in events.items()}


def split(table, n_folds=3):
    """Return folds (each person tested once, the next one tunes) as folds.csv has them."""
    person = table["participant_id"].str[1:].astype(int)
    frames = []
    for fold in range(n_folds):
        part = np.where(
            person % n_folds == fold, "test", np.where(person % n_folds == (fold + 1) % n_folds, "tune", "fit")
        )
        frames.append(pd.DataFrame({"sample_id": table.index, "participant_id": table["participant_id"].to_numpy(),
                                    "repeat": 0, "fold": fold, "part": part}))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def said(table, folds, part, probability):
    """Return predictions of the windows in one part of each fold."""
    rows = folds[folds["part"] == part]
    truth = table["event"].loc[rows["sample_id"]].to_numpy()
    p = probability(rows["sample_id"], truth == "seizure")
    return rows.drop(columns="part").assign(
        learner="net", truth_event=truth, prediction_event="", prediction_p_background=1 - p, prediction_p_seizure=p
    )


def noisy(d, seed=0):
    draw = np.random.default_rng(seed)
    return lambda samples, seizure: 1 / (1 + np.exp(-(draw.standard_normal(len(seizure)) - 2 + d * seizure)))


def evaluated(probability, tune=None, without=(), **how):
    table, recorded = cohort(without=without)
    folds = split(table)
    test, tuned = said(table, folds, "test", probability), said(table, folds, "tune", tune or noisy(6.0, seed=9))
    tested = read_tested(test, table, folds, target="event", classes=("background", "seizure"))
    return evaluate_events(test, tuned, tested, recorded, **{**HOW, **how})


def planted(found):
    """Return a probability that is high in some windows of each person: those that begin at ``found`` seconds."""

    def probability(samples, seizure):
        onset = ONSETS[samples.str[1:].astype(int).to_numpy() % len(ONSETS)]
        return np.where(np.isin(onset, found), 0.9, 0.1)

    return probability


def test_scores_are_those_that_were_counted_by_hand():
    told = evaluated(planted([1210.0, 1220.0, 3000.0]), threshold=0.5)
    net = told["learners"]["net"]  # of each of 6 people: one of two events found 10 s late, one false alarm, 2 hours
    assert (told["n_events"], told["n_recordings"], told["hours"]) == (12, 6, 12.0)
    assert [net[name]["value"] for name in ("sensitivity", "precision", "f1")] == [0.5, 0.5, 0.5]
    assert net["false_per_day"]["value"] == pytest.approx(12.0)
    assert (net["latency"]["value"], net["latency"]["n"]) == (10.0, 6)
    assert net["seconds"] == pytest.approx(
        {"sensitivity": 0.2, "precision": 2 / 3, "f1": 4 / 13}
    )  # 20 of 100 s, 10 false
    assert net["people"][2] == {"person": "p2", "recordings": 1, "hours": 2.0, "true": 2, "hits": 1, "false": 1,
                                "sensitivity": 0.5, "false_per_day": 12.0, "latency": 10.0, "alarms": 2}  # fmt: skip
    assert [row[:1] + row[-2:] for row in map(tuple, (one.values() for one in told["alarms"]))][:2] == [
        ("r0", 1210.0, 20.0), ("r0", 3000.0, 10.0)
    ]  # fmt: skip


def test_somebody_without_seizures_counts_in_false_alarms_alone():
    told = evaluated(planted([1210.0, 3000.0]), threshold=0.5, without=(1,))["learners"]["net"]
    person = told["people"][[one["person"] for one in told["people"]].index("p1")]
    assert (person["true"], person["false"], person["false_per_day"]) == (0, 2, 24.0)
    assert np.isnan(person["sensitivity"])
    assert (told["sensitivity"]["value"], told["sensitivity"]["n_units"]) == (0.5, 5)
    assert (told["false_per_day"]["value"], told["false_per_day"]["n_units"]) == (pytest.approx(14.0), 6)


def test_the_threshold_never_sees_the_test_part():
    one, other = (evaluated(noisy(d, seed), tune=noisy(5.0, seed=3)) for d, seed in ((5.0, 1), (0.0, 2)))
    assert one["learners"]["net"]["thresholds"] == other["learners"]["net"]["thresholds"]
    assert one["learners"]["net"]["f1"]["value"] > other["learners"]["net"]["f1"]["value"]


def test_what_is_planted_is_found_and_noise_is_not_better_than_random_alarms():
    found = evaluated(noisy(8.0, seed=1), random=100)["learners"]["net"]
    assert found["sensitivity"]["value"] == 1.0
    assert found["f1"]["value"] > 0.9
    assert found["chance"]["f1"] < 0.3
    assert found["chance"]["p"] == pytest.approx(1 / 101)
    p = [evaluated(noisy(0.0, seed=n), tune=noisy(0.0, seed=50 + n), random=40)["learners"]["net"]["chance"]["p"]
         for n in range(10)]  # fmt: skip
    assert sum(one <= 0.05 for one in p) <= 3  # of 10 at 5 %: more have a chance of 1 in 1000


def test_the_page_draws_the_worst_and_the_best_recording():
    def probability(samples, seizure):
        first = samples.str[1:].astype(int).to_numpy() < len(ONSETS)  # the first person's seizures alone are seen
        return np.where(first & seizure, 0.9, 0.1)

    worst, best = evaluated(probability, threshold=0.5)["timelines"]
    assert (best["kind"], best["recording"], best["alarms"]) == ("best", "r0", [[1200.0, 1260.0], [5000.0, 5040.0]])
    assert (worst["kind"], worst["alarms"], worst["truth"]) == ("worst", [], best["truth"])
    assert len(best["probability"]) * best["step"] == SECONDS
    high = (np.arange(1440) + 0.5) * best["step"]
    inside = ((high > 1200) & (high < 1260)) | ((high > 5000) & (high < 5040))
    np.testing.assert_array_equal(np.array(best["probability"]) > 0.5, inside)


def test_a_class_without_probability_is_named():
    with pytest.raises(NeuroloomError, match="no column 'prediction_p_spindle'"):
        evaluated(planted([0.0]), label="spindle")


def test_the_interval_of_a_rate_is_that_of_a_score_test():
    counts, times = np.array([3, 3, 3, 3]), np.ones(4)  # alike in all: no more spread than a Poisson count
    low, high = rate_interval(counts, times)
    q = stats.t.ppf(0.975, 3)
    for end in (low, high):
        assert abs(12 / 4 - end) == pytest.approx(q * np.sqrt(end / 4))  # the rates that are just not rejected
    assert rate_interval([0, 0, 0, 0], times)[0] == 0.0
    assert rate_interval([0, 0, 0, 0], times)[1] == pytest.approx(q**2 / 4)
    assert np.isnan(rate_interval([3], [1.0])).all()


def test_the_interval_of_a_rate_holds_it():
    """Of units whose own rates differ (gamma, standard deviation half the mean), 95 % nominal."""
    draw, held = np.random.default_rng(0), 0
    for _ in range(1000):
        rates = draw.gamma(4.0, 10.0 / 4.0, size=12)
        low, high = rate_interval(draw.poisson(rates * 0.5), np.full(12, 0.5))
        held += low <= 10.0 <= high
    assert 0.93 <= held / 1000 <= 0.985
