"""What image formats share: from a header that was understood to a scan with a trustworthy affine."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from isal import igzip

from neuroloom.errors import FileProblem
from neuroloom.formats import limits
from neuroloom.scan import Scan

KINDS_READ = ("volume", "labels", "series", "movie")
VOXEL_SIZES = (1e-4, 1e3)  # mm: what any scanner or microscope makes lies between
FLATTEST = 1e-4  # smallest volume of the cell of unit-length axes; 1 is a right-angled grid, 0 a flat one


@dataclass(frozen=True)
class VolumeHeader:
    """What a header declares, in one form for all image formats.

    Parameters
    ----------
    shape : tuple of int
        As stored, the first axis fastest.
    dtype : numpy.dtype
        As stored, byte order included.
    offset : int
        Bytes before the first voxel.
    affine : ndarray of shape (4, 4)
        Voxel to mm, RAS+.
    slope, intercept : float
        Value = slope · stored + intercept.
    period : float or None
        Seconds between volumes, where the header says so.
    tail : int
        Bytes that may follow the voxels.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int
    affine: np.ndarray
    slope: float = 1.0
    intercept: float = 0.0
    period: float | None = None
    tail: int = 0

    @property
    def n_voxels(self):
        return int(np.prod(self.shape, dtype=object))

    @property
    def n_bytes(self):
        return self.offset + self.n_voxels * self.dtype.itemsize


@contextmanager
def open_image(path):
    """Yield the unpacked content of an image file, its bytes on disk, and whether those are compressed."""
    packed = is_packed(path)
    with limits.open_file(path) as (file, n_file):
        if not packed:
            yield file, n_file, packed
            return
        with igzip.IGzipFile(fileobj=file, mode="rb") as stream:
            yield stream, n_file, packed


def is_packed(path):
    """Return whether a file of this name is compressed by gzip."""
    return str(path).lower().endswith((".gz", ".mgz"))


def check_kind(path, kind, known):
    """Raise where a format does not hold the kind of data that is asked for."""
    if kind not in known:
        raise FileProblem(
            path, f"files of this format hold {', '.join(known)}; {kind} was asked.", "Correct the input's kind."
        )


def check_shape(path, shape, kind):
    """Return the shape without trailing axes of length 1, having checked it against the kind asked for."""
    if not shape or min(shape) < 1:
        raise FileProblem(path, f"its header declares the shape {shape}.", "Copy or export it again.")
    shape = trimmed(shape)
    if kind == "movie" and (len(shape) != 4 or shape[2] != 1):
        raise FileProblem(path, f"shape {shape}; a movie is (i, j, 1, time).", "Ask for kind: series.")
    if kind == "series" and len(shape) != 4:
        raise FileProblem(path, f"shape {shape}; a series of volumes is (i, j, k, time).", "Ask for kind: volume.")
    channels = kind == "volume" and len(shape) == 5 and shape[3] == 1
    if kind in ("volume", "labels") and len(shape) == 4:
        raise FileProblem(
            path,
            f"4 axes {shape}, expected 3: it holds {shape[3]} volumes.",
            "Ask for kind: series, or save the one volume (or the mean) that is meant.",
        )
    if kind in ("volume", "labels") and len(shape) != 3 and not channels:
        raise FileProblem(
            path, f"{len(shape)} axes {shape}, expected 3.", "Save the one volume that is meant as (i, j, k)."
        )
    return shape


def trimmed(shape):
    """Return the shape without the axes of length 1 that follow the third."""
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def check_affine(path, affine):
    """Return an affine that can be trusted as float64 (4, 4), or raise."""
    affine = np.asarray(affine, dtype=np.float64)
    way_out = "Set it right with nibabel (image.set_sform), from a scan of the same person and grid."
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise FileProblem(path, "its affine has values that are not numbers (NaN or inf).", way_out)
    with np.errstate(over="ignore"):
        sizes = np.linalg.norm(affine[:3, :3], axis=0)
    told = ", ".join(f"{size:.4g}" for size in sizes)
    if sizes.min() == 0:
        raise FileProblem(path, f"its affine is singular: voxel size ({told}) mm.", way_out)
    if sizes.min() < VOXEL_SIZES[0] or sizes.max() > VOXEL_SIZES[1]:
        raise FileProblem(path, f"voxel size ({told}) mm is beyond belief.", "Correct pixdim, units or affine.")
    if abs(np.linalg.det(affine[:3, :3] / sizes)) < FLATTEST:
        raise FileProblem(path, "its affine is singular: two of its axes point the same way.", way_out)
    return affine


def read_voxels(path, stream, header, n_done, n_file, packed):
    """Read the voxels that a header declares, having checked that the file can hold them.

    Parameters
    ----------
    stream : binary file
        The file's (unpacked) content, of which ``n_done`` bytes are read.
    n_file : int
        Bytes of the file on disk.
    packed : bool
        Whether they are compressed.
    """
    if packed:
        limits.check_declared(path, header.n_bytes, n_file)
    elif header.n_bytes > n_file:
        raise FileProblem(
            path,
            f"it is cut: shape {header.shape} of {header.dtype.name} needs {header.n_bytes} bytes, it has {n_file}.",
            "Copy or export it again.",
        )
    converted = header.dtype != np.float32 or (header.slope, header.intercept) != (1, 0)
    limits.check_memory(path, header.n_bytes + 4 * header.n_voxels * converted)
    with limits.parsing(path, "whole image file"):
        limits.skip(stream, header.offset - n_done, path)
        voxels = limits.read_array(stream, header.shape, header.dtype, path, order="F")
        n_after = sum(len(chunk) for chunk in _chunks(stream, header.tail + 1))
    if n_after > header.tail:
        raise FileProblem(
            path,
            f"it holds more than the {limits.in_words(header.n_bytes)} that its header declares {header.shape}.",
            "If the header is right, load and save it once with nibabel; else export it again.",
        )
    return voxels


def _chunks(stream, most):
    """Read to the end (where gzip's checksum stands), or until ``most`` bytes have come."""
    while most > 0 and (chunk := stream.read(min(most, limits.CHUNK))):
        most -= len(chunk)
        yield chunk


def volume_scan(path, voxels, header, kind, sampling):
    """Return the scan of ``kind`` that stored voxels and their header make.

    The memory order of the file (i fastest) is kept, so that float32 files are not copied.
    """
    shape = check_shape(path, header.shape, kind)
    geometry = {"affine": header.affine}
    if kind == "labels":
        return Scan(to_labels(path, voxels.reshape(shape, order="F"), header), kind, geometry)
    values = to_values(path, voxels, header).reshape(shape, order="F")
    if kind == "volume" and len(shape) == 5:
        return Scan(np.moveaxis(values[:, :, :, 0], -1, 0), kind, geometry)  # (i, j, k, 1, c) -> (c, i, j, k)
    if kind == "volume":
        return Scan(values[None], kind, geometry)  # (i, j, k) -> (1, i, j, k)
    geometry |= sampling or _sampling_of(path, header)
    if kind == "movie":
        return Scan(np.moveaxis(values[:, :, 0], -1, 0), kind, geometry)  # (i, j, 1, time) -> (time, i, j)
    return Scan(values.reshape(-1, shape[3]), kind, {**geometry, "grid": shape[:3]})  # (voxel, time)


def _sampling_of(path, header):
    if header.period is None or not 1e-6 <= header.period <= 100:
        said = "none" if header.period is None else f"{header.period:.4g} s"
        raise FileProblem(
            path, f"the time between its volumes is not known: its header says {said}.", "Set sampling_period (s)."
        )
    return {"sampling_rate": 1 / header.period}


def to_values(path, voxels, header):
    """Return stored numbers as float32, scaled in float64 where the header scales; NaN stay."""
    if (header.slope, header.intercept) == (1, 0):
        return limits.to_float32(voxels, path)
    values = np.empty(voxels.shape, dtype=np.float32, order="F")
    for k in range(voxels.shape[-1]):  # slab by slab: float64 of one slab at a time
        values[..., k] = limits.to_float32(scaled(voxels[..., k], header, path), path)
    return values


def scaled(voxels, header, path):
    """Return slope · stored + intercept as float64."""
    try:
        with np.errstate(over="raise", invalid="ignore"):
            return voxels * np.float64(header.slope) + np.float64(header.intercept)
    except FloatingPointError:
        raise FileProblem(
            path, f"its scaling (slope {header.slope:g}) leads beyond any number.", "Correct scl_slope."
        ) from None


def to_labels(path, voxels, header):
    """Return stored numbers as uint16 labels; whatever is no whole number from 0 to 65535 is an error."""
    if (header.slope, header.intercept) != (1, 0):
        voxels = scaled(voxels, header, path)
    low, high = voxels.min(), voxels.max()
    if not (low >= 0 and high <= 65535):  # NaN fails too
        raise FileProblem(
            path, f"labels must be whole numbers from 0 to 65535, but it has {low:g} to {high:g}.", _LABELS_WAY_OUT
        )
    labels = voxels.astype(np.uint16)
    if voxels.dtype.kind == "f" and (n_broken := np.count_nonzero(labels != voxels)):
        example = voxels[labels != voxels].flat[0]
        raise FileProblem(
            path, f"labels must be whole numbers, but {n_broken} voxels are not ({example:g}).", _LABELS_WAY_OUT
        )
    return labels


_LABELS_WAY_OUT = "Is it a label map? If it was resampled, repeat that with nearest-neighbour interpolation."
