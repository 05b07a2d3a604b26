"""Spelling: what was meant by the flash that the brain answered, as evidence adds up over rounds of flashes."""

import numpy as np
import pandas as pd

from neuroloom.errors import NeuroloomError, listed
from neuroloom.metrics.decision import accuracy
from neuroloom.validation.intervals import scored
from neuroloom.validation.outcomes import Outcomes

LEAST = 1e-6  # of a probability: evidence of one flash is bounded


def evaluate_spelling(predictions, tested, *, item, option, unit):
    """Return the share of items that are right after each number of rounds, by learner.

    An item (a letter) is one row and one column, or one of another set of options, that flash in turn. After k rounds each
    option holds the sum of the log odds of its first k flashes; the largest of each set is chosen, and the item is right
    where all chosen ones are those that the person attended to.

    Parameters
    ----------
    predictions : DataFrame
        As ``evaluate`` takes them.
    tested : Tested
        Its people hold ``recording_id``, ``onset`` and the columns ``item`` and ``option``. Of two classes the second is the
        flash that was attended to.
    item : str
        Column that numbers the items of a recording.
    option : str
        Column that names what flashed; options of one set share the first word (``row 3``, ``column 1``).
    unit : str
        Unit of claim, which the intervals are over.

    Returns
    -------
    dict
        ``learners``: name -> {"rounds": [...], "right": [{"value", "interval", ...}, one a round]}; ``n_items``, ``chance``,
        ``seconds`` (between two rounds, the median).
    """
    absent = [name for name in (item, option) if name not in tested.people]
    if absent:
        raise NeuroloomError(
            f"spelling needs the column {absent[0]!r} of each trial. It has: {listed(tested.people.columns, 20)}."
        )
    flashes = _flashes(tested.people, item, option)
    positive = tested.classes[1]
    learners = {}
    for learner, rows in predictions.groupby("learner", sort=False):
        rows = rows.merge(flashes, left_on=rows["sample_id"].astype(str), right_index=True)
        p = rows[f"prediction_p_{positive}"].clip(LEAST, 1 - LEAST)
        rows = rows.assign(
            evidence=np.log(p / (1 - p)), attended=rows[f"truth_{tested.target}"].astype(str) == positive
        )
        learners[learner] = _by_rounds(rows, tested, unit)
    sizes = flashes.groupby(["item", "set"])["option"].nunique().groupby("item").prod()
    times = flashes.sort_values("onset").groupby(["item", "option"])["onset"].diff()
    return {
        "learners": learners,
        "n_items": int(flashes["item"].nunique()),
        "chance": float((1 / sizes).mean()),
        "seconds": float(times.median()),
    }


def _flashes(people, item, option):
    """Return of each flash: its item (over all recordings), set, option, onset and round (from 1)."""
    items = people["recording_id"].astype(str) + "|" + people[item].astype(str)
    named = people[option].astype(str)
    flashes = pd.DataFrame({"item": items, "option": named, "set": named.str.split().str[0], "onset": people["onset"]})
    order = flashes.sort_values("onset", kind="stable")
    flashes["round"] = order.groupby(["item", "option"]).cumcount() + 1
    return flashes


def _by_rounds(rows, tested, unit):
    """Return the share of right items after 1, 2, ... rounds; only rounds that every item has."""
    last = int(rows.groupby("item")["round"].max().min())
    rounds = list(range(1, last + 1))
    right = [scored(accuracy, _outcomes(rows[rows["round"] <= n], tested), unit) for n in rounds]
    return {"rounds": rounds, "right": right}


def _outcomes(rows, tested):
    """Return `Outcomes` of items: truth 1, and whether what was chosen is right."""
    keys = ["repeat", "fold", "item"]
    total = rows.groupby([*keys, "set", "option"]).agg(evidence=("evidence", "sum"), attended=("attended", "max"))
    total = total.reset_index()
    chosen = total.loc[total.groupby([*keys, "set"])["evidence"].idxmax()]
    right = chosen.groupby(keys)["attended"].all().reset_index()
    unit = dict(zip(tested.people.index, tested.unit, strict=True))
    of_item = rows.groupby("item")["sample_id"].first().astype(str).map(unit)
    hit = right["attended"].to_numpy(dtype=float)
    return Outcomes(
        truth=np.ones(len(right), dtype=np.int64),
        prediction=np.column_stack([1 - hit, hit]),
        repeat=right["repeat"].to_numpy(),
        fold=right["fold"].to_numpy(),
        unit=of_item[right["item"]].to_numpy(),
        sample=pd.factorize(right["item"])[0],
        references={},
        classes=("wrong", "right"),
    )
