"""A map summed up by region."""

import numpy as np

from neuroloom.atlases import region_masks

ELSEWHERE = "no named region"


def by_region(values, frame):
    """Return names of regions and the share of the map's strength in each; None where a map has no regions.

    The strength of a voxel in several regions is divided among them. Of a connectome, half of each edge's strength
    goes to either region.

    Parameters
    ----------
    values : ndarray
        A map of the frame's shape.
    frame : Frame

    Returns
    -------
    (list of str, ndarray of shape (region,)) or None
    """
    strength = np.abs(np.nan_to_num(values))
    if frame.kind == "graph" and frame.names is not None:
        names, of_region = list(frame.names), strength.sum(axis=1) + np.diag(strength)  # a cell holds a whole edge
    elif frame.kind == "volume" and frame.affine is not None:
        names, of_region = _of_voxels(strength, frame)
    else:
        return None
    return names, of_region / max(of_region.sum(), 1e-30)


def _of_voxels(strength, frame):
    masks = {name: mask for name, mask in region_masks(frame.shape, frame.affine).items() if mask.any()}
    times = np.sum(list(masks.values()), axis=0) if masks else np.zeros(frame.shape)
    shared = strength / np.maximum(times, 1)
    of_region = [shared[mask].sum() for mask in masks.values()]
    return [*masks, ELSEWHERE], np.array([*of_region, strength[times == 0].sum()])
