"""The page's first sentence: what the numbers mean together, in plain words."""

from neuroloom.validation.sentence_events import clauses_of_events
from neuroloom.validation.words import WHO_UNKNOWN, plural

SMALL = 30  # units below which nothing is concluded
WIDE = 0.3  # of a bounded metric; of an error WIDE_ERROR times itself
WIDE_ERROR = 0.6
LARGEST_P = 0.05
METRIC_WORDS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "f1": "F1",
    "kappa": "Cohen's kappa",
    "brier": "a Brier score of",
    "log_loss": "a log loss of",
    "mae": "a mean absolute error of",
    "rmse": "a root mean squared error of",
    "r2": "R²",
    "pearson": "correlation",
    "spearman": "rank correlation",
    "bias_slope": "a bias slope of",
}
ERRORS = ("mae", "rmse", "brier", "log_loss")
IN_TARGET_UNIT = ("mae", "rmse")


def first_sentence(report):
    """Return one sentence from ``metrics.json`` (plain numbers, None where undefined)."""
    subject = report["learners"][report["deep"]]
    score = subject["scores"][report["primary"]]
    if score["value"] is None:
        return _nothing_said(report)
    small = too_small(report)
    shown = above_chance(report)
    clauses = [_main(report, subject, score, shown, small)]
    clauses += clauses_of_events(report)
    clauses += _baseline(report, shown, small)
    clauses += _confounds(report, shown and not small)
    clauses += _bounds(report)
    clauses += [small] if small else []
    return "; ".join(clauses) + "."


def too_small(report):
    """Return why n is too small to conclude, or an empty text."""
    score = report["learners"][report["deep"]]["scores"][report["primary"]]
    low, high = score["interval"]
    n, name = report["unit"]["n"], report["unit"]["name"]
    if n < SMALL:
        return f"with {n} {plural(name, n)} n is too small to conclude"
    if low is None:
        return f"the {n} {plural(name, n)} give no interval: n is too small to conclude"
    width = high - low
    most = WIDE_ERROR * abs(score["value"]) if report["primary"] in ERRORS else WIDE
    if width > most:
        return f"the interval is {number(report, width)} wide: n is too small to conclude"
    return ""


def above_chance(report):
    """Return whether the learner is shown to be better than chance: by its null, its value and its interval.

    A null without a p (leave-one-out leaves nobody to exchange) says nothing: the interval decides alone.
    """
    subject = report["learners"][report["deep"]]
    score, chance = subject["scores"][report["primary"]], report["chance"][report["primary"]]
    value, (low, high) = score["value"], score["interval"]
    p = (subject["null"] or {"p": None})["p"]
    if p is not None and p >= LARGEST_P:
        return False
    if chance is None:
        return p is not None
    if report["primary"] in ERRORS:
        return value < chance and (p is not None or (high is not None and high < chance))
    return low is not None and low > chance


def number(report, value):
    """Return a number with two decimals (one from 10 up) and the target's unit where it has it."""
    text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    unit = report["target"]["unit"] if report["primary"] in IN_TARGET_UNIT else None
    return f"{text} {unit}" if unit else text


def comparison_with(report, other):
    """Return the comparison of the deep learner with another, or None."""
    found = [c for c in report["comparisons"] if (c["a"], c["b"]) == (report["deep"], other)]
    return found[0] if found else None


def best_of(report, role):
    """Return the name of the best learner of a role by the primary metric, or None."""
    sign = -1 if report["primary"] in ERRORS else 1
    values = {
        name: sign * learner["scores"][report["primary"]]["value"]
        for name, learner in report["learners"].items()
        if learner["role"] == role and learner["scores"][report["primary"]]["value"] is not None
    }
    return max(values, key=values.get) if values else None


def _main(report, subject, score, shown, small):
    metric = METRIC_WORDS[report["primary"]]
    low, high = score["interval"]
    where = "no interval" if low is None else f"95 % interval {_span(report, low, high)}"
    told = f"{metric} {number(report, score['value'])} ({where}, {_who(report)})"
    name = subject["label"]
    if small:
        verb = f"{name} reaches {told} {_asked(report, 'in telling', 'in predicting')}"
    elif not shown:
        verb = f"{name} does not {_asked(report, 'tell', 'predict')} better than chance: {told}"
    else:
        verb = f"{name} {_asked(report, 'tells', 'predicts')} with {told}"
    start = _opening(report) + (f"from {' and '.join(report['inputs'])}, " if report["inputs"] else "")
    whole = start + verb
    return whole[:1].upper() + whole[1:] if start else whole


def _opening(report):
    opening = f"{WHO_UNKNOWN}: " if report["identity"] == "unknown" else ""
    opening += "in simulated data, " if report["simulated"] else ""
    if report["unit"]["within_person"] and report["identity"] == "known":
        n = report["unit"]["participants"]
        opening += "for this person, " if n == 1 else f"for these {n} people, "
    return opening


def _asked(report, tell, predict):
    target, classes = report["target"], report["target"]["classes"]
    if report["task"] == "regress":
        return f"{predict} {target['name']}"
    if len(classes) == 2:
        return f"{tell} {classes[1]} from {classes[0]}"
    return f"{tell} {', '.join(classes[:-1])} and {classes[-1]} apart"


def _who(report):
    unit = report["unit"]
    who = f"{unit['n']} {plural(unit['name'], unit['n'])}"
    if report["identity"] == "unknown":
        return f"{who}, none of them in training under the same name"
    who += " never seen in training" if unit["name"] == "site" else ", none of them seen in training"
    subject = report["learners"][report["deep"]]
    if unit["name"] != "site" and subject["unseen_sites"] and not subject["seen_sites"]:
        who += ", all at sites never seen in training"
    return who


def _baseline(report, shown, small):
    name = best_of(report, "baseline")
    if name is None:
        return []
    baseline = report["learners"][name]
    told = f"{baseline['label']} on the same folds reaches {_value(report, baseline)}"
    comparison = comparison_with(report, name)
    verdict = "unknown" if small or comparison is None else comparison["verdict"]
    if verdict == "worse":
        return [f"{told}, so the network loses to it by {_size(report, comparison)}"]
    if verdict == "equal" and shown:
        return [f"{told}, so the network adds nothing that these {plural(report['unit']['name'], 2)} can show"]
    if verdict == "better" and shown:
        return [f"{told}, so the network wins by {_size(report, comparison)}"]
    return [told]


def _confounds(report, judge):
    name = best_of(report, "confounds")
    if name is None:
        return []
    told = f"confounds alone reach {_value(report, report['learners'][name])}"
    comparison = comparison_with(report, name)
    if judge and comparison is not None and comparison["verdict"] in ("equal", "worse"):
        return [f"{told}, and the network is not shown to beat them, so its score may come from them"]
    return [told]


def _bounds(report):
    chance, ceiling = report["chance"][report["primary"]], (report["ceiling"] or {}).get(report["primary"])
    clauses = [] if chance is None else [f"chance is {number(report, chance)}"]
    return clauses + ([] if ceiling is None else [f"the best possible is {number(report, ceiling)}"])


def _value(report, learner):
    return number(report, learner["scores"][report["primary"]]["value"])


def _span(report, low, high):
    return f"{number(report, low).split(' ')[0]} to {number(report, high)}"


def _size(report, comparison):
    low, high = comparison["interval"]
    if comparison["difference"] < 0:
        low, high = -high, -low
    return f"{number(report, abs(comparison['difference']))} (95 % interval {_span(report, low, high)})"


def _nothing_said(report):
    rows = report["learners"][report["deep"]]["per_fold"]
    notes = [f"fold {row['fold']}: {row['note']}" for row in rows if row["note"]]
    why = f" ({'; '.join(notes[:3])})" if notes else ""
    return f"{METRIC_WORDS[report['primary']]} is undefined on these folds{why}, so nothing can be said."
