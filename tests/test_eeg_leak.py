"""A small version of studies/eeg_leak.py: a split by window claims much of people of whom nothing can be told."""

import importlib.util
import sys
from pathlib import Path

import pytest

STUDIES = Path(__file__).resolve().parents[1] / "studies"


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(str(STUDIES))
    spec = importlib.util.spec_from_file_location("eeg_leak", STUDIES / "eeg_leak.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "eeg_leak", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_windows_dealt_as_people_claim_something_where_nothing_is(study, tmp_path):
    """24 people without a difference: with people on both sides the groups seem to be told apart, without not."""
    bands = {"name": "band_power", "bands": [[1, 4], [4, 8], [8, 10], [10, 13], [13, 30]]}
    small = {"cohort__n_participants": 24, "model": bands, "baselines": [], "validation__folds": 4}
    found = study.one_cohort(0.0, 7, tmp_path, **small)["band_power"]
    (_, low, high), (leaked, leaked_low, _) = found[study.APART], found[study.DEALT]
    assert low <= 0.5 <= high
    assert leaked_low > 0.5
    assert leaked > high
    told = study.summary([{"band_power": found}])
    assert told[f"band_power, {study.DEALT}"]["auc"] == leaked
    assert told[f"band_power, {study.APART}"]["interval_holds_chance"] == 1.0
