"""Time stamps of samples: are they those of an even clock, how fast does it run, and what is missing?"""

import numpy as np

from neuroloom.errors import FileProblem

GAP = 1.5  # of the usual step between two samples: a longer one misses some
JITTER = 0.5  # of a sample, that a stamp may lie beside the even clock


def on_even_clock(path, times, values, fill_gaps=0.0):
    """Return the samples on an even clock, with its rate and what was filled.

    Stamps may be rounded or jitter by half a sample; where none is missing the samples stay as they are.

    Parameters
    ----------
    times : ndarray of shape (time,)
        s.
    values : ndarray of shape (time, channel)
    fill_gaps : float
        The longest gap (s) that straight lines between its ends may fill; 0 fills none.

    Returns
    -------
    values : ndarray of shape (time, channel)
    rate : float
        Hz.
    filled : list of [onset s, duration s]
        The stretches that were not measured.
    """
    steps = _steps(path, times)
    gaps = np.flatnonzero(steps > GAP * np.median(steps))
    within = np.delete(steps, gaps)
    period = within.sum() / len(within)
    _check_gaps(path, times, steps, gaps, period, fill_gaps)
    starts, stops = np.r_[0, gaps + 1], np.r_[gaps + 1, len(times)]
    for start, stop in zip(starts, stops, strict=True):
        _check_even(path, times[start:stop] - times[0], period)
    if not len(gaps):
        return values, 1 / period, []
    places = _places(times - times[0], starts, stops, period)
    everywhere = np.arange(places[-1] + 1)
    whole = np.stack([np.interp(everywhere, places, column) for column in values.T], axis=1)
    filled = [[float(places[gap] + 1) * period, float(places[gap + 1] - places[gap] - 1) * period] for gap in gaps]
    return whole, 1 / period, filled


def _steps(path, times):
    if len(times) < 3 or not np.isfinite(times).all():
        raise FileProblem(path, "its time stamps are missing in places, or fewer than 3.", "Export it again.")
    steps = np.diff(times)
    back = np.flatnonzero(steps <= 0)
    if len(back):
        raise FileProblem(
            path,
            f"{len(back)} of its time stamps are not later than the one before, the first in row {back[0] + 2} "
            f"({times[back[0] + 1]:.6g} s after {times[back[0]]:.6g} s).",
            "Samples are there twice or out of order: export it again, or put it right before.",
        )
    return steps


def _check_even(path, times, period):
    """Raise where a stretch without gaps strays from the even clock, which may start anywhere."""
    beside = times - period * np.arange(len(times))
    beside = np.abs(beside - (beside.max() + beside.min()) / 2)
    if beside.max() > JITTER * period:
        raise FileProblem(
            path,
            f"its samples are uneven: {1 / period:.4g} Hz on average, but a time stamp lies "
            f"{1000 * beside.max():.3g} ms beside an even clock (half a sample is {500 * period:.3g} ms).",
            "Resample it onto even times first, or say sampling_rate instead of time_column if the stamps are wrong.",
        )


def _check_gaps(path, times, steps, gaps, period, fill_gaps):
    missing = steps[gaps] - period
    if missing.max(initial=0) > fill_gaps:
        longest = gaps[missing.argmax()]
        raise FileProblem(
            path,
            f"samples are missing in {len(gaps)} {'place' if len(gaps) == 1 else 'places'}, {missing.sum():.4g} s in all; the longest gap, "
            f"{missing.max():.4g} s, comes {times[longest] - times[0]:.4g} s after the start.",
            "Cut it there into files of their own; or say the longest gap (s) that straight lines may fill: fill_gaps: 0.1.",
        )


def _places(times, starts, stops, period):
    """Return each sample's number on the even clock; samples of one stretch follow each other."""
    places = np.empty(len(times), dtype=np.int64)
    following = 0
    for start, stop in zip(starts, stops, strict=True):
        first = max(int(np.rint(times[start] / period)), following)
        places[start:stop] = first + np.arange(stop - start)
        following = first + stop - start + 1  # at least one is missing between two stretches
    return places
