"""What is wrong with a recipe is said before anything is read."""

import pytest
from small import small

from neuroloom.errors import NeuroloomError
from neuroloom.preparation import check_parts
from neuroloom.recipe import read_recipe, recipe_names


def changed(recipe, **changes):
    return read_recipe(recipe, None, small(recipe, **changes))


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
        check_parts(changed("brain-age-table", **changes))
    assert message in str(error.value)


@pytest.mark.parametrize("name", recipe_names())
def test_every_packaged_recipe_and_variant_passes(name):
    for variant in (None, *read_recipe(name).variants):
        check_parts(read_recipe(name, variant))
