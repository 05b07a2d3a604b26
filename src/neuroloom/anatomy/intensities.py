"""Intensities of a scan before it is looked at: nothing below zero, and CT as a brain is looked at."""

import numpy as np

AIR_HU = -900.0  # a scan that reaches so low is in Hounsfield units: air is -1000, fat -100, water 0
WINDOW_HU = (-215.0, 425.0)  # what the contrast ``ct`` of `neuroloom.atlases.anatomy` spans from 0 to 1


def is_hounsfield(scan):
    """Return whether a volume is in Hounsfield units, as its air tells."""
    return float(scan.data.min()) <= AIR_HU


def from_zero(scan):
    """Return a volume whose lowest value is 0, so that what is filled up outside its field of view is air.

    Hounsfield units are cut to a window of soft tissue and bone first: fluid and brain are 30 of 4000 units apart.
    """
    data = np.clip(scan.data, *WINDOW_HU) if is_hounsfield(scan) else scan.data
    low = data.min()
    return scan if low == 0 and data is scan.data else scan.with_data(data - low)
