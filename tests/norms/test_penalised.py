"""The fit against another optimiser, against weighted least squares and against quantile regression."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize

from neuroloom.norms import shash
from neuroloom.norms.design import Design
from neuroloom.norms.penalised import _curves, _precision, _start, fit_penalised, parameters_of


def draw(n, seed, tails=np.inf):
    rng = np.random.default_rng(seed)
    age, sex = rng.uniform(20, 80, n), rng.choice(["F", "M"], n)
    noise = rng.standard_normal(n) if np.isinf(tails) else rng.standard_t(tails, n)
    y = 0.04 * (age - 50) + 0.5 * (sex == "M") + np.exp(0.01 * (age - 50)) * noise
    return y, age, sex


def test_newton_ends_where_a_general_optimiser_ends():
    y, age, sex = draw(250, seed=0)
    design = Design(20, 80, True)
    columns, precision = design.columns(age, sex), _precision(design, dict.fromkeys(design.smooths, 20.0))
    found, _ = _curves(y, columns, _start(y, columns), precision)

    def loss(terms):
        return precision @ terms**2 / 2 - shash.log_density(y, parameters_of(columns, terms)).sum()

    def slope(terms):
        by_parameter = shash.gradient(y, parameters_of(columns, terms))
        return precision * terms - np.concatenate([c.T @ g for c, g in zip(columns, by_parameter, strict=True)])

    theirs = minimize(loss, np.zeros(len(found)), jac=slope, method="BFGS", options={"gtol": 1e-6, "maxiter": 5000})
    assert loss(found) <= theirs.fun + 1e-6
    np.testing.assert_allclose(found, theirs.x, atol=1e-3)


def test_median_and_its_error_are_those_of_weighted_least_squares():
    """For a normal law with straight lines the median is a weighted least-squares line, and not known better."""
    y, age, sex = draw(4000, seed=1)
    design = Design(20, 80, True)
    columns = design.columns(age, sex)
    fitted = fit_penalised(y, columns, design)
    line = np.column_stack([np.ones(len(y)), age - 50, sex == "M"]).astype(float)
    theirs = sm.WLS(y, line, weights=np.exp(-0.02 * (age - 50))).fit()
    their_error = theirs.get_prediction(line).se_mean
    place = slice(0, columns[0].shape[1])
    our_error = np.sqrt(np.einsum("ni,ij,nj->n", columns[0], fitted.covariance[place, place], columns[0]))
    apart = (parameters_of(columns, fitted.coefficients)[0] - theirs.predict(line)) / our_error
    assert np.sqrt(np.mean(apart**2)) < 2
    middle = (age > 30) & (age < 70)
    assert np.all(our_error > 0.95 * their_error)  # ours also does not know bends, skewness and tails ...
    assert np.median(our_error[middle] / their_error[middle]) < 2  # ... which costs little where people are


@pytest.mark.parametrize("tails", [np.inf, 6])
def test_lines_agree_with_quantile_regression(tails):
    y, age, sex = draw(4000, seed=2, tails=tails)
    design = Design(20, 80, True)
    columns = design.columns(age, sex)
    parameters = parameters_of(columns, fit_penalised(y, columns, design).coefficients)
    t = (age - 50) / 30
    terms = np.column_stack([np.ones(len(y)), t, t**2, np.where(sex == "M", 0.5, -0.5)])
    for share, z in ((0.05, -1.6449), (0.5, 0.0), (0.95, 1.6449)):
        theirs = sm.QuantReg(y, terms).fit(q=share, max_iter=10_000)
        error = np.sqrt(np.einsum("ni,ij,nj->n", terms, theirs.cov_params(), terms))
        apart = (shash.quantile(z, parameters) - terms @ theirs.params) / error
        assert np.sqrt(np.mean(apart**2)) < 2  # they share the people, so less than two independent fits would differ


def test_a_straight_line_is_left_nearly_straight_and_a_bend_is_found():
    y, age, sex = draw(600, seed=3)
    design = Design(20, 80, True)
    columns = design.columns(age, sex)
    straight = fit_penalised(y, columns, design).freedom["location"]
    bent = fit_penalised(y + 2 * np.sin(age / 8), columns, design).freedom["location"]
    assert straight < 2.5 < 4 < bent


def test_ages_with_a_gap_and_few_at_one_end_are_fitted():
    rng = np.random.default_rng(4)
    age = np.concatenate([rng.uniform(8, 25, 180), rng.uniform(60, 95, 20)])
    sex = np.tile(["F", "M"], 100)
    y = np.log(age) + np.where(age < 30, 0.1, 0.4) * rng.gamma(2, 1, 200)
    design = Design(8, 95, True)
    columns = design.columns(age, sex)
    fitted = fit_penalised(y / y.std(), columns, design)
    assert np.isfinite(fitted.coefficients).all()
    assert np.linalg.eigvalsh(fitted.covariance)[0] > 0
