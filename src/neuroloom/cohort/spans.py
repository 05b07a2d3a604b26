"""Stretches of time, as (start, stop) in s: joined, and how much of a window they cover."""

import numpy as np


def joined(pairs):
    """Return rising (onset, stop) with those that overlap or touch made one, shape (event, 2)."""
    found = []
    for onset, stop in pairs:
        if found and onset <= found[-1][1]:
            found[-1][1] = max(found[-1][1], stop)
        else:
            found.append([onset, stop])
    return np.array(found).reshape(-1, 2)


def covered(onsets, length, events):
    """Return the share of each window that disjoint events (event, 2) cover."""
    if not len(events):
        return np.zeros(len(onsets))
    edges = events.ravel()
    until = np.concatenate([[0.0], np.cumsum(np.diff(edges) * (np.arange(len(edges) - 1) % 2 == 0))])  # s, at each edge
    return (np.interp(onsets + length, edges, until) - np.interp(onsets, edges, until)) / length
