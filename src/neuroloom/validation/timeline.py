"""Recordings over time as the page draws them: the worst and the best, thinned to what a line can show."""

import numpy as np

MOST_STEPS = 1500  # of a course that the page draws


def worst_and_best(recordings, timeline):
    """Return timelines of the first and the last of some recordings, from the worst to the best.

    Parameters
    ----------
    recordings : list
    timeline : callable
        Of a recording: what `timeline` below returns.
    """
    kinds = [("worst", recordings[0])] + ([("best", recordings[-1])] if len(recordings) > 1 else [])
    return [{"kind": kind, **timeline(one)} for kind, one in kinds]


def timeline(course, step, *, person, threshold, truth, alarms):
    """Return a recording over time.

    Parameters
    ----------
    course : object
        With ``recording``, ``probability`` (n_steps,) and ``seconds``.
    step : float
        Length of a step of it, s.
    person : str
    threshold : float
    truth, alarms : iterable of (float, float)
        Beginning and end of each, s.
    """
    together = -(-len(course.probability) // MOST_STEPS)  # steps of which the highest is drawn
    padded = np.pad(course.probability, (0, -len(course.probability) % together), constant_values=np.nan)
    highest = np.fmax.reduce(padded.reshape(-1, together), axis=1)
    return {
        "recording": course.recording,
        "person": person,
        "seconds": course.seconds,
        "threshold": threshold,
        "truth": [list(span) for span in truth],
        "alarms": [list(span) for span in alarms],
        "step": step * together,
        "probability": [round(float(value), 4) for value in highest],
    }
