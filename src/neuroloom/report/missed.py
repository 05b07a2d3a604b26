"""Who is missed: the people whom the deep model gets wrong, beside those it gets right."""

import pandas as pd

from neuroloom.report.wording import ABSENT, compact, number, p_value

NOT_DESCRIBED = {"sample_id", "participant_id", "truth", "prediction", "error", "right"}


def missed_section(record):
    """Return what the page tells of the missed, from metrics.json; None where it tells nothing.

    Returns
    -------
    dict or None
        ``described`` (columns), ``rows`` (participant, described, truth, predicted, error, also) and ``sides``
        (what, right, wrong, p) with ``n`` of both.
    """
    told = record.learners.get(record.deep) or {}
    if "missed" not in told:
        return None
    people = told["missed"] or []
    described = [name for name in (people[0] if people else {}) if name not in NOT_DESCRIBED]
    also = _missed_by_others(record)
    return {
        "numeric": not record.is_classification,
        "described": described,
        "rows": [_person(person, described, also.get(str(person.get("sample_id")), [])) for person in people],
        "n": (told.get("right_and_wrong") or {}).get("n"),
        "sides": side_rows(told.get("right_and_wrong") or {}),
    }


def _person(person, described, also):
    return {
        "participant": person.get("participant_id", person.get("sample_id")),
        "described": [_plain(person.get(name)) for name in described],
        "truth": _plain(person.get("truth")),
        "predicted": _plain(person.get("prediction")),
        "error": number(person.get("error"), 2),
        "also": ", ".join(also),
    }


def _plain(value):
    if isinstance(value, float):
        return compact(value)
    return ABSENT if value is None else str(value)


def _missed_by_others(record):
    """Return sample -> labels of the baselines that call it wrongly too (mean over repeats); classes only."""
    others = {}
    if not record.is_classification or record.predictions.empty:
        return others
    names = [str(name) for name in record.target["classes"]]
    for learner, told in record.learners.items():
        if told.get("role") != "baseline":
            continue
        rows = record.of_learner(learner)
        means = rows.groupby("sample_id")[[f"prediction_p_{name}" for name in names]].mean()
        truth = rows.groupby("sample_id")[f"truth_{record.target['name']}"].first().astype(str)
        called = pd.Series([names[at] for at in means.to_numpy().argmax(axis=1)], means.index)
        for sample in truth.index[called != truth]:
            others.setdefault(str(sample), []).append(record.label(learner))
    return others


def side_rows(told):
    """Return (what, among the right, among the wrong, p) for each column of ``right_and_wrong``."""
    rows = []
    for name, content in (told.get("columns") or {}).items():
        right, wrong = content.get("right"), content.get("wrong")
        words, p = name.replace("_", " ").capitalize(), p_value(content.get("p"))
        if not isinstance(right, dict) and not isinstance(wrong, dict):
            rows.append((f"{words}, mean", compact(right), compact(wrong), p))
            continue
        right, wrong = right or {}, wrong or {}
        for place, group in enumerate(dict.fromkeys([*right, *wrong])):
            shares = (f"{100 * (side.get(group) or 0):.0f} %" for side in (right, wrong))
            rows.append((f"{words}: {group}", *shares, "" if place else p))
    return rows
