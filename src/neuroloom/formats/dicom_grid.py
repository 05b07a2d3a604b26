"""Where the slices of a DICOM series lie: their order and their one affine, or what is wrong with them.

DICOM gives each slice the place of its first pixel and the directions of its rows and columns, in mm towards the
person's left, back and head (PS3.3, C.7.6.2). Slices are put in order by these places alone; numbers of slices and the
thickness that a header declares are not believed.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuroloom.errors import FileProblem, listed
from neuroloom.formats import volume
from neuroloom.formats.dicom_headers import CONVERT, DicomHeader, as_text, numbers

UNIT = 0.005  # how far two directions may be from length 1 and a right angle: headers round them
SAME_PLACE = 0.01  # mm along the normal: closer slices are at one place
ROUNDED = 0.09  # mm: some scanners round places to 0.1 mm, by up to half of it along each of three axes
SHARE = 0.1  # of the spacing that a slice may lie beside its place on the grid
TILTED = 1.0  # degrees between the row of slices and their normal that are worth a word
TO_RAS = np.array([[-1.0], [-1.0], [1.0]])  # left, back, head -> right, front, head

# what may tell several images at one place apart: words -> where it stands (functional group, entry)
LABELS = {
    "echo time": (("MREchoSequence", "EffectiveEchoTime"), ("", "EchoTime")),
    "echo number": (("", "EchoNumbers"),),
    "image type": (
        ("MRImageFrameTypeSequence", "FrameType"),
        ("CTImageFrameTypeSequence", "FrameType"),
        ("PETFrameTypeSequence", "FrameType"),
        ("", "ImageType"),
    ),
    "time point": (("FrameContentSequence", "TemporalPositionIndex"), ("", "TemporalPositionIdentifier")),
    "acquisition number": (("FrameContentSequence", "FrameAcquisitionNumber"), ("", "AcquisitionNumber")),
    "b-value": (("MRDiffusionSequence", "DiffusionBValue"), ("", "DiffusionBValue")),
    "inversion time": (("MRModifierSequence", "InversionTimes"), ("", "InversionTime")),
    "flip angle": (("MRTimingAndRelatedParametersSequence", "FlipAngle"), ("", "FlipAngle")),
    "trigger time": (("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"), ("", "TriggerTime")),
    "stack": (("FrameContentSequence", "StackID"),),
}


@dataclass(frozen=True)
class Frame:
    """One slice: a file of its own, or a frame of an enhanced file.

    Parameters
    ----------
    header : DicomHeader
    number : int
        In its file, from 0.
    """

    header: DicomHeader
    number: int

    @property
    def name(self):
        """Return what a message calls the slice."""
        own = f" frame {self.number + 1}" if self.header.n_frames > 1 else ""
        return f"{self.header.path.name}{own}"

    @cached_property
    def shape(self):
        """Return columns and rows."""
        shape = self.header.count("Columns"), self.header.count("Rows")
        if min(shape) < 1:
            raise FileProblem(self.header.path, f"its header declares {shape} pixels.", "Copy or export it again.")
        return shape

    @cached_property
    def directions(self):
        """Return two unit vectors, shape (2, 3): where the columns and the rows count to, in LPS+."""
        told = self._numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6).reshape(2, 3)
        lengths = np.linalg.norm(told, axis=1)
        if abs(lengths - 1).max() > UNIT or abs(told[0] @ told[1]) > UNIT:
            raise FileProblem(
                self.header.path, f"the directions of {self._whose} are not two right-angled ones of length 1.", CONVERT
            )
        return told / lengths[:, None]

    @cached_property
    def position(self):
        """Return the middle of the first pixel, shape (3,), in mm, LPS+."""
        return self._numbers("PlanePositionSequence", "ImagePositionPatient", 3)

    @cached_property
    def spacing(self):
        """Return mm between columns and between rows, shape (2,)."""
        told = self._numbers("PixelMeasuresSequence", "PixelSpacing", 2)  # between rows first (PS3.3, 10.7.1.3)
        if told.min() <= 0:
            raise FileProblem(self.header.path, f"the pixel size of {self._whose} is not above 0.", CONVERT)
        return told[::-1]

    @property
    def normal(self):
        return np.cross(*self.directions)

    def label(self, name):
        """Return what the header says under one of ``LABELS``, as text; empty where it says nothing."""
        for group, keyword in LABELS[name]:
            said = self.header.frame_value(self.number, group, keyword, as_text)
            if said is not None:
                return said
        return ""

    @property
    def _whose(self):
        return f"frame {self.number + 1}" if self.header.n_frames > 1 else "the slice"

    def _numbers(self, group, keyword, n):
        told = self.header.frame_value(self.number, group, keyword, numbers)
        if told is None:
            raise FileProblem(
                self.header.path,
                f"{self._whose} has no {keyword}: where it lies would be guessed.",
                "Export it again from the scanner or the archive, with its geometry.",
            )
        if told.shape != (n,) or not np.isfinite(told).all():
            raise FileProblem(self.header.path, f"{keyword} of {self._whose} is not {n} numbers.", CONVERT)
        return told


@dataclass(frozen=True)
class Grid:
    """Slices in order.

    Parameters
    ----------
    frames : list of Frame
        The third axis of the volume.
    affine : ndarray of shape (4, 4)
        (column, row, slice) to mm, RAS+; a tilt stays in it as a shear.
    tilt : float
        Degrees between the row of slices and their normal.
    """

    frames: list
    affine: np.ndarray
    tilt: float

    @property
    def shape(self):
        return (*self.frames[0].shape, len(self.frames))


def depths(frames):
    """Return the place of each slice along the normal of the first, in mm."""
    return np.array([frame.position for frame in frames]) @ frames[0].normal


def repeated(frames):
    """Return the slices that lie at the place of another, in order along the normal."""
    along = depths(frames)
    order = np.argsort(along, kind="stable")
    close = np.diff(along[order]) < SAME_PLACE
    twice = np.append(close, False) | np.append(False, close)
    return [frames[one] for one in order[twice]]


def arrange(path, frames):
    """Return the `Grid` of the slices of one volume, in any order; a gap, a repeat or a bend is an error.

    Parameters
    ----------
    path : Path
        What messages name: the folder or the file.
    frames : list of Frame
        Two or more, of one size and orientation.
    """
    if again := repeated(frames):
        raise FileProblem(path, *_told_repeats(again))
    along = depths(frames)
    order = np.argsort(along)
    frames, along = [frames[one] for one in order], along[order]
    numbers_on_grid = _numbers_on_grid(path, frames, along)
    positions = np.array([frame.position for frame in frames])
    design = np.stack([np.ones(len(frames)), numbers_on_grid], axis=1)
    (first, step), *_ = np.linalg.lstsq(design, positions, rcond=None)
    _check_straight(path, frames, positions - design @ [first, step], step)
    across, along_rows = frames[0].directions * frames[0].spacing[:, None]
    affine = np.eye(4)
    affine[:3] = np.stack([across, along_rows, step, first], axis=1) * TO_RAS
    cosine = abs(step @ frames[0].normal) / np.linalg.norm(step)
    return Grid(frames, volume.check_affine(path, affine), float(np.degrees(np.arccos(min(cosine, 1.0)))))


def _numbers_on_grid(path, frames, along):
    """Return 0, 1, 2 ...: the slices' numbers on an even grid along the normal, having checked that none is missing."""
    steps = np.diff(along)
    spacing = float(np.median(steps[steps < 1.5 * steps.min()]))  # where slices are missing the others tell it
    multiples = np.maximum(np.rint(steps / spacing), 1)
    if abs(steps - multiples * spacing).max() > 2 * max(SHARE * spacing, ROUNDED) or np.mean(multiples > 1) > 0.5:
        usual = np.median(steps)
        at = int(abs(steps - usual).argmax())
        raise FileProblem(
            path,
            f"its slices are unevenly spaced: {steps[at]:.3g} mm between {frames[at].name} and {frames[at + 1].name}, "
            f"{usual:.3g} mm between most.",
            "Are slices missing, or were the slices taken at two spacings? Export one evenly spaced series.",
        )
    gaps = np.flatnonzero(multiples > 1)
    if len(gaps):
        n_missing = int((multiples - 1).sum())
        told = [f"{multiples[at] - 1:.0f} between {frames[at].name} and {frames[at + 1].name}" for at in gaps]
        raise FileProblem(
            path,
            f"{n_missing} {'slice is' if n_missing == 1 else 'slices are'} missing, by the places of the others "
            f"({spacing:.3g} mm apart): {listed(told, 4)}.",
            "Copy or export the whole series again.",
        )
    return np.arange(len(frames))


def _check_straight(path, frames, beside, step):
    """Raise where a slice lies beside the straight and even row through all, by (slice, 3) mm."""
    far = np.linalg.norm(beside, axis=1)
    if far.max() > max(SHARE * np.linalg.norm(step), ROUNDED):
        raise FileProblem(
            path,
            f"its slices do not lie in one straight, even row: {frames[int(far.argmax())].name} is {far.max():.2g} mm "
            "beside it.",
            "Were slices of several positions of the table or the head put together? Export one series.",
        )


def _told_repeats(again):
    """Return what is wrong with slices at one place, and the way out."""
    count = f"{len(again)} of its images lie at the place of another"
    if len({frame.header.uid("SOPInstanceUID") for frame in again if frame.header.n_frames == 1}) < len(again) and all(
        frame.header.n_frames == 1 for frame in again
    ):
        return f"{count}: files are there twice ({listed([frame.name for frame in again], 4)}).", "Delete the copies."
    differing = {name: sorted({frame.label(name) for frame in again}) for name in LABELS}
    told = [f"{name} ({listed(values, 3)})" for name, values in differing.items() if len(values) > 1]
    if not told:
        return f"{count}, and their headers do not say what they differ in.", "Export the one volume that is meant."
    return (
        f"{count}: it holds several volumes, which differ in {'; '.join(told)}.",
        "Export the one volume that is meant, or convert it with dcm2niix and name that file.",
    )
