"""A map summed up by region."""

import numpy as np


def by_region(values, frame):
    """Return names of regions and the share of the map's strength in each; None where a map has no regions.

    Of a connectome, half of each edge's strength goes to either region.

    Parameters
    ----------
    values : ndarray
        A map of the frame's shape.
    frame : Frame
    """
    strength = np.abs(np.nan_to_num(values))
    if frame.kind == "graph" and frame.names is not None:
        of_region = strength.sum(axis=1) + np.diag(strength)  # each cell of a symmetric map holds the whole edge
        total = of_region.sum()
        return list(frame.names), of_region / total if total > 0 else of_region
    return None
