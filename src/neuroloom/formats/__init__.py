"""Readers and writers, one file a format. `read` finds the reader by the end of a file's name; a folder is DICOM."""

import inspect
import os
from dataclasses import fields
from pathlib import Path

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats.dicom_files import is_dicom
from neuroloom.known import check_known, locate
from neuroloom.scan import KINDS, Scan

# end of a file's name -> reader(path, kind, **arguments) -> Scan; the longest end that fits wins
READERS = {
    ".nii": "neuroloom.formats.nifti:read_nifti",
    ".nii.gz": "neuroloom.formats.nifti:read_nifti",
    ".mgh": "neuroloom.formats.mgh:read_mgh",
    ".mgz": "neuroloom.formats.mgh:read_mgh",
    ".1D": "neuroloom.formats.delimited:read_1d",
    ".csv": "neuroloom.formats.delimited:read_delimited",
    ".tsv": "neuroloom.formats.delimited:read_delimited",
    ".npy": "neuroloom.formats.numpy_files:read_npy",
    ".npz": "neuroloom.formats.numpy_files:read_npz",
    ".mat": "neuroloom.formats.matlab:read_mat",
    ".dcm": "neuroloom.formats.dicom:read_dicom",
    ".ima": "neuroloom.formats.dicom:read_dicom",
    ".edf": "neuroloom.formats.edf:read_edf",
    ".bdf": "neuroloom.formats.edf:read_edf",
    ".vhdr": "neuroloom.formats.brainvision:read_brainvision",
    ".set": "neuroloom.formats.eeglab:read_eeglab",
    ".fif": "neuroloom.formats.fif:read_fif",
    ".xdf": "neuroloom.formats.xdf:read_xdf",
}
BESIDE = {".set": (".fdt",), ".vhdr": (".eeg", ".dat", ".vmrk")}  # endings of a recording's further files
DICOM = ".dcm"  # a folder is read as this, and a file whose name says nothing and whose content does


def extension(path):
    """Return the key of ``READERS`` that the file's name ends with (upper and lower case are one).

    A folder, and a file of another name with DICOM's mark in it (scanners give them none, or numbers), are ``DICOM``.
    """
    name = Path(path).name.lower()
    fitting = [known for known in READERS if name.endswith(known.lower())]
    if not fitting and (Path(path).is_dir() or is_dicom(path)):
        return DICOM
    if not fitting:
        raise FileProblem(
            path,
            f"no reader for files that end in {Path(path).suffix or '(nothing)'!r}.",
            f"Convert it to one of: {', '.join(READERS)}.",
        )
    return max(fitting, key=len)


def stem(path):
    """Return a file's name without the ending by which its reader is found; a folder's name stays whole."""
    name, ending = os.path.basename(os.path.abspath(path)), extension(path)
    return name[: -len(ending)] if name.lower().endswith(ending.lower()) else name


def parts(path):
    """Return the files that a recording consists of: the one that is named, and those of its name that belong to it."""
    path = Path(path)
    beside = [path.with_suffix(ending) for ending in BESIDE.get(path.suffix.lower(), ())]
    return [path, *(file for file in beside if file.is_file())]


def known_arguments(path):
    """Return the names of the arguments that the reader of a file takes; those of its meaning are told one by one."""
    reader = locate("format", READERS, extension(path))
    names = [name for name in inspect.signature(reader).parameters if name not in ("path", "kind")]
    return [one for name in names for one in (_names_of_meaning(reader) if name == "meaning" else (name,))]


def fitting_arguments(arguments, path):
    """Return those of the arguments that the reader of a file takes (a .1D has no header)."""
    known = known_arguments(path)
    return {name: value for name, value in arguments.items() if name in known}


def check_arguments(path, arguments):
    """Raise where the reader of a file does not take one of the named arguments."""
    known = known_arguments(path)
    try:
        for argument in arguments:
            check_known(f"argument of a {extension(path)} file", argument, known)
    except NeuroloomError as error:
        raise FileProblem(path, str(error)) from None


def read(path, kind=None, **arguments) -> Scan:
    """Read one file.

    Parameters
    ----------
    path : str or Path
        Ends in one of ``READERS``, or is DICOM: a folder with the slices of a scan, or a file of any name.
    kind : str or None
        What the file is to be taken for, one of ``neuroloom.scan.KINDS``; None is the format's usual kind
        (volume for images, series for the others).
    **arguments
        What the file does not say itself, by format: ``axes``, ``sampling_rate`` (Hz) or ``sampling_period``
        (s), ``variable``, ``header``, ``columns``, ``delimiter``, ``symmetric``, ``measure``, ``orientation``, ``series``;
        of recordings ``channels``, ``montage``, ``unit``, ``events``, ``event_label``, ``reference``, ``stream``.

    Returns
    -------
    Scan

    Raises
    ------
    NeuroloomError
        Whatever is wrong with the file or the arguments; the message names the file and the way out.
    """
    try:
        if kind is not None:
            check_known("kind of data", kind, KINDS)
    except NeuroloomError as error:
        raise FileProblem(path, str(error)) from None
    check_arguments(path, arguments)
    reader = locate("format", READERS, extension(path))
    try:
        return reader(path, kind, **_with_meaning(reader, arguments))
    except OSError as error:
        raise FileProblem(path, f"reading it failed: {error.strerror or error}.", "Is the disk there?") from error
    except MemoryError as error:
        raise FileProblem(path, "memory ran out while it was read.", "Close other programs.") from error


def _meaning_of(reader):
    """Return the class of the reader's argument ``meaning``; None where it has none."""
    parameter = inspect.signature(reader).parameters.get("meaning")
    return None if parameter is None else type(parameter.default)


def _names_of_meaning(reader):
    return [one.name for one in fields(_meaning_of(reader))]


def _with_meaning(reader, arguments):
    """Return the arguments as a reader takes them, those of its meaning as one."""
    if _meaning_of(reader) is None:
        return arguments
    told = {name: arguments[name] for name in _names_of_meaning(reader) if name in arguments}
    return {
        "meaning": _meaning_of(reader)(**told),
        **{name: value for name, value in arguments.items() if name not in told},
    }
