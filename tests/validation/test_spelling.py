"""Spelling: evidence adds up over rounds of flashes."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neuroloom.errors import NeuroloomError
from neuroloom.validation import tested
from neuroloom.validation.spelling import evaluate_spelling

ROUNDS = 4


def flashes(d, n_letters=60, seed=0, people=2):
    """Return people (a row a flash) and predictions whose log odds are those of a score that lies d apart."""
    draw = np.random.default_rng(seed)
    rows = []
    for letter in range(n_letters):
        row, column = draw.integers(6, size=2)
        for n in range(ROUNDS):
            for k, line in enumerate(draw.permutation(12)):
                attended = line == row or line == 6 + column
                name = f"row {line + 1}" if line < 6 else f"column {line - 5}"
                score = draw.normal(d * attended)
                rows.append(
                    (
                        f"p{letter % people}",
                        letter,
                        name,
                        n * 2.4 + 0.2 * k,
                        attended,
                        d * score - d * d / 2 + np.log(0.2),
                    )
                )
    names = ["participant_id", "letter", "flash", "onset", "attended", "odds"]
    table = pd.DataFrame(rows, columns=names).assign(recording_id="r")
    table.index = pd.Index([f"s{n}" for n in range(len(table))], name="sample_id")
    truth = np.where(table["attended"], "target", "nontarget")
    told = {"sample_id": table.index, "repeat": 0, "fold": 0, "learner": "net", "truth_event": truth}
    predictions = pd.DataFrame({**told, "prediction_p_target": 1 / (1 + np.exp(-table["odds"].to_numpy()))})
    return table, predictions


def as_tested(table):
    unit = np.unique(table["participant_id"], return_inverse=True)[1]
    return tested.Tested("event", ("nontarget", "target"), table, unit, {}, {})


def best_of_six(d):
    """Return the chance that a normal score d above five others is the largest."""
    z = np.linspace(-8, 8 + d, 4001)
    return np.trapezoid(stats.norm.pdf(z - d) * stats.norm.cdf(z) ** 5, z)


def test_the_share_of_right_letters_is_what_adding_evidence_gives():
    table, predictions = flashes(d=1.0, n_letters=400)
    told = evaluate_spelling(predictions, as_tested(table), item="letter", option="flash", unit="participant")
    curve = told["learners"]["net"]
    assert curve["rounds"] == [1, 2, 3, 4]
    for n, right in zip(curve["rounds"], curve["right"], strict=True):
        expected = best_of_six(np.sqrt(n)) ** 2  # n rounds: d' grows with the root of n; row and column both right
        assert right["value"] == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / 400))
    assert (told["n_items"], told["chance"]) == (400, pytest.approx(1 / 36))
    assert told["seconds"] == pytest.approx(2.4, abs=0.3)


def test_nothing_is_spelled_where_flashes_say_nothing():
    table, predictions = flashes(d=1e-9, n_letters=300)
    right = evaluate_spelling(predictions, as_tested(table), item="letter", option="flash", unit="participant")[
        "learners"
    ]["net"]["right"]
    assert all(one["value"] < 1 / 36 + 3 * np.sqrt(1 / 36 * 35 / 36 / 300) for one in right)


def test_a_column_that_is_not_there_is_named():
    table, predictions = flashes(d=1.0, n_letters=2)
    with pytest.raises(NeuroloomError, match="spelling needs the column 'word'"):
        evaluate_spelling(predictions, as_tested(table), item="word", option="flash", unit="participant")
