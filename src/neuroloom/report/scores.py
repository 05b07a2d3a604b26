"""The score tables, the comparisons and what may be set in bold: shared by the page and the terminal."""

from neuroloom.report.run_record import by_role, learner_label
from neuroloom.report.wording import (
    ABSENT,
    CORRECTED,
    compact,
    defined,
    less_is_better,
    metric_label,
    p_value,
    score,
    score_interval,
)

MAIN = {
    "classify": ("auc", "balanced_accuracy", "sensitivity", "specificity", "brier"),
    "regress": ("mae", "rmse", "r2", "pearson"),
}
ROLE_WORDS = {
    "deep": "model",
    "last epoch": "weights of the last epoch, not chosen",
    "baseline": "baseline",
    "confounds": "confounds alone",
}
VERDICTS = {"better": "{a} is better", "worse": "{b} is better", "equal": "no difference is shown"}


def score_columns(metrics):
    """Return all metrics that any learner has a score in, the primary one first."""
    held = [metric for told in by_role(metrics).values() for metric in told.get("scores") or {}]
    primary = [metrics["primary"]] if metrics.get("primary") in held else []
    return list(dict.fromkeys(primary + held))


def column_groups(metrics):
    """Return the metrics of the main table, of the table after bias correction, and the rest."""
    held = score_columns(metrics)
    wanted = (metrics.get("primary"), *MAIN.get(metrics.get("task"), held[:5]))
    main = [metric for metric in dict.fromkeys(wanted) if metric in held] or held[:5]
    corrected = [metric for metric in held if metric.endswith(CORRECTED)]
    return main, corrected, [metric for metric in held if metric not in main and metric not in corrected]


def score_rows(metrics, columns):
    """Return the rows of a score table: deep model, baselines, confounds, chance and, where known, the ceiling.

    Returns
    -------
    list of dict
        ``learner`` (empty for chance and ceiling), ``name``, ``role``, ``p``, and ``cells``: one a column, with
        ``value``, ``interval`` and ``bold``.
    """
    bold = better_than_rivals(metrics)
    rows = []
    for learner, told in by_role(metrics).items():
        scores, null = told.get("scores") or {}, told.get("null") or {}
        rows.append(
            {
                "learner": learner,
                "name": learner_label(metrics, learner),
                "role": told.get("role", "baseline"),
                "cells": [_cell(scores.get(metric) or {}, metric, (learner, metric) in bold) for metric in columns],
                "p": p_value(null.get("p")) if null else "",
            }
        )
    return rows + _known_rows(metrics, columns)


def _cell(told, metric, bold):
    interval = score_interval(told.get("interval"), metric)
    return {"value": score(told.get("value"), metric), "interval": interval, "bold": bold}


def _known_rows(metrics, columns):
    rows = []
    for role, name in (("chance", "Chance"), ("ceiling", "Best possible (planted truth)")):
        told = metrics.get(role) or {}
        if any(defined(told.get(metric)) is not None for metric in columns):
            cells = [_cell({"value": told.get(metric)}, metric, False) for metric in columns]
            rows.append({"learner": "", "name": name, "role": role, "cells": cells, "p": ""})
    return rows


def better_than_rivals(metrics):
    """Return (learner, metric) pairs that won every comparison they were in, each interval clear of zero.

    A comparison's difference is a − b. A higher number alone earns nothing.
    """
    won, not_won = set(), set()
    for told in metrics.get("comparisons") or []:
        metric, ends = told["metric"], [defined(end) for end in told.get("interval") or [None, None]]
        sides = {(told["a"], metric), (told["b"], metric)}
        if None in ends or ends[0] <= 0 <= ends[1]:
            not_won |= sides
            continue
        winner = told["a"] if (ends[0] > 0) != less_is_better(metric) else told["b"]
        won.add((winner, metric))
        not_won |= sides - {(winner, metric)}
    return won - not_won


def comparison_rows(metrics):
    """Return the comparisons as a table: metric, pair, difference, interval, and what they show in words."""
    unit = (metrics.get("target") or {}).get("unit")
    return [
        {"metric": metric_label(told["metric"], unit), **_compared(metrics, told)}
        for told in metrics.get("comparisons") or []
    ]


def _compared(metrics, told):
    a, b = (learner_label(metrics, told[side]) for side in ("a", "b"))
    pair, ends = f"{a} − {b}", [defined(end) for end in told.get("interval") or [None, None]]
    if defined(told.get("difference")) is None or None in ends:
        return {"pair": pair, "difference": ABSENT, "interval": "", "verdict": "cannot be compared: too few people"}
    difference, low, high = (compact(value, ends[1] - ends[0]) for value in (told["difference"], *ends))
    verdict = VERDICTS[_verdict(told)].format(a=a, b=b)
    return {"pair": pair, "difference": difference, "interval": f"{low} to {high}", "verdict": verdict}


def _verdict(told):
    low, high = told["interval"]
    if low <= 0 <= high:
        return "equal"
    return "better" if (low > 0) != less_is_better(told["metric"]) else "worse"


def estimands(metrics, columns):
    """Return a line a metric: what the number estimates; and last, once, what they all say of for whom."""
    parts = {}
    for told in by_role(metrics).values():
        for metric in columns:
            text = ((told.get("scores") or {}).get(metric) or {}).get("estimand")
            if text:
                parts.setdefault(metric, text.split("; "))
    shared = []
    while len(parts) > 1 and all(len(text) > 1 for text in parts.values()):
        if len({text[-1] for text in parts.values()}) > 1:
            break
        shared = [*{text.pop() for text in parts.values()}, *shared]
    lines = [f"{metric_label(metric)}: {'; '.join(text)}." for metric, text in parts.items()]
    return lines + ([f"All {'; '.join(shared)}."] if shared else [])
