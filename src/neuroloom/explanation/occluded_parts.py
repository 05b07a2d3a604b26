"""What occlusion replaces at once: blocks of a volume, regions or edges of a graph, features, windows."""

import itertools
import math
import re

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known

PARTS = {
    "volume": ("block",),
    "graph": ("region", "edge", "block"),
    "series": ("region", "window"),
    "table": ("feature", "group"),
    "genotype": ("feature", "group"),
}
SMALL_GRAPH = 40  # regions up to which every edge is replaced by itself


def parts_of(occlusion, kind, shape, names):
    """Return the parts of an input as places in the flattened input, a list of ndarray of int.

    Parameters
    ----------
    occlusion : Occlusion
    kind : str
    shape : tuple of int
        Of one sample.
    names : list of str or None
        Of its regions or features.
    """
    check_known("kind of input for explanation 'occlusion'", kind, PARTS)
    by = occlusion.by or ("edge" if kind == "graph" and shape[0] <= SMALL_GRAPH else PARTS[kind][0])
    check_known(f"argument by of explanation 'occlusion' on a {kind}", by, PARTS[kind])
    place = np.arange(math.prod(shape)).reshape(shape)
    if kind == "volume":
        return blocks(place, occlusion.size, occlusion.step)
    if by == "window":
        return windows(place, occlusion.size, occlusion.step)
    if by == "region":
        return [crossing(place, region) if kind == "graph" else place[region] for region in range(shape[0])]
    if by == "edge":
        return [edges_between(place, [i], [j]) for i, j in itertools.combinations_with_replacement(range(shape[0]), 2)]
    if by == "feature":
        return [place[[feature]] for feature in range(shape[0])]
    groups = grouped(occlusion.groups, occlusion.size, shape[0], names)
    if by == "group":
        return [place[group] for group in groups]
    return [edges_between(place, one, two) for one, two in itertools.combinations_with_replacement(groups, 2)]


def blocks(place, size, step):
    """Return cubes of a volume's places (channel, i, j, k); those at the far border may be cut."""
    starts = [starts_of(length, size, step) for length in place.shape[1:]]
    return [place[:, i : i + size, j : j + size, k : k + size].ravel() for i, j, k in itertools.product(*starts)]


def windows(place, size, step):
    """Return windows of a series' places (region, time), all regions at once."""
    return [place[:, start : start + size].ravel() for start in starts_of(place.shape[1], size, step)]


def starts_of(length, size, step):
    """Return where windows begin so that they cover a length to its end."""
    return [number * step for number in range(max(0, math.ceil((length - size) / step)) + 1)]


def crossing(place, region):
    """Return the row and the column of a region: all its edges."""
    return np.unique(np.concatenate([place[region], place[:, region]]))


def edges_between(place, one, two):
    """Return the edges between two groups of regions, both triangles."""
    return np.unique(np.concatenate([place[np.ix_(one, two)].ravel(), place[np.ix_(two, one)].ravel()]))


def grouped(groups, size, n, names):
    """Return groups of features or regions as lists of numbers.

    Groups that are given hold the names they list, every other name is one of its own. Else names that differ by
    a number at their end ("default 1", "default 2") are a group; else neighbours are, ``size`` of them.
    """
    if groups is None:
        return numbered(names) or [list(range(first, min(first + size, n))) for first in range(0, n, size)]
    if names is None:
        raise NeuroloomError("occlusion: groups are given by name, but this input has no names.")
    number = {name: at for at, name in enumerate(names)}
    found = [[number[name] for name in members if name in number] for members in groups.values()]
    found = [group for group in found if group]
    if not found:
        raise NeuroloomError(f"occlusion: none of the names in groups is a name of this input, such as {names[0]!r}.")
    held = {at for group in found for at in group}
    return found + [[at] for at in range(n) if at not in held]


def numbered(names):
    """Return groups of names that differ by a number at their end only; None where that leaves one, or none joined."""
    stems = [re.sub(r"[\s_-]*\d+$", "", name) for name in names or ()]
    known = list(dict.fromkeys(stems))
    if not 1 < len(known) < len(stems) or "" in known:
        return None
    return [[at for at, stem in enumerate(stems) if stem == one] for one in known]
