"""Every recipe and every variant of it runs, small, from the simulator to the page."""

import numpy as np
import pandas as pd
import pytest
from small import small

import neuroloom
from neuroloom.recipe import read_recipe, recipe_names

ALL = [(name, variant) for name in recipe_names() for variant in (None, *read_recipe(name).variants)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), ALL)
def test_it_runs(name, variant, cache, tmp_path):
    changes = {"training.epochs": 1} | ({"explanation": []} if variant else {})  # one explanation a recipe is enough
    recipe = read_recipe(name, variant, small(name, **changes))
    run = neuroloom.run(recipe, out=tmp_path / "run", cache=cache, jobs=1)
    deep = run.predictions.query("learner == @run.metrics['deep']")
    numbers = deep[[column for column in deep if column.startswith("prediction_") and deep[column].dtype.kind == "f"]]
    assert sorted(deep["sample_id"]) == sorted(set(deep["sample_id"]))  # each person once, in one test part
    cohort, settings = pd.read_csv(run.folder / "cohort.csv"), recipe.validation
    n_samples = len(cohort)
    assert cohort["participant_id"].nunique() == recipe.cohort.arguments["n_participants"]
    assert len(deep) == (n_samples // settings.folds if settings.split == "holdout" else n_samples)
    numbers = numbers.dropna(axis=1, how="all")  # structures that no simulated map has
    assert np.isfinite(numbers.to_numpy()).all()
    page = (run.folder / "report.html").read_text()
    assert all(run.metrics["learners"][learner]["label"] in page for learner in run.metrics["learners"])
