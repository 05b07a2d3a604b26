"""FreeSurfer's .mgh and .mgz images (the format: surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat)."""

import numpy as np
from nibabel.freesurfer.mghformat import MGHHeader

from neuroloom.errors import FileProblem
from neuroloom.formats import limits, volume
from neuroloom.formats.series import sampling_of

DTYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}  # MGH's type code -> numpy; always big-endian
N_HEADER = 284
MAX_TAIL = 16 * 1024**2  # bytes after the voxels: sequence parameters, command lines, colour table


def read_mgh(path, kind=None, *, sampling_rate=None, sampling_period=None):
    """Read a .mgh or .mgz file.

    Parameters
    ----------
    path : str or Path
    kind : {"volume", "labels", "series", "movie"}, default="volume"
        As in `neuroloom.formats.nifti.read_nifti`.
    sampling_rate, sampling_period : float or None
        Volumes per second, or seconds between volumes: a file of several frames needs one of them.

    Returns
    -------
    Scan
        Axes and voxels as stored; ``affine`` (mm, RAS+) in its geometry.
    """
    kind = kind or "volume"
    volume.check_kind(path, kind, volume.KINDS_READ)
    sampling = sampling_of(path, sampling_rate, sampling_period)
    with volume.open_image(path) as (stream, n_file, packed):
        with limits.parsing(path, "FreeSurfer image"):
            block = stream.read(N_HEADER)
        header = _understand(path, block, kind)
        voxels = volume.read_voxels(path, stream, header, N_HEADER, n_file, packed)
    return volume.volume_scan(path, voxels, header, kind, sampling)


def _understand(path, block, kind):
    """Return the `VolumeHeader` of a header's bytes, everything in it checked."""
    if len(block) < N_HEADER or block[:4] != b"\0\0\0\1":
        raise FileProblem(
            path, f"it is not a FreeSurfer image: it starts with {block[:8]!r}.", "Correct its name, or copy it again."
        )
    raw = MGHHeader(block[:N_HEADER].ljust(MGHHeader.template_dtype.itemsize, b"\0"), check=False)
    shape = tuple(int(length) for length in raw["dims"])
    volume.check_shape(path, shape, kind)
    code = int(raw["type"])
    if code not in DTYPES:
        raise FileProblem(path, f"its number type {code} is none of {tuple(DTYPES)}.", "Convert it to float.")
    if block[28:30] != b"\0\1":  # goodRASFlag, as stored: nibabel's header has filled in a default by now
        raise FileProblem(
            path,
            "it has no affine (goodRASFlag is 0): which side is left would be guessed.",
            "Set it with mri_convert from a scan of the same grid.",
        )
    with np.errstate(all="ignore"):  # whatever comes out is checked below
        affine = raw.get_affine()
    return volume.VolumeHeader(
        shape=shape,
        dtype=np.dtype(DTYPES[code]),
        offset=N_HEADER,
        affine=volume.check_affine(path, affine),
        tail=MAX_TAIL,
    )
