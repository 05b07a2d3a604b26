"""What is asked of each sample: a class, a number."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.known import check_known


@dataclass(frozen=True)
class Target:
    """The truth of every row of a cohort.

    Parameters
    ----------
    name : str
        Column of the cohort's table.
    kind : str
        ``class``, ``number``, or ``labels`` for the label maps of an input.
    values : ndarray of shape (n_samples,)
        int64 class numbers, or float64 in the column's own unit; 0 for label maps, which lie in their input.
    classes : tuple of str
        Class names by number; for two classes the second is the positive one. Empty for numbers.
    """

    name: str
    kind: str
    values: np.ndarray
    classes: tuple[str, ...] = ()

    @property
    def positive(self):
        """The class that a probability is of; None unless there are two."""
        return self.classes[1] if len(self.classes) == 2 else None

    def named(self, rows=slice(None)):
        """Return the truth as a reader would write it: class names, or numbers."""
        values = self.values[rows]
        return np.array(self.classes, dtype=object)[values] if self.kind == "class" else values


def read_target(cohort, column, kind, positive=None):
    """Return the `Target` in ``column``; every sample must have a value.

    Parameters
    ----------
    cohort : Cohort
    column : str
    kind : str
        ``class`` or ``number``.
    positive : str or None
        The class whose probability is predicted; needed where there are two classes.
    """
    check_known("target column", column, cohort.table.columns)
    values = cohort.table[column]
    missing = cohort.table.index[values.isna()]
    if len(missing):
        raise NeuroloomError(
            f"{cohort.name}: {len(missing)} of {len(cohort)} samples have no {column!r}: {listed(missing)}. "
            f"Fill the column, or leave them out with --set 'cohort.where=known({column})'."
        )
    if kind == "number":
        return Target(column, "number", _numbers(cohort, column))
    return _classes(cohort, column, positive)


def input_target(cohort, name):
    """Return the `Target` of a cohort whose truth is an input: label maps, one a sample."""
    check_known("target input", name, cohort.inputs)
    return Target(name, "labels", np.zeros(len(cohort)))


def _numbers(cohort, column):
    values = cohort.table[column]
    try:
        return values.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        odd = sorted({str(value) for value in values if not _is_number(value)})
        raise NeuroloomError(
            f"{cohort.name}: column {column!r} must hold numbers, but has {listed(odd)}. "
            "Name another target.column, or map the values in cohort.yaml."
        ) from None


def _is_number(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _classes(cohort, column, positive):
    named = cohort.table[column].map(_class_name)
    found = sorted(named.unique())
    if len(found) < 2:
        raise NeuroloomError(
            f"{cohort.name}: column {column!r} has one class only ({listed(found)}); two are needed to tell apart."
        )
    if positive is not None:
        if str(positive) not in found:
            raise NeuroloomError(
                f"{cohort.name}: target.positive is {positive!r}, but column {column!r} has the classes "
                f"{listed(found)}. Name one of them: --set target.positive={found[0]}."
            )
        if len(found) > 2:
            raise NeuroloomError(
                f"{cohort.name}: column {column!r} has {len(found)} classes ({listed(found)}), but this recipe tells "
                f"two apart. Keep two with --set \"cohort.where={column} in ['{found[0]}', '{found[1]}']\", "
                "or set target.positive=null for one score over all classes."
            )
        found = [name for name in found if name != str(positive)] + [str(positive)]
    numbers = named.map({name: number for number, name in enumerate(found)}).to_numpy(dtype=np.int64)
    return Target(column, "class", numbers, tuple(found))


def _class_name(value):
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
