"""Who takes part, as tables: sites, classes, sexes, ages, and what is missing."""

import pandas as pd

from neuroloom.report.figures_cohort import ages_figure, holders_of_target, people_of
from neuroloom.report.wording import ABSENT, number


def cohort_section(record):
    """Return the ages figure, the table of sites, the missing values and the notes; None without a cohort table."""
    people = people_of(record)
    if people.empty:
        return None
    return {
        "n": len(people),
        "samples": len(record.cohort),
        "ages": ages_figure(record),
        "sites": site_rows(record, people),
        "classes": [str(name) for name in record.target.get("classes") or []],
        "missing": missing_rows(record),
        "notes": record.notes,
    }


def site_rows(record, people):
    """Return a row a site and one of all: n, people of each class, share of women, age."""
    sites = people.groupby("site", sort=True) if "site" in people else ()
    rows = [_row(record, str(site), held) for site, held in sites]
    return [*rows, _row(record, "All", people)] if len(rows) != 1 else rows


def _row(record, site, held):
    rows = holders_of_target(record)
    rows = rows[rows["participant_id"].isin(held["participant_id"])] if "participant_id" in rows else held
    named = class_names(rows[record.target["name"]]) if record.target.get("name") in rows else pd.Series(dtype=str)
    age = held["age"].dropna() if "age" in held else pd.Series(dtype=float)
    sex = held["sex"].dropna() if "sex" in held else pd.Series(dtype=str)
    return {
        "site": site,
        "n": len(held),
        "classes": [int((named == str(label)).sum()) for label in record.target.get("classes") or []],
        "women": share_of_women(sex),
        "age": number(age.mean(), 1) + (f" ± {number(age.std(), 1)}" if len(age) > 1 else ""),
    }


def share_of_women(sex):
    """Return how many are F in words, where every known sex is written as M or F; other codes are not guessed."""
    if sex.empty or not set(sex) <= {"M", "F"}:
        return ABSENT
    return f"{100 * (sex == 'F').mean():.0f} %"


def class_names(values):
    """Return a column of classes as the run names them: 1, not 1.0."""
    return values.map(lambda value: str(int(value)) if isinstance(value, float) and value.is_integer() else str(value))


def missing_rows(record):
    """Return (column, n missing, share) for each column of the cohort table that lacks values."""
    n = len(record.cohort)
    counts = record.cohort.isna().sum()
    return [(str(name), int(lacking), f"{100 * lacking / n:.0f} %") for name, lacking in counts.items() if lacking]
