"""The tree of a MATLAB file with structs and cells in it, walked before another library follows it."""

import struct
import zlib

from neuroloom.errors import FileProblem
from neuroloom.formats import limits
from neuroloom.formats.matlab import COMPRESSED, HDF5_SIGNATURE, MATRIX, N_HEADER, NUMERIC, STORED

MAX_DEPTH, MAX_ELEMENTS = 12, 2_000_000  # EEGLAB's structs are 6 deep
CELL, STRUCT, OBJECT, CHARACTERS, SPARSE = 1, 2, 3, 4, 5
N_LOOK = 64  # bytes that hold the tag of a variable and its matrix's


def check_tree(path):
    """Raise where a .mat file of version 5 is cut, nested without end, or declares more than its bytes can hold.

    Parameters
    ----------
    path : str or Path
        Any file in MATLAB's format, whatever its ending (EEGLAB's is .set).
    """
    with limits.open_file(path) as (file, n_file):
        head = file.read(N_HEADER)
        if head.startswith((HDF5_SIGNATURE, b"MATLAB 7.3")):
            raise FileProblem(
                path, "it is a MATLAB 7.3 (HDF5) file.", "Save it as version 6 or 7 (EEGLAB: Memory options)."
            )
        order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
        if order is None:
            raise FileProblem(path, "it is not a MATLAB file of version 5.", "Save it again.")
        place, count = N_HEADER, [0]
        while place < n_file:
            tag = file.read(8)
            kind, n_bytes = struct.unpack(f"{order}II", tag) if len(tag) == 8 else (0, 0)
            if kind not in (MATRIX, COMPRESSED) or place + 8 + n_bytes > n_file:
                raise FileProblem(path, f"it is cut or damaged at byte {place} of {n_file}.", "Copy or save it again.")
            with limits.parsing(path, "MATLAB file"):
                content = _unpacked(path, file, order, kind, n_bytes)
                _walk(content, order, count)
            place += 8 + n_bytes


def _unpacked(path, file, order, kind, n_bytes):
    """Return the content of a matrix element, its size checked before it is unpacked."""
    limits.check_memory(path, 4 * n_bytes)
    packed = file.read(n_bytes)
    if kind == MATRIX:
        return memoryview(packed)
    start = zlib.decompressobj().decompress(packed, N_LOOK)
    inner, n_inner = struct.unpack(f"{order}II", start[:8])
    if inner != MATRIX:
        raise ValueError(f"an element of type {inner} where a matrix was expected")
    limits.check_declared(path, n_inner, n_bytes)
    limits.check_memory(path, 4 * n_inner)
    content = zlib.decompressobj().decompress(packed, 8 + n_inner)
    if len(content) < 8 + n_inner:
        raise ValueError(f"{n_inner} bytes declared, {len(content)} found")
    return memoryview(content)[8:]


def _walk(content, order, count):
    """Walk the tree of a matrix element's content; a stack keeps what is left to be seen, with its depth."""
    waiting = [(content, 1)]
    while waiting:
        block, depth = waiting.pop()
        count[0] += 1
        if depth > MAX_DEPTH or count[0] > MAX_ELEMENTS:
            raise ValueError(f"nested deeper than {MAX_DEPTH}, or more than {MAX_ELEMENTS} parts")
        waiting += [(inner, depth + 1) for inner in _inner(block, order)]


def _inner(block, order):
    """Return the contents of the matrices within a matrix; raise where its numbers are not what it declares."""
    if len(block) == 0:
        return []
    flags, place = _element(block, 0, order)
    number = flags[0 if order == "<" else 3]
    if number not in (CELL, STRUCT, OBJECT, CHARACTERS, SPARSE, *NUMERIC):
        return []
    shape, place = _element(block, place, order)
    n = 1
    for length in struct.unpack(f"{order}{len(shape) // 4}i", shape):
        n *= max(length, 0)
    _, place = _element(block, place, order)  # name
    if number == OBJECT:
        _, place = _element(block, place, order)  # name of its class
    if number in (STRUCT, OBJECT):
        width, place = _element(block, place, order)
        names, place = _element(block, place, order)
        n *= len(names) // max(struct.unpack(f"{order}i", width)[0], 1)
    if number in (CELL, STRUCT, OBJECT):
        return _matrices(block, place, order, n)
    if number in NUMERIC:
        kind = struct.unpack_from(f"{order}I", block, place)[0]
        values, _ = _element(block, place, order)
        if len(values) != n * STORED.get(kind & 0xFFFF, 0):
            raise ValueError(f"{n} numbers declared in {len(values)} bytes")
    return []


def _matrices(block, place, order, n):
    found = []
    for _ in range(n):
        content, place = _element(block, place, order)
        found.append(content)
    return found


def _element(block, place, order):
    """Return an element's content, and the next one's place; small ones carry up to 4 bytes in the tag."""
    tag, n_bytes = struct.unpack_from(f"{order}II", block, place)
    if tag >> 16:
        return block[place + 4 : place + 4 + (tag >> 16)], place + 8
    after = place + 8 + n_bytes
    if after > len(block):
        raise ValueError(f"{n_bytes} bytes declared, {len(block) - place - 8} left")
    return block[place + 8 : after], after if tag == MATRIX else after + -n_bytes % 8
