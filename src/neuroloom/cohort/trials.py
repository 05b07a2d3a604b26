"""Trials: the events of recordings as samples, each a stretch of time of its recording."""

import fnmatch
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neuroloom.errors import NeuroloomError, listed

FIELD_MARK = "|"  # between the fields of an event's label


@dataclass(frozen=True)
class Recorded:
    """What trials are made from, of one recording.

    Parameters
    ----------
    events : list of (onset, duration, label)
        In seconds from the first time point.
    sampling_rate : float
        Hz.
    n_times : int
    """

    events: list
    sampling_rate: float
    n_times: int


@dataclass(frozen=True)
class Trials:
    """Trials of a cohort of recordings.

    Parameters
    ----------
    table : DataFrame
        A row a trial: the columns of its recording, and ``recording_id``, ``run_id``, ``onset`` (s), the class in
        ``event`` (or another name), ``block`` where blocks are made, and the fields of its label.
    recording : ndarray of int
        Row of each trial's recording.
    first : ndarray of int
        First time point of each trial.
    n_times : ndarray of int
        Time points of each trial.
    notes : tuple of str
        What was left out, and why.
    """

    table: pd.DataFrame
    recording: np.ndarray
    first: np.ndarray
    n_times: np.ndarray
    notes: tuple[str, ...] = ()


def find_trials(
    table, recorded, *, start, stop, classes=None, column="event", fields=(), blocks=None, name="cohort", new=False
):
    """Return the `Trials` of recordings.

    Parameters
    ----------
    table : DataFrame
        A row a recording, index sample_id, with participant_id.
    recorded : dict of Recorded
        By sample_id, of the recordings that have the input.
    start, stop : float
        From when to when after the onset of its event a trial lasts, s; ``start`` may be negative.
    classes : dict or None
        Class -> label of its events, or a list of them; ``*`` and ``?`` stand for any text. Other events make no
        trials. None makes each label a class.
    column : str
        Where the class is written.
    fields : sequence of str
        Names of the parts of a label of several, such as ``target|row 3|K``; each is a column.
    blocks : int or None
        Contiguous blocks of nearly equal numbers of trials that each person's trials are numbered by, in the order of
        the table and of time.
    name : str
        Of the cohort, for errors.
    new : bool
        Whether these are new recordings, to be answered for: they need not hold every class, and have no blocks.

    Returns
    -------
    Trials
    """
    if not stop > start:
        raise NeuroloomError(f"trials: stop ({stop:g} s) must come after start ({start:g} s).")
    check_columns(table, (column, "onset", "recording_id", *fields, *(["block"] if blocks else [])), name)
    rows, notes = [], []
    for number, sample in enumerate(table.index):
        if sample in recorded:
            found, cut = _of_recording(sample, recorded[sample], start, stop, classes, fields)
            rows += [(number, *one) for one in found]
            notes += cut
    _check_found(rows, recorded, classes, name, new)
    places = [np.array([row[n] for row in rows], dtype=np.int64) for n in (0, 1, 2)]
    return Trials(_table(table, rows, column, fields, None if new else blocks), *places, tuple(notes))


def check_columns(table, made, name):
    """Raise an error where the cohort's table has a column already that trials make."""
    taken = [one for one in made if one in table]
    if taken:
        raise NeuroloomError(
            f"{name}: trials make the column {taken[0]!r}, which the cohort's table has already. Rename it."
        )


def _of_recording(sample, recorded, start, stop, classes, fields):
    """Return (first, n_times, onset, class, fields) of each trial of a recording in time, and notes."""
    rate = recorded.sampling_rate
    n_times = round((stop - start) * rate)
    found, cut = [], 0
    for onset, _, label in sorted(recorded.events, key=lambda event: event[0]):
        named = class_of(label, classes)
        if named is None:
            continue
        first = round((onset + start) * rate)
        if first < 0 or first + n_times > recorded.n_times:
            cut += 1
            continue
        found.append((first, n_times, float(onset), named, _fields_of(sample, label, fields)))
    said = [f"{sample}: {cut} trials that begin before the recording or end after it are left out"] if cut else []
    if not found and not cut:
        there = sorted({label for _, _, label in recorded.events})
        said = [f"{sample}: no event of the classes {listed(classes or ())}; its labels are: {listed(there) or 'none'}"]
    return found, said


def class_of(label, classes):
    """Return the class of an event's label, None where it is of no class; of several that fit, an error."""
    if classes is None:
        return label
    patterns = {name: [one] if isinstance(one, str) else list(one) for name, one in classes.items()}
    fitting = [name for name, wanted in patterns.items() if any(fnmatch.fnmatchcase(label, one) for one in wanted)]
    if len(fitting) > 1:
        raise NeuroloomError(f"trials: the label {label!r} fits the classes {listed(fitting)}. Name it in one of them.")
    return fitting[0] if fitting else None


def _fields_of(sample, label, fields):
    parts = label.split(FIELD_MARK) if fields else []
    if len(parts) != len(fields):
        raise NeuroloomError(
            f"{sample}: the label {label!r} has {len(parts)} parts between {FIELD_MARK!r}, but trials.fields names "
            f"{len(fields)}: {', '.join(fields)}."
        )
    return parts


def _check_found(rows, recorded, classes, name, new):
    there = sorted({label for one in recorded.values() for _, _, label in one.events})
    if not rows:
        wanted = "any event" if classes is None else f"events of {listed(classes)}"
        raise NeuroloomError(
            f"{name}: none of the {len(recorded)} recordings has {wanted} with a whole trial in it; labels that are there: "
            f"{listed(there) or 'none'}. Name yours with --set 'trials.classes={{CLASS: LABEL, ...}}', or check the events."
        )
    absent = sorted(set(classes or ()) - {row[4] for row in rows})
    if absent and not new:
        raise NeuroloomError(
            f"{name}: no trials of {listed(absent)} in {len(recorded)} recordings; labels that are there: {listed(there)}. "
            "Correct trials.classes."
        )


def _table(table, rows, column, fields, blocks):
    """Return the table with a row a trial."""
    number = pd.Series([row[0] for row in rows])
    trial = number.groupby(number).cumcount() + 1
    made = table.iloc[number].copy()
    recording = made.index.astype(str)
    made["recording_id"] = recording
    if "run_id" not in made:
        made["run_id"] = recording
    made["onset"] = [row[3] for row in rows]
    made[column] = [row[4] for row in rows]
    for place, field in enumerate(fields):
        made[field] = [row[5][place] for row in rows]
    if blocks:
        made["block"] = blocks_in_order(made["participant_id"], blocks, "trials.blocks")
    made.index = pd.Index([f"{one}_t{n:04d}" for one, n in zip(recording, trial, strict=True)], name="sample_id")
    return made


def blocks_in_order(people, n_blocks, asked):
    """Return the block of each trial, 1 to ``n_blocks``: those of a person cut in order into nearly equal parts.

    Parameters
    ----------
    people : Series
        Whose each trial is, in the order of time.
    n_blocks : int
    asked : str
        What asks for them, for the error.
    """
    people = people.reset_index(drop=True)
    size = people.groupby(people).transform("size")
    few = size[size < n_blocks]
    if len(few):
        who = people[few.index[0]]
        raise NeuroloomError(
            f"{who} has {few.iloc[0]} trials, too few for {n_blocks} blocks. Ask for fewer with {asked}."
        )
    return (people.groupby(people).cumcount() * n_blocks // size + 1).to_numpy()
