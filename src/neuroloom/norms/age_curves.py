"""Smooth curves over age: penalised B-splines, written as a straight line and bends that a penalty holds down."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline

DEGREE = 3


@dataclass(frozen=True)
class AgeCurves:
    """Curves over an age range: cubic B-splines on equal pieces with a penalty on second differences.

    The splines of Eilers and Marx (1996, doi:10.1214/ss/1038425655) in the form of a mixed model: what the penalty
    does not touch (a straight line) stands apart, and the bends are turned and scaled so that the penalty is the sum
    of their squares. With coefficients of variance 1 the bends have a mean variance of 1 over the range.

    Parameters
    ----------
    youngest, oldest : float
        Ends of the range, in years.
    n_pieces : int
    """

    youngest: float
    oldest: float
    n_pieces: int

    @property
    def n_bends(self):
        return self.n_pieces + DEGREE - 2

    def line(self, age):
        """Return age from -1 to 1 over the range, (n,)."""
        return 2 * (np.asarray(age, dtype=float) - self.youngest) / (self.oldest - self.youngest) - 1

    def bends(self, age):
        """Return the bends at ages (n,), of shape (n, n_bends)."""
        turn = self._turn()
        over = self._splines(np.linspace(-1, 1, 201)) @ turn
        return self._splines(self.line(age)) @ turn / np.sqrt((over**2).sum(axis=1).mean())

    def _turn(self):
        """Return the coefficients of the splines that make each bend, (n_pieces + DEGREE, n_bends)."""
        differences = np.diff(np.eye(self.n_pieces + DEGREE), n=2, axis=0)
        left, sizes, _ = np.linalg.svd(differences.T, full_matrices=False)
        signs = np.sign(left[np.abs(left).argmax(axis=0), np.arange(left.shape[1])])  # alike on every machine
        return left * signs / sizes

    def _splines(self, line):
        step = 2 / self.n_pieces
        knots = -1 + step * np.arange(-DEGREE, self.n_pieces + DEGREE + 1)
        return BSpline.design_matrix(np.clip(line, -1, 1), knots, DEGREE).toarray()
