"""Windows of whole recordings as samples: one every few seconds, each of the class whose events fill it."""

from dataclasses import replace

import numpy as np
import pandas as pd

from neuroloom.cohort.trials import Trials, check_columns, class_of
from neuroloom.errors import NeuroloomError, listed

PARTLY = "partly"  # column: whether events cover some of a window, but not enough to give it their class
ROUNDING = 1e-6  # s


def find_windows(
    table, recorded, *, every, length, classes, otherwise, overlap=0.5, column="event", name="cohort", new=False
):
    """Return the windows of recordings as `Trials`.

    A window is of the class whose events cover the largest part of it, if that is at least ``overlap`` of it; else of the
    class ``otherwise``, and marked in the column ``partly`` where events cover some of it all the same.

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
    if otherwise in classes:
        raise NeuroloomError(
            f"trials: the class {otherwise!r} stands in classes and in otherwise. Name one of them anew."
        )
    check_columns(table, (column, "onset", "recording_id", PARTLY), name)
    parts, notes = [], []
    for number, sample in enumerate(table.index):
        if sample in recorded:
            one = recorded[sample]
            events, outside = events_of(sample, replace(one, events=[]) if new else one, classes)
            starts = _starts(sample, one, every, length)
            named, partly = _classes(starts / one.sampling_rate, length, events, otherwise, overlap)
            parts.append(
                pd.DataFrame({"row": number, "first": starts, "class": named, PARTLY: partly})
                .assign(onset=starts / one.sampling_rate, n_times=round(length * one.sampling_rate))
            )  # fmt: skip
            if outside:
                notes.append(f"{sample}: {outside} events go on after the end of the recording; they end with it")
    windows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if windows.empty:
        raise NeuroloomError(f"{name}: none of the {len(recorded)} recordings holds a window of {length:g} s.")
    if not new:
        _check_found(windows, recorded, classes, name)
    places = [windows[one].to_numpy(dtype=np.int64) for one in ("row", "first", "n_times")]
    return Trials(_table(table, windows, column), *places, tuple(notes))


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
    return {name: _joined(sorted(pairs)) for name, pairs in found.items()}, int(outside)


def _joined(pairs):
    """Return rising (onset, stop) with those that overlap or touch made one, shape (event, 2)."""
    joined = []
    for onset, stop in pairs:
        if joined and onset <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], stop)
        else:
            joined.append([onset, stop])
    return np.array(joined).reshape(-1, 2)


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
    covered = np.stack([_covered(onsets, length, events[name]) for name in names])  # (class, window), share
    most = covered.argmax(axis=0)
    enough = covered.max(axis=0) >= overlap - ROUNDING
    named = np.where(enough, np.array(names, dtype=object)[most], otherwise)
    return named, (covered.max(axis=0) > ROUNDING) & ~enough


def _covered(onsets, length, events):
    """Return the share of each window that disjoint events (event, 2) cover."""
    if not len(events):
        return np.zeros(len(onsets))
    edges = events.ravel()
    until = np.concatenate([[0.0], np.cumsum(np.diff(edges) * (np.arange(len(edges) - 1) % 2 == 0))])  # s, at each edge
    return (np.interp(onsets + length, edges, until) - np.interp(onsets, edges, until)) / length


def _check_found(windows, recorded, classes, name):
    there = sorted({str(label) for one in recorded.values() for *_, label in one.events})
    absent = sorted(set(classes) - set(windows.get("class", ())))
    if absent:
        raise NeuroloomError(
            f"{name}: no window of {listed(absent)} in {len(recorded)} recordings; labels of events that are there: "
            f"{listed(there) or 'none'}. Name yours with --set 'trials.classes={{CLASS: LABEL, ...}}', or use shorter windows."
        )


def _table(table, windows, column):
    """Return the table with a row a window."""
    made = table.iloc[windows["row"]].copy()
    recording = made.index.astype(str)
    made["recording_id"] = recording
    if "run_id" not in made:
        made["run_id"] = recording
    made["onset"] = windows["onset"].to_numpy()
    made[column] = windows["class"].to_numpy()
    made[PARTLY] = windows[PARTLY].to_numpy()
    number = windows.groupby("row").cumcount() + 1
    made.index = pd.Index([f"{one}_w{n:05d}" for one, n in zip(recording, number, strict=True)], name="sample_id")
    return made
