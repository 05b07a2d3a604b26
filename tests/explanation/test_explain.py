"""A run explained: whose maps they are, what is written, and that it is the same each time."""

import json
from dataclasses import replace

import numpy as np
import pytest

from neuroloom.cohort.cohort import ArraySource
from neuroloom.errors import NeuroloomError
from neuroloom.explanation.explain import apart_from, explain, place_of
from neuroloom.explanation.explained import all_explained, bundled, check_explanation
from neuroloom.explanation.fold_map import affordable, chosen_people, group_members
from neuroloom.formats.numpy_files import read_arrays
from neuroloom.formats.tables import read_table
from neuroloom.parts import Part
from neuroloom.recipe import resolved
from neuroloom.report.explained import FIGURES
from neuroloom.run_folder import Run
from neuroloom.transforms.store import ArrayStore


def test_summary_and_files_are_what_the_page_draws(tiny_run):
    run, prepared = tiny_run
    told = []
    content = explain(run, prepared, lambda *now: told.append(now))
    assert json.loads((run.folder / "explanation" / "summary.json").read_text()) == content
    assert told[-1] == ("explaining", 9, 9)  # three methods, three folds
    assert [(one["name"], one["learner"]) for one in content["methods"]] == [
        ("gradient", "mlp"),
        ("integrated_gradients", "mlp"),
        ("integrated_gradients_against_the_truth", "mlp"),
        ("weights", "ridge"),
    ]
    for method in content["methods"]:
        names = [test["name"] for test in method["tests"]]
        assert names[:2] == ["randomised_weights", "agreement_of_folds"]
        assert names[-1] == "planted_place"
        assert all(set(test) == {"name", "value", "threshold", "passed", "text"} for test in method["tests"])
        failed = any(test["passed"] is False for test in method["tests"])
        assert ("must not be read as a biomarker" in method["text"]) == failed
        for number, figure in enumerate(method["figures"]):
            arrays = read_arrays(run.folder / "explanation" / figure["file"])
            drawn = FIGURES[figure["kind"]](arrays, figure["title"], f"figure-{number}")
            assert drawn["svg"].lstrip().startswith("<")


def test_contributions_add_up_to_one_over_the_map(tiny_run):
    """The share of each value in the differences between people: integrated gradients are complete."""
    made, _ = all_explained(*tiny_run)
    (one,) = [one for one in made if one.name == "integrated_gradients"]
    np.testing.assert_allclose([fold.sum() for fold in one.maps], 1, atol=3 * one.told["completeness_error"])
    (other,) = [other for other in made if other.name == "integrated_gradients_against_the_truth"]
    run, prepared = tiny_run
    for fold, of_fold in zip(other.maps, prepared.folds, strict=True):
        rows, told = of_fold.test, run.job_folder(of_fold.key, "mlp")
        predicted = read_table(told / "predictions.csv").set_index("sample_id")["prediction_age"]
        predicted = predicted.loc[np.array(prepared.data.cohort.samples)[rows]].to_numpy()
        slope = np.polyfit(prepared.data.target.values[rows], predicted, 1)[0]
        assert fold.sum() == pytest.approx(slope, abs=0.05)
    assert one.n == 90  # every person once, in the fold where it is test


def test_maps_are_of_the_test_people_alone(tiny_run):
    """The fit people's scans may be anything when the learner is explained by its gradient."""
    run, prepared = tiny_run
    made, _ = all_explained(run, with_methods(prepared, "gradient"))
    fold = prepared.folds[0]
    for rows, same in ((fold.fit, True), (fold.test, False)):
        other, _ = all_explained(run, with_methods(prepared, "gradient", noisy(prepared.data, rows)))
        assert np.array_equal(other[0].maps[0], made[0].maps[0]) is same


def with_methods(prepared, name, data=None):
    recipe = prepared.recipe.model_copy(update={"explanation": (Part(name=name),)})
    return replace(prepared, recipe=recipe, data=data or prepared.data)


def noisy(data, rows):
    store, rng = data.stores["thickness"], np.random.default_rng(0)
    values = {row: np.array(store[row]) for row in range(len(store))}
    values |= {int(row): 9 + rng.standard_normal(68).astype(np.float32) for row in rows}
    return replace(data, stores={"thickness": ArrayStore(store.kind, store.samples, values, store.names)})


def test_explained_again_gives_the_same_bytes(tiny_run, tmp_path):
    run, prepared = tiny_run
    explain(run, prepared)
    other = Run(tmp_path)
    (tmp_path / "folds").symlink_to(run.folder / "folds")
    explain(other, prepared, jobs=2)
    before = {path.name: path.read_bytes() for path in (run.folder / "explanation").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "explanation").iterdir()} == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"explanation": [{"name": "integrated_gradient"}]}, "Did you mean 'integrated_gradients'"),
        ({"explanation": [{"name": "occlusion", "sise": 3}]}, "Did you mean 'size'"),
        ({"explanation": [{"name": "occlusion", "by": "vertex"}]}, "vertex"),
        ({"explanation": [{"name": "gradient"}], "model": {"name": "ridge"}}, "cannot explain model 'ridge'"),
        ({"explanation": [{"name": "weights"}], "baselines": []}, "add a linear baseline"),
    ],
)
def test_a_method_that_cannot_be_is_refused_before_training(drawn, change, message):
    with pytest.raises(NeuroloomError, match=message):
        check_explanation(resolved(drawn.recipe | change))


def test_small_folds_are_taken_together(drawn):
    folds = [drawn.fold(index=index) for index in range(60)]
    assert [len(bundle) for bundle in bundled(folds)] == [1] * 10
    for fold in folds:
        fold.test = fold.test[:1]
    assert [len(bundle) for bundle in bundled(folds)] == [40]


def test_people_are_spread_over_the_target(drawn):
    data = drawn.data("table", n=12, n_classes=2)
    chosen = chosen_people(np.arange(12), data.target, 6)
    assert np.bincount(data.target.values[chosen]).tolist() == [3, 3]
    assert chosen_people(np.arange(12), data.target, 99).tolist() == list(range(12))


def test_thirds_of_predictions_are_equal_groups(drawn):
    target = drawn.data("table", n_classes=0).target
    members = group_members(np.arange(12), np.arange(12.0)[::-1], target)
    assert [member.sum() for member in members.values()] == [4, 4, 4]
    assert members["highest third of predictions"][:4].all()


def test_the_place_is_where_the_effect_changes_what_is_seen(tiny_run):
    """The same people without the effect: two features differ, and after standardising one of them differs most."""
    run, prepared = tiny_run
    made, folds = all_explained(run, with_methods(prepared, "gradient"))
    store = prepared.data.stores["thickness"]
    values = store.stack(np.arange(len(store)))
    effect = np.zeros(68, np.float32)
    effect[[5, 40]] = values.std(axis=0)[[5, 40]] * [2, 1]
    without = {"thickness": ArraySource("table", store.samples, values - effect, {"names": store.names})}
    cohort = replace(prepared.data.cohort, planted=prepared.data.cohort.planted | {"without": without})
    place = place_of(made[0], run, replace(prepared, data=replace(prepared.data, cohort=cohort)), folds[0])
    assert place is None  # one value cannot be tested
    effect[40] = 2.5 * values.std(axis=0)[40]
    effect[7] = 2.2 * values.std(axis=0)[7]
    without["thickness"] = ArraySource("table", store.samples, values - effect, {"names": store.names})
    place = place_of(made[0], run, replace(prepared, data=replace(prepared.data, cohort=cohort)), folds[0])
    assert np.flatnonzero(place.mask).tolist() == [7, 40]


@pytest.mark.parametrize("n_classes", [0, 3])
def test_what_goes_along_with_the_target_is_taken_out(drawn, n_classes):
    target, rng = drawn.data("table", n_classes=n_classes).target, np.random.default_rng(0)
    effect = np.array([5.0, -3.0, 2.0])[target.values] if n_classes else 0.3 * target.values
    noise, rows = rng.standard_normal((12, 2, 3)), np.arange(12)
    left = apart_from(effect[:, None, None] + noise, target, rows)
    np.testing.assert_allclose(left, apart_from(noise, target, rows), atol=1e-12)
    truth = np.eye(3)[target.values] if n_classes else target.values[:, None]
    np.testing.assert_allclose(np.tensordot(truth.T, left, axes=1), 0, atol=1e-9)


def test_as_many_people_are_explained_as_the_room_for_all_their_maps_allows(drawn, monkeypatch):
    data, fold = drawn.data("table"), drawn.fold()
    learner = drawn.learner("table", data, fold)
    monkeypatch.setattr("neuroloom.explanation.fold_map.BYTES_HELD", 6 * 8 * 5 * 7)  # 6 values, 1 + 4 maps, 7 people
    assert affordable(40, learner, data, n_draws=4) == 7
    assert affordable(40, learner, data, n_draws=0) == 35
    assert affordable(5, learner, data, n_draws=4) == 5
