"""Time before events: which windows of a recording lie in it, which are left out, and which event each belongs to."""

import itertools
from dataclasses import dataclass

import numpy as np

from neuroloom.cohort.spans import covered, joined

PARTLY = "partly"  # column: whether a window is too near to events of another class to be learned from
ROUNDING = 1e-6  # of a share


@dataclass(frozen=True)
class Before:
    """What the time before an event is (Maiwald et al. 2004, doi:10.1016/j.physd.2004.02.013).

    Parameters
    ----------
    name : str
        Class of windows in it.
    of : str
        Class of the events.
    horizon : float
        Seconds that a warning must come ahead of the event at least (seizure prediction horizon).
    occurrence : float
        Seconds after the horizon in which the event is expected (seizure occurrence period).
    after : float
        Seconds after an event in which nothing is asked.
    apart : float
        Windows nearer than this to the time before an event, or to the time that is left out, are tested but not learned
        from, s.
    least : float
        Share of the occurrence period that must be recorded, and clear of earlier events, for an event to be asked for.
    during : bool
        Whether windows in the events are a class of their own; else they are left out.
    """

    name: str
    of: str
    horizon: float = 300.0
    occurrence: float = 1800.0
    after: float = 1800.0
    apart: float = 0.0
    least: float = 0.5
    during: bool = False

    def foretold(self, events, seconds):
        """Return what is known of the events of a recording.

        Parameters
        ----------
        events : ndarray of shape (n_events, 2)
            Onset and end of each, rising and disjoint, s.
        seconds : float
            Length of the recording.

        Returns
        -------
        Foretold
        """
        onsets, stops = events[:, 0], events[:, 1]
        closed = np.clip(np.stack([onsets - self.horizon, stops + self.after], axis=1), 0, seconds)
        leads = np.stack([onsets - self.horizon - self.occurrence, onsets - self.horizon], axis=1)
        earlier = np.concatenate([[0.0], closed[:-1, 1]])[
            : len(events)
        ]  # events are disjoint, so the last one ends last
        free = np.clip(leads, earlier[:, None], None)
        share = np.diff(free, axis=1)[:, 0] / self.occurrence
        return Foretold(free, closed, share >= self.least - ROUNDING)

    def named(self, windows, length, overlap, foretold, otherwise):
        """Return the windows of a recording with those before events named, and without those of which nothing is asked.

        Parameters
        ----------
        windows : DataFrame
            ``onset`` (s), ``class`` and ``partly`` of each.
        length : float
            Of a window, s.
        overlap : float
            Share of a window that must lie before an event.
        foretold : Foretold
        otherwise : str
            Class of windows that no event fills: of these alone are those before events.

        Returns
        -------
        DataFrame
            With the number of each one's episode in ``block``, from 0.
        """
        onsets = windows["onset"].to_numpy()
        event = (windows["class"] == self.of).to_numpy()
        lead, unasked = (covered(onsets, length, foretold.leads[own]) for own in (foretold.asked, ~foretold.asked))
        closed = covered(onsets, length, joined(foretold.closed)) > ROUNDING
        ahead = (lead >= overlap - ROUNDING) & ~closed & (windows["class"] == otherwise).to_numpy()
        near = covered(onsets, length, foretold.around(self.apart)) > ROUNDING
        windows = windows.assign(block=foretold.share(onsets + length / 2))
        windows.loc[ahead, "class"] = self.name
        windows[PARTLY] = ~ahead & (windows[PARTLY] | (near & ~event))
        left_out = (closed & ~(event & self.during)) | (unasked > ROUNDING)
        return windows[~left_out]

    def notes(self, sample, foretold):
        """Return what is said of the events of a recording that are not asked for."""
        n_left = int((~foretold.asked).sum())
        if not n_left:
            return []
        return [
            f"{sample}: {n_left} of {len(foretold.asked)} events ({self.of}) are not asked for: less than {self.least:.0%} of the "
            f"{self.occurrence:g} s in which a warning could come are recorded and clear of the event before"
        ]


@dataclass(frozen=True)
class Foretold:
    """The events of a recording and the time before them.

    Parameters
    ----------
    leads : ndarray of shape (n_events, 2)
        Beginning and end of what is recorded of the time before each event, s; where it is empty, they are equal.
    closed : ndarray of shape (n_events, 2)
        Time of which nothing is asked: the horizon, the event, and after it.
    asked : ndarray of shape (n_events,), bool
        Whether enough of the time before it is recorded.
    """

    leads: np.ndarray
    closed: np.ndarray
    asked: np.ndarray

    def around(self, apart):
        """Return the time that is nearer than ``apart`` s to any of it, disjoint, shape (n_stretches, 2)."""
        both = np.concatenate([self.leads, self.closed])
        return joined(sorted((start - apart, stop + apart) for start, stop in both))

    def share(self, times):
        """Return the number of the event's share that each of some times lies in."""
        return np.searchsorted(self.episodes(), times)

    def episodes(self):
        """Return where one event's share of the recording ends and the next one's begins, rising, s.

        The time between two events that are asked for is divided in its middle: half of what comes after the first is
        over and before the time before the second begins.
        """
        own = np.flatnonzero(self.asked)
        over = [self.closed[here:there, 1].max() for here, there in itertools.pairwise(own)]
        return np.array([(one + max(one, self.leads[two, 0])) / 2 for one, two in zip(over, own[1:], strict=True)])
