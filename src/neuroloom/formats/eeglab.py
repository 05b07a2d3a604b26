"""EEGLAB's .set, with its numbers inside or in a .fdt beside it."""

import os
from pathlib import Path

from neuroloom.errors import FileProblem
from neuroloom.formats import limits
from neuroloom.formats.matlab_tree import check_tree
from neuroloom.formats.recordings import RecordingMeaning, annotations_in, of_mne
from neuroloom.formats.signals_extra import mne

FDT_BYTES = 4  # float32


def read_eeglab(path, kind=None, *, meaning=RecordingMeaning()):
    """Read a continuous recording from .set.

    Parameters
    ----------
    path : str or Path
    kind : {"series"}
    meaning : RecordingMeaning

    Returns
    -------
    Scan
        series (channel, time) float32 in V (EEGLAB keeps microvolts).
    """
    meaning.check_kind(path, kind)
    check_tree(path)
    library = mne()
    with limits.parsing(path, "EEGLAB recording"):
        try:
            raw = library.io.read_raw_eeglab(path, preload=False, verbose="error")
        except TypeError as error:
            if "number of trials" not in str(error):
                raise
            raise FileProblem(
                path, "it holds epochs, not a recording.", "Save the recording before it was cut into epochs."
            ) from None
        _check_numbers(path, raw)
        types = [None if kind == "eeg" else kind for kind in raw.get_channel_types()]  # eeg is also what says nothing
        events = ((one["onset"], one["duration"], one["description"]) for one in annotations_in(path))
        opened = of_mne(raw, events=events, types=types, units=["uV"] * len(raw.ch_names))
    return meaning.scan(path, opened)


def _check_numbers(path, raw):
    """Raise where the file of numbers is not beside the .set, or has not the bytes that it declares."""
    held = Path(raw.filenames[0])
    if held.resolve().parent != Path(path).resolve().parent:
        raise FileProblem(path, f"its numbers would lie in another folder ({held.name}).", "Put the .fdt beside it.")
    if held.suffix.lower() != ".fdt":
        return
    n_declared, n_found = raw.n_times * len(raw.ch_names) * FDT_BYTES, os.path.getsize(held)
    if n_declared != n_found:
        raise FileProblem(
            path,
            f"it declares {raw.n_times} samples of {len(raw.ch_names)} channels, {limits.in_words(n_declared)}; "
            f"{held.name} has {limits.in_words(n_found)}.",
            f"{held.name} is cut or of another recording: copy it again.",
        )
