"""Apply norms: the place of each person of a table on the curves of a reference."""

import pandas as pd

from neuroloom.errors import NeuroloomError, listed
from neuroloom.norms.reference import ages_and_sexes, columns_of_people


def apply_norms(norms, table, *, age=None, sex=None, person=None):
    """Return where each person's measures lie among the reference of their age and sex.

    Parameters
    ----------
    norms : Norms
    table : DataFrame
        A row a person or a visit, with measures called as in the norms.
    age, sex, person : str or None
        Columns, as in `neuroloom.norms.fit.fit_norms`.

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
    parts = []
    for measure in known:
        placed = norms.places(measure, table[measure].tolist(), who["age"].tolist(), who["sex"].tolist())
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
