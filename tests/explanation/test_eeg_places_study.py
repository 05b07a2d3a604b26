"""A small version of studies/eeg_places.py: an estimator's map finds the rhythm over the motor cortex, and nothing at effect 0."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "studies" / "eeg_places.py"


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("eeg_places_study", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("knows", [True, False, None])
@pytest.mark.parametrize("value", [0.9, 0.6])
@pytest.mark.parametrize("name", ["planted_place", "nothing_planted"])
def test_a_place_is_found_by_a_map_above_its_threshold_of_a_learner_above_chance(study, name, value, knows):
    tests = [
        {"name": "learner_above_chance", "value": 0.3, "threshold": 0.05, "passed": knows},
        {"name": name, "value": value, "threshold": 0.8, "passed": None},
    ]
    scores = {"lda": {"scores": {"auc": {"value": 0.5}}, "null": {"p": 0.3}}}
    row = study.row_of("any", 0, 1.0, {"name": "weights", "learner": "lda", "tests": tests}, scores)
    assert row["map_found"] is (value > 0.8)
    assert row["found"] is (value > 0.8 and knows is True)


def test_rows_that_do_not_know_are_not_counted(study):
    same = {"kind": "any", "method": "weights", "learner": "lda", "effect": 0.0, "auc": 0.5, "learner_auc": 0.5}
    found = [(True, None), (True, False), (False, False)]
    [told] = study.summary([{**same, "map_found": alone, "found": both} for alone, both in found])
    assert (told["map_found"]["yes"], told["map_found"]["of"]) == (2, 3)
    assert (told["found"]["yes"], told["found"]["of"]) == (0, 2)
    assert told["map_found"]["interval"] == pytest.approx([0.208, 0.939], abs=1e-3)  # Wilson's formula


@pytest.mark.slow
@pytest.mark.parametrize("effect", [1.0, 0.0])
def test_channels_and_band_are_found_where_they_are_planted(study, effect):
    pytest.importorskip("mne")
    small = {"cohort": {"n_participants": 3, "n_sessions": 1, "n_trials": 40, "sampling_rate": 128.0}}
    [row] = study.study_rows("motor imagery, CSP and LDA", 0, effect, **small)
    assert row["found"] == bool(effect)
    assert not row["found"] or row["map_found"]
    assert not effect or row["auc"] > 0.8
