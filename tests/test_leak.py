"""The leak proof: noise in place of the test people must not change a bit of what is learned."""

from dataclasses import replace

import numpy as np
import pytest
from small import small

from neuroloom.errors import LeakError
from neuroloom.experiment import prepare, read_cohort
from neuroloom.recipe import read_recipe, recipe_names
from neuroloom.sampling.data import with_noise
from neuroloom.training.job import single_thread
from neuroloom.training.learner import make_learner
from neuroloom.transforms.cache import Cache

LEARNED = ("model.safetensors", "state.safetensors", "fitted.json", "history.csv")


def everything_learned(prepared, data, folder):
    """Fit every learner in the first fold; return the bytes of all that it keeps."""
    kept = {}
    for plan in prepared.plans:
        place = folder / plan.name
        place.mkdir(parents=True)
        with single_thread():
            make_learner(plan).fit(data, prepared.folds[0], prepared.recipe.seed, place)
        kept |= {(plan.name, file): (place / file).read_bytes() for file in LEARNED if (place / file).exists()}
    return kept


@pytest.fixture(scope="module", params=recipe_names())
def prepared(request, tmp_path_factory):
    recipe = read_recipe(request.param, None, small(request.param))
    return prepare(recipe, read_cohort(recipe), Cache(tmp_path_factory.mktemp("cache")))


@pytest.mark.slow
def test_noise_in_place_of_the_test_people_changes_nothing_that_is_learned(prepared, tmp_path):
    noisy = with_noise(prepared.data, prepared.folds[0].test, seed=1)
    as_it_is = everything_learned(prepared, prepared.data, tmp_path / "as it is")
    with_noise_there = everything_learned(prepared, noisy, tmp_path / "noise")
    assert as_it_is.keys() == with_noise_there.keys()
    assert [key for key in as_it_is if as_it_is[key] != with_noise_there[key]] == []


@pytest.mark.slow
def test_other_targets_of_the_test_people_change_no_prediction_of_theirs(prepared, tmp_path):
    data, test = prepared.data, prepared.folds[0].test
    values, table = data.target.values.copy(), data.cohort.table.copy()
    values[test] = np.roll(values[test], 1)
    if data.target.kind == "labels":
        pytest.skip("the truth is an input: noise in its place is the other test's")
    column = table[data.target.name].to_numpy(copy=True)
    column[test] = np.roll(column[test], 1)
    table[data.target.name] = column
    cohort, target = replace(data.cohort, table=table), replace(data.target, values=values)
    told_otherwise = replace(data, cohort=cohort, target=target)
    for plan in prepared.plans:
        place = tmp_path / plan.name
        place.mkdir()
        with single_thread():
            learner = make_learner(plan).fit(data, prepared.folds[0], prepared.recipe.seed, place)
            assert learner.predict(data, test).tobytes() == learner.predict(told_otherwise, test).tobytes(), plan.name


@pytest.mark.slow
def test_the_proof_can_fail(prepared, tmp_path):
    """Noise in place of people of the fit part does change what is learned, in every learner."""
    noisy = with_noise(prepared.data, prepared.folds[0].fit[:5], seed=1)
    as_it_is = everything_learned(prepared, prepared.data, tmp_path / "as it is")
    with_noise_there = everything_learned(prepared, noisy, tmp_path / "noise")
    for plan in prepared.plans:
        assert as_it_is[plan.name, "model.safetensors"] != with_noise_there[plan.name, "model.safetensors"]


@pytest.mark.parametrize("feature", ["age", "AGE"])
def test_the_target_among_the_features_is_refused(tmp_path, feature):
    cells = "".join(f"p{number},{20 + number},{number}\n" for number in range(20))
    (tmp_path / "people.csv").write_text(f"id,AGE,x\n{cells}")
    (tmp_path / "other.csv").write_text(f"id,{feature},x\n{cells}")
    told = "table: people.csv\nparticipant_id: id\ncolumns: {age: AGE}\n"
    told += f"inputs: {{thickness: {{kind: table, file: other.csv, key: id, columns: [x, {feature}]}}}}"
    (tmp_path / "cohort.yaml").write_text(told)
    recipe = read_recipe("brain-age-table")
    with pytest.raises(LeakError, match=f"input 'thickness' has the feature '{feature}', but the target 'age'"):
        prepare(recipe, read_cohort(recipe, tmp_path), Cache(tmp_path / "cache"))
