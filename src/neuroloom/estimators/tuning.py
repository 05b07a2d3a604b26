"""Choose a penalty inside the fit part: whole units are held out in turn."""

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold


def inner_folds(y, groups, is_class, seed, n_folds=5):
    """Return (train, held out) pairs over the fit part; a unit is never on both sides."""
    smallest = min(n_folds, len(np.unique(groups)))
    if is_class:
        per_class = min(len(np.unique(groups[y == value])) for value in np.unique(y))
        smallest = min(smallest, per_class)
    if smallest < 2:
        return []
    split = StratifiedGroupKFold if is_class else GroupKFold
    return list(split(smallest, shuffle=True, random_state=seed).split(np.zeros(len(y)), y, groups))


def best_setting(settings, folds, error):
    """Return the setting whose mean error over the inner folds is smallest (the first of equals).

    ``error(setting, train, held_out)`` fits on one side and returns the mean error on the other.
    Without folds (too few units) the middle setting is taken.
    """
    if not folds:
        return settings[len(settings) // 2]
    mean_error = [np.mean([error(setting, *fold) for fold in folds]) for setting in settings]
    return settings[int(np.argmin(mean_error))]
