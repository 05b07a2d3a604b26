import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.simulators.table import SLOPE, SPREAD, _correlation, _regions, best_mae, simulate_table


def measured(cohort):
    return np.asarray(cohort.inputs["thickness"].arrays, dtype=float), cohort.table["age"].to_numpy()


def test_planted_slopes_are_found():
    cohort = simulate_table(n_participants=2000, seed=4)
    thickness, age = measured(cohort)
    planted = np.array(list(cohort.planted["slopes"].values()))
    slope = np.polyfit(age, thickness, 1)[0]
    rest = thickness - np.outer(age - age.mean(), slope)
    error = rest.std(axis=0) / (age.std() * np.sqrt(len(age)))
    assert np.all(np.abs(slope - planted) < 4.5 * error)  # 68 regions: 1 in 2,000 of such draws would fail
    assert planted.mean() == pytest.approx(SLOPE * SPREAD, rel=0.15)


def test_nothing_planted_leaves_nothing():
    cohort = simulate_table(n_participants=2000, effect_scale=0.0, seed=4)
    thickness, age = measured(cohort)
    r = [np.corrcoef(age, region)[0, 1] for region in thickness.T]
    assert np.max(np.abs(r)) < 4.5 / np.sqrt(2000)
    assert cohort.planted["ceiling"]["mae"] == pytest.approx(66 / 4)


def test_regions_vary_together_as_stated():
    cohort = simulate_table(n_participants=4000, effect_scale=0.0, seed=1)
    seen = np.corrcoef(measured(cohort)[0].T)
    assert np.abs(seen - _correlation(_regions()[1])).max() < 5 / np.sqrt(4000)


def test_the_ceiling_is_that_of_the_best_linear_predictor_where_errors_are_small():
    slopes, correlation = np.full(10, 0.5), np.eye(10)
    error = 1 / np.sqrt(10 * 0.25)  # years; a uniform range of 66 years tells next to nothing more
    assert best_mae(slopes, correlation, (20, 86), n_draws=200_000) == pytest.approx(
        error * np.sqrt(2 / np.pi), rel=0.02
    )


def test_the_same_seed_draws_the_same_people():
    one, same, other = (measured(simulate_table(n_participants=5, seed=seed))[0] for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("told", [{"n_participants": 0}, {"n_participants": -3}, {"n_sites": 0}])
def test_nobody_cannot_be_simulated(told):
    (name, value), *_ = told.items()
    with pytest.raises(NeuroloomError, match=f"simulated_table: {name} must be 1 or more, but is {value}"):
        simulate_table(**told)
