"""Headers of DICOM files (the format: dicomstandard.org, PS3.3, PS3.5 and PS3.10).

Of a header only the entries in ``KEPT`` are ever taken up: what the picture is, not whom it is of. Messages hold names
of files and of series, never a value that may tell a person, a day or a hospital.
"""

import logging
import struct
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats import limits
from neuroloom.formats.dicom_files import MARK, N_PREAMBLE

KEPT = (
    "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality",
    "SeriesDescription", "SeriesNumber", "InstanceNumber", "AcquisitionNumber", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel",
    "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope",
    "RescaleIntercept", "ModalityLUTSequence", "EchoTime", "EchoNumbers", "InversionTime", "FlipAngle", "TriggerTime",
    "TemporalPositionIdentifier", "DiffusionBValue", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
RAW = (IMPLICIT, "1.2.840.10008.1.2.1", BIG_ENDIAN)  # transfer syntaxes that pack nothing
DIRECTORY = "1.2.840.10008.1.3.10"  # SOP class of a DICOMDIR
UNDEFINED = 0xFFFFFFFF
MAX_READS = 5_000_000  # entries of one header, at most; see `_Counted`
CONVERT = "Convert the series to .nii.gz with dcm2niix, and look at what it says."


@dataclass(frozen=True)
class DicomHeader:
    """One DICOM file, but for its pixels.

    Parameters
    ----------
    path : Path
    entries : pydicom.Dataset
        The entries of ``KEPT`` that the file has.
    syntax : str
        UID of its transfer syntax.
    place : int or None
        Byte where the pixels start; None where it has none.
    n_bytes : int or None
        Declared length of the pixels; None where they are packed (their length is not declared then).
    n_file : int
        Bytes of the file.
    """

    path: Path
    entries: Any
    syntax: str
    place: int | None
    n_bytes: int | None
    n_file: int

    def text(self, keyword):
        """Return an entry as one short line, empty where there is none."""
        return self._value(self.entries, keyword, as_text) or ""

    def word(self, keyword):
        """Return a text entry in capitals, empty where there is none."""
        return self.text(keyword).strip().upper()

    def count(self, keyword, default=None):
        """Return a whole-number entry; ``default`` where there is none, an error where that is None too."""
        value = self._value(self.entries, keyword, int)
        if value is None and default is None:
            raise FileProblem(self.path, f"its header has no {keyword}.", "Copy or export it again.")
        return default if value is None else value

    def uid(self, keyword):
        """Return an identifier: to tell apart what belongs together, never to be shown."""
        return self._value(self.entries, keyword, str) or ""

    @cached_property
    def image_type(self):
        """Return the words of ImageType."""
        return self._value(self.entries, "ImageType", _words) or ()

    @cached_property
    def n_frames(self):
        """Return how many frames the file holds."""
        n = self.count("NumberOfFrames", 1)
        if n < 1:
            raise FileProblem(self.path, f"its header declares {n} frames.", "Copy or export it again.")
        return n

    def items(self, sequence):
        """Return the items of a sequence of the header, none where there is no such sequence."""
        return self._value(self.entries, sequence, list) or []

    def frame_value(self, frame, group, keyword, convert):
        """Return what holds for one frame: from its own functional group, else the shared one, else the header.

        Parameters
        ----------
        frame : int
        group : str
            The functional group's sequence in enhanced files, such as ``"PlanePositionSequence"``.
        keyword : str
            The entry.
        convert : callable
            From pydicom's value.

        Returns
        -------
        object or None
            None where the entry is missing or empty.
        """
        for place in (*self.items("PerFrameFunctionalGroupsSequence")[frame : frame + 1], *self._shared):
            for item in self._value(place, group, list) or []:
                if (value := self._value(item, keyword, convert)) is not None:
                    return value
        return self._value(self.entries, keyword, convert)

    @cached_property
    def _shared(self):
        return self.items("SharedFunctionalGroupsSequence")[:1]

    def _value(self, entries, keyword, convert):
        with quiet(), understanding(self.path, keyword):
            value = entries.get(keyword)
            return None if value is None or (hasattr(value, "__len__") and len(value) == 0) else convert(value)


def numbers(value):
    """Return one number or several as a float64 array."""
    return np.atleast_1d(np.asarray(value, dtype=np.float64))


def as_text(value):
    """Return a value as one short line; letters that could command a terminal are left out."""
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
    text = " ".join(str(part) for part in parts)
    return "".join(letter for letter in text if letter.isprintable())[:60]


def _words(value):
    return tuple(str(word).strip().upper() for word in ([value] if isinstance(value, str) else value))


# ---- reading ---------------------------------------------------------------------------------------------


def read_header(path):
    """Return the `DicomHeader` of a file; where it is cut, packed as a whole or no DICOM, that is an error."""
    pydicom = pydicom_for(path)
    with limits.open_file(path) as (file, n_file):
        if file.read(N_PREAMBLE + len(MARK))[N_PREAMBLE:] != MARK:
            raise FileProblem(
                path,
                f"it is not a DICOM file: {MARK.decode()} does not stand at byte {N_PREAMBLE}.",
                "Copy or export it again, or correct its name.",
            )
        syntax = _syntax(path, pydicom)
        file.seek(0)
        with quiet(), understanding(path, "header"):
            entries = pydicom.dcmread(_Counted(path, file, n_file), specific_tags=list(KEPT), stop_before_pixels=True)
        place, n_bytes = _pixel_place(path, file, syntax)
    return DicomHeader(Path(path), entries, syntax, place, n_bytes, n_file)


def pydicom_for(path):
    try:
        import pydicom
    except ImportError:
        raise FileProblem(path, "DICOM files are read by pydicom.", "pip install 'neuroloom[dicom]'.") from None
    return pydicom


def _syntax(path, pydicom):
    """Return the UID of the transfer syntax, which must be told and leave the header readable."""
    with quiet(), understanding(path, "file meta information"):
        syntax = str(pydicom.filereader.read_file_meta_info(path).get("TransferSyntaxUID") or "")
    if not syntax:
        raise FileProblem(path, "it does not say how it is stored (no TransferSyntaxUID).", CONVERT)
    if syntax == DEFLATED:
        raise FileProblem(path, "it is deflated as a whole.", "Unpack it with DCMTK: dcmconv +te FILE NEW.")
    return syntax


def _pixel_place(path, file, syntax):
    """Return where the pixels start and how long they are declared to be, from the element that the file stands at."""
    order = ">" if syntax == BIG_ENDIAN else "<"
    element = file.read(12)
    if len(element) < 12:
        return None, None
    group, number = struct.unpack(f"{order}HH", element[:4])
    if (group, number) != (0x7FE0, 0x0010):  # 0x0008 and 0x0009 hold floating point
        return None, None
    start = file.tell()
    if syntax == IMPLICIT:
        start, n_bytes = start - 4, struct.unpack(f"{order}I", element[4:8])[0]
    else:
        n_bytes = struct.unpack(f"{order}I", element[8:12])[0]
    if (n_bytes == UNDEFINED) == (syntax in RAW):
        raise FileProblem(path, "its pixels are not stored as its header says.", "Copy or export it again.")
    return start, None if n_bytes == UNDEFINED else n_bytes


class _Counted:
    """A file that gives up where a header has more entries than a file of that size can sensibly have.

    Each entry costs one read or more; without this bound a few megabytes of empty entries become gigabytes of objects.
    """

    def __init__(self, path, file, n_file):
        self.path, self.file, self.n_file = path, file, n_file
        self.left = min(100_000 + n_file // 16, MAX_READS)
        self.seek, self.tell = file.seek, file.tell

    def read(self, n=-1):
        self.left -= 1
        if self.left < 0:
            raise FileProblem(self.path, "its header has too many entries for its size.", "Copy or export it again.")
        return self.file.read(min(n, self.n_file))  # no room is taken for what cannot be there


@contextmanager
def quiet():
    """Keep what pydicom would warn of to itself: its words may hold identifiers. What is wrong is found here."""
    logger = logging.getLogger("pydicom")
    was, logger.propagate = logger.propagate, False  # its own handler is none
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.propagate = was


@contextmanager
def understanding(path, what):
    """Turn whatever pydicom says of a damaged file into a `FileProblem` that does not repeat the file's content."""
    try:
        yield
    except (NeuroloomError, OSError, MemoryError):
        raise
    except Exception:  # a parser may raise anything on a stranger's bytes
        raise FileProblem(path, f"it is damaged: its {what} cannot be read.", "Copy or export it again.") from None
