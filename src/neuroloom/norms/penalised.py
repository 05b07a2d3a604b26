"""Maximum penalised likelihood of centile curves, with smoothness found from the data."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

from neuroloom.errors import NeuroloomError
from neuroloom.norms import shash

START = 100.0  # penalty of every smooth at first
MOST = 1e6  # of penalties; at the upper one a smooth is a straight line
OUTER, INNER = 80, 60  # most steps of the penalties, and of the curves at given penalties
# What is expected of the spread of the bends, 1 / sqrt(penalty), in spreads of the measure: a gamma law of power AWAY and
# these scales (Chung et al. 2013, doi:10.1007/s11336-013-9328-2). It keeps a smooth from being called an exact straight
# line, whose intervals would be too narrow.
AWAY = 1.0
SPREAD = {"location": 1.0, "scale": 0.2, "difference of the sexes": 0.3}
# Least penalties: spreads of 4.5 and 1, and of the log of the scale 0.5. Without them a scale may shrink to nothing
# around a single person at an end of the ages, where the likelihood has no bound.
LEAST = {"location": 0.05, "scale": 4.0, "difference of the sexes": 1.0}
STILL = 0.01  # change of every smooth's degrees of freedom below which the penalties are found
FLAT = 1e-6  # Newton's decrement at which the curves are found
KICK, SHORTEST = 0.1, 1e-12  # step that leaves a saddle, and share of a step below which there is no way up


@dataclass(frozen=True)
class Fitted:
    """Curves that were fitted.

    Parameters
    ----------
    coefficients : ndarray of shape (n_terms,)
    covariance : ndarray of shape (n_terms, n_terms)
        Inverse of the penalised information: what is not known, the bends' share included.
    penalties : dict
        Smooth -> its penalty.
    freedom : dict
        Smooth -> its effective degrees of freedom.
    log_likelihood : float
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    penalties: dict
    freedom: dict
    log_likelihood: float


def fit_penalised(y, columns, design):
    """Return the curves of the largest penalised likelihood.

    At given penalties Newton's method finds the curves. The penalties are those of the largest marginal likelihood
    (bends integrated out, Laplace), found by the steps of Fellner and Schall (Wood and Fasiolo 2017,
    doi:10.1111/biom.12666): unlike AIC it rarely follows noise in a few hundred people, and the inverse information
    at its penalties gives intervals that hold a curve at the stated rate on average over age (Marra and Wood 2012,
    doi:10.1111/j.1467-9469.2011.00760.x).

    Parameters
    ----------
    y : ndarray of shape (n,)
        Values, of the order of 1.
    columns : list of ndarray
        As `Design.columns` returns them.
    design : Design
    """
    penalties = dict.fromkeys(design.smooths, START)
    coefficients, freedom = _start(y, columns), None
    for _ in range(OUTER):
        precision = _precision(design, penalties)
        coefficients, information = _curves(y, columns, coefficients, precision)
        covariance = _inverse(information)
        before, freedom = freedom, _freedom(design, penalties, covariance)
        if before and all(abs(freedom[name] - before[name]) < STILL for name in freedom):
            break
        penalties = _next_penalties(design, penalties, coefficients, freedom)
    coefficients, covariance = _for_few(len(y), design, coefficients, covariance, precision)
    found = shash.log_density(y, parameters_of(columns, coefficients)).sum()
    return Fitted(coefficients, covariance, penalties, freedom, float(found))


def parameters_of(columns, coefficients):
    """Return the law's parameters of each person, (4, n)."""
    ends = np.cumsum([part.shape[1] for part in columns])[:-1]
    parts = np.split(coefficients, ends)
    return np.stack([part @ here for part, here in zip(columns, parts, strict=True)])


def _start(y, columns):
    """Return a straight line by least squares with one scale, and the normal law around it; outliers held back."""
    held = np.clip(y, *np.quantile(y, [0.02, 0.98]))
    coefficients = np.zeros(sum(part.shape[1] for part in columns))
    line = columns[0][:, :2]
    coefficients[:2] = np.linalg.lstsq(line, held, rcond=None)[0]
    rest = held - line @ coefficients[:2]
    coefficients[columns[0].shape[1]] = np.log(np.sqrt(np.mean(rest**2)))
    return coefficients


def _precision(design, penalties):
    precision = design.weak.copy()
    for name, place in design.smooths.items():
        precision[place] = penalties[name]
    return precision


def _freedom(design, penalties, covariance):
    spread = np.diag(covariance)
    return {
        name: float(place.stop - place.start - penalties[name] * spread[place].sum())
        for name, place in design.smooths.items()
    }


def _next_penalties(design, penalties, coefficients, freedom):
    """Return the penalties of Fellner and Schall's step, with what is expected of the spread; no step beyond a fifth."""
    found = {}
    for name, place in design.smooths.items():
        penalty, size = penalties[name], (coefficients[place] ** 2).sum()
        spread = 1 / np.sqrt(penalty)
        wanted = penalty * (freedom[name] + spread / SPREAD[name]) / (penalty * size + AWAY)
        found[name] = float(np.clip(np.clip(wanted, penalty / 5, penalty * 5), LEAST[name], MOST))
    return found


def _for_few(n, design, coefficients, covariance, precision):
    """Return the fit with what maximum likelihood understates in few people made good.

    The scale is raised as a standard deviation is whose sum of squares is divided by n less the degrees of freedom of
    the location; the covariance as a variance is whose residuals have lost all degrees of freedom.
    """
    free = 1 - precision * np.diag(covariance)  # degrees of freedom of each term
    coefficients = coefficients.copy()
    coefficients[design.widths[0]] -= np.log1p(-free[: design.widths[0]].sum() / n) / 2
    return coefficients, covariance / (1 - free.sum() / n)


def _curves(y, columns, coefficients, precision):
    """Return the coefficients of the largest penalised likelihood and the information there, by Newton's method."""
    here = _objective(y, columns, coefficients, precision)
    for _ in range(INNER):
        slope, information = _derivatives(y, columns, coefficients, precision)
        step, hollow = _uphill_step(information, slope)
        if slope @ step < FLAT and not hollow:
            return coefficients, information
        coefficients, here = _uphill(y, columns, coefficients, precision, step, here)
    raise NeuroloomError(f"the centile curves were not found in {INNER} steps.")


def _objective(y, columns, coefficients, precision):
    return shash.log_density(y, parameters_of(columns, coefficients)).sum() - precision @ coefficients**2 / 2


def _derivatives(y, columns, coefficients, precision):
    """Return the slope of the penalised likelihood (n_terms,) and its information (n_terms, n_terms)."""
    parameters = parameters_of(columns, coefficients)
    by_parameter, bent = shash.gradient(y, parameters), shash.curvature(y, parameters)
    slope = np.concatenate([part.T @ one for part, one in zip(columns, by_parameter, strict=True)])
    information = np.block(
        [[columns[i].T @ (bent[i, j][:, None] * columns[j]) for j in range(len(columns))] for i in range(len(columns))]
    )
    return slope - precision * coefficients, information + np.diag(precision)


def _uphill_step(information, slope):
    """Return Newton's step, and whether the likelihood is hollow here in some direction.

    Hollow directions are taken as if they were not, with a step that leaves a saddle where the slope says nothing.
    """
    sizes, directions = eigh(information)
    along = directions.T @ slope
    hollow = bool(sizes[0] <= 0)
    if hollow:
        along[0] = np.copysign(max(abs(along[0]), KICK * abs(sizes[0])), along[0])
    sizes = np.maximum(np.abs(sizes), 1e-8 * np.abs(sizes).max())
    return directions @ (along / sizes), hollow


def _uphill(y, columns, coefficients, precision, step, here):
    """Return the coefficients after a step that leads upwards, halved or doubled as it serves, and the height there."""

    def height(length):
        return _objective(y, columns, coefficients + length * step, precision)

    length, there = 1.0, height(1.0)
    while not there > here and length > SHORTEST:
        length /= 2
        there = height(length)
    if not there > here:
        return coefficients, here
    while length >= 1 and (further := height(2 * length)) > there:
        length, there = 2 * length, further
    return coefficients + length * step, there


def _inverse(information):
    try:
        return cho_solve(cho_factor(information), np.eye(len(information)))
    except LinAlgError:
        raise NeuroloomError("the centile curves have no single best place.") from None
