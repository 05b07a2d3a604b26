"""Warnings of seizures, from recordings to the page: what builds up is foreseen, and where nothing does, nothing is."""

import numpy as np
import pandas as pd
import pytest

import neuroloom
from neuroloom.errors import NeuroloomError
from neuroloom.formats.tables import read_table
from neuroloom.new_alarms import alarms_in
from neuroloom.preparation import check_parts
from neuroloom.recipe import read_recipe
from neuroloom.replay import replay_run

QUICK = {
    "cohort.n_participants": 2,
    "cohort.n_runs": 3,
    "cohort.hours": 3.0,
    "cohort.n_channels": 19,
    "cohort.sampling_rate": 64.0,
    "cohort.mains": 0.0,
    "inputs.eeg.chain": [
        {"name": "filter", "high_pass": 0.5, "low_pass": 28.0, "form": "causal"},
    ],
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
    assert found["p"] <= 0.01  # seen: 6 of 8 foreseen, by chance 1.4, p .0005
    assert found["sensitivity"]["value"] > found["chance"] + 0.2
    raised = read_table(run.folder / "warnings.csv")
    assert ((raised["expects_to"] - raised["expects_from"]) == 1800).all()
    assert ((raised["expects_from"] - raised["raised"]) == 300).all()
    assert "Forecast: seizure" in (run.folder / "report.html").read_text()
    assert replay_run(run).agrees
    _new_recordings_are_warned_of_with_the_median_threshold(run, "sub-001")


def _new_recordings_are_warned_of_with_the_median_threshold(run, person):
    folds = read_table(run.folder / "folds.csv")
    own = sorted(set(folds.loc[(folds["part"] == "test") & (folds["participant_id"] == person), "fold"]))
    chosen = np.median([run.metrics["forecast"]["learners"]["band_power"]["thresholds"][fold] for fold in own])
    onsets = 30.0 * np.arange(240)
    p = np.where((onsets >= 1800) & (onsets < 3000), min(1.0, chosen + 1e-5), chosen - 0.2)
    answers = pd.DataFrame({"recording_id": "new", "onset": onsets, "prediction_p_preictal": p})
    raised = alarms_in(run, answers, person=person)
    # windows tell from their end on, from 1830 s, and the mean over five minutes is that high in the 300th of these seconds
    assert raised.to_dict("records") == [
        {"recording_id": "new", "raised": 2129.0, "expects_from": 2429.0, "expects_to": 4229.0}
    ]


@pytest.mark.slow
def test_where_nothing_builds_up_warnings_are_no_better_than_chance(cache, tmp_path):
    run = neuroloom.run(recipe(**{"cohort.preictal": 0.0}), out=tmp_path / "run", cache=cache, jobs=1)
    found = run.metrics["forecast"]["learners"]["band_power"]
    assert found["p"] > 0.05  # seen: 3 of 8 foreseen, by chance 2.8, p .57


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trials.before": None}, "validation.forecast makes warnings from windows before events"),
        ({"validation.tune": 0}, "validation.forecast.threshold is chosen on the tune part"),
        ({"validation.unit": "sample", "validation.within": None}, "the unit of claim cannot be a sample"),
        ({"trials.before.of": "fit"}, "before.of is 'fit', which is none of the classes seizure"),
        (
            {"inputs.eeg.chain": [{"name": "scale_robust"}]},
            "warns of what comes .*in the chain of 'eeg': `scale_robust`",
        ),
        ({"trials.before.horizon": -1.0}, "trials.before.horizon"),
    ],
)
def test_what_cannot_be_foreseen_is_said_before_anything_is_read(change, said):
    with pytest.raises(NeuroloomError, match=said):
        check_parts(recipe(**change))
