"""Maximum penalised likelihood of centile curves, with smoothness found from the data."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from neuroloom.errors import NeuroloomError
from neuroloom.norms import shash

START = 10.0  # penalty of every smooth at first
BOUNDS = (1e-3, 1e6)  # of penalties; at the upper one a smooth is a straight line
OUTER, INNER = 80, 60  # most steps of the penalties, and of the curves at given penalties
STILL = 0.01  # change of every smooth's degrees of freedom below which the penalties are found
FLAT = 1e-6  # Newton's decrement at which the curves are found


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
        coefficients, information = _curves(y, columns, coefficients, _precision(design, penalties))
        covariance = _inverse(information)
        before, freedom = freedom, _freedom(design, penalties, covariance)
        if before and all(abs(freedom[name] - before[name]) < STILL for name in freedom):
            break
        penalties = _next_penalties(design, penalties, coefficients, freedom)
    found = shash.log_density(y, parameters_of(columns, coefficients)).sum()
    return Fitted(coefficients, covariance, penalties, freedom, float(found))


def parameters_of(columns, coefficients):
    """Return the law's parameters of each person, (4, n)."""
    ends = np.cumsum([part.shape[1] for part in columns])[:-1]
    parts = np.split(coefficients, ends)
    return np.stack([part @ here for part, here in zip(columns, parts, strict=True)])


def _start(y, columns):
    """Return a straight line by least squares with one scale, and the normal law around it."""
    coefficients = np.zeros(sum(part.shape[1] for part in columns))
    line = columns[0][:, :2]
    coefficients[:2] = np.linalg.lstsq(line, y, rcond=None)[0]
    rest = y - line @ coefficients[:2]
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
    found = {}
    for name, place in design.smooths.items():
        size = (coefficients[place] ** 2).sum()
        wanted = max(freedom[name], 1e-6) / max(size, 1e-12)
        found[name] = float(np.clip(wanted, *BOUNDS))
    return found


def _curves(y, columns, coefficients, precision):
    """Return the coefficients of the largest penalised likelihood and the information there, by Newton's method."""
    here = _objective(y, columns, coefficients, precision)
    for _ in range(INNER):
        slope, information = _derivatives(y, columns, coefficients, precision)
        step = _solve(information, slope)
        if slope @ step < FLAT:
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


def _solve(information, slope):
    """Return Newton's step; where the likelihood is not yet hollow enough, a shorter one that still leads upwards."""
    ridge = 0.0
    for _ in range(40):
        try:
            return cho_solve(cho_factor(information + ridge * np.eye(len(slope))), slope)
        except LinAlgError:
            ridge = max(10 * ridge, 1e-4 * np.abs(np.diag(information)).max())
    raise NeuroloomError("the centile curves cannot be found: their information is not finite.")


def _uphill(y, columns, coefficients, precision, step, here):
    """Return the coefficients after the longest of the halved steps that leads upwards, and the height there."""
    for halved in 0.5 ** np.arange(40):
        there = _objective(y, columns, coefficients + halved * step, precision)
        if there > here:
            return coefficients + halved * step, there
    return coefficients, here


def _inverse(information):
    try:
        return cho_solve(cho_factor(information), np.eye(len(information)))
    except LinAlgError:
        raise NeuroloomError("the centile curves have no single best place.") from None
