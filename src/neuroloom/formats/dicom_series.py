"""What volumes a heap of DICOM files holds, which of them is a head in three dimensions, and why the others are not."""

import re
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats.dicom_grid import Frame, arrange, depths, repeated
from neuroloom.formats.dicom_headers import DIRECTORY, DicomHeader

MODALITIES = ("MR", "CT", "PT")
CAPTURES = "1.2.840.10008.5.1.4.1.1.7"  # SOP classes of pictures of screens and paper, all below this one
SAME_DIRECTION = 0.005  # between unit vectors: about 0.3 degrees
THIN = 80.0  # mm: less is no whole head
ONE_SLICE = "it is one slice"
NO_MAGNITUDE = {"P", "PHASE", "I", "IMAGINARY", "R", "REAL"}  # words of an image type, from its third on
SCOUT = re.compile(r"scout|locali[sz]er|survey", re.IGNORECASE)
SPLIT_BY = (("echo time",), ("image type",), ("echo time", "image type"))


@dataclass
class Candidate:
    """What may be one volume: slices of one series, size and orientation.

    Parameters
    ----------
    number : str
        The series' number.
    description : str
        What the scanner calls the series.
    frames : list of Frame
    told_apart : str
        What tells it from other volumes of its series.
    aside : str
        Why it is no volume of a head; empty where it may be.
    fault : NeuroloomError or None
        What is wrong with its slices.
    label : str
        How it is asked for; given by `candidates`.
    """

    number: str
    description: str
    frames: list[Frame] = field(default_factory=list)
    told_apart: str = ""
    aside: str = ""
    fault: NeuroloomError | None = None
    label: str = ""

    @property
    def words(self):
        """Return number, description and size on one line."""
        parts = [part for part in (self.told_apart, self._size()) if part]
        return f"{self.label} {self.description!r}" + (f" ({', '.join(parts)})" if parts else "")

    def _size(self):
        try:
            if not self.frames:
                return ""
            columns, rows = self.frames[0].shape
            across, down = self.frames[0].spacing
            return f"{columns} x {rows} x {len(self.frames)}, pixels of {across:.3g} x {down:.3g} mm"
        except NeuroloomError:
            return f"{len(self.frames)} slices"


def candidates(headers):
    """Return every `Candidate` in the files, those that are no volumes too, in order of their numbers.

    Parameters
    ----------
    headers : list of DicomHeader
    """
    series = {}
    for header in headers:
        series.setdefault(header.uid("SeriesInstanceUID"), []).append(header)
    found = [one for group in series.values() for one in _of_series(group)]
    found.sort(key=lambda one: (not one.number.isdecimal(), one.number.zfill(12), one.description))
    for number, group in groupby(found, key=lambda one: one.number):
        group = list(group)
        for position, one in enumerate(group, start=1):
            one.label = number if len(group) == 1 else f"{number}.{position}"
    return found


def choose(path, found, series=None):
    """Return the one candidate that is meant, and notes on those that were set aside.

    Parameters
    ----------
    path : Path
        What messages name.
    found : list of Candidate
    series : str or int or None
        Label of the one that is meant; by default the only whole head in three dimensions.

    Returns
    -------
    chosen : Candidate
    notes : list of str
    """
    if series is not None:
        return _named(path, found, str(series)), []
    likely = [one for one in found if not one.aside]
    if not likely:
        raise FileProblem(path, _none_is(found), _way_out(found))
    reasons = {id(one): one.aside for one in found}
    for doubt in DOUBTS:
        doubts = {id(one): "" if one.fault else doubt(one) for one in likely}
        if len(likely) > 1 and not all(doubts.values()):
            reasons |= doubts
            likely = [one for one in likely if not doubts[id(one)]]
    if len(likely) > 1:
        raise FileProblem(path, _several_are(likely), "Say which with --series NUMBER (in Python: series=NUMBER).")
    notes = [f"series {one.words} set aside: {reasons[id(one)]}" for one in found if one is not likely[0]]
    return likely[0], notes


def _named(path, found, label):
    chosen = [one for one in found if one.label == label]
    if not chosen:
        raise FileProblem(
            path, f"it holds no series {label}.", f"It holds: {listed([one.words for one in found], 30)}."
        )
    if chosen[0].aside:
        raise FileProblem(path, f"series {chosen[0].words} is no volume: {chosen[0].aside}.", "Name another.")
    return chosen[0]


def _none_is(found):
    if len(found) == 1:
        return f"it holds no volume: {found[0].aside}."
    told = listed([f"{one.words}: {one.aside}" for one in found], 12)
    return f"none of its {len(found)} series is a volume: {told}."


def _way_out(found):
    if any(one.aside == ONE_SLICE for one in found):
        return "Name the folder that holds the whole series of one scan."
    return "Name a scan in three dimensions: MR, CT or PET."


def _several_are(likely):
    people = {one.frames[0].header.uid("StudyInstanceUID") for one in likely if one.frames}
    of = f" of {len(people)} examinations (is it one person?)" if len(people) > 1 else ""
    told = listed([f"series {one.words}{f' [{one.fault}]' if one.fault else ''}" for one in likely], 30)
    return f"it holds {len(likely)} volumes{of}, and which one is meant is not said: {told}."


# ---- from a series to candidates -------------------------------------------------------------------------


def _of_series(headers):
    """Return the candidates of one series."""
    number, description = str(headers[0].count("SeriesNumber", -1)), headers[0].text("SeriesDescription")
    number = "none" if number == "-1" else number
    found, pictures = [], []
    for reason, group in groupby(sorted(headers, key=_no_volume), key=_no_volume):
        group = list(group)
        if reason:
            found.append(Candidate(number, description, aside=reason))
        else:
            pictures = group
    try:
        frames = [Frame(header, one) for header in pictures for one in range(_n_frames(header))]
        parts = _parts(frames)
    except NeuroloomError as fault:
        return [*found, Candidate(number, description, frames=[], fault=fault)]
    return found + [_candidate(number, description, *part) for part in parts]


def _candidate(number, description, told_apart, frames):
    aside = ONE_SLICE if len(frames) == 1 else ""
    return Candidate(number, description, frames, told_apart, aside)


def _no_volume(header: DicomHeader):
    """Return why a file can be no part of a head's volume; an empty text where it can."""
    modality, kind, image_type = header.word("Modality"), header.uid("SOPClassUID"), header.image_type
    if kind == DIRECTORY:
        return "a table of contents (DICOMDIR)"
    if not header.count("Rows", 0):
        return "no picture"
    if modality not in MODALITIES:
        return "modality " + ("".join(letter for letter in modality if letter.isalnum())[:16] or "not told")
    if header.count("SamplesPerPixel", 1) != 1 or header.word("PhotometricInterpretation") not in (
        "MONOCHROME1",
        "MONOCHROME2",
    ):
        return "a picture in colours (RGB), not of numbers"
    if kind == CAPTURES or kind.startswith(f"{CAPTURES}."):
        return "a picture of a screen (secondary capture)"
    if "LOCALIZER" in image_type:
        return "a localizer"
    if "MOSAIC" in image_type:
        return "a mosaic (many slices in one picture, of a time series)"
    if header.n_frames > 1 and not header.items("PerFrameFunctionalGroupsSequence"):
        return "its frames have no places"
    return ""


def _n_frames(header):
    """Return the number of frames, having checked that each one is described."""
    n = header.n_frames
    if n > 1 and len(header.items("PerFrameFunctionalGroupsSequence")) != n:
        described = len(header.items("PerFrameFunctionalGroupsSequence"))
        raise FileProblem(
            header.path, f"its header declares {n} frames and describes {described}.", "Copy or export it again."
        )
    return n


def _parts(frames):
    """Return (what tells it apart, frames) of each size and orientation, and of each echo or type where places repeat."""
    parts = []
    for frame in frames:
        fitting = (part for part in parts if _alike(part[0], frame))
        part = next(fitting, None)
        if part is None:
            parts.append([frame])
        else:
            part.append(frame)
    told = [("" if len(parts) == 1 else f"part {n} by size or orientation", part) for n, part in enumerate(parts, 1)]
    return [stack for words, part in told for stack in _stacks(words, part)]


def _alike(one, other):
    return (
        one.shape == other.shape
        and np.allclose(one.spacing, other.spacing, rtol=1e-3, atol=0)
        and np.allclose(one.directions, other.directions, rtol=0, atol=SAME_DIRECTION)
    )


def _stacks(words, frames):
    """Return a part as one volume, or as several where echo time or image type tell whole volumes apart."""
    if not repeated(frames):
        return [(words, frames)]
    for names in SPLIT_BY:
        stacks = {}
        for frame in frames:
            stacks.setdefault(tuple(frame.label(name) for name in names), []).append(frame)
        sizes = {len(stack) for stack in stacks.values()}
        if len(stacks) > 1 and len(sizes) == 1 and not any(repeated(stack) for stack in stacks.values()):
            told = {key: ", ".join(f"{name} {value}" for name, value in zip(names, key, strict=True)) for key in stacks}
            return [(", ".join(filter(None, (words, told[key]))), stack) for key, stack in stacks.items()]
    return [(words, frames)]


# ---- why a volume is not the one that is meant, where there is another; empty texts where it may be -------


def _thin(one):
    reach = (
        *(n * size for n, size in zip(one.frames[0].shape, one.frames[0].spacing, strict=True)),
        np.ptp(depths(one.frames)),
    )
    return f"{min(reach):.0f} mm thin, no whole head" if min(reach) < THIN else ""


def _several_volumes(one):
    return "several volumes (a time series, or directions of diffusion)" if repeated(one.frames) else ""


def _no_magnitude(one):
    return "no magnitude" if NO_MAGNITUDE & set(_image_type(one)[2:]) else ""


def _scout(one):
    return "by its description a scout" if SCOUT.search(one.description) else ""


def _derived(one):
    return "derived from other pictures" if _image_type(one)[:1] == ["DERIVED"] else ""


def _image_type(one):
    return one.frames[0].label("image type").upper().split()


DOUBTS = (_thin, _several_volumes, _no_magnitude, _scout, _derived)


def volume_grid(path, one):
    """Return the `Grid` of a candidate, or raise what is wrong with its slices."""
    if one.fault:
        raise one.fault
    return arrange(path, one.frames)
