"""What is known of a recording's channels: type, unit, place on the head; by the file, by a table, by their names."""

import re
from pathlib import Path

import numpy as np

from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats import limits
from neuroloom.formats.signals_extra import mne
from neuroloom.formats.tables import read_table
from neuroloom.known import check_known

UNITS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "nV": 1e-9}  # in V
MICRO = "\u00b5\u03bc"  # the two signs for it that files have
TYPES = ("eeg", "seeg", "ecog", "dbs", "eog", "ecg", "emg", "stim", "misc")
OF_BRAIN = ("eeg", "seeg", "ecog", "dbs")
BY_NAME = [  # type -> how the names of such channels begin, where a file does not say the type
    ("eog", re.compile(r"[hvlr]?_?eog|[lr]oc\b", re.IGNORECASE)),
    ("ecg", re.compile(r"e[ck]g", re.IGNORECASE)),
    ("emg", re.compile(r"emg", re.IGNORECASE)),
    ("stim", re.compile(r"status\b|stim|sti ?\d|trig", re.IGNORECASE)),
    ("misc", re.compile(r"resp|[sp]a?o2|pulse|pleth|temp|gsr|eda\b|acc|gyr|airflow|(left |right )?aux", re.IGNORECASE)),
]
BY_WORD = {"veog": "eog", "heog": "eog", "trig": "stim", "ref": "misc"}  # others' words for ours
NEW_NAMES = {"standard_1020": "colin27_1020", "standard_1005": "colin27_1005"}  # of montages, from mne 1.13 on
METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3}
FRAMES = {  # coordinate system of BIDS -> (rows) what our x (right), y (front), z (up) are in it
    "captrak": np.eye(3),
    "elektaneuromag": np.eye(3),
    "ctf": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    "eeglab": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
}


def volts(path, unit):
    """Return how many V one of a told unit is."""
    try:
        check_known("unit", unit, UNITS)
    except NeuroloomError as error:
        raise FileProblem(path, str(error)) from None
    return UNITS[unit]


def plain_unit(text):
    """Return the word for a unit as a file writes it (``µV`` is ``uV``)."""
    return re.sub(f"[{MICRO}]", "u", str(text or "").strip())


def type_by_name(name):
    """Return the type that a channel's name tells; EEG where it tells none."""
    return next((kind for kind, pattern in BY_NAME if pattern.match(name.strip())), "eeg")


def known_type(word):
    """Return our word for a type that a table or a stream tells; what we have no word for is misc."""
    word = BY_WORD.get(word.lower(), word.lower())
    return word if word in TYPES else "misc"


def plain_name(name):
    """Return a channel's name as names are compared: small letters, without the dots that PhysioNet adds."""
    return name.strip().rstrip(".").lower()


def chosen_channels(path, names, types, wanted):
    """Return the numbers of the channels to keep.

    Parameters
    ----------
    names, types : list of str
    wanted : sequence of str, str or None
        Names or types; ``all`` is all but those that hold triggers; None is those of the brain (EEG, else intracranial).
    """
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if wanted is None:
        brain = next((kind for kind in OF_BRAIN if kind in types), None)
        if brain is None:
            raise FileProblem(
                path,
                f"it has no EEG: its {len(names)} channels are of type {listed(sorted(set(types)))}.",
                f"Name those that are meant: channels: [{listed(names, 3)}].",
            )
        return [number for number, kind in enumerate(types) if kind == brain]
    if not isinstance(wanted, list | tuple) or not wanted:
        raise FileProblem(path, f"channels is {wanted!r}, expected names or types.", "Correct it: channels: [C3, C4].")
    if list(wanted) == ["all"]:
        return [number for number, kind in enumerate(types) if kind != "stim"]
    return list(dict.fromkeys(number for one in wanted for number in _fitting(path, names, types, str(one))))


def _fitting(path, names, types, one):
    if one in names:
        return [names.index(one)]
    fitting = [number for number, name in enumerate(names) if plain_name(name) == plain_name(one)]
    fitting = fitting or [number for number, kind in enumerate(types) if kind == one.lower()]
    if fitting:
        return fitting
    try:
        check_known("channel, or type of channels", one, [*names, *dict.fromkeys(types), "all"])
    except NeuroloomError as error:
        raise FileProblem(path, str(error)) from None
    raise FileProblem(path, f"it has no channel {one!r}.", "Correct channels.")


# ---- tables beside a recording -----------------------------------------------------------------------------


def read_channel_table(path):
    """Return what a BIDS table of channels says: name -> type, and the names of the bad ones.

    EDF's ``EEG Fp1`` is the channel Fp1, as its reader calls it.
    """
    table = read_table(path, text=("name", "type", "status"))
    if "name" not in table:
        raise FileProblem(
            path, "it has no column 'name'.", "A table of channels has name, type, and status where known."
        )
    names, types = [str(name).removeprefix("EEG ") for name in table["name"]], {}
    for name, kind in zip(names, table.get("type", [None] * len(table)), strict=True):
        if isinstance(kind, str):
            types[name] = known_type(kind)
    status = table.get("status")
    marked = [] if status is None else status.astype(str).str.lower() == "bad"
    bad = [name for name, is_bad in zip(names, marked, strict=False) if is_bad]
    return types, bad


def read_electrodes(path):
    """Return name -> [x, y, z] in m in the head's frame (x right, y front, z up), as a BIDS table of electrodes says.

    The coordinate system is told by the ``*_coordsystem.json`` beside it; nothing is returned where it is none of the
    head's own (an MRI's, or unknown).
    """
    path = Path(path)
    beside = path.with_name(path.name.replace("_electrodes.tsv", "_coordsystem.json"))
    says = limits.read_json(beside) if beside.is_file() else {}
    frame = FRAMES.get(str(says.get("EEGCoordinateSystem", "")).lower())
    scale = METRES.get(says.get("EEGCoordinateUnits"))
    if frame is None or scale is None:
        return {}
    table = read_table(path, text=("name",))
    if not {"name", "x", "y", "z"} <= set(table):
        raise FileProblem(path, "it has not the columns name, x, y, z.", "Write them as BIDS asks.")
    places = table[["x", "y", "z"]].apply(lambda column: column.astype(np.float64)).to_numpy() * scale @ frame.T
    known = np.isfinite(places).all(axis=1)
    return {
        str(name): place.tolist()
        for name, place, is_known in zip(table["name"], places, known, strict=True)
        if is_known
    }


# ---- standard montages -------------------------------------------------------------------------------------


def standard_positions(path, names, montage):
    """Return a place in the head's frame for each name, None where the montage has none.

    Parameters
    ----------
    names : list of str
    montage : str
        One of mne's standard montages, such as ``standard_1020``.
    """
    library = mne()
    known = library.channels.get_builtin_montages()
    found = next((name for name in (montage, NEW_NAMES.get(montage)) if name in known), None)
    if found is None:
        known = [*known, *(old for old, new in NEW_NAMES.items() if new in known)]
        raise FileProblem(path, f"there is no montage {montage!r}.", f"Known: {listed(known, 40)}.")
    places = library.channels.make_standard_montage(found)
    theirs = {plain_name(name): name for name in places.ch_names}
    found = {name: theirs[plain_name(name)] for name in names if plain_name(name) in theirs}
    if not found:
        raise FileProblem(
            path,
            f"none of its channels is in the montage {montage}: it has {listed(names, 6)}; there, {listed(places.ch_names, 6)}.",
            "Name another montage, or leave it out.",
        )
    info = library.create_info(sorted(set(found.values())), 1.0, "eeg")
    info.set_montage(places)  # moves them into the head's frame, by the montage's own nasion and ears
    head = {channel["ch_name"]: channel["loc"][:3].tolist() for channel in info["chs"]}
    return [head[found[name]] if name in found else None for name in names]
