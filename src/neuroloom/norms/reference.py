"""Who the reference is: a table with one row a person, checked before anything is fitted on it."""

import fnmatch
import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neuroloom.cohort.check_same_rows import same_rows
from neuroloom.cohort.words import NAMES_NOT_NUMBERS, NO_MEASURES, SEXES, common_words, in_our_values
from neuroloom.errors import NeuroloomError, listed
from neuroloom.known import check_known

FEWEST = 50  # people of a sex: below, fewer than three are expected under the 5 % line
OLDEST = 120  # years
MOST_ALIKE = 0.1  # share of people with one and the same value, above which a measure has no smooth centiles
IN_WORDS = {"F": "women", "M": "men"}
UNUSABLE = ("poor", "failed")  # status of a scan, as volumes.tsv has it


@dataclass(frozen=True)
class Reference:
    """People with an age, a sex and measures.

    Parameters
    ----------
    people : ndarray of str, shape (n,)
    age : ndarray of shape (n,)
        Years.
    sex : ndarray of str, shape (n,)
        F or M.
    values : DataFrame
        A column a measure; NaN where a person was not measured.
    notes : tuple of str
        What was taken for what, and what was left out; they name nobody.
    left_out : tuple of str
        People whose scans are poor or failed, with the word.
    """

    people: np.ndarray
    age: np.ndarray
    sex: np.ndarray
    values: pd.DataFrame
    notes: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def told(self):
        """Return the notes, and the names of who was left out: for the terminal, never for a file."""
        return [*self.notes, *([f"left out: {listed(self.left_out, 40)}"] if self.left_out else [])]

    def fingerprint(self):
        """Return a text that changes with any value; the people's names and the order of rows are not in it."""
        columns = [self.age, self.sex == "M", *(self.values[name] for name in sorted(self.values))]
        rows = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])
        rows = rows[np.lexsort(rows.T)] + 0.0  # -0 is 0
        return hashlib.blake2b(rows.astype("<f8").tobytes(), digest_size=16).hexdigest()


def read_reference(table, measures=None, *, age=None, sex=None, person=None):
    """Return the `Reference` in a table, or an error that names who and what is wrong with it.

    Parameters
    ----------
    table : DataFrame
        A row a person.
    measures : sequence of str or None
        Columns, or patterns such as ``*_thickness``; None takes every column of numbers that has no other meaning. What
        has no smooth centiles is refused where its column is named, and else passed over with a note.
    age, sex, person : str or None
        Columns: years, words for the sex and names, as `columns_of_people` takes them.
    """
    person, age, sex = columns_of_people(table, person, age, sex)
    table, left_out = _usable(table, person)
    rest, notes = ages_and_sexes(table, age, sex)
    if not pd.api.types.is_numeric_dtype(rest["age"]):
        raise NeuroloomError(f"column {age!r} holds no ages in years: {listed(rest['age'].dropna().unique(), 3)}.")
    _refuse_words(rest, sex)
    people = _one_row_a_person(table[person])
    names, passed_over = _measures(table, measures, {person, age, sex})
    values = pd.DataFrame({name: _numbers(name, table[name], people) for name in names})
    _refuse_missing(rest, people, age, sex)
    values, without = _with_centiles(values, named=measures or ())
    notes += [*([_counted(left_out)] if left_out else []), *passed_over, *without]
    notes += [note for name in values if (note := _missing(name, values[name]))]
    reference = Reference(
        people, rest["age"].to_numpy(float), rest["sex"].to_numpy(str), values, tuple(notes), left_out
    )
    _refuse_ages(reference)
    _refuse_same(reference)
    for name in values:
        _refuse_measure(reference, name)
    return reference


def columns_of_people(table, person=None, age=None, sex=None):
    """Return the columns that name the people, their age and their sex; None takes one by its usual words."""
    usual, found = common_words(table.columns), []
    for word, told in (("participant_id", person), ("age", age), ("sex", sex)):
        if told is not None:
            check_known("column", told, table.columns)
        elif word not in usual:
            option = "person" if word == "participant_id" else word
            raise NeuroloomError(
                f"no column is called {word} or one of its usual words. Name it with --{option} (in Python {option}=). "
                f"Columns: {listed(table.columns)}."
            )
        found.append(told or usual[word])
    return found


def ages_and_sexes(table, age, sex):
    """Return a table of ``age`` in years and ``sex`` as F and M where its words are known, and what was said of them."""
    rest, notes = in_our_values(pd.DataFrame({"age": table[age], "sex": table[sex]}))
    return rest, [note for note in notes if "kept as it stands" not in note]


def unusable(table):
    """Return of each row the word of a scan that is poor or failed, which column ``status`` of volumes.tsv has; else ""."""
    column = next((name for name in table if str(name).lower() == "status"), None)
    if column is None:
        return pd.Series("", index=table.index)
    words = table[column].astype(str).str.strip().str.lower()
    return words.where(words.isin(UNUSABLE), "")


def named(people, words):
    """Return who has a word, each with it: ``sub-01 (poor)``."""
    has = words != ""
    return tuple(people[has].astype(str) + " (" + words[has] + ")")


def _usable(table, person):
    """Return the table without the rows of scans that are poor or failed, and whose they are."""
    words = unusable(table)
    out = words != ""
    if out.any() and out.all():
        raise NeuroloomError(f"column 'status': every row is {listed(sorted(set(words)))}, so nobody is left.")
    return table[~out].reset_index(drop=True), named(table[person], words)


def _counted(left_out):
    return f"{len(left_out)} rows are left out, since their status is {' or '.join(UNUSABLE)}"


def _refuse_words(rest, sex):
    odd = sorted({str(word) for word in rest["sex"].dropna() if word not in SEXES.values()})
    if odd:
        raise NeuroloomError(
            f"column {sex!r} holds {listed(odd)}: no words for a sex. Known: {', '.join(SEXES)}, large or small. For "
            f"codes write a cohort.yaml beside the table with 'sex: {{from: {sex}, values: {{1: M, 2: F}}}}' under "
            "columns, and name its folder instead of the table."
        )


def _one_row_a_person(column):
    nameless = np.flatnonzero(column.isna())
    if len(nameless):
        raise NeuroloomError(f"column {column.name!r}: rows {listed(nameless + 1)} name nobody. Fill or delete them.")
    people = column.astype(str)
    twice = people[people.duplicated()].unique()
    if len(twice):
        raise NeuroloomError(
            f"{len(twice)} people have several rows: {listed(twice)}. A reference has one row a person: keep one visit "
            "of each, since people seen often would count often."
        )
    return people.to_numpy(str)


def _measures(table, measures, taken):
    """Return the names of the measures' columns, and a note on columns of numbers that are no measures of a brain."""
    if measures is not None:
        return list(dict.fromkeys(name for one in measures for name in _fitting(table, one, taken))), []
    meant = taken | set(common_words(table.columns).values()) | set(NAMES_NOT_NUMBERS)
    numbers = [name for name in table if name not in meant and table[name].dtype.kind in "if"]
    numbers = [name for name in numbers if table[name].notna().any()]
    names = [name for name in numbers if not _is_no_measure(name)]
    if not names:
        raise NeuroloomError("the table has no column of numbers beside age. Name the columns with --measures.")
    other = [name for name in numbers if name not in names]
    note = f"passed over, as no measures of a brain: {listed(other)}; if they are meant, name them with --measures"
    return names, [note] if other else []


def _is_no_measure(name):
    return str(name).lower() in NO_MEASURES


def _fitting(table, one, taken):
    """Return the columns that a name or a pattern means; a pattern does not mean what is no measure of a brain."""
    if one in taken:
        raise NeuroloomError(f"{one!r} cannot be a measure: the curves go over age and sex.")
    free = [name for name in table if name not in taken and not _is_no_measure(name)]
    found = [one] if one in table else [name for name in free if fnmatch.fnmatchcase(name, one)]
    if not found:
        check_known("measure", one, [name for name in table if name not in taken])
    return found


def _numbers(name, column, people):
    """Return a measure as float64; words and infinite values are errors."""
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    worded = (numbers.isna() & column.notna()).to_numpy()
    if worded.any() or column.dtype == bool:
        told = f"{column[worded].iloc[0]!r} of {people[worded][0]}" if worded.any() else "True and False"
        raise NeuroloomError(f"measure {name!r} is not a column of numbers: {told}. Leave it out with --measures.")
    infinite = np.isinf(numbers.to_numpy())
    if infinite.any():
        raise NeuroloomError(f"measure {name!r} is infinite in {listed(people[infinite])}. Mend or delete these cells.")
    return numbers.to_numpy()


def _with_centiles(values, named):
    """Return the measures that have smooth centiles, and a note on each that has none; one that was named is an error."""
    told = {name: why for name in values if (why := _no_centiles(values[name].dropna().to_numpy()))}
    wanted = next((name for name in told if name in named), None)
    if wanted is not None:
        raise NeuroloomError(f"measure {wanted!r}: {told[wanted]} Leave it out with --measures.")
    if len(told) == values.shape[1]:
        raise NeuroloomError(
            "no measure has smooth centiles: " + " ".join(f"{name}: {why}" for name, why in told.items())
        )
    return values.drop(columns=list(told)), [f"{name} is passed over: {why}" for name, why in told.items()]


def _no_centiles(known):
    """Return why values (n,) have no smooth centiles; empty where they have."""
    found, counts = np.unique(known, return_counts=True)
    if len(found) < 2:
        return "it is constant in everyone."
    if counts.max() <= max(MOST_ALIKE * len(known), 2):
        return ""
    return (
        f"{counts.max()} of {len(known)} people have the value {found[counts.argmax()]:g}. Centile curves are for measures "
        "that vary smoothly, not for counts or scores with a ceiling."
    )


def _refuse_missing(rest, people, age, sex):
    for word, column in (("age", age), ("sex", sex)):
        absent = rest[word].isna().to_numpy()
        if absent.any():
            raise NeuroloomError(
                f"{int(absent.sum())} people have no {word} in column {column!r}: {listed(people[absent])}. Fill it in, "
                "or delete their rows."
            )


def _missing(name, values):
    absent = int(values.isna().sum())
    return f"{name}: {absent} of {len(values)} people were not measured and are left out" if absent else ""


def _refuse_ages(reference):
    odd = ~((reference.age >= 0) & (reference.age <= OLDEST))
    if odd.any():
        told = (f"{who} {age:g}" for who, age in zip(reference.people[odd], reference.age[odd], strict=True))
        raise NeuroloomError(f"ages that nobody has, in years: {listed(told)}. Mend them, or delete these rows.")
    _refuse_one_age(reference.age, "people")


def _refuse_one_age(ages, whose):
    if len(np.unique(ages)) < 2:
        raise NeuroloomError(
            f"all {len(ages)} {whose} are {ages[0]:g} years old, and curves go over age: people of several ages are needed. "
            "Add some, or leave these out."
        )


def _refuse_same(reference):
    if reference.values.shape[1] < 2:  # one rounded number may well be shared
        return
    pairs = same_rows(np.column_stack([reference.age, reference.values.to_numpy()]))
    if pairs:
        told = (f"{reference.people[i]} = {reference.people[j]} ({match.how})" for i, j, match in pairs)
        raise NeuroloomError(
            f"{len(pairs)} pairs of people have the same age and measures: {listed(told)}. If they are one person, "
            "delete one of the rows."
        )


def _refuse_measure(reference, name):
    """Raise where too few people of a sex have a measure, or all of them are of one age."""
    known = np.isfinite(reference.values[name].to_numpy())
    for code in sorted(set(reference.sex)):
        measured = known & (reference.sex == code)
        n = int(measured.sum())
        if n < FEWEST:
            raise NeuroloomError(
                f"measure {name!r}: {n} {IN_WORDS[code]}, and {FEWEST} are needed for centiles from 5 to 95 % (some "
                "hundreds for lines that are worth reading). Add people, or delete the rows of this sex."
            )
        _refuse_one_age(reference.age[measured], f"{IN_WORDS[code]} with {name}")
