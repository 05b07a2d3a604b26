import json
import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from neuroloom.errors import NeuroloomError
from neuroloom.seeds import generator
from neuroloom.validation.evaluate import evaluate, told_split

TASK = {"kind": "classify", "target": "diagnosis", "classes": ["control", "AD"], "positive": "AD", "unit": None}
AGES = {"kind": "regress", "target": "age", "classes": [], "positive": None, "unit": "y"}
ROLES = {"net": "deep", "linear": "baseline", "confounds": "confounds"}


def run(drawn, **said):
    settings = {"task": TASK, "roles": ROLES, "permutations": 49, "confounds": ("site", "age", "sex", "motion")}
    return evaluate(*drawn, **(settings | said))


def test_known_truth_comes_out(tables):
    drawn = tables(n=400, separations={"net": 2.0, "linear": 1.0, "confounds": 0.0})
    told = run(drawn, inputs=("T1w",), title="AD", labels={"linear": "linear SVM"})
    for name, separation in (("net", 2.0), ("linear", 1.0), ("confounds", 0.0)):
        low, high = told["learners"][name]["scores"]["auc"]["interval"]
        assert low < stats.norm.cdf(separation / np.sqrt(2)) < high
    assert told["learners"]["net"]["null"]["p"] == 1 / 50
    assert told["learners"]["confounds"]["null"]["p"] > 0.05
    assert [c["verdict"] for c in told["comparisons"]] == ["better", "better", "better"]
    assert [(c["a"], c["b"]) for c in told["comparisons"]] == [
        ("net", "linear"),
        ("net", "confounds"),
        ("linear", "confounds"),
    ]
    assert told["sentence"].startswith("From T1w, net tells AD from control with AUC 0.9")
    assert "linear SVM on the same folds reaches 0.7" in told["sentence"]
    assert "so the network wins by 0." in told["sentence"]
    slope = told["learners"]["net"]["calibration"]["slope"]["interval"]
    assert slope[0] < 1 < slope[1]


def test_scores_are_those_of_sklearn_inside_folds(tables):
    predictions, people, folds = tables(n=120)
    net = predictions[predictions["learner"] == "net"]
    each, pairs = [], []
    for _, part in net.groupby("fold"):
        positive = part["truth_diagnosis"] == "AD"
        each.append(roc_auc_score(positive, part["prediction_p_AD"]))
        pairs.append(positive.sum() * (~positive).sum())
    told = run((predictions, people, folds))["learners"]["net"]
    assert told["scores"]["auc"]["value"] == pytest.approx(np.average(each, weights=pairs))
    assert told["mean_over_folds"]["auc"] == pytest.approx(np.mean(each))
    assert [row["auc"] for row in told["per_fold"]] == pytest.approx(each)
    right = (net["prediction_diagnosis"] == net["truth_diagnosis"]).mean()
    assert told["scores"]["accuracy"]["value"] == pytest.approx(right)
    assert np.trace(told["confusion"]["counts"]) == pytest.approx(right * 120)


def test_the_page_holds_what_was_promised(tables):
    told = run(tables(n=100, repeats=2), split="repeated kfold")
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert {"task", "title", "target", "unit", "split", "primary", "deep", "learners", "chance", "ceiling"} < set(told)
    assert {"comparisons", "sentence", "warnings"} < set(told)
    entry = told["learners"]["net"]
    assert {"role", "label", "scores", "null", "per_fold", "per_site", "seen_sites", "unseen_sites"} < set(entry)
    assert {"subgroups", "calibration", "confusion", "missed"} < set(entry)
    assert set(entry["scores"]["auc"]) == {"value", "interval", "n_units", "estimand"}
    assert set(entry["null"]["quantiles"]) == {"0.05", "0.5", "0.95"}
    assert set(entry["subgroups"]) == {"sex", "age"}
    assert sum(group["n"] for group in entry["subgroups"]["age"].values()) == 100
    assert told["split"] == {
        "name": "repeated kfold",
        "within": None,
        "gap": 0.0,
        "folds": 5,
        "repeats": 2,
        "text": "repeated kfold, 5 folds, drawn 2 times; no participant is in two parts of a fold",
    }
    assert told["unit"]["n"] == 100
    assert len(entry["per_fold"]) == 10


def test_left_out_sites_are_unseen(tables):
    told = run(tables(n=120, leave_site_out=True), split="leave_site_out")
    net = told["learners"]["net"]
    assert net["seen_sites"] is None
    assert not any(site["seen"] for site in net["per_site"].values())
    assert net["unseen_sites"]["auc"]["value"] == net["scores"]["auc"]["value"]
    assert "all at sites never seen in training" in told["sentence"]


def test_the_site_as_unit_still_shows_each_site(tables):
    drawn = tables(n=160, n_sites=5, leave_site_out=True)
    told = run(drawn, unit="site")
    assert told["unit"] == {"name": "site", "n": 5, "participants": 160, "within_person": False}
    low, high = told["learners"]["net"]["per_site"]["site-1"]["auc"]["interval"]
    assert low < high
    assert told["learners"]["net"]["null"]["p"] == 1 / 50  # people of a site change places, not sites


def test_all_samples_of_a_person_count_as_one(tables):
    predictions, people, folds = tables(n=80)
    twins = [table.assign(sample_id=table["sample_id"] + "-b") for table in (predictions, folds)]
    again = people.set_axis(people.index + "-b").rename_axis("sample_id")
    doubled = [pd.concat(pair) for pair in ((predictions, twins[0]), (people, again), (folds, twins[1]))]
    once, twice = run((predictions, people, folds)), run(doubled)
    assert twice["unit"]["n"] == 80
    for metric in ("auc", "accuracy", "brier"):
        single, double = (told["learners"]["net"]["scores"][metric] for told in (once, twice))
        assert double["value"] == pytest.approx(single["value"])
        width = [high - low for low, high in (single["interval"], double["interval"])]
        assert width[1] >= 0.97 * width[0]


def test_ages_with_and_without_correction(tables):
    drawn = tables(n=200, kind="regress", separations={"net": 5.0, "linear": 7.0})
    told = run(drawn, task=AGES, groups=("site", "sex", "age"))
    scores = told["learners"]["net"]["scores"]
    for name in ("mae", "rmse", "r2", "pearson", "spearman", "bias_slope"):
        assert {name, f"{name}_corrected"} < set(scores)
    low, high = scores["bias_slope"]["interval"]
    assert low < -0.2 < high  # planted: 0.8 (age - 50)
    low, high = scores["bias_slope_corrected"]["interval"]
    assert low < 0 < high
    assert told["comparisons"][0]["verdict"] == "better"
    age = drawn[1]["age"]
    assert told["chance"]["mae"] == pytest.approx(np.abs(age - age.median()).mean(), rel=0.03)
    assert "with a mean absolute error of" in told["sentence"]
    assert len(told["learners"]["net"]["subgroups"]["age"]) == 2


def test_where_folds_hold_one_class_accuracy_leads(tables):
    predictions, people, folds = tables(n=40)
    place = {sample: number for number, sample in enumerate(people.index)}
    predictions["fold"] = predictions["sample_id"].map(place)
    rows = [(s, f, "test" if place[s] == f else "fit") for f in range(40) for s in people.index]
    folds = pd.DataFrame(rows, columns=["sample_id", "fold", "part"]).assign(repeat=0)
    told = run((predictions, people, folds), split="leave one out")
    assert told["primary"] == "balanced_accuracy"
    assert told["learners"]["net"]["scores"]["auc"]["value"] is None
    assert told["learners"]["net"]["per_fold"][0]["note"].startswith("no AD: gives no")


def test_three_classes(tables):
    predictions, people, folds = tables(n=150)
    rng = np.random.default_rng(0)
    people["diagnosis"] = np.array(["AD", "MCI", "control"])[np.arange(150) % 3]
    truth = predictions["sample_id"].map(people["diagnosis"])
    told_apart = {}
    for name in ("AD", "MCI", "control"):
        told_apart[name] = np.exp((truth == name) * 1.5 + rng.standard_normal(len(truth)))
    total = sum(told_apart.values())
    predictions = predictions.drop(columns=["prediction_p_control", "prediction_p_AD"]).assign(truth_diagnosis=truth)
    predictions = predictions.assign(**{f"prediction_p_{name}": told_apart[name] / total for name in told_apart})
    told = run((predictions, people, folds), task=TASK | {"classes": ["AD", "MCI", "control"], "positive": None})
    assert told["target"]["positive"] is None
    assert "sensitivity" not in told["learners"]["net"]["scores"]
    assert len(told["learners"]["net"]["confusion"]["counts"]) == 3
    assert set(told["learners"]["net"]["calibration"]["classes"]) == {"AD", "MCI", "control"}
    by_class = told["learners"]["net"]["by_class"]
    counts = np.array(told["learners"]["net"]["confusion"]["counts"])
    recalls = [by_class[name]["recall"]["value"] for name in ("AD", "MCI", "control")]
    np.testing.assert_allclose(recalls, np.diag(counts) / counts.sum(axis=1))
    assert all(
        entry["interval"][0] < entry["value"] < entry["interval"][1]
        for of_class in by_class.values()
        for entry in of_class.values()
    )
    assert "tells AD, MCI and control apart" in told["sentence"]


def test_refitted_learners_have_their_own_null(tables):
    drawn = tables(n=60)
    linear = drawn[0][drawn[0]["learner"] == "linear"]

    def refit(seed):
        draw = generator(seed, "noise").random(60)
        return linear.assign(prediction_p_AD=draw, prediction_p_control=1 - draw)

    told = run(drawn, refit_nulls={"linear": refit}, n_refits=19)
    assert told["learners"]["linear"]["null"]["method"] == "learner refitted on shuffled labels"
    assert told["learners"]["linear"]["null"]["n"] == 19
    assert told["learners"]["linear"]["null"]["p"] == 1 / 20
    assert told["learners"]["net"]["null"]["n"] == 49


def test_the_same_seed_gives_the_same_page_and_order_does_not_matter(tables):
    predictions, people, folds = tables(n=60)
    shuffled = [table.sample(frac=1, random_state=0) for table in (predictions, people, folds)]
    straight, turned = run((predictions, people, folds)), run(shuffled)
    assert straight["learners"]["net"]["scores"] == run((predictions, people, folds))["learners"]["net"]["scores"]
    for name, entry in straight["learners"]["net"]["scores"].items():
        assert turned["learners"]["net"]["scores"][name]["value"] == pytest.approx(entry["value"])
        assert turned["learners"]["net"]["scores"][name]["interval"] == pytest.approx(entry["interval"])


def test_a_page_needs_a_deep_learner_and_roles(tables):
    drawn = tables(n=20)
    with pytest.raises(NeuroloomError, match="No learner has the role 'deep'"):
        run(drawn, roles=dict.fromkeys(ROLES, "baseline"))
    with pytest.raises(NeuroloomError, match="'confounds' has predictions but no role"):
        run(drawn, roles={"net": "deep", "linear": "baseline"})
    with pytest.raises(NeuroloomError, match="at least two classes"):
        run(drawn, task=TASK | {"classes": ["AD"]})
    with pytest.raises(NeuroloomError, match="Unknown metric of this task: 'acuracy'"):
        run(drawn, primary="acuracy")


@pytest.mark.slow
def test_five_learners_of_500_people_take_seconds(tables):
    separations = {"net": 2.0, "linear": 2.0, "confounds": 0.0, "forest": 1.5, "mean": 1.0}
    drawn = tables(n=500, separations=separations, n_sites=4)
    start = time.process_time()
    run(drawn, roles=ROLES | {"forest": "baseline", "mean": "baseline"}, permutations=200)
    assert time.process_time() - start < 5


def test_a_model_a_person_and_a_gap_are_told():
    folds = pd.DataFrame({"repeat": 0, "fold": range(8), "participant_id": list("aaaabbbb")})
    told = told_split(folds, "kfold", "block", "participant", 2.0)
    assert told["folds"] == 4
    assert told["text"] == (
        "cross-validation inside each of 2 people, who have a model each, 4 folds; no block is in two parts of a fold, and 2 s "
        "lie between what is learned from and what is tested"
    )
