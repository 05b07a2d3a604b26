"""Apply norms: the place of each person of a table on the curves of a reference."""

import pandas as pd

from neuroloom.cohort.words import in_our_values
from neuroloom.errors import NeuroloomError, listed
from neuroloom.norms.reference import person_column
from neuroloom.parts import check_known


def apply_norms(norms, table, *, age="age", sex="sex", person=None):
    """Return where each person's measures lie among the reference of their age and sex.

    Parameters
    ----------
    norms : Norms
    table : DataFrame
        A row a person or a visit, with measures called as in the norms.
    age, sex, person : str
        Columns, as in `neuroloom.norms.fit.fit_norms`.

    Returns
    -------
    DataFrame
        A row a person and measure: ``participant_id``, ``age``, ``sex``, ``measure``, ``value``, ``percentile``, its
        interval ``low`` and ``high``, ``z``, ``reference`` and ``note``, which says why there is no percentile.
    """
    person = person_column(table, person)
    for column in (age, sex):
        check_known("column", column, table.columns)
    who, _ = in_our_values(pd.DataFrame({"age": table[age], "sex": table[sex]}))
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
