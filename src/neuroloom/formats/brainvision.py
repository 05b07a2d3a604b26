"""BrainVision: a header (.vhdr) that names a file of numbers (.eeg) and one of markers (.vmrk).

Source: "BrainVision Core Data Format 1.0", Brain Products GmbH.
"""

import configparser
import os
from pathlib import Path

from neuroloom.errors import FileProblem
from neuroloom.formats import limits
from neuroloom.formats.recordings import RecordingMeaning, annotations_in, of_mne
from neuroloom.formats.signals_extra import mne

MAX_HEADER = 4 * 1024**2  # bytes
MAX_CHANNELS = 10_000
WIDTHS = {"INT_16": 2, "INT_32": 4, "IEEE_FLOAT_32": 4}
IN_COMMON = "common infos"


def read_brainvision(path, kind=None, *, meaning=RecordingMeaning()):
    """Read a recording from .vhdr and the files beside it that it names.

    Parameters
    ----------
    path : str or Path
    kind : {"series"}
    meaning : RecordingMeaning

    Returns
    -------
    Scan
        series (channel, time) float32 in V; its events are the markers, named as mne names them (``Stimulus/S  1``).
    """
    meaning.check_kind(path, kind)
    header = _header(path)
    data = beside(path, _told(path, header, "DataFile"))
    _check_whole(path, header, data)
    markers = header.get(IN_COMMON, "MarkerFile", fallback="")
    markers = beside(path, markers) if markers else None
    library = mne()
    with limits.parsing(path, "BrainVision header"):
        raw = library.io.read_raw_brainvision(path, preload=False, verbose="error")
    with limits.parsing(path if markers is None else markers, "BrainVision marker file"):
        events = [] if markers is None else annotations_in(markers, sfreq=raw.info["sfreq"])
    with limits.parsing(path, "BrainVision header"):
        opened = of_mne(raw, events=((one["onset"], one["duration"], one["description"]) for one in events))
    return meaning.scan(path, opened)


def beside(path, name):
    """Return the file that a recording names, which must be there and in the recording's own folder."""
    name = name.replace("$b", Path(path).stem)
    if not name or Path(name).name != name or "\\" in name:
        raise FileProblem(path, f"it names the file {name!r}, which is not beside it.", "Write the name alone into it.")
    place = Path(path).parent / name
    if not place.is_file():
        there = sorted(
            other.name for other in Path(path).parent.glob(f"{Path(path).stem}.*") if other.name != Path(path).name
        )
        raise FileProblem(
            path,
            f"it names the file {name!r}, which is not there.",
            f"Copy it here too, or write its new name into the header (beside it: {', '.join(there) or 'no other file'}).",
        )
    return place


def _header(path):
    with limits.open_file(path):
        content = limits.read_bytes(path, MAX_HEADER, "BrainVision header")
    text = content.decode("utf-8", errors="replace")
    first, _, rest = text.partition("\n")
    if "brain vision" not in first.lower() and "brainvision" not in first.lower():
        raise FileProblem(path, "it does not begin as a BrainVision header does.", "Export it again.")
    rest = rest.split("[Comment]")[0]
    header = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=(";",))
    with limits.parsing(path, "BrainVision header"):
        header.read_string("\n".join(_lower_section(line) for line in rest.splitlines()))
    return header


def _lower_section(line):
    return line.lower() if line.strip().startswith("[") else line


def _told(path, header, key):
    value = header.get(IN_COMMON, key, fallback="").strip()
    if not value:
        raise FileProblem(path, f"it does not say {key}.", "Export it again.")
    return value


def _check_whole(path, header, data):
    """Raise where the bytes of the numbers are not those declared."""
    with limits.parsing(path, "BrainVision header"):
        n_channels = int(_told(path, header, "NumberOfChannels"))
        n_points = header.getint(IN_COMMON, "DataPoints", fallback=None)
    if not 1 <= n_channels <= MAX_CHANNELS:
        raise FileProblem(path, f"it declares {n_channels} channels.", "Export it again.")
    if _told(path, header, "DataFormat").upper() != "BINARY":
        raise FileProblem(path, "its numbers are stored as text.", "Export it as binary (IEEE_FLOAT_32).")
    stored = header.get("binary infos", "BinaryFormat", fallback="").strip().upper()
    if stored not in WIDTHS:
        raise FileProblem(
            path, f"its numbers are of type {stored!r}, expected {', '.join(WIDTHS)}.", "Export it again."
        )
    n_bytes, width = os.path.getsize(data), WIDTHS[stored] * n_channels
    if n_points is not None and n_points * width != n_bytes:
        raise FileProblem(
            path,
            f"it declares {n_points} samples of {n_channels} channels, {limits.in_words(n_points * width)}; "
            f"{data.name} has {limits.in_words(n_bytes)}.",
            f"{data.name} is cut or of another recording: copy it again.",
        )
    if n_bytes == 0 or n_bytes % width:
        raise FileProblem(
            path,
            f"{data.name} has {n_bytes} bytes, no whole number of samples of {n_channels} channels.",
            "Copy it again.",
        )
