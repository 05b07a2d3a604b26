"""What is decided before anything is learned: names, labels, and the target kept out of what a learner sees."""

from dataclasses import replace

import numpy as np
import pytest
from small import small

from neuroloom.cohort.cohort import ArraySource
from neuroloom.errors import NeuroloomError
from neuroloom.preparation import check_parts, make_plans, prepare, read_cohort
from neuroloom.recipe import read_recipe, recipe_names
from neuroloom.training.learner import Plan, make_learner
from neuroloom.transforms.cache import Cache

COMBAT = {"name": "combat", "unseen": "mean"}


def recipe_with(**changes):
    return read_recipe("brain-age-table", None, small("brain-age-table", **{"cohort.n_sites": 2, **changes}))


@pytest.mark.parametrize(("combat", "column"), [(COMBAT, "age"), ({**COMBAT, "keep": [], "site": "age"}, "age")])
def test_a_transform_that_reads_the_target_is_refused(combat, column):
    recipe = recipe_with(**{"inputs.thickness": [combat]})
    with pytest.raises(NeuroloomError, match=rf"combat in the chain of 'thickness' reads the column '{column}'"):
        check_parts(recipe)
    check_parts(recipe_with(**{"inputs.thickness": [{**COMBAT, "keep": ["sex"]}]}))


def with_columns(cohort, **columns):
    return replace(cohort, table=cohort.table.assign(**columns))


def test_the_target_under_another_name_is_refused_too(tmp_path):
    recipe = recipe_with(**{"inputs.thickness": [{**COMBAT, "keep": ["age_at_scan"]}]})
    cohort = read_cohort(recipe)
    with pytest.raises(NeuroloomError, match="reads the column 'age_at_scan', which holds the target"):
        prepare(recipe, with_columns(cohort, age_at_scan=cohort.table["age"]), Cache(tmp_path))


def test_the_target_is_no_confound_and_that_is_said(tmp_path):
    recipe = recipe_with(**{"validation.confounds": ["site", "age", "age_at_scan"]})
    cohort = read_cohort(recipe)
    prepared = prepare(recipe, with_columns(cohort, age_at_scan=cohort.table["age"]), Cache(tmp_path))
    assert [plan.confounds for plan in prepared.plans if plan.confounds] == [("site",)]
    assert prepared.warnings == (
        "The confound 'age' is the target, so it is left out of the confounds.",
        "The confound 'age_at_scan' is the target, so it is left out of the confounds.",
    )


def test_learners_of_one_kind_have_names_and_labels_of_their_own():
    baselines = [{"name": "ridge", "alphas": [alpha], "label": f"ridge {alpha}"} for alpha in (0.1, 1.0, 10.0)]
    plans, roles = make_plans(recipe_with(baselines=baselines))
    assert {plan.name: plan.label for plan in plans} == {
        "mlp": "multilayer perceptron",
        "ridge": "ridge 0.1",
        "ridge-thickness": "ridge 1.0",
        "ridge-thickness-2": "ridge 10.0",
    }
    assert len(roles) == 4
    assert [Plan.from_dict(plan.as_dict()) for plan in plans] == plans


def test_a_fact_of_a_second_input_is_kept_where_it_differs(tmp_path):
    recipe = recipe_with()
    cohort, rng = read_cohort(recipe), np.random.default_rng(0)
    series = {
        name: ArraySource("series", tuple(cohort.samples), rng.normal(size=(80, 3, n)), {"sampling_rate": 1.0})
        for name, n in (("rest", 40), ("task", 60))
    }
    chain = [{"name": "covariance"}]
    recipe = recipe_with(**{"inputs": {"rest": chain, "task": chain, "again": {"from": "rest", "chain": chain}}})
    table = prepare(recipe, replace(cohort, inputs=series), Cache(tmp_path)).data.cohort.table
    assert table["length_s"].unique().tolist() == [40]
    assert table["task_length_s"].unique().tolist() == [60]
    assert "again_length_s" not in table


def test_the_penalty_is_chosen_with_whole_families_held_out(tmp_path, monkeypatch):
    recipe = recipe_with(**{"validation.unit": "family", "baselines": [{"name": "ridge"}]})
    cohort = with_columns(read_cohort(recipe), family_id=[f"family-{row // 4}" for row in range(80)])
    prepared = prepare(recipe, cohort, Cache(tmp_path))
    learner, fold = make_learner(next(plan for plan in prepared.plans if plan.name == "ridge")), prepared.folds[0]
    given = []
    fit = learner.estimator.fit

    def watched(x, y, groups, seed):
        given.append(groups)
        return fit(x, y, groups, seed=seed)

    monkeypatch.setattr(learner.estimator, "fit", watched)
    learner.fit(prepared.data, fold, 0, tmp_path)
    family = prepared.data.cohort.table["family_id"].to_numpy()[fold.fit]
    assert len(np.unique(given[0])) == len(np.unique(family)) < len(family)
    assert all(len(np.unique(given[0][family == one])) == 1 for one in np.unique(family))


@pytest.mark.parametrize("class_weight", ["balanced", "none"])
def test_linear_models_weigh_classes_as_the_task_says(class_weight):
    changes = small("autism-fmri", **{"task.class_weight": class_weight, "baselines": [{"name": "linear_svm"}]})
    plans, _ = make_plans(read_recipe("autism-fmri", None, changes), ["site"])
    estimators = [make_learner(plan).estimator for plan in plans if plan.kind == "estimator"]
    assert [one.class_weight for one in estimators] == [class_weight, class_weight]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.widhts": [3]}, "argument of model 'mlp': 'widhts'. Did you mean 'widths'"),
        ({"baselines.0.alpha": [1]}, "argument of estimator 'ridge': 'alpha'. Did you mean 'alphas'"),
        ({"baselines.0.name": "logistic"}, "'logistic' predicts a class, but task 'regress' asks for a number. "
                                           "Estimators of a number: ridge, gaussian_process."),
        ({"model.name": "linear_svm"}, "'linear_svm' predicts a class"),
        ({"training.augmentation": [{"name": "intensity", "nois": 1}]}, "argument of augmentation 'intensity': 'nois'"),
        ({"explanation.0.stepps": 3}, "'stepps'. Did you mean 'steps'"),
        ({"task.loss": "hubber"}, "loss of task regress: 'hubber'. Did you mean 'huber'"),
        ({"inputs.thickness.chain.0.strategy": "medain"}, "medain"),
        ({"model": {"name": "late_fusion", "encoders": {"thickness": {"name": "mlp", "widht": [2]}}}}, "'widht'"),
        ({"model": {"name": "late_fusion", "encoders": {"thickness": {"name": "mpl"}}}}, "Did you mean 'mlp'"),
    ],
)  # fmt: skip
def test_a_misspelt_part_is_refused(changes, message):
    with pytest.raises(NeuroloomError) as error:
        check_parts(recipe_with(**changes))
    assert message in str(error.value)


@pytest.mark.parametrize("name", recipe_names())
def test_every_packaged_recipe_and_variant_passes(name):
    variants = (None, *read_recipe(name).variants)
    assert {variant: complaint(read_recipe(name, variant)) for variant in variants} == dict.fromkeys(variants)


def complaint(recipe):
    """Return what is said against a recipe; None where it passes."""
    try:
        return check_parts(recipe)
    except NeuroloomError as error:
        return str(error)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": {"column": "age"}}, "task 'segment' asks for target {input: NAME}"),
        ({"model": {"name": "sfcn", "inputs": ["scan"]}}, "'sfcn' does not answer task 'segment'.*unet3d"),
        ({"explanation": [{"name": "gradient"}]}, "explanations and refits are not made for segmentation"),
        ({"task": {"name": "regress"}}, "task 'regress' asks for target {column: NAME}"),
    ],
)
def test_task_target_and_network_must_fit_each_other(changes, words):
    with pytest.raises(NeuroloomError, match=words):
        check_parts(read_recipe("anatomy", None, changes.items()))
