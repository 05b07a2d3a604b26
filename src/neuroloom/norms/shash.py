r"""The sinh-arcsinh law: a normal law that is shifted, stretched, skewed and given other tails.

A value :math:`y` has the normal score :math:`z = \sinh w` with :math:`w = \delta \,\mathrm{asinh}(u) - \varepsilon`
(Jones and Pewsey 2009, doi:10.1093/biomet/asp053). We write it with the median :math:`\mu` and with half the width of
the middle 68 % :math:`\sigma`, because these two can be told from few people whatever the tails are:

.. math:: u = \sinh(\varepsilon/\delta) + \cosh(\varepsilon/\delta)\,\sinh(\mathrm{asinh}(1)/\delta)\,(y-\mu)/\sigma

It is the normal law where :math:`\varepsilon = 0` and :math:`\delta = 1`; :math:`\varepsilon > 0` draws the upper tail
out, :math:`\delta < 1` makes both heavier. Unlike the Box-Cox (LMS) law it takes values of both signs (asymmetries,
differences, scores) and zero, has no edge below which a new person's value is impossible, and describes heavy tails.

Functions take ``parameters`` of shape (4, n): median, log of the scale, skewness :math:`\varepsilon`, log of
:math:`\delta`.
"""

import numpy as np

ONE = np.arcsinh(1.0)
N_PARAMETERS = 4
STEP = 1e-4  # of the central differences; everything is of the order of 1


def log_density(y, parameters):
    """Return the log density at ``y`` (n,); -inf where it is below what a float holds."""
    with np.errstate(over="ignore", invalid="ignore"):
        _, log_scale, _, log_tail = parameters
        w, u = _standard(y, parameters)
        found = np.log(np.cosh(w)) - np.sinh(w) ** 2 / 2 - np.log(2 * np.pi) / 2
        found += log_tail - np.log1p(u**2) / 2 + _log_stretch(parameters) - log_scale
    return np.where(np.isfinite(found), found, -np.inf)


def gradient(y, parameters):
    """Return the derivatives of the log density with respect to the parameters, (4, n)."""
    _, _, skew, log_tail = parameters
    p = np.exp(-log_tail)
    with np.errstate(over="ignore", invalid="ignore"):
        w, u = _standard(y, parameters)
        by_w = np.tanh(w) - np.sinh(w) * np.cosh(w)
        by_parameter = by_w * arcsinh_score_gradient(y, parameters)
        by_parameter -= u / (1 + u**2) * _u_gradient(y, parameters)
    by_parameter[1] -= 1
    by_parameter[2] += p * np.tanh(p * skew)
    by_parameter[3] += 1 - p * (skew * np.tanh(p * skew) + ONE / np.tanh(p * ONE))
    return by_parameter


def curvature(y, parameters):
    """Return minus the second derivatives of the log density, (4, 4, n), by differences of `gradient`."""
    found = np.empty((N_PARAMETERS, N_PARAMETERS, parameters.shape[1]))
    for place in range(N_PARAMETERS):
        above, below = parameters.copy(), parameters.copy()
        above[place] += STEP
        below[place] -= STEP
        found[place] = (gradient(y, below) - gradient(y, above)) / (2 * STEP)
    return (found + found.transpose(1, 0, 2)) / 2


def arcsinh_score(y, parameters):
    """Return ``w``, the inverse hyperbolic sine of the normal score of ``y``, (n,)."""
    return _standard(y, parameters)[0]


def arcsinh_score_gradient(y, parameters):
    """Return the derivatives of ``w`` with respect to the parameters at a fixed ``y``, (4, n)."""
    tail = np.exp(parameters[3])
    u = _standard(y, parameters)[1]
    found = tail / np.hypot(1, u) * _u_gradient(y, parameters)
    found[2] -= 1
    found[3] += tail * np.arcsinh(u)
    return found


def arcsinh_score_slope(y, parameters):
    """Return the derivative of ``w`` with respect to ``y``, (n,); it is positive."""
    u = _standard(y, parameters)[1]
    return np.exp(parameters[3] + _log_stretch(parameters) - parameters[1]) / np.hypot(1, u)


def quantile(z, parameters):
    """Return the value whose normal score is ``z``, (n,)."""
    median, log_scale, skew, log_tail = parameters
    p = np.exp(-log_tail)
    distance = np.sinh(p * (np.arcsinh(z) + skew)) - np.sinh(p * skew)
    return median + np.exp(log_scale - _log_stretch(parameters)) * distance


def _standard(y, parameters):
    """Return ``w`` and ``u``."""
    median, log_scale, skew, log_tail = parameters
    p = np.exp(-log_tail)
    u = np.sinh(p * skew) + np.exp(_log_stretch(parameters) - log_scale) * (y - median)
    return np.arcsinh(u) / p - skew, u


def _log_stretch(parameters):
    """Return the log of what ``u`` moves by for one scale of ``y``."""
    _, _, skew, log_tail = parameters
    p = np.exp(-log_tail)
    return np.log(np.cosh(p * skew)) + np.log(np.sinh(p * ONE))


def _u_gradient(y, parameters):
    median, log_scale, skew, log_tail = parameters
    p = np.exp(-log_tail)
    r = (y - median) * np.exp(-log_scale)
    stretch = np.exp(_log_stretch(parameters))
    by_skew = p * (np.cosh(p * skew) + np.sinh(p * skew) * np.sinh(p * ONE) * r)
    by_tail = -skew * by_skew - p * r * ONE * np.cosh(p * skew) * np.cosh(p * ONE)
    return np.stack([-stretch * np.exp(-log_scale), -stretch * r, by_skew, by_tail])
