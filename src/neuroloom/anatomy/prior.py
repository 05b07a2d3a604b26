"""Change of volumes since an earlier scan, both measured half-way between them, against the error of measuring twice."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import t

from neuroloom.anatomy.intensities import from_zero
from neuroloom.anatomy.measures import structure_ml
from neuroloom.anatomy.quality import confidence
from neuroloom.anatomy.scans import understand
from neuroloom.atlases.anatomy import base_name
from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats import stem
from neuroloom.metrics.overlap import dice, overlap
from neuroloom.registration.affine import affine_between
from neuroloom.registration.halfway import to_halfway
from neuroloom.registration.itk import simpleitk
from neuroloom.transforms.volume_posteriors import likeliest_onto

FALSE_ALARMS = 0.05  # chance that any structure of an unchanged brain is called changed
SAME_BRAIN = 0.97  # overlap after a rigid registration; studies/anatomy_change.py saw .985 and more of one person, .953 and less of two
SHARPER = 0.1  # difference of mean confidence beyond which two scans are not alike


@dataclass(frozen=True)
class Prior:
    """An earlier scan of the same person.

    Parameters
    ----------
    path : Path
    years : float
        Between it and the scan that it is compared with.
    """

    path: Path
    years: float

    @classmethod
    def told(cls, path, years):
        """Return the prior that a user named, None where none was; one without the years between is an error."""
        if path is None:
            if years is not None:
                raise NeuroloomError(f"--years {years} is between a scan and an earlier one: name that with --prior.")
            return None
        if years is None:
            raise NeuroloomError(f"{path}: how long before the scan was this? Say it with --years, for example 1.5.")
        if not 0 < years < 120:
            raise NeuroloomError(f"--years is {years}, expected more than 0 and less than 120.")
        simpleitk()
        if not Path(path).exists():
            raise FileProblem(path, "there is no such file.")
        return cls(Path(path), float(years))

    def compared(self, done, answerer, reader=None):
        """Return what is told of the change.

        Parameters
        ----------
        done : Understood
            The later scan.
        answerer : Answerer
        reader : dict or None
            Arguments of the reader of files; the number of a DICOM series is the later scan's alone.

        Returns
        -------
        dict
            ``scan``, ``years``, ``warnings``, ``changes`` (a dict a structure).
        """
        reader = {name: value for name, value in (reader or {}).items() if name != "series"}
        earlier = understand(answerer, self.path, reader)
        try:
            before, after = answered_halfway(answerer, earlier.found.scan, done.found.scan)
        except NeuroloomError as error:
            raise FileProblem(self.path.name, f"it cannot be compared: {error}") from error
        warnings = [f"{self.path.name}: {one}" for one in (*earlier.warnings, *earlier.quality["reasons"])]
        unsure = {**earlier.flags, **done.flags}
        rows = changes(structure_ml(before), structure_ml(after), self.years, answerer.weights.card["change"])
        return {
            "scan": stem(self.path),
            "years": self.years,
            "warnings": [*warnings, *warnings_about(before, after)],
            "changes": [{**row, "changed": row["changed"] and row["name"] not in unsure} for row in rows],
        }


def answered_halfway(answerer, earlier, later):
    """Return the answers for two scans of a head, each resampled once onto the grid half-way between them."""
    earlier, later = (from_zero(scan) for scan in (earlier, later))
    matrix = affine_between(later, earlier, degrees="rigid")
    return [answerer(scan) for scan in to_halfway(earlier, later, matrix)[:2]]


def changes(before, after, years, error):
    """Return for each structure, its sides together, the change and whether it is beyond what measuring twice gives.

    Parameters
    ----------
    before, after : dict
        Structure -> ml.
    years : float
    error : dict
        ``pairs``, and ``percent``: structure -> coefficient of variation (%) of one measurement in such pairs.

    Returns
    -------
    list of dict
        ``name``, ``before_ml``, ``after_ml``, ``percent_per_year`` (of the mean of both), ``least_percent_per_year`` (what
        must be exceeded, the number of structures allowed for; None where the error is not known), ``changed``.
    """
    names = list(dict.fromkeys(base_name(name) for name in before))
    beyond = t.ppf(1 - FALSE_ALARMS / 2 / len(names), error["pairs"]) * np.sqrt(2)
    rows = []
    for name in names:
        old, new = (sum(ml for one, ml in volumes.items() if base_name(one) == name) for volumes in (before, after))
        percent = 200 * (new - old) / (new + old) / years if new + old > 0 else None
        spread = error["percent"][name]
        least = None if spread is None else float(beyond * spread / years)
        known = percent is not None and least is not None
        rows.append({
            "name": name, "before_ml": old, "after_ml": new, "percent_per_year": percent,
            "least_percent_per_year": least, "changed": known and abs(percent) > least,
        })  # fmt: skip
    return rows


def warnings_about(before, after):
    """Return what speaks against comparing two answers on one grid: another person, another quality."""
    told = []
    masks = [one.posteriors for one in (before, after)]
    both = likeness(*masks)
    if both < SAME_BRAIN:
        told.append(
            f"the two brains overlap by {both:.2f} after registration, those of one person by {SAME_BRAIN} or more: is the "
            "earlier scan of the same person?"
        )
    sure = [float(confidence(one.data)[1:].mean()) for one in masks]
    if abs(sure[0] - sure[1]) > SHARPER:
        told.append(
            f"the two scans are not alike (mean confidence {sure[0]:.2f} before, {sure[1]:.2f} now): contrast, resolution or "
            "quality differ, which looks like change."
        )
    return told


def likeness(first, second):
    """Return the Dice overlap of two intracranial spaces (posteriors that are not background), at places of the first."""
    two = [np.stack([one.data[0], 1 - one.data[0]]) for one in (first, second)]
    shape, affine = first.data.shape[1:], first.geometry["affine"]
    masks = [likeliest_onto(one.with_data(p), shape, affine) for one, p in zip((first, second), two, strict=True)]
    return float(dice(overlap(*masks, 2))[1])
