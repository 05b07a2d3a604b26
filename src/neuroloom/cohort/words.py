"""Common words of cohort tables, and what they are taken for. What was taken is always said."""

import pandas as pd

from neuroloom.errors import listed

SYNONYMS = {  # our word -> words it is taken from, in order
    "participant_id": ("participant_id", "subject_id", "subject", "sub_id", "id"),
    "session_id": ("session_id", "session", "visit"),
    "site": ("site", "site_id", "centre", "center", "scanner"),
    "family_id": ("family_id", "family"),
    "age": ("age", "age_at_scan", "age_years"),
    "sex": ("sex", "gender"),
    "diagnosis": ("diagnosis", "dx", "group", "dx_group"),
}
NAMES_NOT_NUMBERS = ("site", "family_id")  # kept as text: a site that is called 3 is no quantity
NO_MEASURES = (  # numbers about a scan, a file or a body, which are no measures of a brain
    "sample_id", "scan", "run", "status", "reason", "quality", "quality_score", "qc", "qc_score", "years", "height", "weight",
    "bmi", "handedness", "education", "iq",
)  # fmt: skip
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
    for word, found in common_words(table.columns, told).items():
        if found != word:
            table[word] = table[found]
            notes.append(f"column {found!r} taken as {word}")
    table, said = in_our_values(table, told)
    return table, notes + said


def common_words(columns, told=()):
    """Return our word -> the column that is taken for it, for words that are not told."""
    by_lower = {str(column).lower(): column for column in reversed(list(columns))}
    found = {
        word: next((by_lower[synonym] for synonym in synonyms if synonym in by_lower), None)
        for word, synonyms in SYNONYMS.items()
        if word not in told
    }
    return {word: column for word, column in found.items() if column is not None}


def in_our_values(table, but=()):
    """Return the table with sexes as M and F, ages as numbers and sites as text, and what was said of it."""
    table, notes = table.copy(), []
    for word, rewrite in (("sex", _sexes), ("age", _ages)):
        if word in table and word not in but:
            table[word], said = rewrite(table[word])
            notes += said
    for word in NAMES_NOT_NUMBERS:
        if word in table:
            table[word] = table[word].map(_name, na_action="ignore")
    return table, notes


def _name(value):
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _sexes(column):
    text = column.map(lambda value: str(value).strip().lower() if pd.notna(value) else None)
    known = text.dropna()
    if known.isin(SEXES).all():
        return text.map(SEXES), []
    odd = sorted(set(known[~known.isin(SEXES)]))
    return column, [f"sex is kept as it stands, since {odd[0]!r} is not one of {', '.join(SEXES)}"]


def _ages(column):
    """Return ages as numbers; BIDS writes 89+ for the oldest, which is taken as 89."""
    text = column.astype(str).str.strip()
    numbers = pd.to_numeric(text.str.removesuffix("+"), errors="coerce").where(column.notna())
    if numbers.isna().all() or pd.api.types.is_bool_dtype(column):
        return column, []
    notes = []
    capped = numbers.notna() & text.str.endswith("+")
    if capped.any():
        notes.append(f"{int(capped.sum())} ages such as {text[capped].iloc[0]!r} taken as the number alone")
    worded = numbers.isna() & column.notna()
    if worded.any():
        odd = sorted(set(text[worded]))
        notes.append(f"{int(worded.sum())} ages that are not numbers taken as missing: {listed(odd)}")
    return numbers, notes
