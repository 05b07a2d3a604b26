"""A search over recipe keys inside the fold: judged on the tune part, the test part never seen."""

import numpy as np
import pytest
from small import small

from neuroloom.cohort.folds import Fold
from neuroloom.errors import NeuroloomError
from neuroloom.experiment import learn
from neuroloom.formats.limits import read_json
from neuroloom.preparation import prepare, read_cohort
from neuroloom.recipe import read_recipe
from neuroloom.run_folder import Run
from neuroloom.sampling.data import with_noise
from neuroloom.training.log import Log
from neuroloom.transforms.cache import Cache
from neuroloom.tuning import Grid, Optuna, _best, fit_tuned

SPACE = {"model.widths": [[2], [32]], "training.learning_rate": [1e-5, 1e-2]}


def test_a_grid_tries_every_combination_or_a_draw_of_them():
    grid, choices = Grid(SPACE, 10, seed=0), []
    while (choice := grid.ask()) is not None:
        choices.append(choice)
    assert len(choices) == 4
    assert len({str(choice) for choice in choices}) == 4
    few = Grid(SPACE, 2, seed=0)
    assert [few.ask() is None for _ in range(3)] == [False, False, True]


def test_optuna_finds_the_better_half_of_a_space():
    space = {"x": list(range(20))}
    search, tried = Optuna(space, 25, seed=3), []
    while (choice := search.ask()) is not None:
        error = (choice["x"] - 4) ** 2
        tried.append(error)
        search.tell(choice, error)
    assert len(tried) == 25
    assert min(tried) <= 1


def tuned(tmp_path, noisy=False, **settings):
    changes = small("brain-age-table", **{"tuning.space": SPACE, "tuning.trials": 4, "training.epochs": 6, **settings})
    recipe = read_recipe("brain-age-table", None, changes)
    cache = Cache(tmp_path / "cache")
    prepared = prepare(recipe, read_cohort(recipe), cache)
    fold = prepared.folds[0]
    data = with_noise(prepared.data, fold.test) if noisy else prepared.data
    place = tmp_path / ("noisy" if noisy else "plain")
    fit_tuned(recipe, data, cache, fold, place, Log(tmp_path / "log.jsonl"))
    return place


@pytest.mark.slow
def test_the_chosen_trial_is_the_best_on_the_tune_part_and_test_people_do_not_matter(tmp_path):
    plain, noisy = tuned(tmp_path), tuned(tmp_path, noisy=True)
    told = read_json(plain / "tuning.json")
    errors = [trial["error"] for trial in told["trials"]]
    assert len(errors) == 4
    assert told["chosen"] == int(np.argmin(errors))
    best = plain / "trials" / f"{told['chosen']:03d}"
    assert (plain / "model.safetensors").read_bytes() == (best / "model.safetensors").read_bytes()
    assert (plain / "tuning.json").read_bytes() == (noisy / "tuning.json").read_bytes()
    assert (plain / "model.safetensors").read_bytes() == (noisy / "model.safetensors").read_bytes()


def test_who_is_in_which_part_cannot_be_searched(tmp_path):
    with pytest.raises(NeuroloomError, match=r"'validation\.folds' cannot be searched"):
        tuned(tmp_path, **{"tuning.space": {"validation.folds": [3, 5]}})


@pytest.mark.parametrize(("jobs", "expected"), [(1, 3), (2, 1)])
def test_searches_side_by_side_prepare_scans_one_at_a_time(tmp_path, monkeypatch, jobs, expected):
    recipe = read_recipe("brain-age-table", None, small("brain-age-table", **{"tuning.space": SPACE}))
    prepared, calls = prepare(recipe, read_cohort(recipe), Cache(tmp_path / "cache")), []
    monkeypatch.setattr("neuroloom.experiment.side_by_side", lambda made, jobs: calls.extend(made) or [])
    learn(Run(tmp_path / "run"), prepared, Cache(tmp_path / "cache", 3), jobs)
    assert [arguments[2].jobs for function, *arguments in calls if function is fit_tuned] == [expected] * 5


@pytest.mark.slow
def test_a_trial_that_diverged_is_told_and_not_chosen(tmp_path):
    rates = {"tuning.space": {"training.learning_rate": [1e30, 1e-2]}, "tuning.strategy": "grid"}
    told = read_json(tuned(tmp_path, **rates) / "tuning.json")
    assert told["trials"][0]["error"] is None
    assert told["chosen"] == 1
    assert np.isfinite(told["trials"][1]["error"])


def test_a_search_of_which_every_trial_diverged_says_so():
    fold = Fold(0, 2, *np.arange(3)[:, None], "participant")
    assert _best([{"error": None}, {"error": 3.0}, {"error": 2.0}], fold) == 2
    with pytest.raises(NeuroloomError, match="Fold 0-2: all 2 trials of the search diverged"):
        _best([{"error": None}, {"error": None}], fold)
