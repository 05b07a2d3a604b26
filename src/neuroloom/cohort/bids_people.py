"""What the tables of a BIDS folder say of its people: participants.tsv, and sub-*_sessions.tsv of their visits."""

import pandas as pd

from neuroloom.cohort.words import take_common_words
from neuroloom.errors import NeuroloomError, listed
from neuroloom.formats.tables import read_table


def with_people(rows, folder):
    """Return the rows with what is known of each person and visit, and notes.

    What ``sub-*_sessions.tsv`` says of a visit stands before what participants.tsv says of the person; where
    it has a column and leaves a visit's cell empty, the value of that visit is missing.

    Parameters
    ----------
    rows : DataFrame
        Index ``sample_id``; ``participant_id`` and, where there are visits, ``session_id``.
    folder : Path

    Returns
    -------
    table : DataFrame
    notes : list of str
    """
    table, notes = _with_participants(rows, folder)
    if "session_id" not in table:
        return table, notes
    visits, said = _visits(table, folder)
    with_age = set()
    if visits is not None:
        table = _with_visits(table, visits)
        with_age = set(visits.index[visits["age"].notna()].get_level_values(0)) if "age" in visits else set()
    notes += [note for note in said if note not in notes]
    return table, notes + _same_ages(table, with_age)


def _with_participants(rows, folder):
    path = folder / "participants.tsv"
    if not path.is_file():
        return rows, ["there is no participants.tsv: nothing is known of the people but their names"]
    people, notes = take_common_words(read_table(path, text=("participant_id",)))
    people["participant_id"] = _names(people, "participant_id", "sub-", path)
    twice = people["participant_id"][people["participant_id"].duplicated()].unique()
    if len(twice):
        raise NeuroloomError(f"{path}: participants with several rows: {listed(twice)}.")
    absent = sorted(set(people["participant_id"]) - set(rows["participant_id"]))
    unknown = sorted(set(rows["participant_id"]) - set(people["participant_id"]))
    if absent:
        notes.append(f"{len(absent)} participants of participants.tsv have no file and are left out: {listed(absent)}")
    if unknown:
        notes.append(f"{len(unknown)} participants have files but no row in participants.tsv: {listed(unknown)}")
    people = people.drop(columns=[column for column in ("session_id", "sample_id") if column in people])
    table = rows.reset_index().merge(people, on="participant_id", how="left").set_index("sample_id")
    return table, notes


def _names(table, column, prefix, path):
    """Return the names in a column that BIDS asks for, with their prefix."""
    if column not in table:
        raise NeuroloomError(f"{path}: there is no column {column}, which BIDS asks for.")
    nameless = int(table[column].isna().sum())
    if nameless:
        raise NeuroloomError(f"{path}: {nameless} rows have no {column}. Fill them in, or delete the rows.")
    return table[column].astype(str).map(lambda name: name if name.startswith(prefix) else prefix + name)


def _visits(table, folder):
    """Return what the tables of visits say, by participant_id and session_id; None where there are none."""
    frames = []
    for person in table["participant_id"].unique():
        path = folder / person / f"{person}_sessions.tsv"
        if not path.is_file():
            continue
        frame = read_table(path, text=("session_id",))
        frame["session_id"] = _names(frame, "session_id", "ses-", path)
        twice = frame["session_id"][frame["session_id"].duplicated()].unique()
        if len(twice):
            raise NeuroloomError(f"{path}: sessions with several rows: {listed(twice)}.")
        frames.append(frame.assign(participant_id=person))
    if not frames:
        return None, []
    visits, notes = take_common_words(pd.concat(frames), ("participant_id", "session_id"))
    visits = visits.drop(columns="sample_id", errors="ignore")
    return visits.set_index(["participant_id", "session_id"]), notes


def _with_visits(table, visits):
    """Return the table with the values of each visit in place of those of its person."""
    of_row = pd.MultiIndex.from_frame(table[["participant_id", "session_id"]])
    table = table.copy()
    for column in visits:
        kept = visits[column].notna().groupby(level=0).transform("any")  # people whose own table has the column
        told = of_row.isin(visits.index[kept])
        values = visits[column].reindex(of_row).to_numpy(dtype=object)
        before = table[column].astype(object) if column in table else pd.Series(None, table.index, dtype=object)
        table[column] = before.mask(told, pd.Series(values, table.index)).infer_objects()
    return table


def _same_ages(table, with_age):
    """Return a note about people whose one age stands at several visits."""
    if "age" not in table:
        return []
    known = table[table["age"].notna() & ~table["participant_id"].isin(with_age)]
    n_visits = known.groupby("participant_id")["session_id"].nunique()
    several = n_visits[n_visits > 1]
    if several.empty:
        return []
    least, most = int(several.min()), int(several.max())
    count = f"all {most}" if least == most else f"all {least} to {most}"
    return [f"age is of the participant, the same at {count} visits: {listed(several.index)}"]
