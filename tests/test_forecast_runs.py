"""Warnings of seizures, from recordings to the page: what builds up is foreseen, and where nothing does, nothing is."""

import pytest

import neuroloom
from neuroloom.errors import NeuroloomError
from neuroloom.experiment import prepare, read_cohort
from neuroloom.formats.tables import read_table
from neuroloom.prediction import predict
from neuroloom.recipe import read_recipe
from neuroloom.replay import replay_run
from neuroloom.transforms.cache import Cache

QUICK = {
    "cohort.n_participants": 2,
    "cohort.n_runs": 3,
    "cohort.hours": 3.0,
    "cohort.n_channels": 19,
    "cohort.sampling_rate": 64.0,
    "cohort.mains": 0.0,
    "inputs.eeg.chain": [{"name": "filter", "high_pass": 0.5, "low_pass": 28.0}],
    "model": {"name": "band_power", "bands": [[1, 4], [4, 8], [8, 13], [13, 25]]},
    "baselines": [],
    "validation.permutations": 39,
    "validation.confounds": [],
}


def recipe(**changes):
    return read_recipe("seizure-predict", None, [*QUICK.items(), *changes.items()])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.mark.slow
def test_a_build_up_before_seizures_is_foreseen_and_the_page_says_how_well(cache, tmp_path):
    run = neuroloom.run(recipe(), out=tmp_path / "run", cache=cache, jobs=1)
    told = run.metrics["forecast"]
    found = told["learners"]["band_power"]
    print(found)
    assert found["p"] <= 0.05
    assert found["sensitivity"]["value"] > found["chance"] + 0.2
    raised = read_table(run.folder / "warnings.csv")
    assert ((raised["expects_to"] - raised["expects_from"]) == 1800).all()
    assert ((raised["expects_from"] - raised["raised"]) == 300).all()
    assert "Forecast: seizure" in (run.folder / "report.html").read_text()
    assert replay_run(run).agrees


@pytest.mark.slow
def test_where_nothing_builds_up_warnings_are_no_better_than_chance(cache, tmp_path):
    run = neuroloom.run(recipe(**{"cohort.preictal": 0.0}), out=tmp_path / "run", cache=cache, jobs=1)
    found = run.metrics["forecast"]["learners"]["band_power"]
    print(found)
    assert found["p"] > 0.05
