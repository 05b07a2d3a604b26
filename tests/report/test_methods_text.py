"""The methods of a paper: each claim is held against the run's own files."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest

from neuroloom.models import MODELS
from neuroloom.report.headline import key_facts
from neuroloom.report.methods_text import disjoint_in, methods_text, part_text
from neuroloom.report.references import reference_in, references_of
from neuroloom.report.run_record import read_run
from neuroloom.tasks import TASKS


@pytest.fixture(scope="module")
def classify(classify_run):
    return methods_text(read_run(classify_run))


def test_people_and_parts_are_counted_from_the_tables(classify_run, classify):
    cohort, folds = (pd.read_csv(classify_run / name) for name in ("cohort.csv", "folds.csv"))
    text = " ".join(classify["paragraphs"])
    age = cohort["age"]
    assert f"160 participants of 4 sites, aged {age.min():.1f} to {age.max():.1f} years (mean {age.mean():.1f}" in text
    assert f"{(cohort['sex'] == 'F').sum()} female and {(cohort['sex'] == 'M').sum()} male" in text
    assert "80 CN and 80 AD" in text
    sizes = folds.groupby(["fold", "part"]).size().unstack().loc[0]
    assert f"(fit {sizes['fit']}, tune {sizes['tune']}, test {sizes['test']} samples)" in text
    assert "5-fold cross-validation" in text


def test_training_is_told_with_the_epochs_that_were_kept(classify_run, classify):
    record = read_run(classify_run)
    kept = [int(held.loc[held["chosen"] == 1, "epoch"].iloc[0]) for held in record.histories["sfcn"].values()]
    text = " ".join(classify["paragraphs"])
    assert "AdamW (learning rate 0.001, one cycle schedule, weight decay 0.01) for 30 epochs in batches of 16" in text
    assert f"(median epoch {sorted(kept)[2]}, {min(kept)} to {max(kept)} over 5 folds)" in text
    assert "a tune part that only chooses (the epoch)" in text


def test_versions_seed_and_null_are_those_of_the_run(classify):
    text = " ".join(classify["paragraphs"])
    assert "neuroloom 0.1.0, Python 3.11.7, torch 2.13.0, numpy 2.3.0 and scikit-learn 1.8.0" in text
    assert "All random draws follow from seed 3." in text
    assert "predictions permuted within fold and site (60 draws)" in text
    assert "hunter2" not in text


def test_sources_are_numbered_in_order_and_listed_once(classify):
    numbers = [entry["number"] for entry in classify["references"]]
    dois = [entry["doi"] for entry in classify["references"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(set(dois)) == len(dois)
    assert dois[0] == "10.1016/j.media.2020.101694"  # the recipe's
    text = " ".join(classify["paragraphs"])
    sfcn = dois.index("10.1016/j.media.2020.101871") + 1
    assert f"SFCN (widths = [16, 32, 64], dropout = 0.3) [{sfcn}]" in text


def test_a_split_that_is_not_apart_is_not_said_to_be(classify_run, tmp_path):
    run = tmp_path / "leaky"
    shutil.copytree(classify_run, run)
    folds = pd.read_csv(run / "folds.csv")
    assert disjoint_in(folds)
    again = folds[(folds["fold"] == 0) & (folds["part"] == "test")].head(1).assign(part="fit")
    leaky = pd.concat([folds, again])
    assert not disjoint_in(leaky)
    leaky.to_csv(run / "folds.csv", index=False)
    text = " ".join(methods_text(read_run(run))["paragraphs"])
    assert "No participant stood in two parts" not in text
    assert "participants stand in several parts of a fold" in text


def test_bias_correction_is_told_where_it_was_made(classify, regress_run):
    regress = methods_text(read_run(regress_run))
    assert "corrected for regression to the mean" in " ".join(regress["paragraphs"])
    assert "corrected for regression" not in " ".join(classify["paragraphs"])
    assert "10.1038/mp.2017.62" in [entry["doi"] for entry in regress["references"]]


def test_without_files_little_is_said_and_nothing_invented(tmp_path):
    (tmp_path / "metrics.json").write_text("{}")
    told = methods_text(read_run(tmp_path))
    assert told == {"paragraphs": ["The analysis ran with neuroloom."], "references": []}


def test_parts_are_written_with_their_arguments_and_without_folders():
    part = {"name": "align_to", "template": "/home/alice/x/mni.nii", "robust": True, "label": None, "cost": None}
    assert part_text(part) == "align to (template = …/x/mni.nii, robust = yes)"


def test_sources_are_read_from_docstrings_without_importing():
    assert references_of(MODELS, "sfcn") == [("Peng et al. 2021", "10.1016/j.media.2020.101871")]
    assert references_of(TASKS, "regress") == []  # the correction's source stands with its argument
    assert references_of(TASKS, "regress", of_arguments=True) == [("Cole et al. 2018", "10.1038/mp.2017.62")]
    assert references_of(MODELS, "no such model") == []


def test_a_doi_is_found_in_an_address():
    assert reference_in("https://doi.org/10.1016/j.neuroimage.2016.10.045") == ("", "10.1016/j.neuroimage.2016.10.045")
    assert reference_in("(doi:10.1002/(SICI)1097-0258).") == ("", "10.1002/(SICI)1097-0258")
    assert reference_in("our own") is None


def test_a_confound_that_is_the_same_for_everybody_was_not_learned_from(classify_run):
    record = read_run(classify_run)
    assert "saw only site, age, sex and motion, to show" in " ".join(methods_text(record)["paragraphs"])
    cohort = record.cohort.assign(site="site-A").drop(columns="motion")
    text = " ".join(methods_text(replace(record, cohort=cohort))["paragraphs"])
    assert "saw only age and sex, to show" in text


def test_sexes_by_another_code_are_not_guessed(classify_run):
    record = read_run(classify_run)
    coded = record.cohort.assign(sex=[1] * 100 + [2] * 60)
    assert "100 of sex 1 and 60 of sex 2" in " ".join(methods_text(replace(record, cohort=coded))["paragraphs"])


def test_where_nobody_knows_who_is_who_no_people_are_counted(classify_run):
    record = read_run(classify_run)
    unknown = replace(record, metrics={**record.metrics, "identity": "unknown"})
    text = " ".join(methods_text(unknown)["paragraphs"])
    assert "The cohort held 160 samples of an unknown number of people" in text
    assert "In each fold participants, by their names, were divided" in text
    assert "who is who is unknown, so the split cannot be proven to keep people apart, and no score is claimed" in text
    assert "No participant stood in two parts" not in text
    assert ("Participants", "160", "who is who is unknown: claimed for nobody new") in key_facts(unknown)
    assert ("Participants", "160", "claimed for new participants") in key_facts(record)
