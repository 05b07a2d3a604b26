"""The score table: its rows, what is bold, and the table in the terminal."""

import io
import json

import pytest
from rich.console import Console

from neuroloom.report.scores import better_than_rivals, column_groups, comparison_rows, estimands, score_rows
from neuroloom.report.table import result_table


def versus(a, b, metric, low, high):
    return {"a": a, "b": b, "metric": metric, "difference": (low + high) / 2, "interval": [low, high]}


@pytest.fixture(params=["classify_run", "regress_run"])
def metrics(request):
    return json.loads((request.getfixturevalue(request.param) / "metrics.json").read_text())


def test_bold_is_for_those_who_won_every_comparison_clearly():
    auc = [versus("net", "svm", "auc", 0.01, 0.1), versus("net", "ridge", "auc", 0.02, 0.2)]
    assert better_than_rivals({"comparisons": auc}) == {("net", "auc")}
    unclear = [*auc, versus("net", "forest", "auc", -0.01, 0.2)]
    assert better_than_rivals({"comparisons": unclear}) == set()
    unknown = [*auc, {**auc[0], "interval": [None, None]}]
    assert better_than_rivals({"comparisons": unknown}) == set()


def test_of_an_error_the_smaller_one_wins():
    assert better_than_rivals({"comparisons": [versus("net", "ridge", "mae", -0.9, -0.2)]}) == {("net", "mae")}
    assert better_than_rivals({"comparisons": [versus("net", "ridge", "mae", 0.2, 0.9)]}) == {("ridge", "mae")}


def test_without_comparisons_nothing_is_bold():
    learners = {"net": {"role": "deep", "scores": {"auc": {"value": 0.99, "interval": [0.98, 1.0]}}}}
    (row,) = score_rows({"learners": learners}, ["auc"])
    assert row["cells"] == [{"value": "0.99", "interval": "0.98 to 1.00", "bold": False}]


def test_rows_come_by_role_then_chance_then_ceiling(metrics):
    roles = [row["role"] for row in score_rows(metrics, column_groups(metrics)[0])]
    known = ["chance", "ceiling"] if metrics["ceiling"] else ["chance"]
    assert roles == ["deep", "baseline", "baseline", "confounds", *known]


def test_every_score_stands_in_one_table(metrics):
    main, corrected, further = column_groups(metrics)
    held = {metric for told in metrics["learners"].values() for metric in told["scores"]}
    assert len(main) + len(corrected) + len(further) == len(held)
    assert {*main, *corrected, *further} == held
    assert main[0] == metrics["primary"]
    assert all(metric.endswith("_corrected") for metric in corrected)


@pytest.mark.parametrize(
    ("metric", "low", "high", "verdict"),
    [
        ("auc", 0.01, 0.09, "net is better"),
        ("auc", -0.09, -0.01, "ridge is better"),
        ("mae", 0.2, 0.6, "ridge is better"),
        ("mae", -0.6, -0.2, "net is better"),
        ("mae", -0.6, 0.2, "no difference is shown"),
    ],
)
def test_a_comparison_says_who_is_better(metric, low, high, verdict):
    (row,) = comparison_rows({"comparisons": [versus("net", "ridge", metric, low, high)]})
    assert row["pair"] == "net − ridge"
    assert row["verdict"] == verdict


def test_what_all_estimands_share_is_said_once():
    scores = {
        "mae": {"estimand": "mean distance; for new people"},
        "r2": {"estimand": "share gone; below 0 bad; for new people"},
    }
    told = estimands({"learners": {"net": {"scores": scores}}}, ["mae", "r2"])
    assert told == ["Mean absolute error: mean distance.", "R²: share gone; below 0 bad.", "All for new people."]


def test_terminal_table_holds_every_learner_with_interval_at_80_columns(metrics):
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(result_table(metrics))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    for told in metrics["learners"].values():
        score = told["scores"][metrics["primary"]]
        assert f"{score['value']:.2f}" in text
        assert f"{score['interval'][0]:.2f} to {score['interval'][1]:.2f}" in text
        assert told["label"].split()[0] in text
    assert "Chance" in text
    assert ("Best possible" in text) == bool(metrics["ceiling"])


def test_markup_in_a_label_is_text():
    learners = {
        "net": {"role": "deep", "label": "[red]net[/red]", "scores": {"auc": {"value": 0.5, "interval": [0.4, 0.6]}}}
    }
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(result_table({"learners": learners, "title": "[bold]x[/nothing]"}))
    text = console.export_text()
    assert "[red]net[/red]" in text
    assert "[bold]x[/nothing]" in text
