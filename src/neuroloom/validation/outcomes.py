"""Outcomes: what one learner said about people it had not seen, and what was true."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from neuroloom.errors import NeuroloomError, listed


@dataclass(frozen=True)
class Outcomes:
    """Out-of-fold predictions of one learner, one entry a sample and repeat.

    Parameters
    ----------
    truth : ndarray of shape (n,)
        Class numbers (int64), or numbers in the target's unit.
    prediction : ndarray
        (n, n_classes) probabilities, or (n,) numbers.
    repeat, fold : ndarray of int, shape (n,)
        Which split of the cohort, and which test fold of it.
    unit : ndarray of int, shape (n,)
        Number of the unit of claim (participant, family, site ...), the same in all repeats.
    sample : ndarray of int, shape (n,)
        Number of the sample, the same in all repeats.
    references : dict
        (repeat, fold) -> targets of the fit part; empty where they are not known.
    classes : tuple of str
        Class names by number; empty for numbers.
    fitted : dict
        (repeat, fold) -> mask of shape (n_samples,): who was in the fit part; empty where nothing was fitted.
    """

    truth: np.ndarray
    prediction: np.ndarray
    repeat: np.ndarray
    fold: np.ndarray
    unit: np.ndarray
    sample: np.ndarray
    references: dict
    classes: tuple = ()
    fitted: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.truth)

    @property
    def n_units(self):
        return len(np.unique(self.unit))

    def subset(self, mask):
        """Return the outcomes of some entries (a mask of shape (n,))."""
        names = ("truth", "prediction", "repeat", "fold", "unit", "sample")
        return replace(self, **{name: getattr(self, name)[mask] for name in names})

    def with_truth(self, truth):
        """Return the outcomes with other truths, as a null draws them."""
        return replace(self, truth=truth)

    def cells(self):
        """Return [(repeat, fold, entries)] for each test fold, in order."""
        order = np.lexsort((self.fold, self.repeat))
        keys = np.column_stack([self.repeat, self.fold])[order]
        starts = np.flatnonzero(np.r_[True, (np.diff(keys, axis=0) != 0).any(axis=1)]) if len(keys) else []
        parts = np.split(order, starts[1:]) if len(keys) else []
        return [(int(self.repeat[part[0]]), int(self.fold[part[0]]), part) for part in parts]

    @cached_property
    def mutual(self):
        """Share of (tested, trained on) pairs of samples that are counted both ways round.

        In K-fold cross-validation it is 1: whoever is tested by a learner that saw the other is also seen by the
        learner that tests the other, so chance likeness of two people enters the score twice. A single split has
        none. Pairs of which one is not among these entries (another site, another sex) are counted once.
        """
        twice = pairs = 0.0
        cells = [(repeat, fold, self.sample[part]) for repeat, fold, part in self.cells()]
        for repeat in {repeat for repeat, fold, _ in cells if (repeat, fold) in self.fitted}:
            tested = [(self.fitted[(r, fold)], samples) for r, fold, samples in cells if r == repeat]
            mask = np.stack([fit for fit, _ in tested])  # (n_folds, n_samples)
            seen = np.stack([mask[:, samples].sum(axis=1) for _, samples in tested], axis=1)  # [trained fold, tested]
            twice += float((seen * seen.T).sum())
            pairs += float(sum(len(samples) * fit.sum() for fit, samples in tested))
        return twice / pairs if pairs else 0.0


def read_outcomes(rows, target, classes, unit_code, sample_code, references, column=None, fitted=None):
    """Return the `Outcomes` of one learner from its rows of ``predictions.csv``.

    Parameters
    ----------
    rows : DataFrame
        One learner's rows.
    target : str
        T of the columns ``truth_T``, ``prediction_T`` and ``prediction_p_CLASS``.
    classes : sequence of str
        Class names by number; empty for numbers.
    unit_code, sample_code : dict
        sample_id -> number of its unit, and of itself.
    references : dict
        (repeat, fold) -> targets of the fit part.
    column : str or None
        Another column than ``prediction_T`` to take numbers from.
    fitted : dict or None
        (repeat, fold) -> mask of the samples in the fit part.
    """
    if classes:
        truth, prediction = _class_columns(rows, target, classes)
    else:
        truth = rows[f"truth_{target}"].to_numpy(dtype=np.float64)
        prediction = rows[column or f"prediction_{target}"].to_numpy(dtype=np.float64)
    _all_finite(rows, prediction)
    return Outcomes(
        truth=truth,
        prediction=prediction,
        repeat=rows["repeat"].to_numpy(dtype=np.int64),
        fold=rows["fold"].to_numpy(dtype=np.int64),
        unit=rows["sample_id"].astype(str).map(unit_code).to_numpy(dtype=np.int64),
        sample=rows["sample_id"].astype(str).map(sample_code).to_numpy(dtype=np.int64),
        references=references,
        classes=tuple(classes),
        fitted=fitted or {},
    )


def _class_columns(rows, target, classes):
    number = {str(name): place for place, name in enumerate(classes)}
    named = rows[f"truth_{target}"].astype(str)
    unknown = sorted(set(named) - set(number))
    if unknown:
        raise NeuroloomError(
            f"predictions: column 'truth_{target}' has {listed(unknown)}, but the classes are {listed(classes)}."
        )
    probability = rows[[f"prediction_p_{name}" for name in classes]].to_numpy(dtype=np.float64)
    return named.map(number).to_numpy(dtype=np.int64), probability


def _all_finite(rows, prediction):
    wrong = ~np.isfinite(prediction.reshape(len(prediction), -1)).all(axis=1)
    if wrong.any():
        raise NeuroloomError(
            f"Learner {rows['learner'].iloc[0]!r} gave no finite prediction for {int(wrong.sum())} of {len(rows)} "
            f"samples: {listed(rows['sample_id'][wrong])}. A sample that cannot be predicted must be left out of "
            "the cohort by the recipe, not by the learner."
        )
