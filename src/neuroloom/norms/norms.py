"""Norms: the centile curves of a named reference, kept as JSON, and a person's place on them."""

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import ValidationError
from scipy import stats

from neuroloom.cohort.words import SEXES
from neuroloom.errors import FileProblem
from neuroloom.formats.atomic import atomic_write
from neuroloom.formats.limits import read_json
from neuroloom.known import check_known
from neuroloom.norms.measure import MeasureNorm, State
from neuroloom.norms.reference import IN_WORDS

LEVEL = 0.95
FAR = 6.0  # normal score beyond which a value is told to be of another unit or wrong: one person in a thousand million


class Percentile(NamedTuple):
    """Percent of the reference of this age and sex below a value, and its 95 % interval."""

    percentile: float
    low: float
    high: float


class Norms(State):
    """Centile curves of measures by age and sex.

    Parameters
    ----------
    format : str
        What this file is.
    name : str
        Name of the reference. A percentile means nothing without it.
    fingerprint : str
        Of the values it was fitted on; no name of a person is in it.
    measures : dict
        Measure -> `MeasureNorm`.
    notes : tuple of str
        What was taken for what in the table.
    """

    format: Literal["neuroloom norms 1"] = "neuroloom norms 1"
    name: str
    fingerprint: str
    measures: dict[str, MeasureNorm]
    notes: tuple[str, ...] = ()

    def percentile(self, measure, value, age, sex):
        """Return a person's `Percentile` (percentile, low, high), or a text: why there is none.

        The interval is what is not known of the curves (delta method), not the spread of repeated measurements.

        Parameters
        ----------
        measure : str
        value : float
            In the unit of the table that was fitted.
        age : float
            Years.
        sex : str
            F, M or another word of `neuroloom.cohort.words`, large or small.
        """
        found = self.places(measure, [value], [age], [sex]).iloc[0]
        if pd.isna(found["percentile"]):
            return found["note"]
        return Percentile(*(float(found[part]) for part in Percentile._fields))

    def places(self, measure, values, ages, sexes):
        """Return where values lie, a row each: ``percentile``, ``low``, ``high``, ``z`` and ``note``.

        Where there is no percentile its cells are NaN and ``note`` says why; else it is empty, or warns that the
        value is further from the curves than anybody is.
        """
        norm = self._measure(measure)
        values, ages = (np.asarray(pd.to_numeric(pd.Series(given), errors="coerce"), float) for given in (values, ages))
        codes = [sex_code(sex) for sex in sexes]
        notes = np.array([_reason(norm, *told) for told in zip(values, ages, codes, strict=True)], dtype=object)
        found = pd.DataFrame(np.nan, range(len(values)), ["percentile", "low", "high", "z"]).assign(note=notes)
        rows = np.flatnonzero(notes == "")
        if len(rows):
            w, error = norm.scores(values[rows], ages[rows], np.array(codes, dtype=object)[rows])
            half = stats.norm.ppf((1 + LEVEL) / 2) * error
            with np.errstate(over="ignore"):
                z = np.sinh([w, w - half, w + half])
            found.loc[rows, ["percentile", "low", "high"]] = 100 * stats.norm.cdf(z).T
            found.loc[rows, "z"] = z[0]
            found.loc[rows[np.abs(z[0]) > FAR], "note"] = (
                "further from the curves than anybody is: is the unit the same?"
            )
        return found

    def curve(self, measure, sex, ages, centiles):
        """Return the measure at centiles and ages, (centile, age); NaN outside the reference's ages of this sex.

        Parameters
        ----------
        measure, sex : str
        ages : sequence of float
            Years.
        centiles : sequence of float
            Percent, for example ``(5, 50, 95)``.
        """
        return self._lines(measure, sex, ages, centiles)

    def curve_interval(self, measure, sex, ages, centiles):
        """Return the lower and upper end of the 95 % interval of `curve`, (2, centile, age)."""
        half = stats.norm.ppf((1 + LEVEL) / 2)
        return np.stack([self._lines(measure, sex, ages, centiles, by) for by in (-half, half)])

    def ages(self, measure, sex):
        """Return the (youngest, oldest) of the reference, in years."""
        group = self._measure(measure).people[self._known_sex(measure, sex)]
        return group.youngest, group.oldest

    def save(self, path):
        """Write the norms as JSON."""
        atomic_write(path, self.model_dump_json(indent=1).encode())

    @classmethod
    def load(cls, path):
        """Return the norms in a JSON file; what is not whole is an error."""
        told = read_json(path, "file of norms")
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise FileProblem(
                path, f"not a file of norms: {where}: {first['msg']}.", "Make it with 'neuroloom norms fit'."
            ) from None

    def _measure(self, measure):
        check_known(f"measure of {self.name!r}", measure, self.measures)
        return self.measures[measure]

    def _known_sex(self, measure, sex):
        code = sex_code(sex)
        check_known(f"sex in {self.name!r}", code or sex, self._measure(measure).people)
        return code

    def _lines(self, measure, sex, ages, centiles, half=0.0):
        youngest, oldest = self.ages(measure, sex)
        ages = np.asarray(ages, dtype=float)
        inside = (ages >= youngest) & (ages <= oldest)
        found = np.full((len(centiles), len(ages)), np.nan)
        if inside.any():
            found[:, inside] = self.measures[measure].lines(centiles, ages[inside], sex_code(sex), half)
        return found


def sex_code(sex):
    """Return F or M for a word that stands for a sex, else None."""
    return SEXES.get(str(sex).strip().lower())


def _reason(norm, value, age, code):
    """Return why a value has no percentile; empty where it has one."""
    if not np.isfinite(value):
        return "not measured"
    if code is None:
        return "the sex is not known"
    if code not in norm.people:
        return f"the reference has no {IN_WORDS[code]}"
    if not np.isfinite(age):
        return "the age is not known"
    group = norm.people[code]
    if not group.youngest <= age <= group.oldest:
        return (
            f"age {age:g} is outside the reference's {IN_WORDS[code]} of {group.youngest:g} to {group.oldest:g} years"
        )
    return ""
