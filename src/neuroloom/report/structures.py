"""The structures that a segmentation run tells apart, a row each."""

from neuroloom.report.wording import defined, millilitres, number, score_interval


def structures_section(record):
    """Return the table of structures of a segmentation run; None for other runs.

    Returns
    -------
    dict or None
        ``learners``: their names; ``rows``: name, true volume (ml), and for each learner Dice with its interval and the
        predicted volume; ``scans``: for each learner seen on several scans, (name of the learner, [(scan, Dice)]).
    """
    told = record.metrics.get("structures")
    if not told:
        return None
    names = list(record.learners)
    rows = [
        _row(one, names) for one in sorted(told, key=lambda one: -(defined(one["truth_ml"]) or 0)) if one["truth_ml"]
    ]
    seen = {name: record.learners[name].get("scans") or {} for name in names}
    scans = [
        (record.label(name), [(scan.upper(), number(dice)) for scan, dice in on.items()])
        for name, on in seen.items()
        if on
    ]
    return {"learners": [record.label(name) for name in names], "rows": rows, "scans": scans}


def _row(told, names):
    cells = []
    for name in names:
        held = told["learners"].get(name) or {}
        interval = score_interval(held.get("interval"), "dice")
        cells.append({"value": number(held.get("dice")), "interval": interval, "ml": millilitres(held.get("ml"))})
    return {"name": told["name"], "truth": millilitres(told["truth_ml"]), "cells": cells}
