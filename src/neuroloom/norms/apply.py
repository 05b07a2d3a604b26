"""Apply norms: the place of each person of a table on the curves of a reference."""

import pandas as pd

from neuroloom.errors import NeuroloomError, listed
from neuroloom.norms.reference import UNUSABLE, ages_and_sexes, columns_of_people, named, unusable


def apply_norms(norms, table, *, age=None, sex=None, person=None, on_note=None):
    """Return where each person's measures lie among the reference of their age and sex.

    Parameters
    ----------
    norms : Norms
    table : DataFrame
        A row a person or a visit, with measures called as in the norms.
    age, sex, person : str or None
        Columns, as in `neuroloom.norms.fit.fit_norms`.
    on_note : callable or None
        Called with a text that names whose scans are poor or failed, as a column ``status`` says: they get no percentile.

    Returns
    -------
    DataFrame
        A row a person and measure: ``participant_id``, ``age``, ``sex``, ``measure``, ``value``, ``percentile``, its
        interval ``low`` and ``high``, ``z``, ``reference`` and ``note``, which says why there is no percentile.
    """
    person, age, sex = columns_of_people(table, person, age, sex)
    who, _ = ages_and_sexes(table, age, sex)
    known = [measure for measure in norms.measures if measure in table]
    if not known:
        raise NeuroloomError(
            f"the table has none of the measures of {norms.name!r}: {listed(norms.measures)}. Call its columns alike."
        )
    words = unusable(table)
    if (words != "").any() and on_note:
        on_note(
            f"no percentile, since their status is {' or '.join(UNUSABLE)}: {listed(named(table[person], words), 40)}"
        )
    parts = []
    for measure in known:
        values = table[measure].where(words == "")
        placed = norms.places(measure, values.tolist(), who["age"].tolist(), who["sex"].tolist())
        placed["note"] = [
            f"the scan is {word}" if word else note for word, note in zip(words, placed["note"], strict=True)
        ]
        told = {
            "participant_id": table[person].astype(str).to_numpy(),
            "age": who["age"].to_numpy(),
            "sex": who["sex"].to_numpy(),
            "measure": measure,
            "value": table[measure].to_numpy(),
        }
        parts.append(pd.DataFrame(told).join(placed))
    rows = pd.concat(parts, ignore_index=True)
    rows.insert(len(rows.columns) - 1, "reference", norms.name)
    order = rows.groupby("participant_id", sort=False).ngroup().sort_values(kind="stable").index
    return rows.loc[order].reset_index(drop=True)
