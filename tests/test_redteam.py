"""The red team: nothing is claimed from shuffled labels, and a wrong split is shown to claim much."""

import numpy as np
import pytest
from small import small

from neuroloom.preparation import prepare, read_cohort
from neuroloom.recipe import read_recipe
from neuroloom.redteam import red_team
from neuroloom.sampling.data import with_shuffled_target
from neuroloom.transforms.cache import Cache


@pytest.fixture
def recipe():
    changes = {"cohort.n_participants": 150, "cohort.n_sites": 2, "baselines": [{"name": "gaussian_process"}]}
    return read_recipe("brain-age-table", None, small("brain-age-table", **changes))


def test_labels_are_dealt_within_site(recipe, tmp_path):
    data = prepare(recipe, read_cohort(recipe), Cache(tmp_path)).data
    shuffled = with_shuffled_target(data, seed=4)
    site = data.cohort.table["site"].to_numpy()
    for name in np.unique(site):
        assert sorted(shuffled.target.values[site == name]) == sorted(data.target.values[site == name])
    assert (shuffled.target.values != data.target.values).mean() > 0.9


@pytest.mark.slow
def test_what_each_attack_finds(recipe, tmp_path):
    attacks = {(one.name, one.learner): one for one in red_team(recipe, cache=Cache(tmp_path))}
    honest, leaking = attacks["shuffled labels", "gaussian_process"], attacks["wrong split", "gaussian_process"]
    assert honest.passed
    assert honest.interval[0] < honest.chance < honest.interval[1] + 1.5
    assert leaking.interval[1] < 0.75 * leaking.chance  # from the same shuffled ages
    assert attacks["confounds", "confounds"].passed is None
