"""FIF: what MNE-Python and Neuromag write. The places of its tags are held against the file's bytes, then mne reads."""

import struct
from pathlib import Path

from neuroloom.errors import FileProblem
from neuroloom.formats import limits
from neuroloom.formats.recordings import RecordingMeaning, annotations_in, of_mne
from neuroloom.formats.signals_extra import mne

TAG = struct.Struct(">iIii")  # kind, type, bytes, place of the next (0: it follows; -1: there is none)
FILE_ID, MAX_TAGS, MAX_SMALL = 100, 5_000_000, 64 * 1024**2
DATA_BUFFER = 300


def read_fif(path, kind=None, *, meaning=RecordingMeaning()):
    """Read a continuous recording from .fif.

    Parameters
    ----------
    path : str or Path
    kind : {"series"}
    meaning : RecordingMeaning

    Returns
    -------
    Scan
        series (channel, time) float32 in V.
    """
    meaning.check_kind(path, kind)
    _check_tags(path)
    library = mne()
    with limits.parsing(path, "continuous FIF recording"):
        raw = library.io.read_raw_fif(path, preload=False, on_split_missing="raise", verbose="error")
        for part in raw.filenames[1:]:  # a file of more than 2 GB is kept in parts
            if part.resolve().parent != Path(path).resolve().parent:
                raise FileProblem(path, f"it goes on in {part.name} in another folder.", "Put its parts side by side.")
            _check_tags(part)
        events = ((one["onset"] - raw.first_time, one["duration"], one["description"]) for one in _annotations(path))
        opened = of_mne(raw, events=events)
    return meaning.scan(path, opened)


def _annotations(path):
    try:
        return annotations_in(path)
    except OSError:  # what mne raises where there are none
        return ()


def _check_tags(path):
    """Raise where a tag's bytes lie beyond the file's end, or where the tags go round in a circle."""
    with limits.open_file(path) as (file, n_file):
        place = 0
        for number in range(MAX_TAGS):
            file.seek(place)
            head = file.read(TAG.size)
            if number > 0 and not head:
                return
            kind, _, size, following = TAG.unpack(head) if len(head) == TAG.size else (0, 0, -1, 0)
            if number == 0 and (kind != FILE_ID or size != 20):
                raise FileProblem(path, "it does not begin as FIF does.", "Is its ending right?")
            if size < 0 or place + TAG.size + size > n_file or (kind != DATA_BUFFER and size > MAX_SMALL):
                raise FileProblem(path, f"it is cut or damaged at byte {place} of {n_file}.", "Copy or save it again.")
            if following == -1:
                return
            if following and following <= place:
                raise FileProblem(path, f"its tag at byte {place} points back to {following}.", "Save it again.")
            place = following or place + TAG.size + size
    raise FileProblem(path, f"it holds more than {MAX_TAGS} tags.", "Save it in parts.")
