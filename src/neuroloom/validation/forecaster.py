"""From probabilities of windows to warnings: when one is raised, what it says, and whether it was right."""

from dataclasses import dataclass

import numpy as np

from neuroloom.validation.alarms import CANDIDATES, NEVER, Detector, total

HOUR = 3600.0  # s
ROUNDING = 1e-6  # s


@dataclass(frozen=True)
class Watched:
    """What windows of a recording said over its time, and the events that were to be foreseen.

    Parameters
    ----------
    recording : str
    probability : ndarray of shape (n_steps,)
        NaN where no window tells.
    onsets : ndarray of shape (n_events,)
        Of every event of the recording, rising, s.
    asked : ndarray of shape (n_events,), bool
        Whether a warning of it could have come in these windows.
    closed : ndarray of shape (n_events, 2)
        Beginning and end of the time in which nothing is asked, s.
    seconds : float
        Length of the recording.
    """

    recording: str
    probability: np.ndarray
    onsets: np.ndarray
    asked: np.ndarray
    closed: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Judged:
    """What warnings were worth in a recording; those of several are added with ``+``.

    Parameters
    ----------
    true : int
        Events that were to be foreseen.
    hits : int
        Those of them that began while a warning expected them.
    false : int
        Warnings in whose time no event began. One whose time goes on after the recording's end is not judged.
    open_seconds : float
        Time in which a warning that was raised would have been false.
    eligible : float
        Time in which an event could have begun and been asked for, s.
    warned : float
        How much of it lay in the time of a warning, s.
    leads : tuple of float
        From the first warning that expected an event to its onset, s.
    """

    true: int
    hits: int
    false: int
    open_seconds: float
    warned: float
    eligible: float
    leads: tuple[float, ...] = ()

    def __add__(self, other):
        mine, theirs = ([getattr(one, name) for name in self.__dataclass_fields__] for one in (self, other))
        return Judged(*(one + two for one, two in zip(mine, theirs, strict=True)))

    @property
    def sensitivity(self):
        """Share of the events that were foreseen; NaN where there are none."""
        return _share(self.hits, self.true)

    @property
    def false_per_hour(self):
        """False warnings in an hour in which a warning would be false."""
        return _share(self.false * HOUR, self.open_seconds)

    @property
    def time_in_warning(self):
        """Share of the time in which a warning expects an event: what warnings at random would foresee."""
        return _share(self.warned, self.eligible)

    @property
    def lead(self):
        """Median time from a warning to its event, s; NaN where nothing was foreseen."""
        return float(np.median(self.leads)) if self.leads else float("nan")


@dataclass(frozen=True)
class Forecaster:
    """How probabilities of windows become warnings, and how these are judged.

    A warning is raised when the probability reaches the threshold. It says that an event begins after the ``horizon`` and
    within ``occurrence`` after that; until then no other is raised. An event in that time was foreseen, one outside of
    it was not (Winterhalder et al. 2003, doi:10.1016/S1525-5050(03)00105-7).

    Parameters
    ----------
    length, every : float
        Of the windows, and from one to the next, s.
    horizon, occurrence : float
        In s.
    least : float
        Share of the time in which a warning could have come that must be answered for.
    threshold : "tune" or float
        Chosen on the tune part, or given.
    false_per_hour : float or None
        The threshold that foresees most events of the tune part with no more false warnings an hour than this; None takes
        the one that is farthest above what warnings at random would foresee.
    smooth : float
        Length of a running mean over the past, s; 0 for none.
    """

    length: float
    every: float
    horizon: float
    occurrence: float
    least: float = 0.5
    threshold: str | float = "tune"
    false_per_hour: float | None = None
    smooth: float = 0.0

    @property
    def windows(self):
        """What makes a course over time of windows: each tells from its end on."""
        return Detector(length=self.length, every=self.every, smooth=self.smooth, causal=True)

    @property
    def step(self):
        """Length of a step of a course, s."""
        return self.windows.step

    def watched(self, recording, onsets, probability, events, foretold, seconds, share=None):
        """Return the `Watched` of a recording, or of one event's share of it.

        Parameters
        ----------
        recording : str
        onsets, probability : ndarray of shape (n_windows,)
        events : ndarray of shape (n_events, 2)
        foretold : Foretold
        seconds : float
        share : int or None
            Number of the share, see `Foretold.episodes`: only its event is asked for, and only its time is answered for.
        """
        course = self.windows.course(onsets, probability, seconds)
        times = self.step * np.arange(len(course))
        for start, stop in foretold.closed:  # the last window before it tells a while longer
            course[(times > start + ROUNDING) & (times < stop - ROUNDING)] = np.nan
        asked = foretold.asked.copy()
        if share is not None:
            course[foretold.share(times) != share] = np.nan
            asked &= foretold.share(events[:, 0]) == share
        known = ~np.isnan(course)
        asked &= np.array(
            [(known & (times >= start) & (times <= stop)).any() for start, stop in foretold.leads], dtype=bool
        )
        return Watched(recording, course, events[:, 0], asked, foretold.closed, seconds)

    def warnings(self, watched, threshold):
        """Return when warnings are raised, s."""
        raised, until = [], -np.inf
        for number in np.flatnonzero(np.nan_to_num(watched.probability, nan=-1.0) >= threshold):
            time = number * self.step
            if time >= until - ROUNDING:
                raised.append(float(time))
                until = time + self.horizon + self.occurrence
        return np.array(raised)

    def expected(self, time):
        """Return from when to when a warning that is raised at a time expects an event, s."""
        return float(time + self.horizon), float(time + self.horizon + self.occurrence)

    def judged(self, watched, raised):
        """Return the `Judged` of warnings that were raised at some times in a recording."""
        asked = watched.onsets[watched.asked]
        ahead = [onset - raised[self._expect(raised, onset)] for onset in asked]
        leads = tuple(float(one.max()) for one in ahead if len(one))
        times = self.step * np.arange(len(watched.probability))
        quiet = ~self._comes(watched, times) & self._is_over(watched, times)
        eligible = self._eligible(watched, times)
        warned = np.zeros(len(times), dtype=bool)
        for time in raised:
            warned |= (times >= time + self.horizon - ROUNDING) & (times <= time + self.horizon + self.occurrence)
        return Judged(
            true=len(asked),
            hits=len(leads),
            false=int((~self._comes(watched, raised) & self._is_over(watched, raised)).sum()),
            open_seconds=self.step * int((quiet & ~np.isnan(watched.probability)).sum()),
            warned=self.step * int((warned & eligible).sum()),
            eligible=self.step * int(eligible.sum()),
            leads=leads,
        )

    def _expect(self, raised, onset):
        """Return which warnings expected an event at this time."""
        ahead = onset - raised
        return (ahead >= self.horizon - ROUNDING) & (ahead <= self.horizon + self.occurrence + ROUNDING)

    def _comes(self, watched, times):
        """Return whether an event begins in the time that a warning raised at each of some times speaks of."""
        first = np.searchsorted(watched.onsets, times + self.horizon - ROUNDING)
        following = np.append(watched.onsets, np.inf)[first]
        return following <= times + self.horizon + self.occurrence + ROUNDING

    def _is_over(self, watched, times):
        """Return whether the time that a warning speaks of is recorded to its end."""
        return times + self.horizon + self.occurrence <= watched.seconds + ROUNDING

    def _eligible(self, watched, times):
        """Return at which times an event could have begun and been asked for.

        A window answers from its end on, so that of what is recorded before an event as much as a window and the way to
        the next one may be without an answer.
        """
        known = np.concatenate([[0.0], np.cumsum(~np.isnan(watched.probability))]) * self.step
        edges = self.step * np.arange(len(known))
        from_start = np.interp(times - self.horizon, edges, known)
        answered = from_start - np.interp(times - self.horizon - self.occurrence, edges, known)
        eligible = answered >= max(self.least * self.occurrence - self.length - self.every, self.step) - ROUNDING
        for onset, (_, stop) in zip(watched.onsets, watched.closed, strict=True):
            eligible &= (times <= onset) | (times > stop)
        return eligible

    def chosen(self, parts):
        """Return the threshold: as given, or chosen on the `Watched` of a tune part; of equals the highest."""
        if self.threshold != "tune":
            return float(self.threshold)
        told = np.concatenate([one.probability for one in parts])
        candidates = [*np.unique(np.quantile(told[~np.isnan(told)], CANDIDATES)), NEVER]
        return float(max(candidates, key=lambda one: (*self._worth(parts, one), one)))

    def _worth(self, parts, threshold):
        """Return how good a threshold is on some recordings: first what is asked for, then the less time in warning."""
        judged = total(self.judged(one, self.warnings(one, threshold)) for one in parts)
        if np.isnan(judged.sensitivity) or np.isnan(judged.time_in_warning):
            return -np.inf, -np.inf
        if self.false_per_hour is None:
            return judged.sensitivity - judged.time_in_warning, -judged.time_in_warning
        allowed = not judged.false_per_hour > self.false_per_hour
        return judged.sensitivity if allowed else -1.0, -judged.time_in_warning


def at_least(hits, chances):
    """Return the probability of this many successes or more among independent trials with these chances of success.

    NaN where a chance is not known.
    """
    if np.isnan(chances).any():
        return float("nan")
    of_number = np.ones(1)
    for chance in chances:
        of_number = np.convolve(of_number, [1 - chance, chance])
    return float(min(1.0, of_number[hits:].sum()))


def _share(part, whole):
    return part / whole if whole else float("nan")
