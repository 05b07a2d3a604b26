"""Samples of one recording: how near to each other in time they may be learned from and tested."""

from dataclasses import dataclass

import numpy as np

ROUNDING = 1e-6  # s: trials that follow on each other do not share time


@dataclass(frozen=True)
class Stretches:
    """When each sample of a cohort was recorded.

    Parameters
    ----------
    recording : ndarray of shape (n_samples,)
        Which recording it lies in.
    begin, end : ndarray of shape (n_samples,)
        In seconds of that recording.
    gap : float
        Seconds that must lie between two samples of which one is learned from and the other tested; 0 forbids only that
        they share time.
    """

    recording: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    gap: float = 0.0


def apart(stretches, rows, tested):
    """Return whether each of ``rows`` lies far enough from every tested row of its recording, (n_rows,) bool."""
    far = np.ones(len(rows), dtype=bool)
    for recording in np.unique(stretches.recording[tested]):
        there = tested[stretches.recording[tested] == recording]
        order = np.argsort(stretches.begin[there])
        begins, ends = stretches.begin[there][order], np.maximum.accumulate(stretches.end[there][order])
        own = np.flatnonzero(stretches.recording[rows] == recording)
        # of the tested ones that begin before this one is over and the gap has passed, does the latest end reach it?
        before = np.searchsorted(begins, stretches.end[rows[own]] + stretches.gap - ROUNDING, side="left")
        latest = np.where(before > 0, ends[before - 1], -np.inf)
        far[own] = latest + stretches.gap <= stretches.begin[rows[own]] + ROUNDING
    return far
