"""Covariances as vectors: departures from the geometric mean of the fit part."""

from neuroloom.transforms.fitted_tangent import geometric_mean, logarithms, roots
from neuroloom.transforms.flatten import flatten

TOLERANCE = 1e-9  # of the mean's gradient per matrix entry
MOST_STEPS = 50


def reference(matrices, name):
    """Return the inverse root of the geometric mean of covariances (n, direction, direction), and warnings."""
    mean, converged = geometric_mean(matrices, TOLERANCE, MOST_STEPS)
    late = f"{name}: the geometric mean of {len(matrices)} covariances was not found in {MOST_STEPS} steps; it is used as it is."
    return roots(mean)[1], [] if converged else [late]


def tangent_vectors(matrices, whitening):
    """Return covariances (n, direction, direction) as tangent vectors (n, edges): see `flatten` for their order."""
    made = logarithms(matrices, whitening)
    return flatten((made + made.swapaxes(1, 2)) / 2, "graph")
