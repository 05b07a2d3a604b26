"""The centile curves of one measure: what was fitted, and where a value or a centile lies on them."""

from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy import stats

from neuroloom.norms import shash
from neuroloom.norms.design import Design
from neuroloom.norms.penalised import parameters_of

TO_LINE = {"linear": np.asarray, "log": np.log}
BACK = {"linear": np.asarray, "log": np.exp}


class State(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Group(State):
    """The people of one sex that the curves were fitted on; ages in years, outward to a tenth."""

    n: int = Field(gt=0)
    youngest: float
    oldest: float

    @model_validator(mode="after")
    def _in_order(self):
        if self.youngest >= self.oldest:
            raise ValueError("the youngest is not younger than the oldest")
        return self


class BelowLines(State):
    """Of the people of one third by age, the share below the curves of 5, 50 and 95 %."""

    youngest: float
    oldest: float
    n: int
    below_5: float
    below_50: float
    below_95: float


class MeasureNorm(State):
    """Centile curves of one measure.

    Parameters
    ----------
    people : dict
        F, M -> `Group`.
    units : str
        linear; or log, where the logarithm of the measure is what the curves are of.
    centre, scale : float
        The curves are those of (value or its logarithm - centre) / scale.
    coefficients : tuple of float
        Terms of `neuroloom.norms.design.Design`.
    covariance : tuple of float
        Of the coefficients: the lower triangle, row by row.
    freedom : dict
        Smooth -> effective degrees of freedom beyond a straight line.
    log_likelihood : float
        Of the measure in its own unit.
    thirds : tuple of BelowLines
    """

    people: dict[Literal["F", "M"], Group] = Field(min_length=1)
    units: Literal["linear", "log"]
    centre: float
    scale: float = Field(gt=0)
    coefficients: tuple[float, ...]
    covariance: tuple[float, ...]
    freedom: dict[str, float]
    log_likelihood: float
    thirds: tuple[BelowLines, ...]

    @model_validator(mode="after")
    def _whole(self):
        n_terms = sum(self.design.widths)
        if len(self.coefficients) != n_terms or len(self.covariance) != n_terms * (n_terms + 1) // 2:
            raise ValueError(f"{n_terms} coefficients and the triangle of their covariance were expected")
        return self

    @cached_property
    def design(self):
        groups = self.people.values()
        return Design(min(g.youngest for g in groups), max(g.oldest for g in groups), len(self.people) == 2)

    @property
    def n(self):
        return sum(group.n for group in self.people.values())

    def scores(self, values, ages, sex):
        """Return the inverse hyperbolic sine of the normal score of values (n,), and its standard error, (2, n).

        On the log scale a value that is not positive lies below everybody: -inf, with an error of 0.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            y = (TO_LINE[self.units](values) - self.centre) / self.scale
        found = np.tile([[-np.inf], [0.0]], len(y))
        rows = np.isfinite(y)
        columns, parameters = self._parameters(ages[rows], np.broadcast_to(sex, y.shape)[rows])
        slope = shash.arcsinh_score_gradient(y[rows], parameters)
        found[:, rows] = shash.arcsinh_score(y[rows], parameters), self._error(columns, slope)
        return found

    def lines(self, centiles, ages, sex, half=0.0):
        """Return the measure at centiles (in percent) and ages, (centile, age), moved by ``half`` standard errors."""
        columns, parameters = self._parameters(ages, sex)
        found = []
        for z in stats.norm.ppf(np.asarray(centiles, dtype=float) / 100):
            y = shash.quantile(z, parameters)
            slope = shash.arcsinh_score_gradient(y, parameters) / shash.arcsinh_score_slope(y, parameters)
            found.append(self.centre + self.scale * (y + half * self._error(columns, slope)))
        return BACK[self.units](np.array(found))

    def _parameters(self, ages, sex):
        columns = self.design.columns(ages, np.broadcast_to(sex, np.shape(ages)))
        return columns, parameters_of(columns, np.array(self.coefficients))

    def _error(self, columns, slope):
        """Return the standard error (n,) of what has these derivatives (4, n) by the law's parameters."""
        by_term = np.column_stack([part * one[:, None] for part, one in zip(columns, slope, strict=True)])
        return np.sqrt(np.einsum("ni,ij,nj->n", by_term, self._covariance, by_term))

    @cached_property
    def _covariance(self):
        n_terms = len(self.coefficients)
        whole = np.zeros((n_terms, n_terms))
        whole[np.tril_indices(n_terms)] = self.covariance
        return whole + np.tril(whole, -1).T
