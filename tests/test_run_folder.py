"""The folder of a run: what counts as ended, what may be deleted, and what it tells when it goes on."""

import json

import pytest

import neuroloom
from neuroloom.api import processors, usual_jobs
from neuroloom.errors import NeuroloomError
from neuroloom.recipe import read_recipe
from neuroloom.replay import is_same_machine
from neuroloom.report.run_record import read_run
from neuroloom.run_folder import Run, environment


@pytest.fixture
def begun(tmp_path):
    """A run that has written what it is, and no more."""
    recipe, run = read_recipe("brain-age-table"), Run(tmp_path / "run")
    with run.locked():
        run.start(recipe, "as it is")
    return run


def go_on(run):
    with run.locked():
        run.start(read_recipe("brain-age-table"), "as it is")


def test_a_page_does_not_make_a_run_ended(begun):
    begun.write_json("metrics.json", {})
    (begun.folder / "report.html").write_text("written by 'neuroloom report'")
    assert not begun.finished
    begun.log.add("run ended")
    assert begun.finished


def test_a_run_that_was_killed_before_its_recipe_was_written_begins_again(begun):
    (begun.folder / "recipe.yaml").unlink()
    (begun.folder / "environment.json").write_text("{}")
    go_on(begun)
    assert begun.recipe.id == "brain-age-table"
    assert begun.environment["cohort_fingerprint"] == "as it is"


def test_a_run_that_goes_on_with_other_versions_says_so_on_its_page(begun):
    told = begun.environment
    present, told["versions"]["torch"] = told["versions"]["torch"], "1.0"
    begun.write_json("environment.json", told)
    begun.write_json("metrics.json", {"warnings": []})
    go_on(begun)
    assert read_run(begun.folder).warnings == [
        f"This run was begun with other versions and went on with the present ones: torch 1.0 then, {present} now."
    ]


def test_a_run_that_goes_on_with_the_same_versions_says_nothing(begun):
    go_on(begun)
    assert begun.log.events() == []


@pytest.mark.parametrize("wrong", [{"recipe": "brain-age-table"}, {"recipe": None}])
def test_force_deletes_nothing_before_recipe_and_data_are_read(begun, wrong):
    recipe = read_recipe("brain-age-table", None, [] if wrong["recipe"] else [("model.widhts", [3])])
    with pytest.raises(NeuroloomError):
        neuroloom.run(recipe, begun.folder / "no such data", out=begun.folder, force=True)
    assert (begun.folder / "recipe.yaml").is_file()


def test_force_waits_for_no_run_and_deletes_none_that_is_at_work(begun):
    with begun.locked(), pytest.raises(NeuroloomError, match="another run is at work in this folder"):
        neuroloom.run("brain-age-table", settings={"cohort.n_participants": 40}, out=begun.folder, force=True)
    assert (begun.folder / "recipe.yaml").is_file()


def test_clear_keeps_the_lock_and_nothing_else(begun):
    begun.job_folder("0-0", "mlp").mkdir(parents=True)
    with begun.locked():
        begun.clear()
        assert {path.name for path in begun.folder.iterdir()} <= {".lock"}


def test_a_recipe_that_is_read_already_takes_no_settings(tmp_path):
    recipe = read_recipe("brain-age-table")
    for more in ({"settings": {"training.epochs": 1}}, {"variant": "smaller"}):
        with pytest.raises(NeuroloomError, match="takes no variant and no settings"):
            neuroloom.run(recipe, out=tmp_path / "run", **more)


@pytest.mark.parametrize(
    ("model", "device", "expected"), [("mlp", "cuda", 1), ("mlp", "cpu", processors()), ("ridge", "cuda", processors())]
)
def test_networks_on_a_gpu_are_trained_one_at_a_time(monkeypatch, model, device, expected):
    import torch

    monkeypatch.setattr("neuroloom.api.chosen_device", lambda name: torch.device(device))
    assert usual_jobs(read_recipe("brain-age-table", None, [("model.name", model)])) == expected


def test_another_gpu_is_another_machine():
    now = environment("as it is")
    assert is_same_machine(now, json.loads(json.dumps(now)))
    assert not is_same_machine(now, {**now, "gpu": "of another make"})
    assert not is_same_machine(now, {**now, "versions": {**now["versions"], "torch": "1.0"}})
