"""Who is missed: the largest errors by name, and those told right beside those told wrong."""

import numpy as np
import pandas as pd

from neuroloom.metrics.decision import decide
from neuroloom.validation.confounds import association_of, is_quantity

MOST = 10
WORST_SHARE = 0.25  # of numbers, the quarter with the largest errors counts as told wrong


def missed(outcomes, people, most=MOST):
    """Return the samples with the largest errors, worst first, each with what is known of the person.

    Parameters
    ----------
    people : DataFrame
        A row a sample, in the order of ``outcomes.sample``; its columns are shown.

    Returns
    -------
    list of dict
        ``sample_id``, ``truth``, ``prediction``, ``error`` (1 - probability of the true class, or prediction -
        truth; mean over repeats), ``right`` (classes only), and the columns of ``people``.
    """
    frame = errors_by_sample(outcomes)
    worst = frame.reindex(frame["size"].sort_values(ascending=False, kind="stable").index[:most])
    if outcomes.classes:
        worst = worst[~worst["right"]]
    rows = []
    for sample, entry in worst.iterrows():
        known = people.iloc[int(sample)]
        told = {"sample_id": str(people.index[int(sample)]), "truth": entry["truth"], "prediction": entry["said"]}
        told |= {"error": float(entry["error"])} | ({"right": bool(entry["right"])} if outcomes.classes else {})
        rows.append(told | {column: _plain(known[column]) for column in people.columns})
    return rows


def errors_by_sample(outcomes):
    """Return a row a sample: truth, what was said, signed error, its size, and whether it was told right.

    Numbers count as told wrong in the quarter of people with the largest errors.
    """
    if outcomes.classes:
        names = np.array(outcomes.classes, dtype=object)
        of_truth = outcomes.prediction[np.arange(len(outcomes)), outcomes.truth]
        mean = pd.DataFrame(outcomes.prediction).groupby(outcomes.sample).mean()
        frame = pd.DataFrame({"error": 1 - of_truth, "truth": names[outcomes.truth]})
        frame = frame.groupby(outcomes.sample).agg({"error": "mean", "truth": "first"})
        frame["said"] = names[decide(mean.to_numpy())]
        return frame.assign(size=frame["error"], right=frame["said"] == frame["truth"])
    frame = pd.DataFrame({"truth": outcomes.truth, "said": outcomes.prediction}).groupby(outcomes.sample).mean()
    error = frame["said"] - frame["truth"]
    frame = frame.assign(error=error, size=error.abs())
    return frame.assign(right=frame["size"] < frame["size"].quantile(1 - WORST_SHARE))


def right_and_wrong(outcomes, people, columns):
    """Return each column for the units told right and those told wrong, side by side.

    Where truth varies inside a unit (trials of a run) they are samples, and columns that do not vary there are left out: what
    is true of a whole unit says nothing about which of its samples are missed.

    Returns
    -------
    dict
        ``n``: {"right", "wrong"}; ``columns``: column -> ``right`` and ``wrong`` (mean of a quantity, or shares of
        the groups), ``p`` and ``test`` of the two being alike (not corrected for the number of columns).
    """
    frame = errors_by_sample(outcomes)
    unit = pd.Series(outcomes.unit, index=outcomes.sample).groupby(level=0).first()
    if outcomes.classes and (frame["truth"].groupby(unit).nunique() > 1).any():
        table, right, own = people.iloc[frame.index], frame["right"].to_numpy(), unit[frame.index].to_numpy()
        columns = [column for column in columns if (table[column].groupby(own).nunique() > 1).any()]
    else:
        right = frame["right"].groupby(unit).mean() > 0.5  # of a person with several samples: most of them
        first_sample = pd.Series(frame.index, index=unit[frame.index].to_numpy()).groupby(level=0).first()
        table, right = people.iloc[first_sample[right.index].to_numpy()], right.to_numpy()
    sides = {"right": table[right], "wrong": table[~right]}
    told = {}
    for column in columns:
        p, test, _ = association_of(table[column].to_numpy(), np.where(right, "right", "wrong"))
        told[column] = {name: _summary(side[column], table[column]) for name, side in sides.items()}
        told[column] |= {"p": p, "test": test}
    return {"n": {name: len(side) for name, side in sides.items()}, "columns": told}


def _summary(values, all_values):
    if is_quantity(all_values):
        return float(values.mean()) if values.notna().any() else float("nan")
    return {str(name): float(share) for name, share in values.value_counts(normalize=True).sort_index().items()}


def _plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    return None if pd.isna(value) else value
