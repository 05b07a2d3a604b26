"""A recording over time: the true events, the probability, the alarms."""

import numpy as np

from neuroloom.report.svg import INK, drawing, inline_svg

HOUR = 3600.0  # s
CAPTIONS = {"alarms": "alarms", "expected": "the time in which a warning expects one"}


def timeline_figure(label, told, number, answers="alarms"):
    """Return the timeline of a recording as markup, caption and title.

    Parameters
    ----------
    label : str
        What the events are.
    told : dict
        An entry of ``events.timelines`` of metrics.json.
    number : int
        Which figure of the page it is.
    answers : str
        What the spans are that a learner answered with.
    """
    scale, unit = (HOUR, "Hours") if told["seconds"] > 2 * HOUR else (60.0, "Minutes")
    with drawing(9.2, 2.3) as figure:
        axes = figure.subplots()
        height = np.array([np.nan if value is None else value for value in told["probability"]])
        time = (np.arange(len(height)) + 0.5) * told["step"] / scale
        axes.plot(time, height, color=INK["deep"], linewidth=0.8)
        if told["threshold"] <= 1:
            axes.axhline(told["threshold"], color=INK["muted"], linewidth=0.9, linestyle=(0, (3, 2)))
        _bars(axes, told["truth"], scale, 1.12, INK["planted"])
        _bars(axes, told["alarms"], scale, 1.26, INK["ink"])
        axes.set(
            xlabel=f"{unit} from the start", ylabel="Probability", ylim=(-0.02, 1.36), xlim=(0, told["seconds"] / scale)
        )
        axes.set_yticks([0, 0.5, 1.0, 1.12, 1.26], ["0", "0.5", "1", label, answers])
        drawn = inline_svg(figure, f"timeline{number}", f"Probability of {label} over time in {told['recording']}")
    return {
        "svg": drawn,
        "title": f"The {told['kind']} recording: {told['recording']}",
        "caption": f"Bars: true events and {CAPTIONS[answers]}. Line: the highest probability in each "
        f"{told['step']:.3g} s. Dotted: the threshold, {_threshold(told['threshold'])}.",
    }


def rates_figure(label, rates, per, colour):
    """Return true against found rates as markup, caption and title; a person a point.

    Parameters
    ----------
    label : str
        What the events are.
    rates : list of (float, float)
        Events and alarms of each person in a unit of time.
    per : str
        That unit.
    colour : str
        Of the learner, a name of `neuroloom.report.svg.INK`.
    """
    true, found = np.array(rates).reshape(-1, 2).T
    end = 1.08 * max(true.max(), found.max(), 1e-9)
    with drawing(3.6, 3.4) as figure:
        axes = figure.subplots()
        axes.plot([0, end], [0, end], color=INK["ink"], linewidth=0.9, linestyle=(0, (4, 3)))
        axes.plot(true, found, "o", markersize=5, markerfacecolor=INK[colour], markeredgecolor=INK["surface"])
        axes.set(
            xlabel=f"{label.capitalize()} events per {per}", ylabel=f"Alarms per {per}", xlim=(0, end), ylim=(0, end)
        )
        drawn = inline_svg(figure, "rates", f"Alarms against events per {per}")
    return {
        "svg": drawn,
        "title": f"Events and alarms per {per}",
        "caption": "Each point is one person; on the dashed line there are as many alarms as events.",
    }


def _threshold(value):
    return "which no probability reaches" if value > 1 else f"{value:.3f}"


def _bars(axes, spans, scale, height, colour):
    """Draw events as bars; one that is short beside the recording is still seen."""
    for onset, stop in spans:
        axes.plot([onset / scale, stop / scale], [height, height], color=colour, linewidth=5, solid_capstyle="butt")
        axes.plot([onset / scale], [height], color=colour, marker="|", markersize=7, markeredgewidth=1.6)
