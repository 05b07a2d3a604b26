"""Feedback over time in a session, and over trials on simulated people."""

from collections import Counter

import numpy as np

from neuroloom.report.svg import INK, drawing, inline_svg

CONDITIONS = {"feedback": ("own feedback", INK["deep"]), "sham": ("sham", INK["baseline"])}
MOST_LABELS, APART = 4, 0.3  # of events that are drawn as bars, and how far above each other


def session_figure(answers, events, towards):
    """Return the feedback of a session over time, as markup, caption and title.

    Parameters
    ----------
    answers : list of (time s, feedback)
    events : list of [onset s, duration s, label]
        Of a recording that was replayed; may be empty.
    towards : str
        The class that feedback is towards.
    """
    time, value = np.array(answers, dtype=float).reshape(-1, 2).T
    with drawing(9.2, 2.8) as figure:
        axes = figure.subplots()
        axes.axhline(0.0, color=INK["muted"], linewidth=0.9, linestyle=(0, (3, 2)))
        axes.plot(time, value, color=INK["deep"], linewidth=1.0)
        labels = [label for label, _ in Counter(str(label) for *_, label in events).most_common(MOST_LABELS)]
        heights = [1.3 + APART * number for number in range(len(labels))]
        for onset, duration, label in events:
            if str(label) in labels:
                height = heights[labels.index(str(label))]
                axes.plot([onset, onset + duration], [height, height], color=INK["planted"], linewidth=4)
        axes.set_yticks([-1, 0, 1, *heights], ["-1", "0", "1", *labels])
        axes.set(xlabel="Seconds", ylabel=f"Feedback ({towards})", ylim=(-1.05, max([1.0, *heights]) + 0.15))
        drawn = inline_svg(figure, "session", f"Feedback towards {towards} over time")
    bars = " Bars: events of the recording, which the session did not see." if labels else ""
    return {"svg": drawn, "title": "Feedback", "caption": f"-1 to 1; 0 is chance.{bars}"}


def loop_figures(told):
    """Return how gain and reward went over trials on simulated people, each as markup, caption and title."""
    of = {
        "gain": (
            "What people do",
            "Gain",
            "Planted change of log power, times that of the calibration; mean over people.",
        ),
        "reward": ("What the decoder sees", "Feedback to the cue", "Mean over people, and over ten trials in a row."),
    }
    return [{**_loop_figure(told["curves"], one, axis), "title": title, "caption": text}
            for one, (title, axis, text) in of.items()]  # fmt: skip


def _loop_figure(curves, measure, axis):
    with drawing(9.2, 2.6) as figure:
        axes = figure.subplots()
        for name, (label, colour) in CONDITIONS.items():
            values = np.array(curves[name][measure])
            width = min(10, len(values)) if measure == "reward" else 1
            smooth = np.convolve(values, np.ones(width) / width, mode="valid")
            axes.plot(np.arange(width, len(values) + 1), smooth, color=colour, label=label)
        axes.set(xlabel="Trial", ylabel=axis)
        axes.legend(loc="upper left")
        return {"svg": inline_svg(figure, f"loop-{measure}", f"{axis} over trials")}
