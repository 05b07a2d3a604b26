"""From probabilities of windows to alarms in recordings: a course over time, a threshold, events."""

from dataclasses import dataclass

import numpy as np

from neuroloom.metrics.events import count_events, count_samples, merged

STEP = 1.0  # s of the course over time, where windows do not follow on each other faster
CANDIDATES = 1 - np.geomspace(1e-4, 0.5, 64)  # quantiles of the course that a threshold is chosen among
NEVER = 2.0  # a threshold that no probability reaches
ROUNDING = 1e-6


@dataclass(frozen=True)
class Course:
    """What windows of a recording said over its time, and the events that were there.

    Parameters
    ----------
    recording : str
    probability : ndarray of shape (n_steps,)
        NaN where no window tells.
    truth : list of (float, float)
        Onset and duration of each event, s.
    seconds : float
    """

    recording: str
    probability: np.ndarray
    truth: list
    seconds: float


@dataclass(frozen=True)
class Detector:
    """How probabilities of windows become alarms, and how these are counted.

    Parameters
    ----------
    length, every : float
        Of the windows, and from one to the next, s.
    threshold : "tune" or float
        Chosen on the tune part, or given.
    false_per_day : float or None
        The threshold that finds most events of the tune part with no more false alarms a day than this; None takes the one
        with the best F1 of events.
    smooth : float
        Length of a running mean, s; 0 for none.
    causal : bool
        Whether an alarm at a time knows only windows that were over by then; else each time knows the windows that cover
        it, and the running mean is centred.
    least : float
        Stretches above the threshold that are shorter are no alarms, s.
    moment : float or None
        For events that are over in less than a window (spikes): each stretch above the threshold is one alarm that lasts this
        long, s, around where the probability is highest. None: an alarm is the stretch.
    merge, before, after, longest : float
        As `neuroloom.metrics.events.count_events` takes them, s.
    """

    length: float
    every: float
    threshold: str | float = "tune"
    false_per_day: float | None = None
    smooth: float = 0.0
    causal: bool = False
    least: float = 0.0
    moment: float | None = None
    merge: float = 90.0
    before: float = 30.0
    after: float = 60.0
    longest: float = 300.0

    @property
    def step(self):
        """Length of a step of a course, s."""
        return min(STEP, self.every)

    def course(self, onsets, probability, seconds):
        """Return the probability at each step of a recording: the mean over its windows, smoothed.

        Parameters
        ----------
        onsets, probability : ndarray of shape (n_windows,)
        seconds : float
            Length of the recording.

        Returns
        -------
        ndarray of shape (n_steps,)
            NaN where no window tells: in the last seconds, and where causal in the first.
        """
        n_steps = int(np.ceil(seconds / self.step - ROUNDING))
        first = np.ceil(onsets / self.step - 0.5)  # steps whose middle lies in the window
        n_covered = np.ceil((onsets + self.length) / self.step - 0.5) - first
        if self.causal:
            first = np.ceil((onsets + self.length) / self.step - ROUNDING)  # steps that begin once it is over
        stop = first + n_covered
        ends = [np.clip(one, 0, n_steps).astype(np.int64) for one in (first, stop)]
        total, number = (_summed(ends, one, n_steps) for one in (probability, np.ones(len(onsets))))
        number = np.round(number)
        mean = np.divide(total, number, out=np.full(n_steps, np.nan), where=number > 0)
        return self._smoothed(mean)

    def _smoothed(self, course):
        width = round(self.smooth / self.step)
        if width < 2:
            return course
        known = ~np.isnan(course)
        back = width - 1 if self.causal else width // 2
        place = np.arange(len(course))
        low, high = np.clip(place - back, 0, None), np.clip(place - back + width, 0, len(course))
        sums = [np.concatenate([[0.0], np.cumsum(one)]) for one in (np.where(known, course, 0.0), known)]
        total, number = (one[high] - one[low] for one in sums)
        return np.divide(total, number, out=np.full(len(course), np.nan), where=known)

    def alarms(self, course, threshold):
        """Return onset and duration (s) of each alarm in a `Course`."""
        above = np.concatenate([[False], np.nan_to_num(course.probability, nan=-1.0) >= threshold, [False]])
        edges = np.flatnonzero(np.diff(above.astype(np.int8))) * self.step
        runs = np.clip(edges.reshape(-1, 2), 0, course.seconds)
        runs = runs[runs[:, 1] - runs[:, 0] >= self.least - ROUNDING]
        if self.moment is not None:
            runs = self._moments(course, runs)
        return [(float(onset), float(stop - onset)) for onset, stop in merged(runs, self.merge)]

    def _moments(self, course, runs):
        """Return around the highest probability of each stretch (stretch, 2) so many seconds, inside the recording."""
        middles = []
        for first, stop in np.round(runs / self.step).astype(np.int64):
            inside = course.probability[first:stop]
            highest = np.flatnonzero(inside >= inside.max() - ROUNDING)
            last = highest[: np.argmin(np.diff(highest, append=-1) == 1) + 1][-1]  # of the first stretch that high
            middles.append(first + (highest[0] + last + 1) / 2)
        middles = np.array(middles).reshape(-1, 1) * self.step
        return np.clip(middles + np.array([-0.5, 0.5]) * self.moment, 0, course.seconds)

    def counts(self, course, alarms):
        """Return the `EventCounts` of alarms in a recording."""
        how = {"before": self.before, "after": self.after, "merge": self.merge, "longest": self.longest}
        return count_events(course.truth, alarms, course.seconds, **how)

    def samples(self, course, alarms):
        """Return the `EventCounts` of the steps of a recording that lie in events and in alarms."""
        return count_samples(course.truth, alarms, course.seconds, rate=1 / self.step)

    def chosen(self, courses):
        """Return the threshold: as given, or chosen on the courses of a tune part.

        The candidates are quantiles of the courses, and one that gives no alarm. Of those that are equally good on events
        the one with the best F1 of seconds is taken, and the highest of these.
        """
        if self.threshold != "tune":
            return float(self.threshold)
        told = np.concatenate([course.probability for course in courses])
        candidates = [*np.unique(np.quantile(told[~np.isnan(told)], CANDIDATES)), NEVER]
        return float(max(candidates, key=lambda one: (*self._worth(courses, one), one)))

    def _worth(self, courses, threshold):
        """Return how good a threshold is on some courses: on events, then on seconds."""
        found = [self.alarms(course, threshold) for course in courses]
        events = total(self.counts(course, alarms) for course, alarms in zip(courses, found, strict=True))
        seconds = total(self.samples(course, alarms) for course, alarms in zip(courses, found, strict=True))
        if self.false_per_day is None:
            return events.f1, seconds.f1
        return (events.sensitivity if events.false_per_day <= self.false_per_day else -1.0), seconds.f1


def _summed(ends, values, n_steps):
    """Return at each step the sum of the values of the stretches [first, stop) that cover it."""
    change = np.zeros(n_steps + 1)
    for end, sign in zip(ends, (1.0, -1.0), strict=True):
        np.add.at(change, end, sign * values)
    return np.cumsum(change)[:n_steps]


def total(counts):
    """Return the sum of `EventCounts`."""
    first, *others = counts
    for one in others:
        first = first + one
    return first


def random_alarms(course, alarms, draw):
    """Return as many alarms, each as long, at times drawn evenly over the recording."""
    durations = np.array([duration for _, duration in alarms])
    onsets = draw.random(len(durations)) * (course.seconds - durations)
    return [(float(onset), float(duration)) for onset, duration in zip(onsets, durations, strict=True)]
