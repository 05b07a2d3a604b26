"""Events of a recording: from a table beside it, or from a channel that carries triggers."""

import numpy as np

from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats import limits
from neuroloom.formats.tables import read_table
from neuroloom.known import check_known

LABELS = ("trial_type", "value", "label", "description")  # columns that name an event, in order


def read_event_table(path, label=None):
    """Return ``[[onset s, duration s, label], ...]`` from a table such as BIDS's ``*_events.tsv``.

    Parameters
    ----------
    path : str or Path
        .tsv or .csv with the columns onset and, where known, duration (s; n/a is 0).
    label : str or None
        Column that names the events; None is the first of trial_type, value, label, description that holds anything.
        Rows without a label are left out.
    """
    if "\n" not in limits.read_text(path, limits.MAX_TABLE_BYTES, "table of events").strip():
        return []  # names of columns alone: nothing happened
    table = read_table(path, text=LABELS if label is None else (label,))
    if "onset" not in table or table["onset"].dtype.kind not in "if" or table["onset"].isna().any():
        raise FileProblem(path, "it has no column 'onset' with a time (s) in every row.", "Correct it.")
    known = [name for name in LABELS if name in table and table[name].notna().any()]
    if label is None and not known:
        raise FileProblem(
            path, f"none of its columns names the events: it has {listed(table)}.", "Say event_label: COLUMN."
        )
    try:
        check_known("column (event_label)", label or known[0], table.columns)
    except NeuroloomError as error:
        raise FileProblem(path, str(error)) from None
    named = table[table[label or known[0]].notna()]
    durations = named.get("duration", named["onset"] * 0)
    if durations.dtype.kind not in "if":
        raise FileProblem(path, "its column 'duration' holds words.", "Write seconds, or n/a.")
    return in_order(zip(named["onset"], durations.fillna(0), named[label or known[0]], strict=True))


def in_order(events):
    """Return events as plain lists, the earliest first."""
    return sorted([float(onset), float(duration), str(label)] for onset, duration, label in events)


def trigger_events(blocks, rate, mask):
    """Return an event wherever a trigger channel changes to a value other than 0.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (time,)
        The channel, piece by piece in turn.
    rate : float
        Hz.
    mask : int
        Bits that count.
    """
    events, before, start = [], None, 0
    for block in blocks:
        values = np.rint(block).astype(np.int64) & mask
        previous = np.concatenate([[values[0] if before is None else before], values[:-1]])
        onsets = np.flatnonzero((values != previous) & (values != 0))
        events += [((start + int(place)) / rate, 0.0, int(values[place])) for place in onsets]
        before, start = values[-1], start + len(values)
    return in_order(events)
