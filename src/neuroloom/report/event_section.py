"""Events found in whole recordings: scores by learner, what was found of each person, the best and the worst recording."""

from neuroloom.report.figures_events import timeline_figure
from neuroloom.report.groups import scored_cell
from neuroloom.report.svg import learner_colours
from neuroloom.report.wording import ABSENT, compact, counted, defined, number, p_value

SHARES = ("sensitivity", "precision", "f1")


def events_section(record):
    """Return what the page shows of events; None where none were asked for."""
    told = record.metrics.get("events")
    if not told:
        return None
    colours = learner_colours(record.learners)
    deep = told["learners"][record.deep]
    return {
        "title": f"Events: {told['label']}",
        "about": f"{counted(told['n_events'], 'event')} in {counted(told['n_recordings'], 'recording')}, "
        f"{told['hours']:.3g} h. {_how(record)}",
        "rows": [
            _row(name, record.label(name), colours[name], entry)
            for name, entry in sorted(told["learners"].items(), key=lambda item: list(record.learners).index(item[0]))
        ],
        "thresholds": _thresholds(deep["thresholds"], record),
        "people": [_person(row) for row in deep["people"]],
        "deep": record.label(record.deep),
        "figures": [timeline_figure(told["label"], one, number) for number, one in enumerate(told["timelines"])],
    }


def _row(name, label, colour, entry):
    """Return the row of a learner, and that of alarms at random beside it."""
    latency, chance = entry["latency"], entry["chance"]
    quartiles = " to ".join(number(value, 0) for value in latency["quartiles"] or ())
    return {
        "name": label,
        "colour": colour,
        "cells": [
            *(scored_cell(entry[one], one) for one in SHARES),
            _rate(entry["false_per_day"]),
            {"value": number(latency["value"], 0), "interval": quartiles},
            {"value": number(entry["seconds"]["f1"]), "interval": ""},
        ],
        "p": p_value(chance["p"]) if chance else ABSENT,
        "chance": chance and [*(number(chance[one]) for one in SHARES), compact(chance["false_per_day"])],
    }


def _rate(told):
    ends = [end for end in told["interval"] if defined(end) is not None]
    return {"value": compact(told["value"]), "interval": " to ".join(compact(end) for end in ends)}


def _person(row):
    cells = [f"{row['hits']} of {row['true']}" if row["true"] else "no events", str(row["false"])]
    cells += [compact(row["false_per_day"]), number(row["latency"], 0)]
    return {"name": row["person"], "hours": compact(row["hours"]), "cells": cells}


def _how(record):
    """Return how alarms were made and counted, from the recipe."""
    asked = record.recipe["validation"]["events"]
    chosen = asked["threshold"] == "tune"
    rate = asked["false_per_day"]
    aim = "with the best F1 of events" if rate is None else f"that finds most at {rate:g} false alarms a day or fewer"
    text = f"A threshold on the probability over time, {f'chosen on the tune part ({aim})' if chosen else 'given'}, makes alarms"
    text += f"; the probability is a running mean over {asked['smooth']:g} s" if asked["smooth"] else ""
    text += f"; what lasts less than {asked['least']:g} s is no alarm" if asked["least"] else ""
    text += ". An alarm at a time knows only windows that were over by then" if asked["causal"] else ""
    return text + (
        f". Counted as SzCORE does: alarms less than {asked['merge']:g} s apart are one, an event is found by an alarm from "
        f"{asked['before']:g} s before to {asked['after']:g} s after it."
    )


def _thresholds(values, record):
    shown = ", ".join("none is low enough" if value > 1 else number(value, 3) for value in dict.fromkeys(values))
    return f"Threshold of {record.label(record.deep)}, fold by fold: {shown}."
