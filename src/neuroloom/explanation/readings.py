"""Readings: what is made of many people's attributions, one map that can be tested."""

import numpy as np

MEAN, ANSWER, TRUTH = "mean", "answer", "truth"


def readings_of(method):
    """Return how a method's attributions may be read: contributions against answer and truth, the others as a mean."""
    return (ANSWER, TRUTH) if method.is_contribution else (MEAN,)


def truth_of(target, rows, number):
    """Return the truth of some rows as a number: 1 in the class that is explained and 0 in others, or the value."""
    if target.kind != "class":
        return target.values[rows].astype(np.float64)
    return (target.values[rows] == (1 if len(target.classes) == 2 else number)).astype(np.float64)


def read(reading, values, answers, truth):
    """Return the map of some people.

    ``answer``: how much of a difference of the answer between people comes from each value (covariance of contribution
    and answer over the answer's variance); it adds up to 1 where contributions add up to the answer. ``truth``: how
    much of a step of the truth arrives in the answer through each value (covariance with the truth over its
    variance); for classes this is the mean of the class minus the mean of the others. ``mean``: the mean.

    Parameters
    ----------
    reading : str
    values : ndarray of shape (n, *shape)
        Attributions.
    answers, truth : ndarray of shape (n,)
    """
    if reading == MEAN:
        return values.mean(axis=0)
    along = answers if reading == ANSWER else truth
    apart = along - along.mean()
    total = float(apart @ apart)
    if total <= 1e-12 * max(1.0, float(along @ along)):
        return np.zeros(values.shape[1:])  # nothing differs between these people
    return np.tensordot(apart, values - values.mean(axis=0), axes=1) / total


def label_of(reading, method):
    """Return in a few words what the values of a map of this reading are."""
    of_reading = {ANSWER: "Share of the answer's differences", TRUTH: "Part of the answer that follows the truth"}
    return of_reading.get(reading) or method.label


def told_reading(reading, target, label):
    """Return in a sentence what a map of this reading shows."""
    if reading == ANSWER:
        return " The map shows how much of a difference of the answer between people comes from each value."
    if reading == TRUTH and target.kind == "class":
        named = label or target.positive
        return f" The map shows the mean of {named} minus the mean of all others: what of the answer tells them apart."
    if reading == TRUTH:
        return f" The map shows how much of a step of the true {target.name} arrives in the answer through each value."
    return ""
