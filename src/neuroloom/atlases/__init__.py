"""Names and places that ship: small regions in MNI space, and which are left and right of each other."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuroloom.formats.limits import load_yaml


@dataclass(frozen=True)
class Ellipsoid:
    """Centre and radii along the axes, in MNI mm."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]

    def contains(self, points):
        """Say of each point (..., 3) in mm whether it lies inside."""
        return (((points - np.array(self.centre)) / np.array(self.radii)) ** 2).sum(axis=-1) <= 1


@functools.cache
def coarse_regions():
    """Return the coarse regions by name; those of a pair are called ``left_...`` and ``right_...``."""
    told = load_yaml(Path(__file__).parent / "coarse_regions.yaml", "atlas")
    regions = {}
    for name, place in told["pairs"].items():
        x, y, z = place["centre"]
        regions[f"left_{name}"] = Ellipsoid((-x, y, z), tuple(place["radii"]))
        regions[f"right_{name}"] = Ellipsoid((x, y, z), tuple(place["radii"]))
    return regions | {n: Ellipsoid(tuple(p["centre"]), tuple(p["radii"])) for n, p in told["midline"].items()}


def region_masks(shape, affine):
    """Return which voxels of a grid in MNI space lie in each coarse region: name -> (i, j, k) bool.

    Regions may overlap at their edges; a region outside the grid is empty.

    Parameters
    ----------
    shape : tuple of int
    affine : ndarray of shape (4, 4)
        Voxel numbers to MNI mm.
    """
    affine = np.asarray(affine, dtype=float)
    voxels = np.moveaxis(np.indices(shape), 0, -1)
    points = voxels @ affine[:3, :3].T + affine[:3, 3]  # (i, j, k, 3) mm
    return {name: region.contains(points) for name, region in coarse_regions().items()}
