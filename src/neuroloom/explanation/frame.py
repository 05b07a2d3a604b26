"""The common frame: attributions of all folds as maps whose values lie at the same places."""

from dataclasses import dataclass, replace

import numpy as np

from neuroloom.explanation.series_frame import Columns, binned, series_frame

AFFINE_TOLERANCE = 1e-3  # mm
INTO_SPACE = ("align", "crop_box", "to_grid")  # transforms after which mm are those of MNI space


@dataclass(frozen=True)
class Frame:
    """Where the values of a map lie.

    Parameters
    ----------
    kind : str
        Kind of the input.
    shape : tuple of int
        Of a map: volume (i, j, k); graph (region, region); table (feature,); series (region,), (window,), or with
        columns (channel, column).
    names : tuple of str or None
        Of regions, windows or features.
    affine : ndarray of shape (4, 4) or None
        Of a volume: to MNI mm; None where people's scans do not lie there, or not on one grid.
    columns : Columns or None
        Of a series: what its second axis goes over.
    positions : tuple of (x, y, z) or None
        Of a series' channels, m in the head frame, in the order of ``names``; None where one of them is not known.
    """

    kind: str
    shape: tuple[int, ...]
    names: tuple[str, ...] | None = None
    affine: np.ndarray | None = None
    columns: Columns | None = None
    positions: tuple | None = None

    def like(self, other):
        """Return whether maps of both frames have their values at the same places."""
        same = (self.shape, self.names, self.columns is None) == (other.shape, other.names, other.columns is None)
        return same and (self.columns is None or self.columns.like(other.columns))


def frame_of(learner, data, name, rows, method):
    """Return the frame of the maps that a method makes of one input of a learner, over the people of some rows."""
    store = learner.inputs.stores(data, rows)[name]
    known = [int(row) for row in rows if store.present[row]]
    names = learner.inputs.names.get(name)
    names = tuple(map(str, names)) if names is not None else None
    shape = store[known[0]].shape
    if store.kind == "volume":
        in_space = any(part.name in INTO_SPACE for part in learner.plan.inputs[name].scan)
        affine = common_affine([data.stores[name].geometry(row) for row in known]) if in_space else None
        return Frame("volume", shape[1:], None, affine)
    if store.kind == "series":
        return Frame("series", **series_frame(learner, data, name, store, known, method))
    return Frame(store.kind, shape, names)


def common_affine(geometries):
    """Return the affine that scans share; None where they do not."""
    affines = [np.asarray(told["affine"], dtype=float) for told in geometries if told.get("affine") is not None]
    if len(affines) < len(geometries):
        return None
    return affines[0] if np.ptp(affines, axis=0).max() < AFFINE_TOLERANCE else None


def laid(values, kind, is_pattern=False, window=None, columns=None):
    """Return attributions (n, *shape of the input) as maps (n, *shape of the frame), float64.

    Channels of a volume are added up, and the time points of a series: all of them, those of each column, or, by window,
    its regions, with the mean over the window. Of a graph both triangles are, so that each cell holds all that its edge
    does; a pattern of a graph tells of the edge already. Attributions by frequency are maps as they are.
    """
    values = np.asarray(values, dtype=np.float64)
    if columns is not None:
        return values if columns.unit == "Hz" else binned(values, len(columns), is_pattern)
    if kind == "volume":
        return values.sum(axis=1)  # (n, channel, i, j, k) -> (n, i, j, k)
    if kind == "series" and window is not None:
        of_time = values.sum(axis=1)  # (n, region, time) -> (n, time), NaN behind the end of a shorter series
        starts = np.arange(0, of_time.shape[1], window)
        return np.stack([of_time[:, start : start + window].mean(axis=1) for start in starts], axis=1)
    if kind == "series":
        absent = np.isnan(values).all(axis=(1, 2))
        return np.where(absent[:, None], np.nan, np.nansum(values, axis=2))  # (n, region, time) -> (n, region)
    if kind == "graph" and not is_pattern:
        both = values + np.swapaxes(values, 1, 2)
        both[:, *np.diag_indices(both.shape[1])] /= 2
        return both
    return values


def joined(frames):
    """Return the one frame that holds all, and for each where its names stand in it.

    Regions that were dropped in some folds only are in the frame; a fold that dropped them has no value there.
    """
    first = frames[0]
    if first.names is None:
        return _without_names(frames), [None] * len(frames)
    names = tuple(dict.fromkeys(name for frame in frames for name in frame.names))
    place = {name: at for at, name in enumerate(names)}
    where = [[place[name] for name in frame.names] for frame in frames]
    if first.kind == "series":
        known = {name: at for frame in frames for name, at in zip(frame.names, frame.positions or (), strict=False)}
        positions = tuple(known[name] for name in names) if len(known) == len(names) else None
        return replace(first, names=names, shape=(len(names), *first.shape[1:]), positions=positions), where
    return replace(first, names=names, shape=(len(names),) * len(first.shape)), where


def _without_names(frames):
    known = [frame.affine for frame in frames if frame.affine is not None]
    shared = len(known) == len(frames) and common_affine([{"affine": affine} for affine in known]) is not None
    return frames[0] if shared else replace(frames[0], affine=None)


def placed(values, where, frame):
    """Return a map of one fold in the joined frame, NaN where the fold has no value."""
    if where is None:
        return values
    whole = np.full(frame.shape, np.nan)
    whole[where if frame.kind == "series" else np.ix_(*[where] * len(frame.shape))] = values
    return whole


def placed_mask(mask, where, frame):
    """Return a mask of one fold in the joined frame, false where the fold has no value."""
    return placed(mask.astype(float), where, frame) == 1


def domain_of(frame, varies):
    """Return which values of a map are compared: where the input differs; of a graph each edge once."""
    if frame.kind == "graph":
        return varies & np.triu(np.ones(frame.shape, dtype=bool), k=1)
    return varies
