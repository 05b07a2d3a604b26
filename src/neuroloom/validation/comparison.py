"""Two learners on the same people and folds: the difference, and whether the people show it."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.validation.intervals import difference_interval
from neuroloom.validation.scores import score


def compare(metric, first, second, names, labels=None):
    """Return the entry of ``metrics.json`` for first - second; ``labels`` are what a reader calls the two.

    ``verdict`` is about the first: ``better`` or ``worse`` where the interval leaves out 0, else ``equal`` (no
    difference is shown, which is not a proof that there is none), ``unknown`` where there is no interval.
    """
    _same_people(first, second, names)
    difference = score(metric, first) - score(metric, second)
    low, high = difference_interval(metric, first, second)
    verdict = judged(metric, low, high)
    return {
        "a": names[0],
        "b": names[1],
        "metric": metric.name,
        "difference": difference,
        "interval": [low, high],
        "verdict": verdict,
        "text": _text(metric, labels or names, difference, low, high, verdict),
    }


def judged(metric, low, high):
    """Return what an interval of a difference says about its first learner."""
    if np.isnan(low) or np.isnan(high):
        return "unknown"
    if low <= 0 <= high:
        return "equal"
    return "better" if (low > 0) == bool(metric.higher_is_better) else "worse"


def _same_people(first, second, names):
    one, two = (set(zip(o.repeat, o.fold, o.sample, strict=True)) for o in (first, second))
    if one != two:
        raise NeuroloomError(
            f"Learners {names[0]!r} and {names[1]!r} did not predict the same samples in the same folds "
            f"({len(one - two)} and {len(two - one)} that the other has not), so they cannot be compared."
        )


def _text(metric, names, difference, low, high, verdict):
    if verdict == "unknown":
        return f"{names[0]} and {names[1]} cannot be compared by {metric.label}: too few people."
    said = {
        "equal": "no difference is shown",
        "better": f"{names[0]} is better",
        "worse": f"{names[0]} is worse",
    }[verdict]
    return (
        f"{names[0]} minus {names[1]}: {difference:+.3g} {metric.label} "
        f"(95 % interval {low:+.3g} to {high:+.3g}); {said}."
    )
