"""The page as a whole: what it says, what it never says, and that it asks nobody for anything."""

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from neuroloom.errors import FileProblem
from neuroloom.report.cohort_tables import share_of_women
from neuroloom.report.headline import repeat_commands
from neuroloom.report.run_record import read_run
from neuroloom.report.study_page import write_study_page

SECTIONS = (
    "scores", "curves", "groups", "confounds", "null", "explanation", "cohort", "missed", "training", "methods",
    "claims", "repeat",
)  # fmt: skip
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """What a browser would find on a page: elements with their attributes, text by section, tags in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self.by_section, self.open = [], [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open[-1][0] == tag, f"</{tag}> closes <{self.open[-1][0]}>"
        self.open.pop()

    def handle_data(self, text):
        inside = [attributes.get("id") for tag, attributes in self.open if tag == "section"]
        if self.open and self.open[-1][0] == "style":
            return
        self.text.append(text)
        for name in inside:
            self.by_section[name] = self.by_section.get(name, "") + text + " "


def read_page(path):
    return Page(path.read_text(encoding="utf-8"))


def flat(text):
    return re.sub(r"\s+", " ", text)


@pytest.fixture(scope="module")
def classify_page(classify_run):
    return read_page(write_study_page(classify_run))


@pytest.fixture(scope="module")
def regress_page(regress_run):
    return read_page(write_study_page(regress_run))


@pytest.fixture(params=["classify_page", "regress_page"])
def page(request):
    return request.getfixturevalue(request.param)


def test_every_section_is_there_and_tags_are_closed_in_order(page):
    found = [attributes["id"] for tag, attributes in page.elements if tag == "section"]
    assert found == list(SECTIONS)
    assert page.open == []


def test_the_first_sentence_is_told_first(classify_run, classify_page):
    sentence = json.loads((classify_run / "metrics.json").read_text())["sentence"]
    description = next(a["content"] for tag, a in classify_page.elements if a.get("name") == "description")
    assert description == sentence
    found, _, beside = sentence.partition("; ")
    text = flat(" ".join(classify_page.text))
    assert text.index(flat(found)) < text.index(flat(beside[1:])) < text.index("Scores")


def test_numbers_stand_on_the_page_as_in_metrics_json(classify_run, classify_page):
    metrics = json.loads((classify_run / "metrics.json").read_text())
    auc = metrics["learners"]["sfcn"]["scores"]["auc"]
    low, high = auc["interval"]
    scores = flat(classify_page.by_section["scores"])
    assert f"SFCN model {auc['value']:.2f} {low:.2f} to {high:.2f}" in scores
    assert f"Chance {metrics['chance']['auc']:.2f}" in scores
    assert "Best possible (planted truth) 0.99" in scores
    difference = next(told for told in metrics["comparisons"] if told["b"] == "linear_svm")["difference"]
    assert f"SFCN − Linear SVM {difference:.2f}" in scores


def test_numbers_of_an_age_carry_years_and_both_ways_are_shown(regress_run, regress_page):
    scores = json.loads((regress_run / "metrics.json").read_text())["learners"]["sfcn"]["scores"]
    text = flat(regress_page.by_section["scores"])
    plain, _, corrected = text.partition("After bias correction")
    assert "Mean absolute error (years)" in plain
    assert f"SFCN model {scores['mae']['value']:.2f}" in plain
    assert f"SFCN model {scores['mae_corrected']['value']:.2f}" in corrected


def test_what_was_seen_on_a_real_page_is_said_in_words(regress_run, regress_page):
    folds = json.loads((regress_run / "metrics.json").read_text())["split"]
    assert folds["text"] == "cross-validation, 5 folds; no participant is in two parts of a fold"
    curves = flat(regress_page.by_section["curves"])
    assert "Each point: a tenth of the predictions (16 people at most)." in curves  # of 160


def test_nothing_is_loaded_from_anywhere(page):
    for tag, attributes in page.elements:
        assert tag not in ("script", "iframe", "object", "embed", "base", "form")
        assert not any(name.startswith("on") for name in attributes)
        for name, value in attributes.items():
            if name in ("src", "href", "xlink:href", "action", "poster", "srcset"):
                allowed = ("#", "data:image/png;base64,")
                assert value.startswith(allowed) or (tag == "a" and value.startswith("https://doi.org/10."))


def test_no_address_stands_in_the_source_but_those_of_references(classify_run, classify_page):
    source = (classify_run / "report.html").read_text()
    addresses = re.findall(r"\w+://[^\s\"'<>]+", source)
    assert addresses
    assert all(address.startswith("https://doi.org/10.") for address in addresses)
    assert "@import" not in source
    assert "<!DOCTYPE html>" in source
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert policy in source


def test_no_folder_user_or_variable_is_told(page):
    told = " ".join([*page.text, *(value or "" for _, attributes in page.elements for value in attributes.values())])
    for secret in ("alice", "/home/", "hunter2", "SECRET_TOKEN", "/tmp", "pytest-"):
        assert secret not in told
    assert "Could not read …/scans/sub-900_T1w.nii.gz" in told


def test_warnings_of_metrics_and_of_the_log_are_told_once(classify_page):
    text = flat(" ".join(classify_page.text))
    assert text.count("Every test site was also trained on") == 1
    assert text.count("The confound 'handedness' is not known in this cohort") == 1


def test_the_page_says_what_it_is_not(page):
    assert "For research; it does not replace clinical judgment." in flat(" ".join(page.text))


def test_simulated_cohorts_are_named_as_such(classify_page, regress_page):
    assert "simulated cohort" in flat(" ".join(classify_page.text))
    assert "simulated cohort" not in flat(" ".join(regress_page.text))


def test_commands_repeat_the_run(classify_page, regress_page):
    simulated, user = (flat(page.by_section["repeat"]) for page in (classify_page, regress_page))
    assert "pip install neuroloom==0.1.0" in simulated
    assert "neuroloom replay alzheimers-mri " in simulated
    assert "neuroloom run alzheimers-mri/recipe.yaml --out alzheimers-mri-again" in simulated
    assert "neuroloom replay brain-age --data DATA" in user
    assert "neuroloom run brain-age/recipe.yaml --data DATA --out brain-age-again" in user


def test_the_cohort_file_that_was_given_is_named_where_it_is_needed(regress_run, tmp_path):
    shutil.copytree(regress_run, tmp_path / "mine")
    (tmp_path / "mine" / "cohort.yaml").write_text("table: people.csv")
    told = dict(repeat_commands(read_run(tmp_path / "mine")))
    assert told["Repeat this run and compare, number by number"] == "neuroloom replay mine --data DATA"
    assert told["Run it again into another folder"] == (
        "neuroloom run mine/recipe.yaml --data DATA --cohort mine/cohort.yaml --out mine-again"
    )


@pytest.mark.parametrize(
    ("sex", "share"), [(["F", "M", "F", None], "67 %"), ([1, 2, 2, 1], "–"), (["F", "X"], "–"), ([None], "–")]
)
def test_the_share_of_women_is_not_guessed_from_codes(sex, share):
    assert share_of_women(pd.Series(sex).dropna()) == share


def test_explanations_stand_with_their_tests_and_a_lost_figure_is_named(classify_page):
    text = flat(classify_page.by_section["explanation"])
    assert "Randomised weights 0.110 0.300 passed" in text
    assert "Agreement of folds 0.420 0.500 failed" in text
    assert "A figure whose file is gone: gone.npz is not in the run's folder." in text
    assert "region 1 region 9 1.40 planted" in text


def test_those_who_are_missed_are_named_with_the_learners_that_miss_them_too(classify_run, classify_page):
    metrics = json.loads((classify_run / "metrics.json").read_text())
    worst = metrics["learners"]["sfcn"]["missed"][0]
    predictions = pd.read_csv(classify_run / "predictions.csv")
    others = predictions[(predictions["sample_id"] == worst["sample_id"])]
    wrong = set(others.loc[others["prediction_diagnosis"] != others["truth_diagnosis"], "learner"])
    row = flat(classify_page.by_section["missed"]).partition(worst["participant_id"])[2].partition("sub-")[0]
    assert f"{worst['truth']} {worst['prediction']} {worst['error']:.2f}" in row
    assert ("Linear SVM" in row) == ("linear_svm" in wrong)
    assert ("Regional logistic" in row) == ("logistic" in wrong)


def test_the_same_run_gives_the_same_bytes_and_few_of_them(classify_run, classify_page):
    first = (classify_run / "report.html").read_bytes()
    assert write_study_page(classify_run).read_bytes() == first
    assert len(first) < 3_000_000


def copied(run, folder):
    shutil.copytree(run, folder / run.name)
    return folder / run.name


HOSTILE = "<script>alert('x')</script>"


def test_names_from_the_users_files_are_inert(classify_run, tmp_path):
    run = copied(classify_run, tmp_path)
    swap = {"sub-075": HOSTILE, "site-A": '"><img src=x onerror=alert(1)>', "site-B": "$\\frac{1}{2}$ & {{ 7 * 7 }}"}
    for name in ("cohort.csv", "folds.csv", "predictions.csv", "metrics.json", "log.jsonl", "recipe.yaml"):
        text = (run / name).read_text()
        for plain, hostile in swap.items():
            quoted = (
                json.dumps(hostile)[1:-1] if name.endswith("json") else f'"{hostile.replace(chr(34), chr(34) * 2)}"'
            )
            text = re.sub(rf"{plain}(?=[,\n\"])", lambda _, quoted=quoted: quoted, text)
        (run / name).write_text(text)
    summary = json.loads((run / "explanation" / "summary.json").read_text())
    summary["methods"][0]["text"] = f"Looks at {HOSTILE} in /home/alice/x.nii"
    summary["methods"][0]["figures"][0]["title"] = f"</svg>{HOSTILE}"
    (run / "explanation" / "summary.json").write_text(json.dumps(summary))
    page = read_page(write_study_page(run))
    assert not any(tag in ("script", "img") for tag, _ in page.elements)
    text = " ".join(page.text)
    assert HOSTILE in page.by_section["missed"]
    assert "{{ 7 * 7 }}" in text
    assert "$\\frac{1}{2}$" in text  # drawn as it is written, not as a formula
    assert '"><img src=x onerror=alert(1)>' in text
    assert "alice" not in text


def test_without_optional_files_the_page_says_what_is_absent(classify_run, tmp_path):
    run = tmp_path / "bare"
    run.mkdir()
    shutil.copy(classify_run / "metrics.json", run)
    page = read_page(write_study_page(run))
    assert [attributes["id"] for tag, attributes in page.elements if tag == "section"] == list(SECTIONS)
    assert "cohort.csv is not in the run's folder" in page.by_section["cohort"]
    assert "No explanation was made in this run." in page.by_section["explanation"]
    assert "No learner of this run was trained in epochs." in page.by_section["training"]
    assert "0.93" in page.by_section["scores"]


def test_a_run_that_tells_nearly_nothing_still_has_a_page(tmp_path):
    (tmp_path / "metrics.json").write_text("{}")
    page = read_page(write_study_page(tmp_path))
    assert "This run has no scores." in page.by_section["scores"]
    assert "For research; it does not replace clinical judgment." in flat(" ".join(page.text))


def test_a_run_that_has_not_ended_is_an_error_that_says_so(tmp_path):
    with pytest.raises(FileProblem, match="the run has not ended"):
        write_study_page(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_are_not_known_are_dashes(classify_run, tmp_path):
    run = copied(classify_run, tmp_path)
    metrics = json.loads((run / "metrics.json").read_text())
    deep = metrics["learners"]["sfcn"]
    deep["scores"]["auc"] = {"value": None, "interval": [None, None], "n_units": 160, "estimand": "x"}
    deep["null"] |= {"p": None, "quantiles": {}}
    deep["per_site"]["site-A"]["auc"] = {"value": float("nan"), "interval": [float("nan")] * 2}
    deep["per_site"]["site-A"]["note"] = "no AUC: no AD"
    metrics["comparisons"][0] |= {"difference": None, "interval": [None, None]}
    (run / "metrics.json").write_text(json.dumps(metrics))
    page = read_page(write_study_page(run))
    assert "SFCN model – " in flat(page.by_section["scores"])
    assert "cannot be compared: too few people" in page.by_section["scores"]
    assert "no AUC: no AD" in page.by_section["groups"]


def test_three_classes_and_a_site_of_one_class(three_class_run):
    page = read_page(write_study_page(three_class_run))
    titles = [attributes.get("aria-label") for tag, attributes in page.elements if tag == "svg"]
    for name in ("CN", "MCI", "AD"):
        assert f"ROC, {name} against the rest" in titles
        assert f"Calibration for {name}" in titles
    training = flat(page.by_section["training"])
    assert re.search(r"site-2 \d+ – ", training)  # everybody of this site is of one class
    assert "Sites not learned from" in page.by_section["groups"]
    metrics = json.loads((three_class_run / "metrics.json").read_text())
    of_class = next(iter(metrics["learners"].values()))["by_class"]["MCI"]
    shown = flat(page.by_section["curves"]).split("Each class: how much of it is found")[1]
    for told in of_class.values():
        low, high = told["interval"]
        assert f"{told['value']:.2f} {low:.2f} to {high:.2f}" in shown
    assert np.isin(["CN", "MCI", "AD"], flat(page.by_section["cohort"]).split()).all()
