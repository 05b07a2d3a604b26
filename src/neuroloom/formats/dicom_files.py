"""Which files are DICOM; scanners name them as they like (PS3.10, 7.1)."""

import os
from pathlib import Path

from neuroloom.errors import FileProblem

MARK, N_PREAMBLE = b"DICM", 128
ENDINGS = (".dcm", ".ima", ".dicom")  # of files that must be DICOM by their name
MAX_FILES = 100_000  # of one folder


def is_dicom(path):
    """Say whether a file has DICOM's mark after the 128 bytes of its preamble."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return file.read(N_PREAMBLE + len(MARK))[N_PREAMBLE:] == MARK
    except (OSError, ValueError):  # a path that cannot be opened: reading it says why
        return False


def looks_dicom(path):
    """Say whether a file is DICOM by its mark, or must be by its name."""
    return path.suffix.lower() in ENDINGS or is_dicom(path)


def dicom_files(folder):
    """Yield the files of a folder and of the folders in it that are DICOM by their mark or by their name.

    Links to folders are not followed. What is neither (text, pictures, .json) is passed over.
    """
    n = 0
    for place, folders, names in os.walk(folder, onerror=_unreadable):
        folders.sort()
        for name in sorted(names):
            n += 1
            if n > MAX_FILES:
                raise FileProblem(folder, f"it holds more than {MAX_FILES} files.", "Name the folder of one person.")
            path = Path(place, name)
            if looks_dicom(path):
                yield path


def _unreadable(error):
    raise FileProblem(error.filename, f"this folder cannot be read: {error.strerror}.", "Ask its owner for the right.")
