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


@pytest.mark.slow
@pytest.mark.parametrize("effect", [1.0, 0.0])
def test_channels_and_band_are_found_where_they_are_planted(study, effect):
    pytest.importorskip("mne")
    small = {"cohort": {"n_participants": 3, "n_sessions": 1, "n_trials": 40, "sampling_rate": 128.0}}
    [row] = study.study_rows("motor imagery, CSP and LDA", 0, effect, **small)
    assert row["found"] == bool(effect)
    assert not effect or row["auc"] > 0.8
