"""Things that were found or missed, as items that are right or wrong, so that their share is scored like any other."""

import numpy as np
import pandas as pd

from neuroloom.validation.outcomes import Outcomes


def items(found, fitted, right, wrong):
    """Return `Outcomes` of items that are right or wrong.

    Parameters
    ----------
    found : list
        Of each recording of a test part, or of a unit's part of one, with ``repeat``, ``fold``, ``unit`` and ``recording``.
    fitted : dict
        (repeat, fold) -> (recording, unit) of what was learned from.
    right, wrong : callable
        Of an entry of ``found``: how many of its items are so.
    """
    rows = [
        (one.repeat, one.fold, one.unit, one.recording, number, hit)
        for one in found
        for number, hit in enumerate([1.0] * right(one) + [0.0] * wrong(one))
    ]
    table = pd.DataFrame(rows, columns=["repeat", "fold", "unit", "recording", "number", "hit"])
    sample, named = pd.factorize(pd.MultiIndex.from_frame(table[["recording", "unit", "number"]]))
    of = [item[:2] for item in named]
    hit = table["hit"].to_numpy(dtype=np.float64)
    return Outcomes(
        truth=np.ones(len(table), dtype=np.int64),
        prediction=np.column_stack([1 - hit, hit]),
        repeat=table["repeat"].to_numpy(dtype=np.int64),
        fold=table["fold"].to_numpy(dtype=np.int64),
        unit=table["unit"].to_numpy(dtype=np.int64),
        sample=sample,
        references={},
        classes=("wrong", "right"),
        fitted={fold: np.array([one in seen for one in of], dtype=bool) for fold, seen in fitted.items()},
    )


def fitted_recordings(tested, found):
    """Return (repeat, fold) -> the (recording, unit) that were learned from, of the folds of ``found``."""
    recording = tested.column("recording_id").astype(str)
    folds = {(one.repeat, one.fold) for one in found}
    return {
        fold: set(zip(recording[of], tested.unit[of], strict=True))
        for fold, of in tested.fit_samples.items()
        if fold in folds
    }


def thresholds_of(found):
    """Return the threshold of each fold, in order."""
    return [one for _, one in sorted({((f.repeat, f.fold), f.threshold) for f in found})]
