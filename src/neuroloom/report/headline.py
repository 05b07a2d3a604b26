"""The strip of key facts, what the result may be claimed for, and how to repeat the run."""

import shlex

from neuroloom.report.wording import defined, less_is_better, metric_label, p_value, score, score_interval

SPLITS = {"leave_site_out": "Leave site out", "leave_one_out": "Leave one out", "holdout": "Held-out part"}
# what of environment.json is shown beside the versions: named entries only, never a variable or a folder
ENVIRONMENT_SHOWN = {
    "python": "Python",
    "system": "",
    "processors": "processors:",
    "cpu_capability": "",
    "gpu": "",
    "threads_per_job": "threads a job:",
}


def key_facts(record):
    """Return (what, value, detail) of each fact in the strip below the first sentence."""
    facts = (_unit_fact, _split_fact, _score_fact, _rival_fact, _chance_fact)
    return [told for fact in facts for told in fact(record)]


def _unit_fact(record):
    unit = record.metrics.get("unit")
    if not unit:
        return []
    units = f"{unit.get('name', 'participant')}s"
    known = record.metrics.get("identity") != "unknown"
    claimed = f"claimed for new {units}" if known else "who is who is unknown: claimed for nobody new"
    return [(units.capitalize(), str(unit.get("n", "–")), claimed)]


def _split_fact(record):
    split = record.metrics.get("split")
    if not split:
        return []
    name = f"{split.get('folds')}-fold" if split.get("name") == "kfold" else SPLITS.get(split.get("name"), "–")
    repeats = split.get("repeats") or 1
    return [("Split", f"{name} × {repeats}" if repeats > 1 else name, split.get("text", ""))]


def _score_fact(record):
    told = _primary_score(record, record.deep)
    if told is None:
        return []
    label = metric_label(record.primary, record.target.get("unit"))
    return [(label, score(told["value"], record.primary), _detail(record, record.deep, told))]


def _rival_fact(record):
    """Return the score of the best baseline, so that no deep score stands alone."""
    baselines = [name for name, told in record.learners.items() if told.get("role") == "baseline"]
    held = {name: _primary_score(record, name) for name in baselines}
    held = {name: told for name, told in held.items() if told is not None}
    if not held:
        return []
    best = (min if less_is_better(record.primary) else max)(held, key=lambda name: held[name]["value"])
    return [("Best baseline", score(held[best]["value"], record.primary), _detail(record, best, held[best]))]


def _primary_score(record, learner):
    told = ((record.learners.get(learner) or {}).get("scores") or {}).get(record.primary) or {}
    return told if defined(told.get("value")) is not None else None


def _detail(record, learner, told):
    interval = score_interval(told.get("interval"), record.primary)
    return f"{record.label(learner)}; 95 % interval {interval}" if interval else record.label(learner)


def _chance_fact(record):
    null = (record.learners.get(record.deep) or {}).get("null")
    if not null or defined(null.get("p")) is None:
        return []
    draws = f", {null['n']} draws" if null.get("n") else ""
    return [("Against chance", p_value(null["p"]), f"{null.get('method') or 'null'}{draws}")]


def claims(record):
    """Return (name, meaning, what is known) of three claims: reproducible, replicated, generalised."""
    return [
        ("Reproducible", "the same data and code give the same numbers", _reproducible(record)),
        ("Replicated", "other people, the same question, the same answer", _replicated(record)),
        ("Generalised", "it holds at sites that were not learned from", _generalised(record)),
    ]


def _reproducible(record):
    if record.replay is None:
        return "Not tested yet. Seeds, folds, weights and versions are in the run's folder; neuroloom replay tests it."
    return record.replay.get("text") or f"The replay {'agreed' if record.replay.get('agrees') else 'did not agree'}."


def _replicated(record):
    if record.is_simulated:
        return "Not tested. The cohort is simulated: it shows what the method finds, and nothing about people."
    return "Not tested: this page knows one cohort. Run the same recipe on a second one and compare."


def _generalised(record):
    told = ((record.learners.get(record.deep) or {}).get("unseen_sites") or {}).get(record.primary) or {}
    if defined(told.get("value")) is None:
        return "Not tested: no test person came from a site that was not learned from."
    interval = score_interval(told.get("interval"), record.primary)
    over = f" (95 % interval {interval})" if interval else ""
    label = metric_label(record.primary, record.target.get("unit"))
    return f"At sites not learned from: {label} {score(told['value'], record.primary)}{over}."


def repeat_commands(record):
    """Return (what, command) that repeat this run; the run's folder by its own name, nobody's path."""
    name = shlex.quote(record.folder.resolve().name)
    data = "" if record.is_simulated else " --data DATA"
    cohort = f" --cohort {name}/cohort.yaml" if record.has_cohort_file else ""
    version = (record.environment.get("versions") or {}).get("neuroloom")
    return [
        ("Install the same version", f"pip install neuroloom{f'=={version}' if version else ''}"),
        ("Repeat this run and compare, number by number", f"neuroloom replay {name}{data}"),
        ("Run it again into another folder", f"neuroloom run {name}/recipe.yaml{data}{cohort} --out {name}-again"),
        ("Ask this run about a new scan", f"neuroloom predict {name} FILE"),
    ]


def environment_rows(record):
    """Return the software and the machine, an entry a line."""
    told = record.environment
    rows = [f"{words} {told[key]}".strip() for key, words in ENVIRONMENT_SHOWN.items() if told.get(key)]
    return rows + [f"{name} {version}" for name, version in sorted((told.get("versions") or {}).items())]
