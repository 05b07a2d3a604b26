"""Common words of cohort tables, and what they are taken for. What was taken is always said."""

import pandas as pd

SYNONYMS = {  # our word -> words it is taken from, in order
    "participant_id": ("participant_id", "subject_id", "subject", "sub_id", "id"),
    "session_id": ("session_id", "session", "visit"),
    "site": ("site", "site_id", "centre", "center", "scanner"),
    "family_id": ("family_id", "family"),
    "age": ("age", "age_at_scan", "age_years"),
    "sex": ("sex", "gender"),
    "diagnosis": ("diagnosis", "dx", "group", "dx_group"),
}
SEXES = {"m": "M", "male": "M", "man": "M", "f": "F", "female": "F", "woman": "F"}


def take_common_words(table, told=()):
    """Return the table with our words for its columns, and what was taken for what.

    Parameters
    ----------
    table : DataFrame
        As read; its own columns are kept.
    told : collection of str
        Words of ours that the user has mapped; they are not guessed.

    Returns
    -------
    table : DataFrame
    notes : list of str
    """
    table, notes = table.copy(), []
    by_lower = {str(column).lower(): column for column in reversed(table.columns)}
    for word, synonyms in SYNONYMS.items():
        if word in told:
            continue
        found = next((by_lower[synonym] for synonym in synonyms if synonym in by_lower), None)
        if found is None or found == word:
            continue
        table[word] = table[found]
        notes.append(f"column {found!r} taken as {word}")
    if "sex" in table and "sex" not in told:
        table["sex"], said = _sexes(table["sex"])
        notes += said
    if "age" in table and "age" not in told:
        table["age"] = _ages(table["age"])
    return table, notes


def _sexes(column):
    text = column.map(lambda value: str(value).strip().lower() if pd.notna(value) else None)
    known = text.dropna()
    if known.isin(SEXES).all():
        return text.map(SEXES), []
    odd = sorted(set(known[~known.isin(SEXES)]))
    return column, [f"sex is kept as it stands, since {odd[0]!r} is not one of {', '.join(SEXES)}"]


def _ages(column):
    """Return ages as numbers; BIDS writes 89+ for the oldest, which is taken as 89."""
    text = column.astype(str).str.strip().str.removesuffix("+")
    numbers = pd.to_numeric(text, errors="coerce")
    return numbers.where(column.notna()) if numbers.notna().any() else column
