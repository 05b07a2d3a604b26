"""Numbers, metrics and paths as they are written."""

import pytest

from neuroloom.report.wording import (
    compact,
    joined,
    less_is_better,
    metric_label,
    metric_words,
    number,
    p_value,
    score_interval,
    without_paths,
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/home/alice", "…"),
        ("see /home/alice/scans/sub-01.nii.gz: cut", "see …/scans/sub-01.nii.gz: cut"),
        ("'/home/John Smith/data/a.nii'", "'…/data/a.nii'"),
        ("C:\\Users\\bob\\x\\y.nii", "…\\x\\y.nii"),
        ("file:///mnt/disk/c.nii", "…/c.nii"),
        ("~/data/x.csv and ~bob/y.csv", "…/x.csv and …/y.csv"),
        ("(/tmp/run-7/x)", "(…/x)"),
        ("/srv/a.csv", "…/a.csv"),
        ("/data/study/sub-01_T1w.nii", "…/sub-01_T1w.nii"),
        ("\\\\server\\share\\x.nii", "…/x.nii"),
    ],
)
def test_folders_of_a_machine_are_not_written(text, written):
    assert without_paths(text) == written


@pytest.mark.parametrize(
    "text", ["and/or M/F 1/2", "https://doi.org/10.1016/j.media.2020.101694", "scans/sub-01.nii", "run/recipe.yaml"]
)
def test_what_is_no_folder_stays(text):
    assert without_paths(text) == text


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (0.1249, 2, "0.12"),
        (-3.0, 1, "−3.0"),
        (-0.001, 2, "0.00"),
        (None, 2, "–"),
        (float("nan"), 2, "–"),
        ("x", 2, "–"),
    ],
)
def test_numbers(value, digits, written):
    assert number(value, digits) == written


@pytest.mark.parametrize(
    ("value", "spread", "written"),
    [(0.0748, None, "0.0748"), (123.4, None, "123"), (0.0, None, "0"), (-1.4, None, "−1.40"), (72.31, 6.4, "72.3"),
     (0.1262, 0.05, "0.126"), (-10.2, 2.2, "−10.2"), (None, 1.0, "–")],
)  # fmt: skip
def test_numbers_with_as_many_digits_as_mean_something(value, spread, written):
    assert compact(value, spread) == written


@pytest.mark.parametrize(("p", "written"), [(0.0004, "p < 0.001"), (0.0164, "p = 0.016"), (None, "–")])
def test_p_values(p, written):
    assert p_value(p) == written


def test_metrics_are_called_what_the_field_calls_them():
    assert metric_label("mae", "years") == "Mean absolute error (years)"
    assert metric_label("r2", "years") == "R²"
    assert metric_words("mae_corrected") == "mean absolute error, bias-corrected"
    assert metric_label("a_new_metric") == "A new metric"
    assert [less_is_better(metric) for metric in ("mae", "mae_corrected", "brier", "auc", "bias_slope")] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_intervals_and_lists():
    assert score_interval([-0.5, 0.25], "auc") == "−0.50 to 0.25"
    assert score_interval([0.0123, 0.2], "brier") == "0.012 to 0.200"
    assert score_interval([None, 0.25], "auc") == score_interval(None, "auc") == ""
    assert [joined([]), joined("a"), joined("ab"), joined("abc")] == ["", "a", "a and b", "a, b and c"]
