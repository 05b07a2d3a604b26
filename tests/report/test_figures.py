"""Figures carry the run's numbers: the data behind each drawing, and marks counted in the drawn SVG."""

import re

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.image import resample_to_img
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score, roc_curve
from statsmodels.stats.proportion import proportion_confint

from neuroloom.formats.numpy_files import read_arrays
from neuroloom.report.figures_calibration import calibration_bins, wilson_interval
from neuroloom.report.figures_cohort import age_counts, people_of
from neuroloom.report.figures_connectome import connectome_figure, planted_edges, strongest_edges
from neuroloom.report.figures_discrimination import fold_rocs, mean_roc, roc_figure
from neuroloom.report.figures_features import strongest_features
from neuroloom.report.figures_null import null_rows
from neuroloom.report.figures_scatter import scatter_figure, scatter_points
from neuroloom.report.figures_sites import forest_figure, site_scores
from neuroloom.report.figures_training import chosen_epoch, learning_curves_figure
from neuroloom.report.figures_volume import shown_from, strongest_place, volume_figure
from neuroloom.report.run_record import read_run
from neuroloom.report.svg import INK, drawing, inline_svg, learner_colours


@pytest.fixture(scope="module")
def classify(classify_run):
    return read_run(classify_run)


@pytest.fixture(scope="module")
def regress(regress_run):
    return read_run(regress_run)


def test_roc_of_each_fold_is_scikit_learns(classify):
    rows = classify.of_learner("sfcn")
    curves = fold_rocs(rows, "diagnosis", "AD")
    assert list(curves) == [(0, fold) for fold in range(5)]
    for (_, fold), (false_positive, sensitivity) in curves.items():
        held = rows[rows["fold"] == fold]
        truth = held["truth_diagnosis"] == "AD"
        expected = roc_curve(truth, held["prediction_p_AD"])
        np.testing.assert_allclose(false_positive, expected[0])
        np.testing.assert_allclose(sensitivity, expected[1])
        area = np.trapezoid(sensitivity, false_positive)
        assert area == pytest.approx(roc_auc_score(truth, held["prediction_p_AD"]))


def test_mean_roc_averages_folds_and_names_those_of_one_class():
    told = {"truth_d": list("abababaa"), "prediction_p_b": [0, 1, 0, 1, 1, 0, 0.1, 0.2]}
    rows = pd.DataFrame({"repeat": 0, "fold": [0, 0, 1, 1, 2, 2, 3, 3], **told})
    curve = mean_roc(rows, "d", "b")
    assert (curve.n_folds, curve.without_curve) == (3, [(0, 3)])
    inside = curve.sensitivity[1:-1]  # two folds are perfect, one is all wrong: 2/3 everywhere inside
    np.testing.assert_allclose(inside, 2 / 3)
    np.testing.assert_allclose(curve.spread[1:-1], np.std([1, 1, 0], ddof=1))
    assert mean_roc(rows[rows["fold"] == 3], "d", "b") is None


def test_roc_figure_draws_a_line_a_learner_and_tells_its_auc(classify):
    drawn = roc_figure(classify, "AD")["svg"]
    for name, told in classify.learners.items():
        assert f"{classify.label(name)}  {told['scores']['auc']['value']:.2f}" in drawn


def test_calibration_bins_are_scikit_learns(classify):
    rows = classify.of_learner("logistic")
    truth = (rows["truth_diagnosis"] == "AD").to_numpy()
    observed, predicted = calibration_curve(truth, rows["prediction_p_AD"], n_bins=10)
    bins = calibration_bins(classify.learners["logistic"]["calibration"]["reliability"])
    np.testing.assert_allclose([here.observed for here in bins], observed)
    np.testing.assert_allclose([here.predicted for here in bins], predicted)
    assert sum(here.n for here in bins) == 160


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 17), (40, 40)])
def test_wilson_interval_is_that_of_statsmodels(hits, n):
    expected = proportion_confint(hits, n, method="wilson")
    np.testing.assert_allclose(wilson_interval(hits / n, n), expected, atol=1e-12)


def test_an_interval_is_about_people_however_often_they_are_tested():
    curve = {"predicted": [0.3], "observed": [0.25], "n": [60]}
    (here,) = calibration_bins(curve, repeats=3)
    assert here.n == 20
    np.testing.assert_allclose(here.interval, proportion_confint(5, 20, method="wilson"))


def test_scatter_shows_each_person_once_at_the_mean_of_repeats(regress):
    rows = regress.of_learner("sfcn")
    points = scatter_points(rows, "age")
    np.testing.assert_array_equal(points.truth, rows["truth_age"])
    np.testing.assert_array_equal(points.corrected, rows["prediction_age_corrected"])
    again = rows.assign(repeat=1, prediction_age=rows["prediction_age"] + 2)
    both = scatter_points(pd.concat([rows, again]), "age")
    assert len(both.truth) == len(rows)
    np.testing.assert_allclose(both.predicted, rows["prediction_age"] + 1)


def test_scatter_draws_a_mark_a_person_and_panel(regress):
    drawn = scatter_figure(regress)["svg"]
    panels = len(regress.learners) * 2  # as predicted, and corrected
    marks = re.findall(r'<g clip-path="[^"]*">((?:\s*<use [^>]*/>)+)', drawn)
    assert [group.count("<use ") for group in marks] == [160] * panels


def test_sites_are_those_of_metrics_largest_first():
    told = {"per_site": {"B": {"n": 4, "auc": {"value": None, "interval": [None, None]}, "note": "no AUC"},
                         "A": {"n": 9, "auc": {"value": 0.8, "interval": [0.6, 0.9]}, "seen": False}}}  # fmt: skip
    first, second = site_scores(told, "auc")
    assert (first.site, first.n, first.value, first.interval, first.seen) == ("A", 9, 0.8, (0.6, 0.9), False)
    assert (second.site, second.value, second.interval, second.note) == ("B", None, None, "no AUC")


def test_forest_tells_sites_that_were_not_learned_from(three_class_run, classify):
    assert "Open: the site was not learned from" in forest_figure(read_run(three_class_run), "auc")["caption"]
    assert "says nothing about new sites" in forest_figure(classify, "auc")["caption"]


def test_null_rows_are_those_of_metrics(classify):
    for row in null_rows(classify):
        null = classify.learners[row["learner"]]["null"]
        assert row["p"] == null["p"]
        assert row["quantiles"] == {float(at): value for at, value in null["quantiles"].items()}


def test_learning_curves_mark_the_epoch_of_the_lowest_tune_loss(classify):
    for history in classify.histories["sfcn"].values():
        assert chosen_epoch(history) == history.loc[history["tune_loss"].idxmin(), "epoch"]
    drawn = learning_curves_figure(classify, "sfcn")
    assert [f"Fold 0-{fold}" in drawn["svg"] for fold in range(5)] == [True] * 5
    assert "SFCN. Vertical line: the epoch that was kept." in drawn["caption"]


def test_ages_are_counted_by_group_and_nobody_is_lost():
    ages = pd.Series([20.0, 25.0, 34.9, 40.0, np.nan, 60.0])
    edges, counts = age_counts(ages, pd.Series(["F", "M", "F", "M", "M", None]))
    assert {name: int(count.sum()) for name, count in counts.items()} == {"F": 2, "M": 2}
    assert edges[0] <= 20
    assert edges[-1] > 40
    np.testing.assert_allclose(np.diff(edges), edges[1] - edges[0])


def test_each_person_counts_once(classify):
    twice = pd.concat([classify.cohort, classify.cohort.iloc[:7]])
    record = type(classify)(folder=classify.folder, metrics=classify.metrics, cohort=twice)
    assert len(people_of(record)) == 160


def test_strongest_edges_ignore_the_diagonal_and_count_an_edge_once():
    matrix = np.array([[9.0, 0.1, -0.7], [0.1, 9.0, np.nan], [-0.7, np.nan, 9.0]])
    assert strongest_edges(matrix) == [(0, 2, -0.7), (0, 1, 0.1)]


def test_planted_edges_are_read_as_mask_or_as_pairs():
    mask = np.zeros((4, 4), bool)
    mask[3, 1] = True
    assert planted_edges(mask, 4) == planted_edges(np.array([[1, 3]]), 4) == {(1, 3)}
    assert planted_edges(None, 4) == set()


def test_connectome_counts_the_planted_edges_that_are_found(classify_run):
    held = read_arrays(classify_run / "explanation" / "edges.npz")
    told = connectome_figure(held, "Edges", "edges")
    assert "(3 of 3 are among them)" in told["caption"]
    assert [edge["planted"] for edge in told["edges"]] == [True] * 3 + [False] * 7
    assert connectome_figure({"matrix": np.zeros((3, 3))}, "nothing", "x") is None


def test_strongest_features_are_by_size_not_by_sign():
    assert strongest_features(np.array([0.1, -3.0, np.nan, 2.0]), 2) == [1, 3]


def test_a_map_is_drawn_where_its_affine_says(classify_run):
    held = read_arrays(classify_run / "explanation" / "ig.npz")
    x, y, z = strongest_place(held["map"], held["affine"])
    image = nib.Nifti1Image(held["map"], held["affine"])
    point = nib.Nifti1Image(np.zeros((1, 1, 1)), np.array([[1, 0, 0, x], [0, 1, 0, y], [0, 0, 1, z], [0, 0, 0, 1.0]]))
    at_place = resample_to_img(image, point, interpolation="nearest", force_resample=True, copy_header=True)
    assert at_place.get_fdata().item() == pytest.approx(held["map"].max())


def test_the_strongest_twentieth_of_what_is_not_zero_is_shown():
    values = np.r_[np.zeros(1000), -np.arange(1, 101)]
    assert np.mean(np.abs(values[values != 0]) >= shown_from(values)) == pytest.approx(0.05)


def test_a_map_of_nothing_is_not_drawn():
    assert volume_figure({"map": np.zeros((4, 4, 4)), "affine": np.eye(4)}, "nothing", "x") is None


def test_figures_take_the_colours_of_the_page_and_keep_their_ids_apart():
    with drawing(2, 2) as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=INK["deep"], marker="o")
        axes.set_title("<b> & $x_1$ −1")
        first, second = (inline_svg(figure, name, 'a "title"') for name in ("one", "two"))
    assert "var(--deep)" in first
    assert INK["deep"] not in first
    assert "&lt;b&gt; &amp; $x_1$ −1" in first
    assert 'aria-label="a &#34;title&#34;"' in first
    ids = re.findall(r'id="([^"]+)"', first)
    assert ids
    assert all(name.startswith("one-") for name in ids)
    assert not set(ids) & set(re.findall(r'id="([^"]+)"', second))
    used = set(re.findall(r'href="#([^"]+)"', first)) | set(re.findall(r"url\(#([^)]+)\)", first))
    assert used == set(ids)


def test_drawing_leaves_matplotlibs_settings_as_they_were():
    import matplotlib

    before = dict(matplotlib.rcParams)
    with drawing(2, 2) as figure:
        figure.add_subplot().plot([1, 2])
        inline_svg(figure, "x", "x")
    assert dict(matplotlib.rcParams) == before


def test_learners_have_the_colour_of_their_role():
    roles = {"net": "deep", "a": "baseline", "b": "baseline", "c": "confounds"}
    colours = learner_colours({name: {"role": role} for name, role in roles.items()})
    assert colours == {"net": "deep", "a": "baseline", "b": "baseline-2", "c": "confounds"}
