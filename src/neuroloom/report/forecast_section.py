"""Warnings of events: what each learner foresees, what warnings at random would, and two recordings over time."""

from neuroloom.report.figures_events import timeline_figure
from neuroloom.report.groups import scored_cell
from neuroloom.report.svg import learner_colours
from neuroloom.report.wording import ABSENT, compact, counted, defined, number, p_value

MINUTE = 60.0  # s


def forecast_section(record):
    """Return what the page shows of warnings; None where none were asked for."""
    told = record.metrics.get("forecast")
    if not told:
        return None
    colours, deep = learner_colours(record.learners), told["learners"][record.deep]
    before = record.recipe["trials"]["before"]
    return {
        "title": f"Forecast: {before['of']}",
        "about": f"{counted(told['n_events'], 'event')} to be foreseen in {counted(told['n_recordings'], 'recording')}, "
        f"{told['hours']:.3g} h{_left_out(told)}. {_how(record, before)}",
        "rows": [
            _row(record.label(name), colours[name], told["learners"][name])
            for name in record.learners
            if name in told["learners"]
        ],
        "thresholds": _thresholds(deep["thresholds"], record),
        "people": [_person(row) for row in deep["people"]],
        "deep": record.label(record.deep),
        "figures": [
            timeline_figure(before["of"], one, number, "expected") for number, one in enumerate(told["timelines"])
        ],
    }


def _left_out(told):
    return (
        f" ({counted(told['n_left_out'], 'other event')} with too little time recorded before)"
        if told["n_left_out"]
        else ""
    )


def _row(label, colour, entry):
    """Return the row of a learner."""
    lead, rate = entry["lead"], entry["false_per_hour"]
    ends = [end for end in rate["interval"] if defined(end) is not None]
    return {
        "name": label,
        "colour": colour,
        "cells": [
            scored_cell(entry["sensitivity"], "sensitivity"),
            {"value": number(entry["chance"]), "interval": ""},
            {"value": compact(rate["value"]), "interval": " to ".join(compact(end) for end in ends)},
            {"value": number(entry["time_in_warning"]), "interval": ""},
            {
                "value": _minutes(lead["value"]),
                "interval": " to ".join(_minutes(one) for one in lead["quartiles"] or ()),
            },
        ],
        "p": p_value(entry["p"]) if defined(entry["p"]) is not None else ABSENT,
    }


def _minutes(seconds):
    return ABSENT if defined(seconds) is None else number(seconds / MINUTE, 0)


def _person(row):
    cells = [f"{row['hits']} of {row['true']}" if row["true"] else "no events", str(row["false"])]
    cells += [compact(row["false_per_hour"]), number(row["time_in_warning"])]
    cells.append(p_value(row["p"]) if defined(row["p"]) is not None else ABSENT)
    return {"name": row["person"], "hours": compact(row["hours"]), "cells": cells}


def _how(record, before):
    """Return how warnings were raised and judged, from the recipe."""
    asked, rate = record.recipe["validation"]["forecast"], record.recipe["validation"]["forecast"]["false_per_hour"]
    aim = (
        "the one farthest above what warnings at random would foresee"
        if rate is None
        else f"the one that foresees most at {rate:g} false warnings an hour or fewer"
    )
    chosen = f"chosen on the tune part ({aim})" if asked["threshold"] == "tune" else "given"
    smooth = f", a running mean over the last {asked['smooth'] / MINUTE:.3g} min," if asked["smooth"] else ""
    first, last = (value / MINUTE for value in (before["horizon"], before["horizon"] + before["occurrence"]))
    return (
        f"A warning is raised when the probability of {before['name']}{smooth} reaches a threshold, {chosen}. It says that the "
        f"event begins {first:.3g} to {last:.3g} min later; until then no other is raised. Of the last {first:.3g} min before "
        f"an event, of the event and of the {before['after'] / MINUTE:.3g} min after it nothing is asked."
    )


def _thresholds(values, record):
    shown = ", ".join("none is worth it" if value > 1 else number(value, 3) for value in values)
    return f"Threshold of {record.label(record.deep)}, fold by fold: {shown}."
