"""Windows of whole recordings as samples: one every few seconds, each of the class whose events fill it."""

from dataclasses import replace

import numpy as np
import pandas as pd

from neuroloom.cohort.before_events import PARTLY
from neuroloom.cohort.spans import covered, joined
from neuroloom.cohort.trials import Trials, check_columns, class_of
from neuroloom.errors import NeuroloomError, listed

ROUNDING = 1e-6  # s


def find_windows(
    table,
    recorded,
    *,
    every,
    length,
    classes,
    otherwise,
    overlap=0.5,
    before=None,
    column="event",
    name="cohort",
    new=False,
):
    """Return the windows of recordings as `Trials`.

    A window is of the class whose events cover the largest part of it, if that is at least ``overlap`` of it; else of the
    class ``otherwise``, and marked in the column ``partly`` where events cover some of it all the same.

    Where ``before`` says what the time before events is, windows in it are a class too; those in the horizon, the event
    itself and the time after it are left out; and each is of the ``block`` of its event, numbered over a person's recordings.

    Parameters
    ----------
    table : DataFrame
        A row a recording, index sample_id, with participant_id.
    recorded : dict of Recorded
        By sample_id, of the recordings that have the input.
    every : float
        From the start of a window to that of the next, s.
    length : float
        Of a window, s. What is left at the end of a recording is in no window.
    classes : dict
        Class -> label of its events, or a list of them; ``*`` and ``?`` stand for any text.
    otherwise : str
        Class of all other windows.
    overlap : float
        Share of a window, above 0 and up to 1.
    before : Before or None
    column : str
        Where the class is written.
    name : str
        Of the cohort, for errors.
    new : bool
        Whether these are new recordings, to be answered for: their events are not looked at.

    Returns
    -------
    Trials
        Its table has the columns ``recording_id``, ``run_id``, ``onset`` (s), the class, and ``partly``.
    """
    _check_names(classes, otherwise, before)
    check_columns(table, (column, "onset", "recording_id", PARTLY, *(["block"] if before else [])), name)
    parts, notes = [], []
    for number, sample in enumerate(table.index):
        if sample in recorded:
            one = recorded[sample]
            events, outside = events_of(sample, replace(one, events=[]) if new else one, classes)
            starts = _starts(sample, one, every, length)
            found = pd.DataFrame({"row": number, "first": starts, "onset": starts / one.sampling_rate})
            found["n_times"] = round(length * one.sampling_rate)
            found["class"], found[PARTLY] = _classes(found["onset"].to_numpy(), length, events, otherwise, overlap)
            if before is not None:
                foretold = before.foretold(events[before.of], one.n_times / one.sampling_rate)
                found = before.named(found, length, overlap, foretold, otherwise)
                notes += before.notes(sample, foretold)
            parts.append(found)
            if outside:
                notes.append(f"{sample}: {outside} events go on after the end of the recording; they end with it")
    windows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if windows.empty:
        raise NeuroloomError(f"{name}: none of the {len(recorded)} recordings holds a window of {length:g} s.")
    if not new:
        _check_found(windows, recorded, _expected(classes, before), name, before)
    places = [windows[one].to_numpy(dtype=np.int64) for one in ("row", "first", "n_times")]
    return Trials(_table(table, windows, column, before is not None and not new), *places, tuple(notes))


def _check_names(classes, otherwise, before):
    twice = [one for one in (otherwise, *([before.name] if before else [])) if one in classes]
    if twice or (before and before.name == otherwise):
        raise NeuroloomError(
            f"trials: the class {(*twice, otherwise)[0]!r} is named twice, in classes, otherwise or before. Name one of them anew."
        )


def _expected(classes, before):
    """Return the classes that must have windows."""
    if before is None:
        return tuple(classes)
    return (before.name, *(one for one in classes if one != before.of or before.during))


def events_of(sample, recorded, classes):
    """Return class -> (onset, stop) of its events in a recording, shape (event, 2), rising and disjoint, and a count.

    Events that overlap are one. The count is of those that go on after the recording's end, and are ended by it.
    """
    end = recorded.n_times / recorded.sampling_rate
    found, outside = {name: [] for name in classes}, 0
    for onset, duration, label in recorded.events:
        named = class_of(label, classes)
        if named is None:
            continue
        if not duration > 0 or not 0 <= onset < end:
            raise NeuroloomError(
                f"{sample}: the event {label!r} at {onset:g} s lasts {duration:g} s, in a recording of {end:g} s. Windows are "
                "told apart by how much of them an event covers: events need a duration, and to begin in the recording."
            )
        outside += onset + duration > end + ROUNDING
        found[named].append((float(onset), min(float(onset + duration), end)))
    return {name: joined(sorted(pairs)) for name, pairs in found.items()}, int(outside)


def _starts(sample, recorded, every, length):
    """Return the first time point of each window that lies wholly in a recording."""
    rate = recorded.sampling_rate
    last = recorded.n_times - round(length * rate)
    if last < 0:
        raise NeuroloomError(
            f"{sample} lasts {recorded.n_times / rate:g} s, less than a window of {length:g} s. Use shorter windows "
            "(trials.length), or leave the recording out with cohort.where."
        )
    starts = np.round(np.arange(0, last / rate + every, every) * rate).astype(np.int64)
    return starts[starts <= last]


def _classes(onsets, length, events, otherwise, overlap):
    """Return the class of each window, and whether it is covered in part."""
    names = [*events]
    share = np.stack([covered(onsets, length, events[name]) for name in names])  # (class, window)
    most = share.argmax(axis=0)
    enough = share.max(axis=0) >= overlap - ROUNDING
    named = np.where(enough, np.array(names, dtype=object)[most], otherwise)
    return named, (share.max(axis=0) > ROUNDING) & ~enough


def _check_found(windows, recorded, expected, name, before):
    there = sorted({str(label) for one in recorded.values() for *_, label in one.events})
    absent = sorted(set(expected) - set(windows.get("class", ())))
    if not absent:
        return
    start = f"{name}: no window of {listed(absent)} in {len(recorded)} recordings"
    if before is not None and absent == [before.name]:
        longest = max(one.n_times / one.sampling_rate for one in recorded.values())
        raise NeuroloomError(
            f"{start}, the longest of {longest:g} s. It is asked of events ({before.of}) before which {before.least:.0%} of "
            f"{before.occurrence:g} s are recorded, {before.horizon:g} s ahead. If there are such events, give shorter times "
            "(trials.before.horizon, trials.before.occurrence), set trials.before.least lower, or join recordings that follow "
            f"on each other. Labels of events that are there: {listed(there) or 'none'}."
        )
    raise NeuroloomError(
        f"{start}; labels of events that are there: {listed(there) or 'none'}. Name yours with --set "
        "'trials.classes={CLASS: LABEL, ...}', or use shorter windows."
    )


def _table(table, windows, column, blocks):
    """Return the table with a row a window; asked for, with the number of each one's block among those of its person."""
    made = table.iloc[windows["row"]].copy()
    recording = made.index.astype(str)
    made["recording_id"] = recording
    if "run_id" not in made:
        made["run_id"] = recording
    made["onset"] = windows["onset"].to_numpy()
    made[column] = windows["class"].to_numpy()
    made[PARTLY] = windows[PARTLY].to_numpy()
    if blocks:
        of_block = (
            windows["row"].astype(str) + "|" + windows["block"].astype(str)
        )  # in the order of the table and of time
        made["block"] = (
            of_block.groupby(made["participant_id"].to_numpy())
            .transform(lambda one: pd.factorize(one)[0] + 1)
            .to_numpy()
        )
    number = windows.groupby("row").cumcount() + 1
    made.index = pd.Index([f"{one}_w{n:05d}" for one, n in zip(recording, number, strict=True)], name="sample_id")
    return made
