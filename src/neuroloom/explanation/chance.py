"""How well a map would find a place by chance, if it were as smooth as it is but knew nothing of the place."""

import numpy as np
from scipy.spatial.transform import Rotation
from scipy.stats import rankdata

from neuroloom.explanation.readings import TRUTH
from neuroloom.seeds import generator

AT_ONCE = 50  # drawn maps
LEAST_INSIDE = 0.75  # share of a moved mask that must lie where the map has values


def auc(values, mask):
    """Return the chance that a value inside the mask is above one outside, ties counting half.

    Parameters
    ----------
    values : ndarray of shape (n,)
    mask : ndarray of shape (n,)
        Bool; some true, some false.
    """
    ranks = rankdata(values)
    inside = int(mask.sum())
    return float((ranks[mask].sum() - inside * (inside + 1) / 2) / (inside * (len(values) - inside)))


def moved_masks(values, mask, domain):
    """Return the AUC of a map for its mask moved to every other place of the box.

    The mask keeps its shape and so the smoothness of both is respected (Alexander-Bloch et al. 2018,
    doi:10.1016/j.neuroimage.2018.05.070, do the same on the cortical sphere). Moves wrap around the box; those
    that leave less than three quarters of the mask inside the domain are not counted.

    Parameters
    ----------
    values, mask, domain : ndarray of shape (i, j, k)
        The map; where the effect was planted; where the map has values.

    Returns
    -------
    ndarray of shape (n_moves,)
    """
    mask = mask & domain
    ranks = np.zeros(values.shape)
    ranks[domain] = rankdata(values[domain])
    turned = np.conj(np.fft.rfftn(mask.astype(float)))
    inside = np.round(np.fft.irfftn(np.fft.rfftn(domain.astype(float)) * turned, values.shape))
    total = np.fft.irfftn(np.fft.rfftn(ranks) * turned, values.shape)
    outside = domain.sum() - inside
    counted = (inside >= LEAST_INSIDE * mask.sum()) & (outside > 0)
    counted[(0,) * values.ndim] = False  # the place itself
    found = (total - inside * (inside + 1) / 2)[counted] / (inside * outside)[counted]
    return found


def turned_masks(values, mask, domain, positions, n_draws=2000, seed=0, moves=True):
    """Return the AUC of a map of channels for its mask turned over the head, and moved along the map's other axis.

    The electrodes are put on a sphere, and the mask is turned with it at random; a channel takes the mask of the turned
    channel nearest to it, if that is no farther than channels are from each other (the spin test of Alexander-Bloch et
    al. 2018, doi:10.1016/j.neuroimage.2018.05.070, on a cap). Over time it is moved around too, by as much for all
    channels. Neighbours stay neighbours on both axes. Over frequency it must not move: maps are stronger at low
    frequencies, and places there would be called found too often (in .06 to .145 of smooth maps that know nothing,
    whose strength falls in a line, against .02 to .055 where the place is turned alone; studies/README.md). Draws that
    turn more than a quarter of the mask off the cap are not counted, nor are those that leave it where it is.

    Parameters
    ----------
    values, mask, domain : ndarray of shape (channel, column) or (channel,)
        The map; where the effect was planted; where the map has values.
    positions : ndarray of shape (channel, 3)
        Of the electrodes, in m.
    moves : bool
        Whether the mask also moves along the other axis, all of whose columns must then be alike by chance.

    Returns
    -------
    ndarray of shape (n_counted,)
    """
    draw, n_channels = generator(seed, "turned masks"), len(values)
    values, mask, domain = (one.reshape(n_channels, -1) for one in (values, mask & domain, domain))
    ranks = np.zeros(values.shape)
    ranks[domain] = rankdata(values[domain])
    on_sphere = directions(positions)
    apart = np.linalg.norm(on_sphere[:, None] - on_sphere, axis=-1)
    farthest = np.sort(apart, axis=1)[:, 1].max()  # from a channel to its nearest neighbour
    found = []
    for turn in Rotation.random(n_draws, random_state=draw):
        away = np.linalg.norm(on_sphere[:, None] - turn.apply(on_sphere), axis=-1)  # (channel, turned channel)
        nearest = np.where(away.min(axis=1) <= farthest, away.argmin(axis=1), -1)
        shift = int(draw.integers(values.shape[1])) if moves else 0
        moved = np.roll(mask, shift, axis=1)[nearest] & (nearest >= 0)[:, None] & domain
        inside = int(moved.sum())
        if inside < LEAST_INSIDE * mask.sum() or inside == domain.sum() or np.array_equal(moved, mask):
            continue
        total = ranks[moved].sum()
        found.append((total - inside * (inside + 1) / 2) / (inside * (domain.sum() - inside)))
    return np.array(found)


def directions(positions):
    """Return the directions of points from the centre of the sphere nearest to them, shape (point, 3)."""
    told = np.column_stack([2 * positions, np.ones(len(positions))])  # |p|^2 = 2 c p + (r^2 - |c|^2)
    centre = np.linalg.lstsq(told, (positions**2).sum(axis=1), rcond=None)[0][:3]
    return (positions - centre) / np.linalg.norm(positions - centre, axis=1, keepdims=True)


def exchanged_regions(matrix, edges, domain, n_draws=2000, seed=0):
    """Return the AUC of a connectome's edges for planted edges between drawn regions.

    Regions change names, edges go with them: planted edges that share a region go on sharing one, and a region
    whose edges are all strong stays one region.

    Parameters
    ----------
    matrix : ndarray of shape (region, region)
        Symmetric.
    edges : ndarray of shape (region, region)
        Symmetric mask of the planted edges.
    domain : ndarray of shape (region, region)
        Edges that are compared, each once (upper triangle).
    """
    draw = generator(seed, "exchanged regions")
    ranks = np.zeros(matrix.shape)
    ranks[domain] = rankdata(matrix[domain])
    ranks, known = ranks + ranks.T, domain | domain.T
    pairs = np.argwhere(np.triu(edges, k=1))
    order = np.stack([draw.permutation(len(matrix)) for _ in range(n_draws)])
    first, second = order[:, pairs[:, 0]], order[:, pairs[:, 1]]  # (draw, edge)
    inside, total = known[first, second].sum(axis=1), ranks[first, second].sum(axis=1)
    outside = domain.sum() - inside
    counted = (inside >= LEAST_INSIDE * len(pairs)) & (outside > 0)
    return ((total - inside * (inside + 1) / 2)[counted]) / (inside * outside)[counted]


def drawn_answers(people, of_linear, reading, mask, domain, n_draws=500, seed=0):
    """Return the AUC of the maps that a method would show if the answers to be learned were drawn at random.

    The learner is linear with weights X'g, for people X and drawn answers g: what a strong penalty makes of
    answers that have nothing to do with the people. Such maps hang together as the values do over people, and are
    strong where people differ most, so that a place to which any answer would point is not taken for a find.

    Parameters
    ----------
    people : ndarray of shape (person, *shape)
        What the learner sees of some people.
    of_linear : callable
        ``of_linear(weights, along)`` -> the method's maps of linear learners, all (n, *shape); ``along`` is how each
        value goes along with what the reading looks at.
    reading : str
        Of contributions: ``truth`` looks at another drawn number a person; else the answer itself is looked at.
    mask, domain : ndarray of bool
        Of the map's shape: the planted place, and where the map is looked at.
    """
    draw = generator(seed, "drawn answers")
    apart = people - people.mean(axis=0, dtype=np.float64)
    planted = mask[domain]
    inside, outside = int(planted.sum()), int((~planted).sum())
    found = []
    for first in range(0, n_draws, AT_ONCE):
        answers, truth = draw.standard_normal((2, min(AT_ONCE, n_draws - first), len(apart)))
        weights = np.tensordot(answers, apart, axes=1)
        along = np.tensordot(truth, apart, axes=1) if reading == TRUTH else patterns(weights, apart)
        maps = of_linear(weights, along)
        ranks = rankdata(np.abs(maps[:, domain]), axis=1)  # (draw, value)
        found.append((ranks[:, planted].sum(axis=1) - inside * (inside + 1) / 2) / (inside * outside))
    return np.concatenate(found)


def patterns(weights, people):
    """Return the covariance of each value with the answers of linear learners, times the number of people.

    Parameters
    ----------
    weights : ndarray of shape (n, *shape)
    people : ndarray of shape (person, *shape)
        Their mean is zero.
    """
    rows = people.reshape(len(people), -1)
    return ((weights.reshape(len(weights), -1) @ rows.T) @ rows).reshape(weights.shape)


def exchanged_values(mask, n_draws=2000, seed=0):
    """Return the AUC of a mask for values in a drawn order: shape (n_draws,)."""
    draw = generator(seed, "exchanged values")
    return np.array([auc(draw.permutation(len(mask)), mask) for _ in range(n_draws)])


def p_of(value, drawn):
    """Return the share of drawn values at or above a value, itself counted in."""
    return float((1 + np.sum(drawn >= value - 1e-12)) / (1 + len(drawn)))
