"""Where a simulator planted its effect, on the grid, edges or features that a map has."""

from dataclasses import dataclass

import numpy as np

from neuroloom.explanation.chance import auc, exchanged_regions, exchanged_values, moved_masks, p_of, turned_masks
from neuroloom.explanation.frame import domain_of

ABOUT = {"maps": "diagnosis", "edges": "diagnosis", "slopes": "age"}  # the target, unless planted["target"] names it
LEAST = 2  # planted values below which nothing can be tested
LEVEL = 0.05
INSIDE = 0.5  # share of a voxel that belongs to a region, from which on it is planted


@dataclass(frozen=True)
class Place:
    """A planted place.

    Parameters
    ----------
    mask : ndarray
        Bool, of the map's shape; of a graph symmetric.
    text : str
        What it is, for the page.
    effect : bool
        Whether anything is planted there; False for a simulator whose effect is 0.
    """

    mask: np.ndarray
    text: str
    effect: bool = True


def planted_place(planted, target, frame, spread=None, change=None):
    """Return the `Place` of a simulated cohort on a map, or None where the map cannot show it.

    Where it is known what the effect changes in what the learner sees, the place is where half of that change
    lies; else it is the regions, edges or features that the simulator names.

    Parameters
    ----------
    planted : dict
        ``Cohort.planted``: ``maps`` (name -> affine and mask, 0 to 1, in mm), ``edges`` (pairs of region names), or
        ``slopes`` (feature -> change a year); ``d`` of 0 says that nothing is planted there.
    target : str
        What is predicted; an effect on something else has no place in its explanation.
    frame : Frame
        Of the map.
    spread : ndarray of shape (feature,) or None
        Spread of each feature over people, in which slopes are compared.
    change : ndarray of the frame's shape or None
        Mean size of the difference that the effect makes in what the learner sees.
    """
    effect = np.any(planted.get("d", 1.0))
    kinds = [kind for kind in ABOUT if planted.get(kind)]
    if target not in {planted.get("target", ABOUT[kind]) for kind in kinds}:
        return None
    if change is not None:
        mask, text = mask_of_change(change, frame), "where half of the planted change of the scans lies"
        effect = bool(np.any(change))
    elif frame.kind == "volume" and planted.get("maps") and frame.affine is not None:
        mask, text = mask_on_grid(planted["maps"], frame), f"voxels of {', '.join(planted['maps'])}"
    elif frame.kind in ("graph", "series") and planted.get("edges") and frame.names is not None:
        mask, text = mask_of_edges(planted["edges"], frame)
    elif frame.kind == "table" and planted.get("slopes") and frame.names is not None:
        mask, text, effect = mask_of_slopes(planted["slopes"], frame.names, spread)
    else:
        return None
    if mask.sum() < LEAST or mask.all():
        return None
    return Place(mask, text, bool(effect))


def place_of_change(change, frame, effect):
    """Return the `Place` where half of what an effect changes in trials lies; None where that cannot be asked of a map.

    Parameters
    ----------
    change : ndarray of the frame's shape
        How much more the effect changes one class than another, or would if it were there.
    frame : Frame
    effect : bool
        Whether it is there.
    """
    mask, changes = mask_of_change(change, frame), "tells" if effect else "would tell"
    if mask.sum() < LEAST or mask.all():
        return None
    return Place(mask, f"where half of what {changes} the classes' trials apart lies", effect)


def mask_of_change(change, frame):
    """Return the fewest values that hold half of a change, as a mask; of a graph edges, the diagonal left out."""
    size = np.abs(np.nan_to_num(change))
    if frame.kind == "graph":
        np.fill_diagonal(size, 0.0)
    ordered = np.sort(size, axis=None)[::-1]
    enough = np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)
    return (size >= ordered[min(enough, size.size - 1)]) & (size > 0)


def mask_on_grid(maps, frame):
    """Return the union of masks in mm on a map's grid, by the nearest voxel: bool (i, j, k)."""
    where = np.indices(frame.shape).reshape(3, -1)
    place = frame.affine[:3, :3] @ where + frame.affine[:3, 3:]  # (3, voxels), mm
    found = np.zeros(where.shape[1], dtype=bool)
    for affine, mask in maps.values():
        back = np.linalg.inv(affine)
        voxel = np.rint(back[:3, :3] @ place + back[:3, 3:]).astype(int)
        inside = ((voxel >= 0) & (voxel < np.array(mask.shape)[:, None])).all(axis=0)
        found[inside] |= mask[tuple(voxel[:, inside])] > INSIDE
    return found.reshape(frame.shape)


def mask_of_edges(edges, frame):
    """Return planted edges as a symmetric mask, or for series the regions that they join; and what it is."""
    number = {name: at for at, name in enumerate(frame.names)}
    pairs = [(number.get(str(a), -1), number.get(str(b), -1)) for a, b in edges]
    pairs = [pair for pair in pairs if min(pair) >= 0]
    if frame.kind == "series":
        mask = np.isin(np.arange(len(frame.names)), [region for pair in pairs for region in pair])
        return mask, "regions that planted edges join"
    mask = np.zeros(frame.shape, dtype=bool)
    for a, b in pairs:
        mask[a, b] = mask[b, a] = True
    return mask, "planted edges"


def mask_of_slopes(slopes, names, spread=None):
    """Return planted features as a mask, what it is, and whether anything is planted.

    Where every feature has a slope, those of the steeper half are taken, in spreads of the feature.
    """
    steep = np.array([abs(slopes.get(name, 0.0)) for name in names])
    steep = steep if spread is None else steep / np.where(spread > 0, spread, np.inf)
    if not steep.any():
        return np.zeros(len(names), dtype=bool), "features with a slope", False
    if (steep > 0).all():
        return steep > np.median(steep), "the half of the features with the steeper slopes", True
    return steep > 0, "features with a slope", True


@dataclass(frozen=True)
class Found:
    """How well a map finds a place.

    Parameters
    ----------
    auc : float
        Chance that the map is stronger at a planted value than at another.
    p : float
        Share of what is drawn by chance that reaches it; the larger, where chance is drawn in two ways.
    bar : float
        What one in twenty of them reach; the larger.
    method : str
        How they were drawn.
    """

    auc: float
    p: float
    bar: float
    method: str


def found(values, place, frame, varies, of_answers=None, seed=0):
    """Return how well the strength of a map finds a place, against chance; None where that cannot be asked.

    Parameters
    ----------
    values : ndarray
        The map, of the frame's shape; its sign is not looked at.
    place : Place
    frame : Frame
    varies : ndarray of bool
        Where the input differs between people.
    of_answers : callable or None
        ``of_answers(mask, domain, seed=seed)``: AUC by drawn answers, see `neuroloom.explanation.chance`.
    seed : int
    """
    strength, mask, domain = compared(values, place, frame, varies)
    if mask.sum() < LEAST or mask.sum() == domain.sum():
        return None
    chance = {}
    if frame.kind == "volume":
        chance["the planted place moved to every other place of the box"] = moved_masks(strength, mask, domain)
    elif frame.positions is not None:
        over_time = frame.columns is not None and frame.columns.unit == "s"
        method = f"the planted place turned over the head{' and moved along time' if over_time else ''}"
        positions = np.array(frame.positions)
        chance[method] = turned_masks(strength, mask, domain, positions, seed=seed, moves=over_time)
    elif frame.kind == "graph":
        chance["regions exchanged at random"] = exchanged_regions(strength, place.mask, domain, seed=seed)
    elif of_answers is None:
        chance["values exchanged at random"] = exchanged_values(mask[domain], seed=seed)
    if of_answers is not None:
        chance["maps of drawn answers on the same people"] = of_answers(mask, domain, seed=seed)
    chance = {method: drawn for method, drawn in chance.items() if len(drawn)}
    if not chance:
        return None
    reached = auc(strength[domain], mask[domain])
    p = max(p_of(reached, drawn) for drawn in chance.values())
    bar = max(float(np.quantile(drawn, 1 - LEVEL)) for drawn in chance.values())
    return Found(reached, p, bar, "; ".join(chance))


def reach(values, place, frame, varies):
    """Return the AUC of a map's strength for a place alone."""
    strength, mask, domain = compared(values, place, frame, varies)
    return auc(strength[domain], mask[domain])


def compared(values, place, frame, varies):
    """Return a map's strength, the planted mask and the domain that both are compared on."""
    domain = domain_of(frame, varies) & np.isfinite(values)
    return np.abs(np.where(domain, values, 0.0)), place.mask & domain, domain
