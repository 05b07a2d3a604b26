"""Answers for new scans: the mean of the folds' learners, each with its own fitted state."""

import numpy as np
import pandas as pd
import pytest
from small import small

import neuroloom
from neuroloom.cohort.opened import open_cohort
from neuroloom.errors import NeuroloomError
from neuroloom.experiment import told_inputs
from neuroloom.formats import fitting_arguments
from neuroloom.formats.limits import read_json
from neuroloom.formats.tables import read_table, write_table
from neuroloom.recipe import Recipe, read_recipe
from neuroloom.replay import replay_run
from neuroloom.simulators.bids import write_cohort
from neuroloom.simulators.table import simulate_table


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished run on real files, whose cohort file lies elsewhere, and the table of the files."""
    folder = tmp_path_factory.mktemp("study")
    write_cohort(simulate_table(n_participants=60), folder / "data")
    people = read_table(folder / "data" / "participants.tsv")
    people = people.assign(full_name="Ada Lovelace", date_of_birth="1815-12-10", mmse=30)
    write_table(folder / "data" / "participants.tsv", people)
    mine = (folder / "data" / "cohort.yaml").rename(folder / "mine.yaml")
    recipe = read_recipe("brain-age-table", None, small("brain-age-table", **{"cohort.where": "mmse > 20"}))
    run = neuroloom.run(recipe, folder / "data", cohort_file=mine, out=folder / "run", cache=folder / "cache", jobs=1)
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


@pytest.mark.slow
def test_a_run_keeps_only_the_columns_that_it_asks_about(study):
    run, table = study
    kept = read_table(run.folder / "cohort.csv")
    assert list(kept) == ["sample_id", "participant_id", "site", "age", "sex", "mmse", "n_missing"]
    for path in run.folder.rglob("*.*"):
        assert b"Lovelace" not in path.read_bytes(), path.name
        assert b"1815-12-10" not in path.read_bytes(), path.name
    people = read_table(table.parent / "participants.tsv")
    write_table(table.parent / "participants.tsv", people.assign(full_name="Ada King"))
    changed = open_cohort(table.parent, run.cohort_file, "mmse > 20").fingerprint()
    write_table(table.parent / "participants.tsv", people)
    again = open_cohort(table.parent, run.cohort_file, "mmse > 20").fingerprint()
    assert again == run.environment["cohort_fingerprint"] != changed  # over the whole table, kept or not


@pytest.mark.slow
def test_a_run_is_repeated_from_the_cohort_file_that_it_kept(study):
    run, table = study
    mine = run.folder.parent / "mine.yaml"
    assert run.cohort_file.read_text() == mine.read_text()
    mine.rename(mine.with_name("lost.yaml"))
    assert replay_run(run, data=table.parent).agrees
    assert (
        "neuroloom run run/recipe.yaml --data DATA --cohort run/cohort.yaml" in (run.folder / "report.html").read_text()
    )


SERIES_RECIPE = {
    "id": "series", "title": "test", "source": "https://doi.org/10.1/test", "cohort": {"name": "user"},
    "inputs": {"bold": [{"name": "clean_series", "low_pass": 0.1}, {"name": "covariance"}]},
    "target": {"column": "diagnosis", "positive": "autism"}, "task": {"name": "classify"},
    "model": {"name": "logistic"}, "validation": {"folds": 2, "permutations": 0},
}  # fmt: skip


@pytest.fixture(scope="module")
def series_study(tmp_path_factory):
    """A finished run on BIDS series that all were sampled each 2 s, and a new series without a sidecar."""
    folder, draw = tmp_path_factory.mktemp("series"), np.random.default_rng(0)
    people = [f"sub-{number:02d}" for number in range(16)]
    for person in [*people, "new"]:
        place = folder / "data" / person / "func" if person in people else folder
        place.mkdir(parents=True, exist_ok=True)
        series = pd.DataFrame(draw.normal(size=(80, 4)), columns=list("abcd"))
        write_table(place / f"{person}_timeseries.tsv", series)
        if person in people:
            (place / f"{person}_timeseries.json").write_text('{"RepetitionTime": 2.0}')
    table = pd.DataFrame({"participant_id": people, "diagnosis": ["autism", "control"] * 8})
    write_table(folder / "data" / "participants.tsv", table)
    recipe = Recipe.model_validate(SERIES_RECIPE)
    run = neuroloom.run(recipe, folder / "data", out=folder / "run", cache=folder / "cache", jobs=1)
    return run, folder / "new_timeseries.tsv"


def test_a_new_series_is_sampled_as_its_own_sidecar_says(series_study):
    run, file = series_study
    ask = {period: neuroloom.predict(run.folder, [file], reader={"sampling_period": period}) for period in (1.0, 2.0)}
    one, two = (ask[period]["prediction_p_autism"].item() for period in (1.0, 2.0))
    assert abs(one - two) > 1e-3  # the filter cuts elsewhere
    file.with_suffix(".json").write_text('{"RepetitionTime": 1.0}')
    assert neuroloom.predict(run.folder, [file])["prediction_p_autism"].item() == one
    said = neuroloom.predict(run.folder, [file], reader={"sampling_period": 2.0})  # the user's word goes first
    assert said["prediction_p_autism"].item() == two
    file.with_suffix(".json").unlink()
    with pytest.raises(NeuroloomError, match=r"needs the sampling rate, but the series has none.*--sampling-period"):
        neuroloom.predict(run.folder, [file])


def test_what_held_for_all_series_of_the_training_is_kept_but_not_their_rate(series_study):
    run, _ = series_study
    told = told_inputs(open_cohort(run.folder.parent / "data"))
    assert told["bold"] == {"kind": "series", "arguments": {"axes": ["time", "region"], "header": True}, "names": None}
    assert read_json(run.folder / "inputs.json") == told


def test_the_cohorts_arguments_that_a_file_cannot_take_are_left_out():
    told = {"axes": ["time", "region"], "header": True, "sampling_period": 2.0}
    assert fitting_arguments(told, "new.tsv") == told
    assert fitting_arguments(told, "new.1D") == {"axes": ["time", "region"], "sampling_period": 2.0}
