"""NIfTI-1 and NIfTI-2 images, .nii and .nii.gz (the format: doi:10.1117/12.2613264 and nifti.nimh.nih.gov)."""

import struct
from contextlib import nullcontext

import nibabel as nib
import numpy as np
from isal import igzip

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats import limits, volume
from neuroloom.formats.atomic import atomic_writer
from neuroloom.formats.series import sampling_of

DTYPES = {  # NIfTI's datatype code -> numpy
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
NOT_READ = {
    1: "single bits",
    32: "complex numbers",
    128: "RGB colours",
    1536: "float128",
    1792: "complex numbers",
    2048: "complex numbers",
    2304: "RGBA colours",
}
MILLIMETRES = {0: 1.0, 1: 1e3, 2: 1.0, 3: 1e-3}  # xyzt_units: unknown (mm by convention), m, mm, um
SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}  # xyzt_units: s, ms, us
MAX_EXTENSIONS = 64 * 1024**2  # bytes between header and voxels
SIZES = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
MAGIC = {348: (344, b"n+1\0"), 540: (4, b"n+2\0\r\n\x1a\n")}


def read_nifti(path, kind=None, *, orientation=None, sampling_rate=None, sampling_period=None):
    """Read a .nii or .nii.gz file.

    Parameters
    ----------
    path : str or Path
    kind : {"volume", "labels", "series", "movie"}, default="volume"
        ``volume`` (1, i, j, k) float32, or (channel, i, j, k) where the fifth NIfTI axis holds channels;
        ``labels`` (i, j, k) uint16; ``series`` (voxel, time) of a 4D file, ``grid`` in its geometry;
        ``movie`` (time, i, j) of a 4D file of one slice.
    orientation : str or None
        Where the file has no affine (sform and qform codes 0), which ways its axes point, for example
        ``"RAS"``: the affine is then made from the voxel sizes, with mm 0 at the middle of the grid. Files
        with an affine keep their own.
    sampling_rate, sampling_period : float or None
        Volumes per second, or seconds between volumes; else what the header says.

    Returns
    -------
    Scan
        Axes and voxels as stored; ``affine`` (mm, RAS+) in its geometry.
    """
    kind = kind or "volume"
    volume.check_kind(path, kind, volume.KINDS_READ)
    sampling = sampling_of(path, sampling_rate, sampling_period)
    with volume.open_image(path) as (stream, n_file, packed):
        raw = _read_raw_header(path, stream)
        header = _understand(path, raw, kind, orientation)
        voxels = volume.read_voxels(path, stream, header, raw.structarr.nbytes, n_file, packed)
    return volume.volume_scan(path, voxels, header, kind, sampling)


def _read_raw_header(path, stream):
    """Return nibabel's view of the header's bytes, unchecked and unrepaired."""
    with limits.parsing(path, "NIfTI file"):
        block = stream.read(348)
        n_header, order = _header_size(path, block)
        block += stream.read(n_header - 348)
    if len(block) < n_header:
        raise FileProblem(path, f"it is cut within its header, at byte {len(block)}.", "Copy or export it again.")
    place, magic = MAGIC[n_header]
    found = block[place : place + len(magic)]
    if found.startswith((b"ni1", b"ni2")):
        raise FileProblem(path, "it is the .hdr half of a .hdr/.img pair.", "Save both as one .nii with nibabel.")
    if found != magic:
        raise FileProblem(
            path,
            f"it is not a NIfTI file: its magic is {found!r}, expected {magic!r}.",
            "If it is ANALYZE 7.5, convert it, and check left and right: that format does not say them.",
        )
    return SIZES[n_header](block, endianness=order, check=False)


def _header_size(path, block):
    """Return 348 or 540, which the first four bytes must say, and the byte order in which they say it."""
    for order in "<>":
        if len(block) >= 4 and (size := struct.unpack(f"{order}i", block[:4])[0]) in SIZES:
            return size, order
    start = block[:16]
    raise FileProblem(
        path, f"it is not a NIfTI file: it starts with {start!r}.", "Convert it to NIfTI, or correct its name."
    )


def _understand(path, raw, kind, orientation):
    """Return the `VolumeHeader` of a raw header, everything in it checked."""
    n_axes = int(raw["dim"][0])
    shape = tuple(int(length) for length in raw["dim"][1 : n_axes + 1])
    if not 1 <= n_axes <= 7:
        raise FileProblem(path, f"its header declares {n_axes} axes, expected 1 to 7.", "Export it again.")
    volume.check_shape(path, shape, kind)
    slope, intercept = _scaling(path, raw)
    return volume.VolumeHeader(
        shape=shape,
        dtype=_dtype(path, raw),
        offset=_offset(path, raw),
        affine=volume.check_affine(path, _affine(path, raw, shape, orientation)),
        slope=slope,
        intercept=intercept,
        period=_period(raw),
    )


def _dtype(path, raw):
    code = int(raw["datatype"])
    if code in DTYPES:
        return np.dtype(DTYPES[code]).newbyteorder(raw.endianness)
    found = NOT_READ.get(code, f"the unknown number type {code}")
    raise FileProblem(
        path, f"its voxels are {found}, expected one real number each.", "Save one channel, or the magnitude, of it."
    )


def _offset(path, raw):
    """Return where the voxels start."""
    offset, least = float(raw["vox_offset"]), raw.structarr.nbytes + 4
    if not (np.isfinite(offset) and offset.is_integer() and least <= offset <= MAX_EXTENSIONS):
        raise FileProblem(
            path,
            f"its header puts the voxels at byte {offset:g}, expected {least} or somewhat more.",
            "Copy or export it again.",
        )
    return int(offset)


def _scaling(path, raw):
    """Return slope and intercept; by the format, a slope of 0 (or NaN) means no scaling."""
    slope, intercept = float(raw["scl_slope"]), float(raw["scl_inter"])
    if slope == 0 or np.isnan(slope):
        return 1.0, 0.0
    if not np.isfinite([slope, intercept]).all():
        raise FileProblem(
            path, f"its scaling is slope {slope:g}, intercept {intercept:g}.", "Correct scl_slope and scl_inter."
        )
    return slope, intercept


def _period(raw):
    """Return the seconds between volumes, or None where the header does not say them in a unit of time."""
    unit = SECONDS.get(int(raw["xyzt_units"]) & 0x38)
    step = float(raw["pixdim"][4])
    return step * unit if unit and np.isfinite(step) and step > 0 else None


def _affine(path, raw, shape, orientation):
    """Return voxel to mm, from the sform, else the qform, else what the user stated."""
    unit = MILLIMETRES.get(int(raw["xyzt_units"]) & 0x07)
    if unit is None:
        raise FileProblem(path, "its unit of length is unknown.", "Set xyzt_units to mm with nibabel.")
    has_sform, has_qform = int(raw["sform_code"]) > 0, int(raw["qform_code"]) > 0
    if has_sform and has_qform:
        _check_sides(path, raw)
    with limits.parsing(path, "NIfTI file with an affine"), np.errstate(all="ignore"):  # checked by the caller
        if has_sform:
            affine = raw.get_sform()
        elif has_qform:
            affine = raw.get_qform()
        else:
            affine = _stated_affine(path, raw, shape, orientation)
        return affine * np.array([[unit], [unit], [unit], [1.0]])


def _check_sides(path, raw):
    """Raise where sform and qform disagree on which side is left (a mirror image apart)."""
    with np.errstate(all="ignore"):  # an affine of NaN is refused by its own check
        sign = np.sign(np.linalg.det(raw.get_sform()[:3, :3]))
    if sign * (-1 if raw["pixdim"][0] < 0 else 1) < 0:
        raise FileProblem(
            path,
            "its sform and qform disagree on which side is left.",
            "Find out which is right, and set the other's code to 0 with nibabel (image.set_qform(None)).",
        )


def _stated_affine(path, raw, shape, orientation):
    """Return the affine of a stated orientation, mm 0 at the middle of the grid."""
    if orientation is None:
        raise FileProblem(
            path,
            "it has no affine (sform and qform codes are 0): which side is left would be guessed.",
            "Export it again with its orientation; or, if you know which ways its axes point, say orientation: RAS.",
        )
    sizes = np.asarray(raw["pixdim"][1:4], dtype=np.float64)
    if not (np.isfinite(sizes).all() and (sizes > 0).all()):
        raise FileProblem(path, f"its voxel size is {tuple(map(float, sizes))} mm.", "Set pixdim with nibabel.")
    rotation = np.zeros((3, 3))
    for axis, (world, sign) in enumerate(nib.orientations.axcodes2ornt(_codes(path, orientation))):
        rotation[int(world), axis] = sign * sizes[axis]
    return nib.affines.from_matvec(rotation, -rotation @ (np.array(shape[:3]) - 1) / 2)


def _codes(path, orientation):
    codes = tuple(str(orientation).upper())
    if len(codes) != 3 or not all(set(pair) & set(codes) for pair in ("RL", "AP", "SI")):
        raise FileProblem(path, f"orientation {orientation!r} is none of the 48, such as RAS or LPI.", "Correct it.")
    return codes


def write_nifti(path, scan):
    """Write a volume or a label map as .nii or .nii.gz, whole or not at all; the same scan gives the same bytes.

    Parameters
    ----------
    path : str or Path
        Its folder must exist.
    scan : Scan
        ``volume`` (channel, i, j, k) float32 or ``labels`` (i, j, k) uint16, with ``affine`` in its geometry
        (stored as float32, in sform and, where it has no shear, qform). Several channels go to the fifth axis.
    """
    stored = _stored(path, scan)
    affine = volume.check_affine(path, scan.geometry.get("affine", np.nan))
    block = _header_block(stored, affine)
    with atomic_writer(path) as file, _content(path, file) as out:
        out.write(block)
        for slab in np.moveaxis(stored, -1, 0):  # the last axis is the slowest in the file
            out.write(slab.tobytes(order="F"))


def _content(path, file):
    """Return what to write the content to; compressed, it says neither name nor date."""
    return igzip.IGzipFile("", "wb", 2, file, mtime=0) if volume.is_packed(path) else nullcontext(file)


def _stored(path, scan):
    """Return a scan's array with the axes of a NIfTI file, having checked that it can be written."""
    if not str(path).lower().endswith((".nii", ".nii.gz")):
        raise FileProblem(path, "expected a name that ends in .nii or .nii.gz.", "Correct the name.")
    expected = {"volume": (np.float32, 4), "labels": (np.uint16, 3)}
    if scan.kind not in expected:
        raise NeuroloomError(f"{path}: NIfTI is written for volume and labels, not for {scan.kind}.")
    dtype, n_axes = expected[scan.kind]
    if scan.data.dtype != dtype or scan.data.ndim != n_axes or scan.data.size == 0:
        raise NeuroloomError(
            f"{path}: {scan.kind} must be {np.dtype(dtype)} with {n_axes} axes, but it is {scan.data.dtype} "
            f"of shape {scan.data.shape}. Convert it before it is written."
        )
    if scan.kind == "labels":
        return scan.data
    if len(scan.data) == 1:
        return scan.data[0]
    return np.moveaxis(scan.data, 0, -1)[:, :, :, None]  # (c, i, j, k) -> (i, j, k, 1, c)


def _header_block(stored, affine):
    """Return the bytes of a file before its voxels."""
    affine = affine.astype(np.float32).astype(np.float64)  # as stored: all else in the header follows from it
    header = nib.Nifti1Header() if max(stored.shape) < 2**15 else nib.Nifti2Header()
    header.set_data_dtype(stored.dtype)
    header.set_data_shape(stored.shape)
    header.set_zooms((*nib.affines.voxel_sizes(affine), *[1.0] * (stored.ndim - 3)))
    header.set_xyzt_units("mm", "sec")
    header.set_slope_inter(1, 0)
    header.set_sform(affine, code="aligned")
    try:
        header.set_qform(affine, code="aligned", strip_shears=False)
    except nib.spatialimages.HeaderDataError:  # a qform cannot say a shear: the sform alone stands
        header.set_qform(None, code="unknown")
    if stored.ndim == 5:
        header.set_intent("vector")
    block = header.structarr
    block["vox_offset"] = block.nbytes + 4
    return header.binaryblock + bytes(4)  # four zero bytes: no extensions
