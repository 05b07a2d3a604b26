"""Tested: the tables of a run brought together, and the split checked once more before anything is scored."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from neuroloom.cohort.folds import WITHIN_PERSON
from neuroloom.errors import LeakError, NeuroloomError, listed
from neuroloom.validation.outcomes import read_outcomes


@dataclass(frozen=True)
class Tested:
    """Everything that a score is made from, with samples and units numbered.

    Parameters
    ----------
    target : str
    classes : tuple of str
    people : DataFrame
        A row a sample that was fitted or tested, in the order of the sample numbers; index sample_id.
    unit : ndarray of int, shape (n_samples,)
        Unit of claim of each sample.
    fit_samples : dict
        (repeat, fold) -> sample numbers of the fit part.
    references : dict
        (repeat, fold) -> targets of the fit part (numbers only).
    outcomes, corrected : dict
        Learner -> `Outcomes`, and those of the bias-corrected numbers where there are any.
    """

    target: str
    classes: tuple
    people: pd.DataFrame
    unit: np.ndarray
    fit_samples: dict
    references: dict
    outcomes: dict = field(default_factory=dict)
    corrected: dict = field(default_factory=dict)

    def column(self, name):
        """Return a column of the people by sample number."""
        return self.people[name].to_numpy()

    def read(self, rows, column=None):
        """Return the `Outcomes` of one learner's rows of ``predictions.csv``."""
        unit = dict(zip(self.people.index, self.unit, strict=True))
        code = {sample: number for number, sample in enumerate(self.people.index)}
        fitted = {fold: np.isin(np.arange(len(code)), samples) for fold, samples in self.fit_samples.items()}
        return read_outcomes(rows, self.target, self.classes, unit, code, self.references, column, fitted)


def read_tested(predictions, people, folds, *, target, classes, unit="participant"):
    """Return `Tested` from the three tables of a run (see ``evaluate``)."""
    predictions = predictions.assign(sample_id=predictions["sample_id"].astype(str))
    folds = folds.assign(sample_id=folds["sample_id"].astype(str))
    people = _rows_of(people, pd.unique(pd.concat([folds["sample_id"], predictions["sample_id"]])))
    folds = folds.assign(code=people.index.get_indexer(folds["sample_id"]))
    units = unit_codes(people, unit)
    _predicted_are_test(predictions, folds)
    _nobody_on_both_sides(folds, people, units, unit)
    fit_samples = _by_fold(folds[folds["part"] == "fit"])
    references = {} if classes else _references(fit_samples, predictions, people, target)
    tested = Tested(target, tuple(classes), people, units, fit_samples, references)
    corrected = f"prediction_{target}_corrected"
    for learner, rows in predictions.groupby("learner", sort=False):
        tested.outcomes[learner] = tested.read(rows)
        if corrected in rows and rows[corrected].notna().any():
            tested.corrected[learner] = tested.read(rows, corrected)
    return tested


def unit_codes(people, unit):
    """Return the number of the unit that each row belongs to.

    A session, run or block is one of its participant; somebody without a family is a family.
    """
    participant = people["participant_id"].astype(str)
    if unit == "sample":
        return np.arange(len(people))
    column = next((name for name in (f"{unit}_id", unit) if name in people), None)
    if column is None:
        raise NeuroloomError(
            f"The unit of claim is {unit!r}, but the cohort has no column {unit}_id or {unit}. "
            f"It has: {listed(people.columns, 20)}."
        )
    named = people[column]
    if unit in WITHIN_PERSON:
        session = people["session_id"].astype(str) + "|" if unit == "run" and "session_id" in people else ""
        named = participant + "|" + session + named.astype(str)
    named = named.astype(object).where(people[column].notna(), "alone|" + participant).astype(str)
    return np.unique(named, return_inverse=True)[1]


def _rows_of(people, samples):
    if people.index.name != "sample_id":
        people = people.set_index("sample_id")
    people = people.set_axis(people.index.astype(str))
    missing = [sample for sample in samples if sample not in people.index]
    if missing:
        raise NeuroloomError(
            f"{len(missing)} predicted or split samples are not in the cohort's table: {listed(missing)}."
        )
    return people.loc[samples].rename_axis("sample_id")


def _predicted_are_test(predictions, folds):
    key = ["sample_id", "repeat", "fold"]
    test = set(map(tuple, folds.loc[folds["part"] == "test", key].to_numpy()))
    wrong = [row[0] for row in map(tuple, predictions[key].to_numpy()) if row not in test]
    if wrong:
        raise LeakError(
            f"{len(wrong)} predictions are of samples that are not in the test part of their fold: {listed(wrong)}. "
            "Only people that a fold did not learn from are scored."
        )


def _nobody_on_both_sides(folds, people, units, unit):
    folds = folds.assign(unit=units[folds["code"]], test=folds["part"] == "test")
    sides = folds.groupby(["repeat", "fold", "unit"])["test"].nunique()
    both = sides[sides > 1].reset_index()
    if len(both):
        names = people["participant_id"].to_numpy()[np.isin(units, both["unit"])]
        raise LeakError(
            f"In {both.groupby(['repeat', 'fold']).ngroups} folds a {unit} is in training and in the test part: "
            f"{listed(pd.unique(names))}. Split by {unit}."
        )


def _by_fold(rows):
    return {(int(r), int(f)): part["code"].to_numpy() for (r, f), part in rows.groupby(["repeat", "fold"])}


def _references(fit_samples, predictions, people, target):
    """Return the training targets of each fold: from the cohort, or from what is true of the predicted samples."""
    if target in people:
        truth = pd.to_numeric(people[target]).to_numpy(dtype=np.float64)
    else:
        known = predictions.groupby("sample_id")[f"truth_{target}"].first()
        truth = known.reindex(people.index).to_numpy(dtype=np.float64)
    references = {fold: truth[samples] for fold, samples in fit_samples.items()}
    return {fold: values[~np.isnan(values)] for fold, values in references.items() if not np.isnan(values).all()}
