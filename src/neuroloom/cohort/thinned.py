"""Which windows of recordings are learned from: not all of a class that is nearly always there, and none in between."""

from dataclasses import replace

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.seeds import generator


def thinned(folds, named, partly, keep, seed=0):
    """Return folds whose fit parts leave out windows that an event covers in part, and most of some classes.

    Tune and test parts stay whole: what is chosen and scored sees recordings as they are.

    Parameters
    ----------
    folds : list of Fold
    named : ndarray of shape (n_windows,)
        Class of each window, see `neuroloom.cohort.cut_windows.find_windows`.
    partly : ndarray of shape (n_windows,), bool
        Whether an event covers it in part.
    keep : dict
        Class -> share of its windows that is learned from, drawn anew in each fold.
    seed : int

    Returns
    -------
    list of Fold
    """
    for name in keep:
        check_known("class of trials.keep", name, sorted({str(one) for one in named}))
    share = np.ones(len(named))
    for name, part in keep.items():
        share[named == name] = part
    left = []
    for fold in folds:
        draw = generator(seed, "windows learned from", fold.repeat, fold.index).random(len(named))
        fit = fold.fit[~partly[fold.fit] & (draw[fold.fit] < share[fold.fit])]
        left.append(replace(fold, fit=fit))
    return left


def check_events_everywhere(folds, cohort, column, label, tuned):
    """Raise an error where a fit part has no window of a class, or a tune part none where it chooses a threshold.

    Parameters
    ----------
    folds : list of Fold
    cohort : Cohort
        Of windows.
    column, label : str
        Where the class is written, and which it is.
    tuned : bool
        Whether the tune part chooses a threshold.
    """
    has = (cohort.table[column] == label).to_numpy()
    people = cohort.table["participant_id"].astype(str).to_numpy()
    for fold in folds:
        for part, of_part in (("fit", fold.fit), *([("tune", fold.tune)] if tuned else [])):
            if not has[of_part].any():
                raise NeuroloomError(
                    f"{cohort.name}: the {part} part of fold {fold.key} ({len(set(people[of_part]))} people) has no window of "
                    f"{label!r}, so {_what_fails(part)}. {_way_out(part)}"
                )


def _what_fails(part):
    return "nothing could be learned" if part == "fit" else "no threshold can be chosen on it"


def _way_out(part):
    if part == "fit":
        return "Use fewer folds, another seed, or recordings with events."
    return (
        "Use a larger tune part (--set validation.tune=0.3), another seed, or a fixed threshold "
        "(validation.events.threshold or validation.forecast.threshold)."
    )
