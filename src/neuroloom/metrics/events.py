"""How well events in long recordings are found (seizures, spindles): event by event, and sample by sample."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError

DAY = 86_400.0  # s
ROUNDING = 1e-6  # s


@dataclass(frozen=True)
class EventCounts:
    """What was found in some recordings; counts of several are added with ``+``.

    Parameters
    ----------
    true : int
        Events (or samples) of the truth.
    hits : int
        Those of them that were found.
    false : int
        Events (or samples) that were found where there are none.
    seconds : float
        Length of the recordings.
    latencies : tuple of float
        Of each event that was found: onset of what was found minus its own, in s; see `count_events`.
    """

    true: int
    hits: int
    false: int
    seconds: float
    latencies: tuple[float, ...] = ()

    def __add__(self, other):
        return EventCounts(
            self.true + other.true,
            self.hits + other.hits,
            self.false + other.false,
            self.seconds + other.seconds,
            self.latencies + other.latencies,
        )

    @property
    def sensitivity(self):
        """Share of the true events that was found; NaN where there are none."""
        return _share(self.hits, self.true)

    @property
    def precision(self):
        """Share of true ones among what was found, hits / (hits + false); NaN where nothing was found."""
        return _share(self.hits, self.hits + self.false)

    @property
    def f1(self):
        """Harmonic mean of sensitivity and precision; NaN where there is nothing and nothing was found."""
        return _share(2 * self.hits, self.true + self.hits + self.false)

    @property
    def false_per_day(self):
        """False alarms in 24 hours."""
        return _share(self.false * DAY, self.seconds)

    @property
    def latency(self):
        """Median latency in s; NaN where nothing was found."""
        return float(np.median(self.latencies)) if self.latencies else float("nan")


def count_events(truth, found, seconds, *, before=30.0, after=60.0, min_overlap=0.0, merge=90.0, longest=300.0):
    """Count events of one recording as SzCORE does (Dan et al. 2024, doi:10.1111/epi.18113).

    Events less than ``merge`` apart become one; then those longer than ``longest`` are cut into pieces of that length, in
    truth and answer alike. A true event, with ``before`` and ``after`` added, is found where what was found covers more than
    ``min_overlap`` of it. Whatever was found and lies wholly outside of the true events that were found, so lengthened, is a
    false alarm. Latencies are those of events before they are cut; what was on before the lengthened event begins is taken to
    begin with it, so that no latency is below minus ``before``.

    Parameters
    ----------
    truth, found : list of (float, float)
        Onset and duration of each event, in s from the recording's start.
    seconds : float
        Length of the recording.
    before, after : float
        Tolerance at onset and end, in s.
    min_overlap : float
        Least share of the lengthened event that must be covered; 0 is any overlap.
    merge : float
        In s; 0 joins only events that touch or overlap.
    longest : float
        In s; ``inf`` cuts nothing.

    Returns
    -------
    EventCounts
    """
    _check_settings(before=before, after=after, min_overlap=min_overlap, merge=merge, longest=longest)
    whole, whole_found = (merged(intervals(one, seconds), merge) for one in (truth, found))
    events, alarms = cut(whole, longest), cut(whole_found, longest)
    around = lengthened(events, before, after, seconds)
    hits = np.array([_covered(one, alarms) > min_overlap * (one[1] - one[0]) + ROUNDING for one in around], dtype=bool)
    known = merged(around[hits], 0.0)  # events rise, and so do they when they are lengthened
    false = sum(_covered(alarm, known) <= ROUNDING for alarm in alarms)
    latencies = _latencies(whole, lengthened(whole, before, after, seconds), whole_found)
    return EventCounts(len(events), int(hits.sum()), int(false), float(seconds), latencies)


def count_samples(truth, found, seconds, rate=1.0):
    """Count samples of one recording that lie in events: of the truth, in both, and only in what was found.

    Parameters
    ----------
    truth, found : list of (float, float)
        Onset and duration of each event, in s.
    seconds : float
    rate : float
        Samples a second; SzCORE counts seconds.

    Returns
    -------
    EventCounts
        ``false_per_day`` counts samples.
    """
    _check_settings(rate=rate)
    inside, alarm = (_mask(intervals(one, seconds), seconds, rate) for one in (truth, found))
    return EventCounts(int(inside.sum()), int((inside & alarm).sum()), int((alarm & ~inside).sum()), float(seconds))


def intervals(events, seconds):
    """Return (onset, duration) as rising (start, stop), shape (event, 2); an event outside the recording is an error."""
    if not (np.isfinite(seconds) and seconds > 0):
        raise NeuroloomError(f"events: a recording lasts more than 0 s, not {seconds}.")
    pairs = np.array([(float(onset), float(duration)) for onset, duration, *_ in events]).reshape(-1, 2)
    found = np.stack([pairs[:, 0], pairs.sum(axis=1)], axis=1)
    wrong = (
        ~np.isfinite(pairs).all(axis=1) | (pairs[:, 1] <= 0) | (found[:, 0] < 0) | (found[:, 1] > seconds + ROUNDING)
    )
    if wrong.any():
        onset, duration = pairs[wrong][0]
        raise NeuroloomError(
            f"events: {int(wrong.sum())} of {len(pairs)} events last no time or lie outside the recording of {seconds:g} s; the "
            f"first of them begins at {onset:g} s and lasts {duration:g} s. Give onset and duration in s from its start."
        )
    return found[np.argsort(found[:, 0], kind="stable")]


def merged(events, gap):
    """Return rising events (event, 2) with those that overlap, touch or lie less than ``gap`` s apart made one."""
    joined = []
    for start, stop in events:
        if joined and (start - joined[-1][1] < gap - ROUNDING or start <= joined[-1][1]):
            joined[-1][1] = max(joined[-1][1], stop)
        else:
            joined.append([start, stop])
    return np.array(joined).reshape(-1, 2)


def cut(events, longest):
    """Return events (event, 2) cut into pieces of ``longest`` s; the last piece is what remains."""
    pieces = []
    for start, stop in events:
        n_pieces = 1 if np.isinf(longest) else max(1, int(np.ceil((stop - start - ROUNDING) / longest)))
        edges = [start + longest * number for number in range(1, n_pieces)]
        pieces += list(zip([start, *edges], [*edges, stop], strict=True))
    return np.array(pieces).reshape(-1, 2)


def lengthened(events, before, after, seconds):
    """Return events (event, 2) with time added at both ends, inside the recording."""
    return np.clip(events + np.array([-before, after]), 0, seconds)


def _covered(interval, events):
    """Return for how many seconds an interval is covered by disjoint events (event, 2)."""
    return float(np.diff(np.clip(events, *interval), axis=1).sum())


def _latencies(events, around, found):
    """Return for each event that something overlaps: onset of the first of that, inside its surroundings, minus its own."""
    told = []
    for (onset, _), (start, stop) in zip(events, around, strict=True):
        near = found[(found[:, 1] > start + ROUNDING) & (found[:, 0] < stop - ROUNDING)]
        told += [float(max(near[0, 0], start) - onset)] if len(near) else []
    return tuple(told)


def _mask(events, seconds, rate):
    mask = np.zeros(round(seconds * rate), dtype=bool)
    for start, stop in events:
        mask[round(start * rate) : round(stop * rate)] = True
    return mask


def _share(part, whole):
    return part / whole if whole else float("nan")


def _check_settings(**settings):
    for name, value in settings.items():
        least = "more than 0" if name in ("longest", "rate") else "0 or more"
        if not (value > 0 if name in ("longest", "rate") else value >= 0) or (name == "min_overlap" and value >= 1):
            more = " and less than 1" if name == "min_overlap" else ""
            raise NeuroloomError(f"events: {name} must be {least}{more}, not {value}.")
