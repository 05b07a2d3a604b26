"""A small version of studies/explanations.py: the effect here, elsewhere and nowhere."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "studies" / "explanations.py"
METHODS = [{"name": "gradient"}, {"name": "integrated_gradients", "steps": 8}, {"name": "weights"}]


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("explanations_study", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_planted_lobe_is_found_where_it_is_and_nowhere_else(study):
    rows = study.study_rows("table", [1], n=180, methods=METHODS, folds=3)
    assert len(rows) == 4 * 3 * 2  # maps, cohorts, places
    for row in rows:
        assert row["found"] == (row["planted"] == row["held_against"])
        assert not row["found"] or row["auc"] > 0.85


@pytest.mark.slow
def test_planted_edges_are_found_where_they_are(study):
    rows = study.study_rows("bold", [0], n=120, methods=[{"name": "gradient"}], folds=3)
    for row in rows:
        assert row["found"] == (row["planted"] == row["held_against"])
