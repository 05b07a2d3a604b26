import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.parts import Part, build, resolve
from neuroloom.recipe import parse_override, read_recipe, recipe_names, resolved


def minimal(**changes):
    return {
        "id": "x",
        "title": "t",
        "source": "https://doi.org/10.1/x",
        "cohort": {"name": "simulated_table"},
        "inputs": {"thickness": [{"name": "standardize"}]},
        "target": {"column": "age"},
        "task": {"name": "regress"},
        "model": {"name": "mlp", "widths": [8], "dropout": 0.1},
        **changes,
    }


def test_an_override_changes_one_key_and_no_other():
    before, after = resolved(minimal()).as_dict(), resolved(minimal(), None, [("training.epochs", 5)]).as_dict()
    assert after["training"].pop("epochs") == 5
    assert before["training"].pop("epochs") == 30
    assert before == after


def test_another_part_does_not_keep_the_old_arguments():
    assert resolved(minimal(), None, [("model.name", "ridge")]).model.arguments == {}


def test_a_variant_lays_over_the_recipe():
    recipe = resolved(minimal(variants={"v": {"model": {"widths": [4]}, "training": {"epochs": 2}}}), "v")
    assert recipe.model.arguments == {"widths": [4], "dropout": 0.1}
    assert (recipe.training.epochs, recipe.variant) == (2, "v")


def test_the_resolved_recipe_reads_back_the_same():
    recipe = resolved(minimal())
    assert resolved(recipe.as_dict()).as_yaml() == recipe.as_yaml()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainng.epochs=5", "Unknown recipe key: 'trainng'. Did you mean 'training'"),
        ("training.epoch=5", "Did you mean 'epochs'"),
        ("training.epochs=many", "training.epochs = 'many'"),
        ("training.epochs=0", "greater than or equal to 1"),
        ("validation.unit=scan", "validation.unit = 'scan'"),
        ("model.name.x=1", "has no keys below it"),
        ("baselines.0.name=ridge", "a list of 0"),
    ],
)
def test_a_wrong_override_says_what_and_how(override, message):
    with pytest.raises(NeuroloomError) as error:
        resolved(minimal(baselines=[]), None, [parse_override(override)])
    assert message in str(error.value)


def test_an_override_needs_an_equals_sign():
    with pytest.raises(NeuroloomError, match="key=value"):
        parse_override("training.epochs")


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(NeuroloomError, match="Did you mean 'brain-age-table'"):
        read_recipe("brain-age-tabel")


@pytest.mark.parametrize("name", recipe_names())
def test_every_packaged_recipe_and_variant_reads(name):
    recipe = read_recipe(name)
    assert recipe.source.startswith("https://doi.org/")
    assert {"metric", "on", "value"} <= recipe.expected.keys()
    for variant in recipe.variants:
        assert read_recipe(name, variant).variant == variant


def test_a_part_with_a_wrong_argument_names_the_nearest():
    table = {"ridge": "neuroloom.estimators.ridge:Ridge"}
    with pytest.raises(NeuroloomError, match=r"Unknown argument of estimator 'ridge': 'alpha'\. Did you mean 'alphas'"):
        resolve("estimator", table, Part(name="ridge", alpha=[1]))
    assert build("estimator", table, Part(name="ridge", alphas=[2.0])).alphas == [2.0]


def test_another_network_sees_the_same_inputs_under_its_own_name():
    model = {"name": "mlp", "widths": [8], "inputs": ["thickness"], "label": "a small network"}
    changed = resolved(minimal(model=model), None, [("model.name", "ridge")]).model
    assert (changed.name, changed.inputs, changed.label, changed.arguments) == ("ridge", ("thickness",), None, {})


def test_an_input_that_is_a_list_takes_settings_of_its_own():
    inputs = resolved(minimal(), None, [("inputs.thickness.missing", "allow")]).inputs
    assert inputs["thickness"].missing == "allow"
    assert [part.name for part in inputs["thickness"].chain] == ["standardize"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("validation.confounds.0.x", 1, "validation.confounds.0 is 'age' and has no keys below it"),
        ("tuning.space", {"model.dropout": []}, "at least 1 item"),
        ("tuning.space", {}, "at least 1 item"),
    ],
)
def test_settings_that_hold_nothing_are_refused(key, value, message):
    with pytest.raises(NeuroloomError) as error:
        resolved(minimal(validation={"confounds": ["age"]}), None, [(key, value)])
    assert message in str(error.value)


def test_a_value_that_a_constructor_refuses_is_told_with_its_part():
    table = {"dropout": "torch.nn:Dropout"}
    with pytest.raises(NeuroloomError, match=r"model 'dropout': dropout probability .* between 0 and 1, but got 2"):
        build("model", table, Part(name="dropout", p=2))


def test_an_override_may_give_an_input_as_a_list():
    inputs = resolved(minimal(), None, [("inputs.thickness", [{"name": "impute"}])]).inputs
    assert [part.name for part in inputs["thickness"].chain] == ["impute"]
