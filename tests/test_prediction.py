"""Answers for new scans: the mean of the folds' learners, each with its own fitted state."""

import numpy as np
import pandas as pd
import pytest
from small import small

import neuroloom
from neuroloom.errors import NeuroloomError
from neuroloom.formats.limits import read_json
from neuroloom.prediction import fitting_arguments
from neuroloom.recipe import read_recipe
from neuroloom.simulators.bids import write_cohort
from neuroloom.simulators.table import simulate_table


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished run on real files, and the folder of the files."""
    folder = tmp_path_factory.mktemp("study")
    write_cohort(simulate_table(n_participants=60), folder / "data")
    recipe = read_recipe("brain-age-table", None, small("brain-age-table"))
    run = neuroloom.run(recipe, folder / "data", out=folder / "run", cache=folder / "cache", jobs=1)
    return run, folder / "data" / "thickness.csv"


@pytest.mark.slow
def test_a_persons_answer_is_the_mean_of_the_folds_learners(study):
    run, table = study
    answers = neuroloom.predict(run.folder, [table], learner="ridge").set_index("sample_id")
    own = run.predictions.query("learner == 'ridge'").set_index("sample_id")["prediction_age"]
    assert len(answers) == 60
    # each person was in the test part of one fold of five: the mean differs from that fold's answer, but not by much
    assert np.corrcoef(answers["prediction_age"].loc[own.index], own)[0, 1] > 0.9
    assert (answers["prediction_age_sd"] > 0).all()


@pytest.mark.slow
def test_an_answer_does_not_depend_on_who_else_is_asked(study, tmp_path):
    run, table = study
    one = pd.read_csv(table).iloc[[7]]
    one.to_csv(tmp_path / "one.csv", index=False)
    alone = neuroloom.predict(run.folder, [tmp_path / "one.csv"])
    among = neuroloom.predict(run.folder, [table]).set_index("sample_id")
    expected = among.loc[one["participant_id"].iloc[0], "prediction_age"]
    assert alone["prediction_age"].iloc[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_a_table_without_a_feature_names_it(study, tmp_path):
    run, table = study
    pd.read_csv(table).drop(columns="lh_insula_thickness").to_csv(tmp_path / "less.csv", index=False)
    with pytest.raises(NeuroloomError, match=r"1 of the model's 68 features are missing: lh_insula_thickness"):
        neuroloom.predict(run.folder, [tmp_path / "less.csv"])


@pytest.mark.slow
def test_weights_carry_salted_hashes_and_no_name(study):
    run, _ = study
    told = read_json(run.folder / "folds" / "0-0" / "mlp" / "fitted.json")
    folds = pd.read_csv(run.folder / "folds.csv").query("fold == 0")
    assert len(told["seen"]["hashes"]) == (folds["part"] != "test").sum()
    assert "sub-00" not in (run.folder / "folds" / "0-0" / "mlp" / "fitted.json").read_text()
    for path in run.folder.rglob("*.json*"):
        assert str(run.folder.parent) not in path.read_text(), path.name  # no folder of this machine


@pytest.mark.slow
def test_the_page_says_that_these_are_the_users_data(study):
    run, _ = study
    assert run.recipe.cohort.name == "user"
    assert "simulated cohort" not in (run.folder / "report.html").read_text().split("<main")[0]


def test_the_cohorts_arguments_that_a_file_cannot_take_are_left_out():
    told = {"axes": ["time", "region"], "header": True, "sampling_period": 2.0}
    assert fitting_arguments(told, "new.tsv") == told
    assert fitting_arguments(told, "new.1D") == {"axes": ["time", "region"], "sampling_period": 2.0}
