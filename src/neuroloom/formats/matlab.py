"""MATLAB's .mat files: version 5 (save -v6, -v7) by SciPy, once its declared sizes were checked; 7.3 by h5py."""

import struct
import zlib
from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy.io import loadmat

from neuroloom.errors import FileProblem, listed
from neuroloom.formats import limits
from neuroloom.formats.series import Meaning, chosen

# Class and data-type numbers: "MAT-File Format", The MathWorks, tables 1-1 and 1-3
NUMERIC = range(6, 16)  # classes double, single, and 8 to 64 bit whole numbers
OPAQUE = 17
OTHER = {1: "a cell array", 2: "a struct", 3: "an object", 4: "text", 5: "a sparse matrix", 16: "a function handle"}
OTHER |= {OPAQUE: "an object of a MATLAB class"}
STORED = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}  # data type -> bytes of one number
MATRIX, COMPRESSED = 14, 15
COMPLEX = 0x08  # in the second byte of the flags
CLASSES_V73 = {"double", "single", "logical", *(f"{sign}int{n}" for sign in ("", "u") for n in (8, 16, 32, 64))}
N_HEADER = 128
N_LOOK = 4096  # bytes of a variable that hold its flags, shape, name and the size of its numbers
MAX_VARIABLES = 10_000
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
TO_NUMBERS = "Save the numbers themselves as a full real array, with save(name, 'variable', '-v7')."
TO_V7 = "Save it in MATLAB with save(name, 'variable', '-v7')."


@dataclass(frozen=True)
class _Variable:
    """What a file declares about one variable."""

    name: str
    shape: tuple[int, ...]
    fault: str = ""  # why it cannot be read; empty where it can
    n_bytes: int = 0  # unpacked
    n_packed: int | None = None  # None where it is not compressed


def read_mat(
    path,
    kind=None,
    *,
    variable=None,
    meaning=Meaning(),
):
    """Read one array of real numbers from a .mat file.

    Parameters
    ----------
    path : str or Path
    kind : {"series", "graph", "table"}, default="series"
    variable : str or None
        Name of the variable; needed where there are several.
    meaning : Meaning
        Its axes as MATLAB's size() gives them.

    Returns
    -------
    Scan
    """
    return meaning.scan(path, read_variable(path, variable), kind)


def read_variable(path, variable=None):
    """Return one array of real numbers of a .mat file, with its own type and axes; see `read_mat`."""
    with limits.open_file(path) as (file, n_file):
        head = file.read(N_HEADER)
        is_hdf5 = head.startswith((HDF5_SIGNATURE, b"MATLAB 7.3"))
        return _read_v73(path, variable) if is_hdf5 else _read_v5(path, file, head, n_file, variable)


def _read_v5(path, file, head, n_file, name):
    order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
    if order is None or struct.unpack(f"{order}H", head[124:126])[0] != 0x0100:
        raise FileProblem(path, "it is not a MATLAB file of version 5 to 7.3.", TO_V7)
    walked = list(_walk(path, file, order, n_file))
    variables = {variable.name: variable for variable in walked}
    if len(variables) < len(walked):
        twice = [name for name, n in Counter(variable.name for variable in walked).items() if n > 1]
        raise FileProblem(path, f"it holds several variables of one name: {listed(twice)}.", TO_V7)
    shapes = {variable.name: variable.shape for variable in variables.values()}
    variable = variables[chosen(path, "variable", name, shapes)]
    if variable.n_packed is not None:
        limits.check_declared(path, variable.n_bytes, variable.n_packed)
    if variable.fault:
        raise FileProblem(path, f"variable {variable.name!r} {variable.fault}.", TO_NUMBERS)
    limits.check_memory(path, 2 * 8 * int(np.prod(variable.shape, dtype=object)))
    file.seek(0)
    with limits.parsing(path, "MATLAB file"):
        return loadmat(file, variable_names=[variable.name])[variable.name]


def _walk(path, file, order, n_file):
    """Yield each variable that a file declares, reading no more than its first bytes."""
    place = N_HEADER
    for _ in range(MAX_VARIABLES):
        if place >= n_file:
            return
        file.seek(place)
        tag = file.read(8)
        kind, n_bytes = struct.unpack(f"{order}II", tag) if len(tag) == 8 else (0, 0)
        if kind not in (MATRIX, COMPRESSED) or place + 8 + n_bytes > n_file:
            raise FileProblem(path, f"it is cut or damaged at byte {place} of {n_file}.", "Copy or save it again.")
        with limits.parsing(path, "MATLAB file"):
            start = tag + file.read(min(n_bytes, N_LOOK))
            if kind == COMPRESSED:
                start = zlib.decompressobj().decompress(start[8:], N_LOOK)
            variable = _declared(start, order, n_bytes if kind == COMPRESSED else None)
        if variable is not None:
            yield variable
        place += 8 + n_bytes
    raise FileProblem(path, f"it holds more than {MAX_VARIABLES} variables.", "Save fewer in one file.")


def _declared(start, order, n_packed):
    """Return what the first bytes of a matrix element declare; None for MATLAB's own nameless ones.

    Parameters
    ----------
    start : bytes
        Tag, then the elements flags, shape, name and numbers ("MAT-File Format", figure 1-3).
    n_packed : int or None
        Compressed bytes of the whole; None where it is not compressed.
    """
    kind, n_matrix = struct.unpack(f"{order}II", start[:8])
    if kind != MATRIX:
        raise ValueError(f"an element of type {kind} where a matrix was expected")
    if n_matrix == 0:
        return None
    _, flags, _, place = _element(start, 8, order)
    class_number, is_complex = flags[0 if order == "<" else 3], flags[1 if order == "<" else 2] & COMPLEX
    if class_number == OPAQUE:  # has no shape
        return _Variable(_text(_element(start, place, order)[1]), (), f"is {OTHER[OPAQUE]}")
    _, shape_bytes, _, place = _element(start, place, order)
    shape = struct.unpack(f"{order}{len(shape_bytes) // 4}i", shape_bytes)
    _, name, _, place = _element(start, place, order)
    if not name:
        return None
    if class_number not in NUMERIC or is_complex:
        found = "complex" if class_number in NUMERIC else OTHER.get(class_number, f"of class {class_number}")
        return _Variable(_text(name), shape, f"is {found}, expected real numbers")
    stored, _, n_bytes, _ = _element(start, place, order)
    return _Variable(_text(name), shape, _fault(shape, stored, n_bytes, n_matrix), n_matrix, n_packed)


def _fault(shape, stored, n_bytes, n_matrix):
    """Return why the numbers cannot be what is declared, or an empty text."""
    n_expected = int(np.prod(shape, dtype=object)) * STORED.get(stored, 0)
    if min(shape, default=0) < 0 or n_bytes != n_expected or n_bytes > n_matrix:
        return f"declares the shape {shape}, but {n_bytes} bytes of numbers: it is damaged"
    return ""


def _element(block, place, order):
    """Return type, bytes at hand, declared length and the next element's place; small ones carry 4 bytes in the tag."""
    tag, n_bytes = struct.unpack(f"{order}II", block[place : place + 8])
    if tag >> 16:
        return tag & 0xFFFF, block[place + 4 : place + 4 + (tag >> 16)], tag >> 16, place + 8
    after = place + 8 + n_bytes
    return tag, block[place + 8 : after], n_bytes, after + -n_bytes % 8


def _text(name):
    return name.decode("ascii", errors="backslashreplace")


def _read_v73(path, name):
    """Read from MATLAB's HDF5 form; links and data that lie in other files are refused."""
    try:
        import h5py
    except ImportError:
        raise FileProblem(
            path, "it is a MATLAB 7.3 file, which needs h5py.", f"pip install h5py; or: {TO_V7}"
        ) from None
    with limits.parsing(path, "MATLAB 7.3 file"), h5py.File(path, "r") as file:
        if len(file) > MAX_VARIABLES:
            raise FileProblem(path, f"it holds more than {MAX_VARIABLES} variables.", "Save fewer in one file.")
        name = chosen(path, "variable", name, dict.fromkeys(key for key in file if not key.startswith("#")))
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise FileProblem(path, f"variable {name!r} is a link.", TO_V7)
        dataset = file[name]
        _check_dataset(path, name, dataset, h5py)
        return dataset[()].T  # HDF5 keeps MATLAB's axes in reverse


def _check_dataset(path, name, dataset, h5py):
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "biuf" or dataset.shape is None:
        raise FileProblem(path, f"variable {name!r} is no array of real numbers.", TO_NUMBERS)
    told = dataset.attrs.get("MATLAB_class", b"double")
    told = told.decode("ascii", errors="backslashreplace") if isinstance(told, bytes) else str(told)
    if told not in CLASSES_V73:
        raise FileProblem(path, f"variable {name!r} is of MATLAB's class {told}, expected real numbers.", TO_NUMBERS)
    if dataset.attrs.get("MATLAB_empty", 0):  # what is stored is then its shape
        raise FileProblem(path, f"variable {name!r} is an empty array.", TO_NUMBERS)
    if dataset.is_virtual or dataset.external:
        raise FileProblem(path, f"the numbers of {name!r} lie in another file.", TO_V7)
    n_bytes = dataset.size * dataset.dtype.itemsize
    chunk = int(np.prod(dataset.chunks or (0,), dtype=object)) * dataset.dtype.itemsize
    limits.check_declared(path, max(n_bytes, chunk), dataset.id.get_storage_size())
    limits.check_memory(path, n_bytes + chunk)
