"""Scores by class, by site, by subgroup and by fold, as rows of tables."""

import numpy as np

from neuroloom.report.scores import score_columns
from neuroloom.report.wording import defined, metric_label, score, score_interval


def confusion_tables(record):
    """Return a table for each learner but the confounds: counts, and their share of the true class."""
    tables = []
    for name, told in record.learners.items():
        confusion = told.get("confusion")
        if not confusion or told.get("role") == "confounds":
            continue
        labels = [str(label) for label in confusion["labels"]]
        rows = [{"label": label, "cells": _cells(row)} for label, row in zip(labels, confusion["counts"], strict=True)]
        tables.append({"learner": record.label(name), "labels": labels, "rows": rows})
    return tables


def class_rows(record):
    """Return recall and F1 of each class, of each learner but the confounds; empty of two classes or fewer.

    Returns
    -------
    dict
        ``learners`` (labels) and ``rows`` (label; cells, recall and F1 of each learner in turn).
    """
    told = {
        name: entry["by_class"]
        for name, entry in record.learners.items()
        if entry.get("by_class") and entry.get("role") != "confounds"
    }
    classes = next(iter(told.values()), {})
    rows = [
        {
            "label": label,
            "cells": [scored_cell(of[label][key], key) for of in told.values() for key in ("recall", "f1")],
        }
        for label in classes
    ]
    return {"learners": [record.label(name) for name in told], "rows": rows}


def _cells(counts):
    whole = max(float(np.sum(counts)), 1.0)
    return [{"n": f"{n:g}", "share": n / whole} for n in counts]


def seen_unseen(record):
    """Return rows (learner; scores at seen and at unseen sites) of the primary metric; empty where none is unseen."""
    rows = []
    for name, told in record.learners.items():
        parts = [(told.get(key) or {}).get(record.primary) or {} for key in ("seen_sites", "unseen_sites")]
        if defined(parts[1].get("value")) is not None:
            rows.append({"learner": record.label(name), "cells": [scored_cell(part, record.primary) for part in parts]})
    return rows


def scored_cell(told, metric):
    """Return a value and its interval as a table shows them."""
    told = told or {}
    return {"value": score(told.get("value"), metric), "interval": score_interval(told.get("interval"), metric)}


def subgroup_rows(record):
    """Return the primary metric by subgroup, for the deep model and the first baseline.

    Returns
    -------
    dict
        ``learners`` (labels) ``rows`` (grouping, group, n, cells, note; none where nothing is known) and ``noted``.
    """
    known = {name: told["subgroups"] for name, told in record.learners.items() if told.get("subgroups")}
    shown = [name for name in known if record.learners[name].get("role") not in ("confounds", "last epoch")][:2]
    rows = []
    for grouping, groups in (known[shown[0]] if shown else {}).items():
        for place, (group, told) in enumerate(groups.items()):
            held = [(known[name].get(grouping) or {}).get(group) or {} for name in shown]
            rows.append(
                {
                    "grouping": "" if place else grouping.replace("_", " ").capitalize(),
                    "group": group,
                    "n": told.get("n", ""),
                    "cells": [scored_cell(entry.get(record.primary), record.primary) for entry in held],
                    "note": told.get("note") or "",
                }
            )
    return {"learners": [record.label(name) for name in shown], "rows": rows, "noted": _noted(rows)}


def _noted(rows):
    return any(row["note"] for row in rows)


def fold_table(record):
    """Return the scores of the deep model fold by fold, with the note of a fold that gives none."""
    folds = (record.learners.get(record.deep) or {}).get("per_fold") or []
    columns = [metric for metric in score_columns(record.metrics) if any(metric in told for told in folds)]
    rows = [
        {
            "name": record.fold_name(told["repeat"], told["fold"]),
            "n": told.get("n_test", ""),
            "cells": [score(told.get(metric), metric) for metric in columns],
            "note": told.get("note") or "",
        }
        for told in folds
    ]
    return {
        "columns": [metric_label(metric, record.target.get("unit")) for metric in columns],
        "rows": rows,
        "noted": _noted(rows),
    }
