"""NumPy's .npy and .npz. Headers are understood and held against the bytes first; objects are never unpickled."""

import zipfile
from pathlib import PureWindowsPath

import numpy as np

from neuroloom.errors import FileProblem, listed
from neuroloom.formats import limits
from neuroloom.formats.series import Meaning, chosen

MAX_HEADER = 10_000  # bytes; NumPy's own limit
MAX_DIRECTORY = 4 * 1024**2  # bytes of a zip's table of contents: tens of thousands of arrays
NUMBERS, WORDS = "biuf", "U"  # kinds of NumPy's types
_END = b"PK\x05\x06"  # what a zip's last record starts with


def read_npy(path, kind=None, *, meaning=Meaning()):
    """Read a .npy file of real numbers.

    Parameters
    ----------
    path : str or Path
    kind : {"series", "graph", "table"}, default="series"
    meaning : Meaning

    Returns
    -------
    Scan
    """
    with limits.open_file(path) as (file, n_file):
        values = _read_member(path, file, n_file, NUMBERS)
    return meaning.scan(path, values, kind)


def read_npz(
    path,
    kind=None,
    *,
    variable=None,
    meaning=Meaning(),
):
    """Read one array of a .npz file; the arguments are those of `read_npy` and ``variable``.

    Parameters
    ----------
    variable : str or None
        Name of the array; needed where there are several.
    """
    return meaning.scan(path, read_variable(path, variable), kind)


def read_variable(path, variable=None):
    """Return one array of a .npz file, with its own type and axes; see `read_npz`."""
    with limits.open_file(path) as (file, n_file):
        _check_directory(path, file, n_file)
        with limits.parsing(path, "whole .npz file"), zipfile.ZipFile(file) as archive:
            return _read_packed(path, archive, _choose(path, archive, variable), NUMBERS)


def read_arrays(path, most=None):
    """Return all arrays of a .npz file by name, with their own types; words too, objects never.

    Parameters
    ----------
    path : str or Path
    most : int or None
        Bytes that all arrays together may take.

    Returns
    -------
    dict of ndarray
    """
    with limits.open_file(path) as (file, n_file):
        _check_directory(path, file, n_file)
        with limits.parsing(path, "whole .npz file"), zipfile.ZipFile(file) as archive:
            members = {name: archive.getinfo(member) for name, member in _arrays(path, archive).items()}
            n_bytes = sum(member.file_size for member in members.values())
            if most is not None and n_bytes > most:
                raise FileProblem(path, f"it holds {limits.in_words(n_bytes)}, {limits.in_words(most)} at most.")
            return {name: _read_packed(path, archive, member, NUMBERS + WORDS) for name, member in members.items()}


def _read_packed(path, archive, member, kinds):
    limits.check_declared(path, member.file_size, member.compress_size)
    with archive.open(member) as stream:
        return _read_member(path, stream, member.file_size, kinds)


def _read_member(path, stream, n_bytes, kinds):
    """Read an array in .npy form that must fill exactly ``n_bytes``."""
    with limits.parsing(path, "NumPy file"):
        version = np.lib.format.read_magic(stream)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in readers:
            raise FileProblem(path, f"its .npy version is {version}.", "Save plain numbers with a current NumPy.")
        shape, fortran, dtype = readers[version](stream, max_header_size=MAX_HEADER)
        n_header = stream.tell()
    if dtype.hasobject:
        raise FileProblem(
            path,
            "it holds Python objects (a pickle), which could run code when read.",
            "Save plain numbers: np.save(name, array.astype('float32')).",
        )
    if dtype.names or dtype.kind not in kinds:
        raise FileProblem(path, f"its numbers are of type {dtype}, expected real ones.", "Save real numbers.")
    declared = n_header + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if min(shape, default=1) < 0 or declared != n_bytes:
        raise FileProblem(
            path,
            f"its header declares {dtype} of shape {shape}, {declared} bytes; it has {n_bytes}.",
            "It is cut or damaged: copy or save it again.",
        )
    with limits.parsing(path, "whole NumPy file"):
        values = limits.read_array(stream, shape, dtype, path, order="F" if fortran else "C")
        stream.read(1)  # reaching a zip member's end checks its checksum
    return values


def _check_directory(path, file, n_file):
    """Raise where a zip's table of contents is absent or so long that reading it would be the attack."""
    n_tail = min(n_file, 22 + 65535)  # the last record and the longest comment
    file.seek(n_file - n_tail)
    tail = file.read(n_tail)
    place = tail.rfind(_END)
    if place < 0 or len(tail) < place + 16:
        raise FileProblem(path, "it is not a .npz file, or cut: no table of contents.", "Copy or save it again.")
    n_directory = int.from_bytes(tail[place + 12 : place + 16], "little")
    if n_directory > MAX_DIRECTORY:
        raise FileProblem(
            path, f"its table of contents has {limits.in_words(n_directory)}.", "Save fewer arrays in one file."
        )
    file.seek(0)


def _choose(path, archive, variable):
    """Return the member that holds the asked array."""
    arrays = _arrays(path, archive)
    return archive.getinfo(arrays[chosen(path, "array", variable, dict.fromkeys(arrays))])


def _arrays(path, archive):
    """Return the arrays of a zip, name -> member; names that lead out of it, or that are given twice, are refused."""
    names = archive.namelist()
    odd = [name for name in names if ".." in PureWindowsPath(name).parts or PureWindowsPath(name).root]
    if odd or len(set(names)) < len(names):
        told = f"names that lead out of it: {listed(map(repr, odd))}" if odd else "names given twice"
        raise FileProblem(path, f"its arrays have {told}.", "NumPy writes none like that: do not trust it.")
    return {name.removesuffix(".npy"): name for name in names if name.endswith(".npy")}
