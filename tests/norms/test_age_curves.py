"""Penalised splines against the form in which Eilers and Marx wrote them."""

import numpy as np
from scipy.interpolate import BSpline

from neuroloom.norms.age_curves import AgeCurves


def test_line_and_bends_smooth_as_p_splines_do():
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, 150)
    y = np.sin(age / 8) + 0.3 * rng.standard_normal(150)
    curves = AgeCurves(20, 80, 10)
    ours = np.column_stack([np.ones(150), curves.line(age), curves.bends(age)])
    ridge = np.diag([0, 0, *np.ones(curves.n_bends)])
    knots = 20 + 6 * np.arange(-3, 14)
    splines = BSpline.design_matrix(age, knots, 3).toarray()
    differences = np.diff(np.eye(13), n=2, axis=0)
    dense = np.linspace(20, 80, 201)
    turn = np.linalg.pinv(differences)
    scale = ((BSpline.design_matrix(dense, knots, 3).toarray() @ turn) ** 2).sum(axis=1).mean()
    for penalty in (0.1, 10.0):
        found = ours @ np.linalg.solve(ours.T @ ours + penalty * ridge, ours.T @ y)
        theirs = splines.T @ splines + penalty * scale * differences.T @ differences
        np.testing.assert_allclose(found, splines @ np.linalg.solve(theirs, splines.T @ y), atol=1e-8)


def test_bends_have_a_mean_variance_of_one():
    bends = AgeCurves(5, 90, 10).bends(np.linspace(5, 90, 2001))
    assert abs((bends**2).sum(axis=1).mean() - 1) < 0.01  # the ages of the sum and of the scale differ
