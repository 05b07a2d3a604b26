"""Where simulated heads can change: regions of the MNI152 brain, made of simple solids and tissue maps."""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, label

from neuroloom.simulators.t1w_template import template_2mm

EDGE = 1.0  # mm over which a solid's edge fades


@dataclass(frozen=True)
class Ellipsoid:
    """Centre, radii and direction of the longest axis (mm, MNI); ``long`` None means along the axes."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    long: tuple[float, float, float] | None = None

    def inside(self, x, y, z):
        """Return 1 inside, 0 outside, fading at the edge."""
        offset = (x - self.centre[0], y - self.centre[1], z - self.centre[2])
        scaled = 0.0
        for axis, radius in zip(self._axes(), self.radii, strict=True):
            scaled = scaled + (sum(a * o for a, o in zip(axis, offset, strict=True)) / radius) ** 2
        return fade((np.sqrt(scaled) - 1.0) * min(self.radii))

    def _axes(self):
        if self.long is None:
            return np.eye(3)
        first = np.array(self.long) / np.linalg.norm(self.long)
        second = np.array([1.0, 0.0, 0.0]) - first[0] * first
        second /= np.linalg.norm(second)
        return first, second, np.cross(first, second)


@dataclass(frozen=True)
class Box:
    """Lower and upper corner (mm, MNI)."""

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]

    def inside(self, x, y, z):
        """Return 1 inside, 0 outside, fading at the edge."""
        pairs = zip((x, y, z), self.lower, self.upper, strict=True)
        return np.prod(np.broadcast_arrays(*(fade(low - at) * fade(at - high) for at, low, high in pairs)), axis=0)


def fade(beyond):
    """Return a smooth step: 1 well inside (negative mm), 1/2 at the edge, 0 well outside."""
    return 1.0 / (1.0 + np.exp(np.clip(beyond / EDGE, -50, 50)))


@dataclass(frozen=True)
class Region:
    """Solids on the right (mirrored to the left) within one tissue: ``grey``, ``csf`` or ``brain``.

    ``sign`` says what a disease does: -1 the region shrinks, +1 it grows. When it changes, what lies within
    about ``reach`` changes with it, and what lies within about ``ripple`` gives way (mm, standard deviations).
    ``gain`` is how much of a change that is meant for the template comes out in people, who differ from it
    (mean over 60 people, standard error below 0.005; measured by studies/t1w_realism.py).
    """

    solids: tuple[Ellipsoid | Box, ...]
    tissue: str = "grey"
    sign: int = -1
    reach: float = 2.0
    ripple: float = 5.0
    gain: float = 1.0


REGIONS = {
    "hippocampus": Region((Ellipsoid((26, -21, -15), (20, 9, 6.5), long=(0.15, -0.79, 0.6)),), gain=0.966),
    "ventricles": Region(
        (Box((-2, -60, -12), (40, 42, 34)),), tissue="csf", sign=+1, reach=4.0, ripple=12.0, gain=0.981
    ),
    "temporal": Region((Box((36, -26, -42), (58, 14, -4)), Box((36, -54, -28), (58, -26, -4))), gain=0.938),
    "parietal_operculum": Region((Ellipsoid((44, -32, 14), (11, 14, 8)),), gain=0.959),
    "insula": Region((Ellipsoid((37, 8, 10), (7, 13, 8)),), gain=0.976),
    "orbitofrontal": Region((Ellipsoid((18, 17, -17), (11, 10, 7)),), gain=0.950),
    "grey": Region((Box((-90, -130, -72), (90, 90, 100)),), gain=0.967),
}
ELSEWHERE = {"hippocampus": "parietal_operculum", "ventricles": "insula", "temporal": "orbitofrontal"}


@functools.cache
def mask(name):
    """Return how much of each 2 mm voxel belongs to a region (0 to 1), on the grid of `template_2mm`."""
    region = REGIONS[name]
    x, y, z = coordinates()
    solid = np.maximum.reduce([np.broadcast_to(s.inside(np.abs(x), y, z), brain().shape) for s in region.solids])
    if region.tissue == "csf":
        return _connected(solid)
    _, grey, _, _ = template_2mm()
    return (solid * grey).astype(np.float32)


@functools.cache
def half(name, side):
    """Return the right or left half of a region's mask."""
    x, _, _ = coordinates()
    return (mask(name) * fade(-x if side == "right" else x)).astype(np.float32)


def _connected(solid):
    """Return the largest connected body of CSF within a solid: the lateral ventricles."""
    fluid = csf()
    bodies, _ = label((fluid > 0.5) & (solid > 0.5))
    largest = np.bincount(bodies.ravel())[1:].argmax() + 1
    near = gaussian_filter((bodies == largest).astype(np.float32), 0.7) > 0.15
    return (near * fluid).astype(np.float32)


@functools.cache
def brain():
    """Return which 2 mm voxels hold brain or fluid within the template's skull-stripped outline."""
    t1, *_ = template_2mm()
    return t1 > 0.15


@functools.cache
def csf():
    """Return how much of each 2 mm voxel is cerebrospinal fluid (0 to 1)."""
    _, grey, white, _ = template_2mm()
    return np.clip(1.0 - grey - white, 0.0, 1.0) * brain()


@functools.cache
def coordinates():
    """Return MNI coordinates in mm of the 2 mm voxels, one open array an axis."""
    t1, _, _, affine = template_2mm()
    shapes = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
    return tuple((affine[a, 3] + 2.0 * np.arange(t1.shape[a])).reshape(shapes[a]) for a in range(3))
