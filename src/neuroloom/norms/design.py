"""What the centile curves are made of: which of the law's parameters follow age and sex, and how."""

from dataclasses import dataclass

import numpy as np

from neuroloom.norms.age_curves import AgeCurves

PIECES = 10  # of the curve of everyone
PIECES_OF_SEXES = 5  # of the curve by which the sexes differ
# precision of the weak pull of skewness, its slope over age and the tails to the normal law: standard deviations of
# 1, 0.5 and 0.5, wide beside anything that volumes and thickness show, so that a small sample cannot run away
WEAK = (1.0, 4.0, 4.0)
# and of the slope of the log of the scale: a fan that opens threefold over the ages is one standard deviation. A single
# person at a far end would else be given a scale of nothing, where the likelihood has no bound.
FAN = 4.0


@dataclass(frozen=True)
class Design:
    """The linear predictors of the four parameters of the sinh-arcsinh law (`neuroloom.norms.shash`).

    - median: a curve over age, and a curve by which the sexes differ;
    - log of the scale: a curve over age, and a constant by which the sexes differ;
    - skewness: a straight line over age;
    - tails: a constant.

    Parameters
    ----------
    youngest, oldest : float
        Ages that the curves reach, years.
    both : bool
        Whether the reference has both sexes; else the terms of sex are left out.
    """

    youngest: float
    oldest: float
    both: bool

    def columns(self, age, sex):
        """Return the columns of each parameter at ages (n,) and sexes (n,) of F and M: four arrays (n, n_terms)."""
        curves = AgeCurves(self.youngest, self.oldest, PIECES)
        differing = AgeCurves(self.youngest, self.oldest, PIECES_OF_SEXES)
        line, bends = curves.line(age), curves.bends(age)
        one = np.ones_like(line)
        location, scale = [one, line, *bends.T], [one, line, *bends.T]
        if self.both:
            man = np.where(np.asarray(sex) == "M", 0.5, -0.5)
            location += [man, man * line, *(man[:, None] * differing.bends(age)).T]
            scale += [man]
        return [np.column_stack(part) for part in (location, scale, [one, line], [one])]

    @property
    def widths(self):
        """Number of terms of each parameter."""
        n_bends = AgeCurves(0, 1, PIECES).n_bends
        n_differing = AgeCurves(0, 1, PIECES_OF_SEXES).n_bends
        return (2 + n_bends + self.both * (2 + n_differing), 2 + n_bends + self.both, 2, 1)

    @property
    def smooths(self):
        """Places of the bends that share a penalty whose size is to be found: name -> slice of all terms."""
        n_bends, start = AgeCurves(0, 1, PIECES).n_bends, self.widths[0]
        found = {"location": slice(2, 2 + n_bends), "scale": slice(start + 2, start + 2 + n_bends)}
        if self.both:
            found["difference of the sexes"] = slice(4 + n_bends, start)
        return found

    @property
    def weak(self):
        """Precision of each term before the smooths' penalties: 0 but for ``FAN`` and ``WEAK``."""
        precision = np.concatenate([np.zeros(sum(self.widths) - len(WEAK)), WEAK])
        precision[self.widths[0] + 1] = FAN
        return precision
