"""Are these the same measurements under another name? Rows of numbers that agree more than chance allows."""

import numpy as np

from neuroloom.cohort.check_same_volume import Match

NEAR = 0.03  # of a column's spread (interquartile range): what rounding to two or three digits leaves
BY_CHANCE = 1e-6  # expected number of such pairs, above which nothing is said
MOST_COLUMNS = 4096  # columns that are compared


def same_rows(values):
    """Return the pairs of rows that agree in all their columns although chance would not make them.

    Columns are taken as independent, so that yes-no columns, which agree often, count for little and
    measured ones for much: a pair is named where fewer than ``BY_CHANCE`` such pairs are expected.

    Parameters
    ----------
    values : ndarray of shape (n, feature)
        NaN means missing; only features that both have are compared.

    Returns
    -------
    list of (int, int, Match)
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        return []
    values = values[:, :: max(1, values.shape[1] // MOST_COLUMNS)]
    spread = _spread(values)
    values, spread = values[:, spread > 0], spread[spread > 0]
    if not len(spread):
        return []
    values = (values - np.nanmedian(values, axis=0)) / spread
    agree_by_chance = np.log10([_share_of_near_pairs(column) for column in values.T])
    most = np.log10(BY_CHANCE / (len(values) * (len(values) - 1) / 2))
    found = []
    for i in range(len(values) - 1):
        apart = np.abs(values[i + 1 :] - values[i])  # (other row, feature)
        far = (apart > NEAR).any(axis=1)  # NaN is not far
        for j in np.flatnonzero(~far):
            compared = np.isfinite(apart[j])
            if agree_by_chance[compared].sum() < most:
                how = "every number the same" if not apart[j][compared].any() else "the same but for rounding"
                found.append((i, i + 1 + int(j), Match(1.0, how)))
    return found


def _spread(values):
    """Return the interquartile range of each column, or its standard deviation where that is 0; 0 if constant."""
    finite = np.where(np.isfinite(values), values, np.nan)
    few = np.isfinite(finite).sum(axis=0) < 2
    finite[:, few] = 0
    quartiles = np.nanquantile(finite, [0.25, 0.75], axis=0)
    between = quartiles[1] - quartiles[0]
    return np.where(between > 0, between, np.nanstd(finite, axis=0))


def _share_of_near_pairs(column):
    """Return the share of pairs of different rows whose values in this column agree, as a row with itself would."""
    known = np.sort(column[np.isfinite(column)])
    n = len(known)
    if n < 2:
        return 1.0
    near = np.searchsorted(known, known + NEAR, side="right") - np.arange(n) - 1  # later ones within reach
    return max(float(near.sum()), 1.0) / (n * (n - 1) / 2)
