"""DICOM: a folder with the slices of a scan, or an enhanced file that holds all of them (dicomstandard.org)."""

from pathlib import Path

from neuroloom.errors import FileProblem
from neuroloom.formats import volume
from neuroloom.formats.dicom_files import dicom_files
from neuroloom.formats.dicom_grid import TILTED
from neuroloom.formats.dicom_headers import read_header
from neuroloom.formats.dicom_pixels import is_inverted, read_pixels
from neuroloom.formats.dicom_series import candidates, choose, volume_grid
from neuroloom.scan import Scan


def read_dicom(path, kind=None, *, series=None):
    """Read one volume from a folder of DICOM files, or from one enhanced (multi-frame) file.

    Slices are put in order by their places, and the affine is theirs: a tilted gantry stays in it as a shear, and is
    noted. Missing, unevenly spaced and repeated slices are errors. Of several series in a folder the one whole head in
    three dimensions is taken: localizers, pictures of screens, single slices and, where another volume is there, derived,
    thin and repeated ones are set aside, and noted; two volumes that may be meant are an error that lists them.

    Parameters
    ----------
    path : str or Path
        A folder (the folders in it are searched too) or a file.
    kind : {"volume"}, default="volume"
    series : str or int or None
        Number of the series, as the error lists it (``5``, or ``5.2`` for the second volume of series 5).

    Returns
    -------
    Scan
        ``volume`` (1, column, row, slice) float32; values as the headers scale them (Hounsfield units, for example). In
        its geometry ``affine`` (mm, RAS+) and ``notes``, a list of what was set aside or is unusual.

    References
    ----------
    DICOM PS3.3, C.7.6.2.1.1 (places and directions), C.7.6.16 (functional groups), C.11.1 (scaling).
    """
    volume.check_kind(path, kind or "volume", ("volume",))
    path = Path(path)
    paths = list(dicom_files(path)) if path.is_dir() else [path]
    if not paths:
        raise FileProblem(
            path, "this folder holds no DICOM file.", "Name a scan, or a folder with the DICOM files of one person."
        )
    one, notes = choose(path, candidates([read_header(file) for file in paths]), series)
    grid = volume_grid(path, one)
    values = read_pixels(path, grid)
    if grid.tilt > TILTED:
        notes.append(f"slices tilted by {grid.tilt:.1f} degrees: the affine holds the shear")
    if is_inverted(grid.frames[0].header):
        notes.append("MONOCHROME1: values turned round, so that bright is large")
    return Scan(values[None], "volume", {"affine": grid.affine, "notes": notes})
