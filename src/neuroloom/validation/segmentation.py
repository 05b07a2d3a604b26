"""From the predictions of a segmentation run to everything that its page says: ``metrics.json``."""

import numpy as np
from scipy.stats import t as student

from neuroloom.validation.evaluate import plain, told_split
from neuroloom.validation.intervals import LEVEL
from neuroloom.validation.words import WHO_UNKNOWN

FEW = 10  # units below which the page says that little can be said
DICE, VOLUME = "dice", "volume_error"
ESTIMANDS = {
    DICE: "mean over {unit}s of the mean Dice overlap over structures; for new {unit}s like these and the learners of this run",
    VOLUME: "mean over {unit}s and structures of |predicted - true volume| / true volume; for the same",
}


def evaluate_segmentation(
    predictions,
    people,
    folds,
    *,
    target,
    classes,
    roles,
    labels,
    unit,
    split,
    title,
    simulated=False,
    identity="known",
):
    """Return ``metrics.json`` of a run that tells what is where.

    Parameters
    ----------
    predictions : DataFrame
        ``predictions.csv``: sample_id, repeat, fold, learner, prediction_dice, prediction_dice_CLASS, truth_ml_CLASS,
        prediction_ml_CLASS; prediction_dice_on_SCAN where a sample is seen in several scans.
    people : DataFrame
        The cohort's table, index sample_id.
    folds : DataFrame
        ``folds.csv``.
    target : str
        The input that holds the truth.
    classes : sequence of str
    roles, labels : dict
        Learner -> deep or baseline; what a reader calls it.
    unit, split, title : str
    simulated : bool
    identity : {"known", "unknown"}
        Whether each row's person is known.

    Returns
    -------
    dict
        Plain numbers, texts and lists; ``structures``: one entry a class.
    """
    of_unit = _units(predictions["sample_id"], people, unit)
    held = {name: rows.groupby(of_unit[rows.index]) for name, rows in predictions.groupby("learner", sort=False)}
    deep = next(name for name in held if roles[name] == "deep")
    per_unit = {
        name: {DICE: rows["prediction_dice"].mean().to_numpy(), VOLUME: _volume_error(rows, classes)}
        for name, rows in held.items()
    }
    estimands = {metric: text.format(unit=unit) for metric, text in ESTIMANDS.items()}
    learners = {
        name: {
            "role": roles[name],
            "label": labels.get(name) or name,
            "scores": {metric: _scored(values, metric, estimands) for metric, values in scores.items()},
            "scans": _scans(predictions[predictions["learner"] == name]),
            "null": None,
        }
        for name, scores in per_unit.items()
    }
    n_units = len(per_unit[deep][DICE])
    report = {
        "task": "segment",
        "title": title,
        "target": {"name": target, "classes": [], "positive": None, "unit": None},
        "simulated": bool(simulated),
        "identity": identity,
        "unit": {
            "name": unit,
            "n": n_units,
            "participants": int(people["participant_id"].nunique()),
            "within_person": False,
        },
        "split": told_split(folds, split, unit, identity=identity),
        "primary": DICE,
        "deep": deep,
        "chance": {},
        "ceiling": None,
        "learners": learners,
        "comparisons": [_compared(per_unit, deep, name) for name in per_unit if name != deep],
        "structures": [_structure(held, name) for name in classes],
    }
    report = plain(report)
    report["sentence"] = _sentence(report)
    report["warnings"] = _warnings(report, per_unit)
    return report


def _units(samples, people, unit):
    """Return the unit of each prediction."""
    column = {"participant": "participant_id", "session": "session_id", "family": "family_id"}.get(unit, unit)
    if column not in people:
        return samples
    units = people[column].astype(str)
    return samples.map(people["participant_id"].astype(str) + " " + units if unit == "session" else units)


def _volume_error(rows, classes):
    def error(frame):
        truth = np.stack([frame[f"truth_ml_{name}"] for name in classes])
        found = np.stack([frame[f"prediction_ml_{name}"] for name in classes])
        known = truth > 0
        return np.mean(np.abs(found - truth)[known] / truth[known]) if known.any() else np.nan

    return np.array([error(frame) for _, frame in rows])


def _interval(values):
    """Return mean and 95 % interval over units (Student's t); no interval from fewer than three."""
    values = values[np.isfinite(values)]
    if len(values) < 3:
        return (float(values.mean()) if len(values) else np.nan), None
    half = student.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), [float(values.mean() - half), float(values.mean() + half)]


def _scored(values, metric, estimands):
    value, interval = _interval(values)
    if interval is not None:
        interval = [max(0.0, interval[0]), min(1.0, interval[1]) if metric == DICE else interval[1]]
    return {"value": value, "interval": interval, "n_units": len(values), "estimand": estimands[metric]}


def _scans(rows):
    """Return the mean Dice on each kind of scan in which samples were seen."""
    named = [column for column in rows if column.startswith("prediction_dice_on_") and rows[column].notna().any()]
    return {column.removeprefix("prediction_dice_on_"): float(rows[column].mean()) for column in named}


def _compared(per_unit, deep, other):
    value, interval = _interval(per_unit[deep][DICE] - per_unit[other][DICE])
    return {"metric": DICE, "a": deep, "b": other, "difference": value, "interval": interval}


def _structure(held, name):
    entry = {"name": name.replace("_", " "), "learners": {}}
    for learner, rows in held.items():
        value, interval = _interval(rows[f"prediction_dice_{name}"].mean().to_numpy())
        volumes = rows[[f"truth_ml_{name}", f"prediction_ml_{name}"]].mean().mean()
        interval = interval and [max(0.0, interval[0]), min(1.0, interval[1])]
        entry["learners"][learner] = {"dice": value, "interval": interval, "ml": float(volumes.iloc[1])}
        entry["truth_ml"] = float(volumes.iloc[0])
    return entry


def _sentence(report):
    deep = report["learners"][report["deep"]]
    score, n = deep["scores"][DICE], report["unit"]["n"]
    ends = score["interval"]
    shown = f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else ""
    text = f"{deep['label']} finds the structures of {n} {report['unit']['name']}s with a mean Dice overlap of {score['value']:.2f}{shown}"
    for told in report["comparisons"]:
        other = report["learners"][told["b"]]
        known = told["interval"] is not None
        better = known and told["interval"][0] > 0
        worse = known and told["interval"][1] < 0
        verdict = "better than" if better else "worse than" if worse else "not shown to differ from"
        text += f"; this is {verdict} {other['label']} ({other['scores'][DICE]['value']:.2f})"
    if n < FEW:
        text += f"; with {n} {report['unit']['name']}s tested, n is too small to conclude"
    text = f"{WHO_UNKNOWN}: {text}" if report["identity"] == "unknown" else text
    return f"{text[:1].upper()}{text[1:]}."


def _warnings(report, per_unit):
    warnings = []
    if report["identity"] == "unknown":
        warnings.append(f"{WHO_UNKNOWN[:1].upper()}{WHO_UNKNOWN[1:]}.")
    if report["simulated"]:
        warnings.append(
            "The label maps are simulated: the score shows what the method learns, and nothing about people."
        )
    if report["learners"][report["deep"]]["scans"]:
        warnings.append(
            "The scans are made of the label maps, so the score is for simulated contrasts, not for real scans."
        )
    absent = [one["name"] for one in report["structures"] if not one["truth_ml"]]
    if absent:
        warnings.append(
            f"{len(absent)} structures are in no map of this cohort, so nothing is said of them: {', '.join(absent)}."
        )
    unscored = int(np.isnan(per_unit[report["deep"]][DICE]).sum())
    if unscored:
        warnings.append(f"{unscored} {report['unit']['name']}s have none of the structures and are not scored.")
    return warnings
