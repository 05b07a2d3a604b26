"""The numbers of a segmentation run, worked by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from neuroloom.validation.segmentation import evaluate_segmentation

CLASSES = ("left_hippocampus", "csf")


def run(n=4, deep=(0.8, 0.7, 0.9, 0.8), other=(0.5, 0.6, 0.5, 0.4), samples_each=1, **more):
    people = [f"sub-{1 + row // samples_each}" for row in range(n)]
    table = pd.DataFrame(
        {"participant_id": people}, index=pd.Index([f"scan-{row}" for row in range(n)], name="sample_id")
    )
    rows = []
    for learner, values in (("unet3d", deep), ("average_map", other)):
        for sample, value in zip(table.index, values, strict=True):
            rows.append(
                {
                    "sample_id": sample, "repeat": 0, "fold": 0, "learner": learner, "prediction_dice": value,
                    "prediction_dice_left_hippocampus": value, "truth_ml_left_hippocampus": 4.0,
                    "prediction_ml_left_hippocampus": 3.0, "prediction_dice_csf": np.nan, "truth_ml_csf": 0.0,
                    "prediction_ml_csf": 1.0,
                }
            )  # fmt: skip
    folds = pd.DataFrame({"sample_id": table.index, "repeat": 0, "fold": 0, "part": "test"})
    return evaluate_segmentation(
        pd.DataFrame(rows), table, folds, target="labels", classes=CLASSES,
        roles={"unet3d": "deep", "average_map": "baseline"}, labels={"unet3d": "U-Net"},
        **{"unit": "participant", "split": "kfold", "title": "test", **more},
    )  # fmt: skip


def test_score_and_interval_are_of_the_mean_over_people():
    score = run()["learners"]["unet3d"]["scores"]["dice"]
    half = t.ppf(0.975, 3) * np.std([0.8, 0.7, 0.9, 0.8], ddof=1) / 2
    assert score["value"] == pytest.approx(0.8)
    assert score["interval"] == pytest.approx([0.8 - half, 0.8 + half])
    assert score["n_units"] == 4


def test_scans_of_one_person_count_as_one():
    score = run(samples_each=2)["learners"]["unet3d"]["scores"]["dice"]
    assert score["n_units"] == 2
    assert score["value"] == pytest.approx(0.8)
    assert score["interval"] is None  # of two people


def test_the_difference_is_taken_person_by_person():
    told = run()["comparisons"][0]
    gains = np.array([0.3, 0.1, 0.4, 0.4])
    half = t.ppf(0.975, 3) * gains.std(ddof=1) / 2
    assert told["difference"] == pytest.approx(0.3)
    assert told["interval"] == pytest.approx([0.3 - half, 0.3 + half])


def test_volumes_err_by_a_quarter_and_what_is_nowhere_is_named():
    report = run()
    assert report["learners"]["unet3d"]["scores"]["volume_error"]["value"] == pytest.approx(0.25)
    hippocampus, csf = report["structures"]
    assert hippocampus["truth_ml"] == 4
    assert hippocampus["learners"]["unet3d"]["ml"] == 3
    assert csf["learners"]["unet3d"]["dice"] is None
    assert any("1 structures are in no map" in text and "csf" in text for text in report["warnings"])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ((0.5, 0.4, 0.5, 0.4), "this is better than average_map (0.45)"),
        ((0.8, 0.75, 0.8, 0.9), "this is not shown to differ from average_map (0.81)"),
        ((0.95, 0.9, 0.99, 0.98), "this is worse than average_map (0.95)"),
    ],
)
def test_the_first_sentence_says_whether_it_beats_the_baseline(other, words):
    sentence = run(other=other)["sentence"]
    assert sentence.startswith(
        "U-Net finds the structures of 4 participants with a mean Dice overlap of 0.80 (0.67 to 0.93)"
    )
    assert words in sentence
    assert "n is too small to conclude" in sentence
