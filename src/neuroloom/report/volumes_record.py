"""What `neuroloom volumes` leaves about a scan's volumes, read back and checked before a page is made of it."""

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from scipy.ndimage import distance_transform_edt

from neuroloom.errors import FileProblem
from neuroloom.formats import read
from neuroloom.formats.limits import read_json
from neuroloom.transforms.volume_grid import ras, voxel_sizes

OUTSIDE_MM, OUTSIDE_SHARE = 15.0, 0.05  # from the labels; of what is bright: beyond both a scan shows more than a brain
BRIGHT = 0.2  # of the 99th percentile within the labels


class Told(BaseModel):
    """A part of the file: numbers are finite or null, further keys are left alone."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Curve(Told):
    ages: list[float]
    centiles: dict[str, list[float]]  # "5" -> one value an age


class Percentile(Told):
    value: float
    low: float | None = None
    high: float | None = None
    of: str = "percent_of_icv"
    curve: Curve | None = None


class StructureVolumes(Told):
    """A structure, both sides together; one on the midline has no sides."""

    name: str
    left_ml: float | None = None
    right_ml: float | None = None
    total_ml: float | None
    asymmetry_percent: float | None = None  # 100 (left - right) over their mean
    percent_of_icv: float | None = None
    quality: float | None = None
    flag: str | None = None
    repeatability_percent: float | None = None  # error of one measurement: coefficient of variation
    percentile: Percentile | None = None

    @property
    def words(self):
        return in_words(self.name)


class Change(Told):
    name: str
    before_ml: float | None
    after_ml: float | None
    percent_per_year: float | None
    least_percent_per_year: float | None = None  # the least that can be told from the error of measuring
    changed: bool

    @property
    def words(self):
        return in_words(self.name)


class Prior(Told):
    scan: str
    years: float | None
    warnings: list[str] = []
    changes: list[Change] = []


class Quality(Told):
    score: float | None = None
    passed: bool | None = None
    reasons: list[str] = []


class Norms(Told):
    name: str
    n: int | None = None
    ages: list[float] | None = None
    reason: str | None = None


class WeightsTold(Told):
    name: str
    sha256: str | None = None
    answer_mm: float | None = None
    summary: str | None = None
    scores: dict = {}


class Tissues(Told):
    grey_ml: float | None = None
    white_ml: float | None = None
    csf_ml: float | None = None


class Sides(Told):
    left: float | None = None
    right: float | None = None
    total: float | None = None


class VolumesRecord(Told):
    """The content of ``NAME_volumes.json``: ml, mm, percentages 0 to 100; null where unknown."""

    scan: str
    age: float | None = None
    sex: str | None = None
    voxel_mm: list[float]
    shape: list[int]
    weights: WeightsTold
    intracranial_ml: float | None
    brain_ml: float | None
    tissues: Tissues = Tissues()
    structures: list[StructureVolumes] = Field(min_length=1)
    hippocampal_occupancy: Sides = Sides()
    quality: Quality = Quality()
    norms: Norms | None = None
    prior: Prior | None = None
    warnings: list[str] = []
    software: str | None = None
    orientation: str | None = Field(None, pattern="^[RLAPSI]{3}$")  # where the scan's axes run to
    repeatability_pairs: int | None = Field(None, ge=1)  # of scans, that the errors of measuring are from
    files: dict[str, str | None]  # labels, brain (the brain-masked scan), mask ... -> name, in the same folder

    @field_validator("files")
    @classmethod
    def _names_alone(cls, files):
        for key in ("labels", "brain"):
            if not files.get(key):
                raise ValueError(f"no file {key!r} is named")
        for name in filter(None, files.values()):
            if name != Path(name).name or "\\" in name:
                raise ValueError(f"{name!r} is not the name of a file in the same folder")
        return files


def in_words(name):
    """Return a structure's name as it is read."""
    return "CSF" if name == "csf" else name.replace("_", " ")


def read_volumes(folder, name):
    """Return the `VolumesRecord` of the scan NAME in a folder; what is wrong with the file is named with its place."""
    path = Path(folder) / f"{name}_volumes.json"
    content = read_json(path)
    try:
        return VolumesRecord.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise FileProblem(path, f"{where}: {first['msg']}.", "Write it again with 'neuroloom volumes'.") from None


def read_pictures(folder, record):
    """Return the brain-masked scan and the label map, both on one grid with axes to the right, front and top.

    Parameters
    ----------
    folder : Path
    record : VolumesRecord
        Its ``files`` say what they are called.

    Raises
    ------
    FileProblem
        Where the two grids differ, no voxel is labelled, or the scan shows more than the brain: a slice through a head
        is a face.
    """
    scan_path, labels_path = (Path(folder) / record.files[key] for key in ("brain", "labels"))
    scan, labels = ras(read(scan_path, kind="volume")), ras(read(labels_path, kind="labels"))
    if scan.data.shape[1:] != labels.data.shape or not np.allclose(
        scan.geometry["affine"], labels.geometry["affine"], atol=1e-3
    ):
        raise FileProblem(
            labels_path,
            f"its grid {labels.data.shape} is not that of {scan_path.name}, {scan.data.shape[1:]}.",
            "Write both again with 'neuroloom volumes'.",
        )
    if not labels.data.any():
        raise FileProblem(labels_path, "no voxel has a label.", "Was the scan of a head?")
    _check_no_face(scan_path, scan, labels)
    if np.ptp(scan.data[0][labels.data > 0]) == 0:
        raise FileProblem(scan_path, "it has one value all over the brain: it is a mask, not a scan.", "Name the scan.")
    return scan, labels


def _check_no_face(path, scan, labels):
    sizes = voxel_sizes(scan.geometry["affine"])
    step = [max(1, round(4.0 / size)) for size in sizes]
    coarse = tuple(slice(None, None, n) for n in step)  # about 4 mm are enough to see a face
    values, inside = scan.data[0][coarse], labels.data[coarse] > 0
    if not inside.any():
        return
    bright = np.abs(values) > BRIGHT * np.percentile(np.abs(values[inside]), 99)
    far = distance_transform_edt(~inside, sampling=sizes * step) > OUTSIDE_MM
    share = (bright & far).sum() / max(bright.sum(), 1)
    if share > OUTSIDE_SHARE:
        raise FileProblem(
            path,
            f"it shows more than the brain: {share:.0%} of it lies over {OUTSIDE_MM:.0f} mm away from the labels.",
            "Only brain-masked scans are drawn, as a slice through a head is a face.",
        )
