"""Scans that a user names on the command line, whatever holds them: files, DICOM folders, BIDS folders, plain folders."""

from itertools import islice
from pathlib import Path

from neuroloom.cohort.bids import is_bids
from neuroloom.cohort.bids_files import INPUTS, find_files, refuse_absent
from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats import DICOM, READERS, extension, stem
from neuroloom.formats.dicom_files import dicom_files, looks_dicom
from neuroloom.formats.dicom_headers import read_header
from neuroloom.known import check_known

IMAGES = (".nii", ".nii.gz", ".mgh", ".mgz")
SCANS = (*IMAGES, *(ending for ending, reader in READERS.items() if reader == READERS[DICOM]))
SUFFIXES = [suffix for suffix, form in INPUTS.items() if form.kind == "volume"]
DEPTH = 6  # of folders with one folder in them: an archive's exports have three or four
RESULTS, RESULT = ("_dseg", "_mask", "_probseg"), "desc-brain"  # ends and part of what is no scan but was made of one
FIRST_FILES = 20  # of a folder, that are asked for their examination


def scans_of(paths, *, suffix="T1w"):
    """Return the scans that are meant by files and folders, without reading a voxel.

    Parameters
    ----------
    paths : iterable of str or Path
        Each a scan's file (.nii, .nii.gz, .mgz, .mgh, DICOM), or a folder: a BIDS folder (or a person's or session's in
        one), one with scans in it (label maps, masks, probabilities and stripped scans among them are passed over), one
        with the DICOM files of an examination, or one with a folder of DICOM a person.
        In a folder of folders, those of one examination are one scan: its series lie apart.
    suffix : str, default="T1w"
        Of the files that are meant in BIDS folders.

    Returns
    -------
    list of (str, Path)
        Name and place of each, in the order of the paths. The name is that of the file without its ending, or of the
        folder; the place is what `neuroloom.formats.read` takes.

    Raises
    ------
    NeuroloomError
        Where a path is not there, holds no scan, is not written in UTF-8, or two scans would have one name.
    """
    check_known("suffix of BIDS files", suffix, SUFFIXES)
    scans = [scan for path in paths for scan in _scans(Path(path), suffix)]
    places = {}
    for name, place in scans:
        _refuse_not_utf8(place)
        places.setdefault(name, []).append(place)
    twice = {name: found for name, found in places.items() if len(found) > 1}
    if twice:
        name, found = next(iter(twice.items()))
        raise NeuroloomError(
            f"{len(twice)} names are of several scans, and so would their results be: {listed(twice)}. {name!r} is "
            f"{listed(found, 3)}. Rename them, or ask for them one after the other."
        )
    return scans


def _refuse_not_utf8(place):
    try:
        str(place).encode("utf-8")
    except UnicodeEncodeError:
        raise FileProblem(place, "its name is not written in UTF-8, as results' names must be.", "Rename it.") from None


def _scans(path, suffix):
    try:
        if path.is_dir():
            return _of_folder(path, suffix)
        there = path.exists()
    except OSError as error:
        raise FileProblem(
            error.filename or path, f"it cannot be read: {error.strerror or error}.", "Ask its owner for the right."
        ) from error
    if not there:
        raise FileProblem(path, "there is no such file or folder.", "Check the name.")
    if (ending := extension(path)) not in SCANS:
        raise FileProblem(path, f"a {ending} file is no scan.", f"Name one of: {', '.join(SCANS)}, or a folder.")
    return [(stem(path), path)]


def _of_folder(folder, suffix):
    there = sorted(path for path in folder.iterdir() if path.name.lower().endswith(IMAGES) and path.name[0] != ".")
    images = [path for path in there if not _is_result(path)]
    in_bids = _in_bids(folder, suffix)
    dicom = [] if in_bids or images else _in_dicom(folder)
    if images and _has_dicom(folder):
        raise FileProblem(
            folder,
            f"it holds DICOM files and {len(images)} others ({listed([path.name for path in images], 3)}).",
            "Name the files that are meant, or put the DICOM files into a folder of their own.",
        )
    found = in_bids or [(stem(path), path) for path in images] or dicom
    if not found and there:
        raise FileProblem(
            folder,
            f"it holds no scan, but what was made of scans: {listed([path.name for path in there], 3)}.",
            f"Files that end in {', '.join(RESULTS)} or hold {RESULT} are passed over: name the files that are meant.",
        )
    if not found:
        raise FileProblem(
            folder,
            "no scan was found in it.",
            f"Looked for: sub-*/[ses-*/]{INPUTS[suffix].folder}/*_{suffix}.nii.gz (BIDS), files that end in "
            f"{', '.join(IMAGES)} in the folder itself, and DICOM files in it and in the folders in it."
            + _other_suffixes(folder),
        )
    return found


def _is_result(path):
    """Return whether a file's name is that of a label map, a mask, a probability or a stripped scan."""
    name = stem(path)
    return name.endswith(RESULTS) or RESULT in name


# ---- BIDS ------------------------------------------------------------------------------------------------


def _in_bids(folder, suffix):
    """Return the scans with a suffix in a BIDS folder, or in a part of one; none where it is no such folder."""
    files = [file for file in _bids_files(folder) if file.suffix == suffix]
    if files:
        refuse_absent(folder, files)
    return [(stem(file.path), file.path) for file in files]


def _bids_files(folder):
    """Return the known files of a BIDS folder, or of a person's, session's or datatype's folder in one."""
    place = folder.absolute()
    part = next((one for one in (place, *place.parents[:2]) if one.name.startswith("sub-")), None)
    root = folder if part is None else part.parent
    if not is_bids(root):
        return []
    files, _ = find_files(root)
    return [file for file in files if part is None or file.path.is_relative_to(place)]


def _other_suffixes(folder):
    there = sorted({file.suffix for file in _bids_files(folder)} & set(SUFFIXES))
    return f" As BIDS it has {listed(there)}: choose one as the suffix." if there else ""


# ---- DICOM -----------------------------------------------------------------------------------------------


def _in_dicom(folder, depth=DEPTH):
    """Return the scans of a folder of DICOM files, or of one with such folders in it."""
    if _has_dicom(folder):
        return [(stem(folder), folder)]
    children = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    holding = [child for child in children if next(dicom_files(child), None) is not None]
    if len(holding) == 1 and depth:
        inner = _in_dicom(holding[0], depth - 1)
        return [(stem(folder), folder)] if len(inner) == 1 else inner
    studies = [_study(child) for child in holding]
    if len(holding) > 1 and len(set(studies)) == 1 and studies[0]:
        return [(stem(folder), folder)]
    _refuse_parts(holding, studies)
    return [(stem(child), child) for child in holding]


def _has_dicom(folder):
    """Say whether DICOM files lie in the folder itself, other than a table of contents."""
    files = (path for path in folder.iterdir() if path.is_file() and not path.name.upper().startswith("DICOMDIR"))
    return any(looks_dicom(path) for path in files)


def _refuse_parts(folders, studies):
    """Raise where some, but not all, of the folders are parts of one examination."""
    for study in filter(None, dict.fromkeys(studies)):
        of_one = [folder for folder, other in zip(folders, studies, strict=True) if other == study]
        if len(of_one) > 1:
            raise NeuroloomError(
                f"{listed(of_one, 4)} are of one examination, the folders beside them are of others. "
                "Name the scans' folders one by one, or put each examination into a folder of its own."
            )


def _study(folder):
    """Return the identifier of the examination that a folder's first pictures are of; empty where none says it."""
    for path in islice(dicom_files(folder), FIRST_FILES):
        try:
            uid = read_header(path).uid("StudyInstanceUID")
        except NeuroloomError:  # told when the scan is read: one broken scan does not keep others from being found
            continue
        if uid:
            return uid
    return ""
