"""How many events there are in an hour, as found and as it is: whether alarms can be counted in place of events."""

import numpy as np
import pandas as pd

from neuroloom.metrics.agreement import icc
from neuroloom.metrics.events import intervals, merged
from neuroloom.metrics.regression import spearman
from neuroloom.validation.intervals import scored
from neuroloom.validation.outcomes import Outcomes

KEYS = ["repeat", "fold", "unit"]


def rate_agreement(found, fitted, unit, merge=0.0):
    """Return how well the rate of alarms tells the rate of events, unit of claim by unit of claim.

    Parameters
    ----------
    found : list of Found
        Of one learner, see `neuroloom.validation.found_events`.
    fitted : dict
        (repeat, fold) -> the (recording, unit) that were learned from.
    unit : str
        Unit of claim.
    merge : float
        Events less than so many s apart are one, and so are alarms; however long, none is cut.

    Returns
    -------
    dict
        ``spearman`` and ``icc``, each with an interval over units; they compare units of one test fold, which share a
        threshold. NaN where no fold tests two units.
    """
    rows = [
        (
            one.repeat,
            one.fold,
            one.unit,
            one.course.recording,
            _number(one.course.truth, one.course.seconds, merge),
            _number(one.alarms, one.course.seconds, merge),
            one.course.seconds / 3600,
        )
        for one in found
    ]
    table = pd.DataFrame(rows, columns=[*KEYS, "recording", "events", "alarms", "hours"])
    rates = table.groupby(KEYS)[["events", "alarms", "hours"]].sum().reset_index()
    code = {name: number for number, name in enumerate(sorted(set(table["unit"])))}
    number = rates["unit"].map(code).to_numpy(dtype=np.int64)
    outcomes = Outcomes(
        truth=(rates["events"] / rates["hours"]).to_numpy(dtype=np.float64),
        prediction=(rates["alarms"] / rates["hours"]).to_numpy(dtype=np.float64),
        repeat=rates["repeat"].to_numpy(dtype=np.int64),
        fold=rates["fold"].to_numpy(dtype=np.int64),
        unit=number,
        sample=number,
        references={},
        fitted={fold: _among(seen, code) for fold, seen in fitted.items()},
    )
    return {metric.name: scored(metric, outcomes, unit) for metric in (spearman, icc)}


def _number(spans, seconds, merge):
    """Return how many events or alarms, (onset, duration) in s, there are."""
    return len(merged(intervals(spans, seconds), merge))


def _among(seen, code):
    """Return which units some (recording, unit) are of, shape (n_units,)."""
    mask = np.zeros(len(code), dtype=bool)
    mask[[code[unit] for _, unit in seen if unit in code]] = True
    return mask
