"""Bands of frequencies in Hz, as recipes give them."""

import numpy as np

from neuroloom.errors import NeuroloomError


def checked_bands(name, bands):
    """Return bands as an array (band, 2) of Hz, or say how they are written."""
    try:
        found = np.array([(float(low), float(high)) for low, high in bands], dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty((0, 2))
    if not len(found) or not np.isfinite(found).all() or (found[:, 0] <= 0).any() or (np.diff(found) <= 0).any():
        raise NeuroloomError(f"{name}: bands are pairs of Hz, low before high, as [[8, 12], [18, 26]], not {bands}.")
    return found
