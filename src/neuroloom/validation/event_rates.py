"""How many events there are in an hour, as found and as it is: whether alarms can be counted in place of events."""

import numpy as np
import pandas as pd

from neuroloom.metrics.agreement import icc
from neuroloom.metrics.regression import spearman
from neuroloom.validation.intervals import scored
from neuroloom.validation.outcomes import Outcomes

KEYS = ["repeat", "fold", "unit"]


def rate_agreement(found, fitted, unit):
    """Return how well the rate of alarms tells the rate of events, unit of claim by unit of claim.

    Parameters
    ----------
    found : list of Found
        Of one learner, see `neuroloom.validation.found_events`.
    fitted : dict
        (repeat, fold) -> the recordings that were learned from.
    unit : str
        Unit of claim.

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
            one.counts.true,
            len(one.alarms),
            one.course.seconds / 3600,
        )
        for one in found
    ]
    table = pd.DataFrame(rows, columns=[*KEYS, "recording", "events", "alarms", "hours"])
    rates = table.groupby(KEYS)[["events", "alarms", "hours"]].sum().reset_index()
    code = {name: number for number, name in enumerate(sorted(set(table["unit"])))}
    unit_of = dict(zip(table["recording"], table["unit"].map(code), strict=True))
    number = rates["unit"].map(code).to_numpy(dtype=np.int64)
    outcomes = Outcomes(
        truth=(rates["events"] / rates["hours"]).to_numpy(dtype=np.float64),
        prediction=(rates["alarms"] / rates["hours"]).to_numpy(dtype=np.float64),
        repeat=rates["repeat"].to_numpy(dtype=np.int64),
        fold=rates["fold"].to_numpy(dtype=np.int64),
        unit=number,
        sample=number,
        references={},
        fitted={fold: _among(seen, unit_of, len(code)) for fold, seen in fitted.items()},
    )
    return {metric.name: scored(metric, outcomes, unit) for metric in (spearman, icc)}


def _among(recordings, unit_of, n_units):
    """Return which units some recordings are from, shape (n_units,)."""
    mask = np.zeros(n_units, dtype=bool)
    mask[[unit_of[one] for one in recordings if one in unit_of]] = True
    return mask
