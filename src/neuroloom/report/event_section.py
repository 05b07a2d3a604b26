"""Events found in whole recordings: scores by learner, what was found of each person, the best and the worst recording."""

from neuroloom.metrics.events import DAY
from neuroloom.report.figures_events import rates_figure, timeline_figure
from neuroloom.report.groups import scored_cell
from neuroloom.report.svg import learner_colours
from neuroloom.report.wording import ABSENT, compact, counted, defined, number, p_value
from neuroloom.validation.sentence_events import SECONDS

SHARES = ("sensitivity", "precision", "f1")


def events_section(record):
    """Return what the page shows of events; None where none were asked for."""
    told = record.metrics.get("events")
    if not told:
        return None
    colours = learner_colours(record.learners)
    deep, per = told["learners"][record.deep], told["per"]
    learners = sorted(told["learners"].items(), key=lambda item: list(record.learners).index(item[0]))
    return {
        "title": f"Events: {told['label']}",
        "about": f"{counted(told['n_events'], 'event')} in {counted(told['n_recordings'], 'recording')}, "
        f"{told['hours']:.3g} h. {_how(record)}",
        "per": per,
        "over_time": "F1 of seconds" if told["step"] == 1 else f"F1 of steps of {told['step']:g} s",
        "rows": [_row(record.label(name), colours[name], entry, told) for name, entry in learners],
        "rates": [_agreement(record.label(name), colours[name], entry["rates"]) for name, entry in learners],
        "thresholds": _thresholds(deep["thresholds"], record),
        "people": [_person(row, told) for row in deep["people"]],
        "deep": record.label(record.deep),
        "figures": [timeline_figure(told["label"], one, number) for number, one in enumerate(told["timelines"])],
        "agreement": rates_figure(told["label"], _rates(deep["people"], per), per, colours[record.deep]),
    }


def _row(label, colour, entry, told):
    """Return the row of a learner, and that of alarms at random beside it."""
    latency, chance, in_a_day = entry["latency"], entry["chance"], DAY / SECONDS[told["per"]]
    quartiles = " to ".join(number(value, _digits(told)) for value in latency["quartiles"] or ())
    return {
        "name": label,
        "colour": colour,
        "cells": [
            *(scored_cell(entry[one], one) for one in SHARES),
            _rate(entry["false_per_day"], in_a_day),
            {"value": number(latency["value"], _digits(told)), "interval": quartiles},
            {"value": number(entry["seconds"]["f1"]), "interval": ""},
        ],
        "p": p_value(chance["p"]) if chance else ABSENT,
        "chance": chance and [*(number(chance[one]) for one in SHARES), compact(chance["false_per_day"] / in_a_day)],
    }


def _digits(told):
    """Return the decimals of a latency: none where time was looked at second by second."""
    return 0 if told["step"] >= 1 else 2


def _rate(told, in_a_day):
    ends = [end / in_a_day for end in told["interval"] if defined(end) is not None]
    return {"value": compact(told["value"] / in_a_day), "interval": " to ".join(compact(end) for end in ends)}


def _agreement(label, colour, rates):
    """Return the row of a learner: how well its rate of alarms tells the rate of events."""
    return {
        "name": label,
        "colour": colour,
        "cells": [scored_cell(rates[one], one) for one in ("spearman", "icc")],
    }


def _rates(people, per):
    """Return events and alarms in an hour (or minute, day) of each person."""
    a_time = SECONDS[per] / 3600
    return [(row["true"] / row["hours"] * a_time, row["alarms"] / row["hours"] * a_time) for row in people]


def _person(row, told):
    cells = [f"{row['hits']} of {row['true']}" if row["true"] else "no events", str(row["false"])]
    cells += [compact(row["false_per_day"] / (DAY / SECONDS[told["per"]])), number(row["latency"], _digits(told))]
    cells += [compact(rate) for rate in _rates([row], told["per"])[0]]
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
    if asked["moment"]:
        text += (
            f"; each stretch above it is one alarm of {asked['moment']:g} s, around where the probability is highest"
        )
    text += ". An alarm at a time knows only windows that were over by then" if asked["causal"] else ""
    apart = f"that touch or lie less than {asked['merge']:g} s apart" if asked["merge"] else "that touch"
    return text + (
        f". Counted as SzCORE does, with tolerances of the recipe: alarms {apart} are one, an event is found by an alarm from "
        f"{asked['before']:g} s before to {asked['after']:g} s after it."
    )


def _thresholds(values, record):
    shown = ", ".join("none is low enough" if value > 1 else number(value, 3) for value in dict.fromkeys(values))
    return f"Threshold of {record.label(record.deep)}, fold by fold: {shown}."
