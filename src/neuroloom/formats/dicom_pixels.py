"""Pixels of DICOM slices as float32, their declared sizes held against the bytes that are there (PS3.5, 8)."""

import struct
from itertools import groupby

import numpy as np

from neuroloom.errors import FileProblem
from neuroloom.formats import limits
from neuroloom.formats.dicom_headers import BIG_ENDIAN, RAW, numbers, pydicom_for, quiet, understanding

QUANTITIES = ("CT", "PT")  # Hounsfield units, activity: their numbers mean something as they are
LARGEST = 1e25  # of a scaling: with 32 bits the values stay in float32
MAX_FRAME_BYTES = 512 * 1024**2
JPEG_SIZES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}  # start of frame
JPEG_2000 = b"\xff\x4f\xff\x51"  # its start, then its sizes
ITEM, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"  # of packed pixels (PS3.5, A.4)
RLE = "1.2.840.10008.1.2.5"
DECODERS = "Install a decoder (pip install python-gdcm); or unpack the series: gdcmconv --raw FILE NEW."


def read_pixels(path, grid):
    """Return the volume of ordered slices, values as their headers scale them.

    Parameters
    ----------
    path : Path
        What messages about the whole name.
    grid : Grid

    Returns
    -------
    ndarray of shape (column, row, slice), float32
        The first axis fastest. MR in MONOCHROME1, where small is bright, is turned round within its bits.
    """
    for header in {id(frame.header): frame.header for frame in grid.frames}.values():
        _check_stored(header)
    n_bytes = 4 * int(np.prod(grid.shape, dtype=object))
    limits.check_memory(path, n_bytes + 8 * int(np.prod(grid.shape[:2], dtype=object)))
    values = np.empty(grid.shape, dtype=np.float32, order="F")
    places = sorted(range(len(grid.frames)), key=lambda k: (grid.frames[k].header.path, grid.frames[k].number))
    for _, ks in groupby(places, key=lambda k: grid.frames[k].header.path):
        ks = list(ks)
        header = grid.frames[ks[0]].header
        for k, stored in zip(ks, _stored_frames(header, [grid.frames[k].number for k in ks]), strict=True):
            values[:, :, k] = _scaled(grid.frames[k], _whole(header, stored)).T
    return values


def is_inverted(header):
    """Say whether small numbers of a picture are its bright ones, and its numbers have no unit."""
    return header.word("PhotometricInterpretation") == "MONOCHROME1" and header.word("Modality") not in QUANTITIES


# ---- what is stored --------------------------------------------------------------------------------------


def _dtype(header):
    """Return the type of one stored number."""
    allocated, signed = header.count("BitsAllocated"), header.count("PixelRepresentation")
    stored = header.count("BitsStored", allocated)
    if allocated not in (8, 16, 32) or signed not in (0, 1) or not 1 <= stored <= allocated:
        raise FileProblem(
            header.path,
            f"its pixels have {stored} of {allocated} bits (signed: {signed}), expected 8, 16 or 32.",
            "Convert it with dcm2niix.",
        )
    if header.count("HighBit", stored - 1) != stored - 1:
        raise FileProblem(header.path, "the bits of its pixels are shifted (HighBit).", "Convert it with dcm2niix.")
    if header.syntax == BIG_ENDIAN and allocated == 8:
        raise FileProblem(
            header.path, "it has 8-bit pixels in big-endian order.", "Convert it with gdcmconv --implicit."
        )
    return np.dtype(f"{'>' if header.syntax == BIG_ENDIAN else '<'}{'iu'[signed == 0]}{allocated // 8}")


def _check_stored(header):
    """Raise where a file cannot hold the pixels that its header declares."""
    if header.place is None:
        raise FileProblem(header.path, "it has no pixels.", "Copy or export it again.")
    dtype = _dtype(header)
    shape = header.n_frames, header.count("Rows"), header.count("Columns")
    declared = int(np.prod(shape, dtype=object)) * dtype.itemsize
    held = header.n_file - header.place
    if header.n_bytes is None:
        _check_packed(header, declared, held)
    elif header.n_bytes > held or declared > header.n_bytes:
        raise FileProblem(
            header.path,
            f"it is cut: {shape[0]} x {shape[1]} x {shape[2]} pixels need "
            f"{limits.in_words(max(declared, header.n_bytes))}, it holds {limits.in_words(min(held, header.n_bytes))}.",
            "Copy or export it again.",
        )
    elif header.n_bytes > declared + 1:  # one byte may fill up an odd number of them
        raise FileProblem(
            header.path,
            f"it holds {limits.in_words(header.n_bytes)} of pixels, but its header declares {limits.in_words(declared)}.",
            "Copy or export it again.",
        )


def _check_packed(header, declared, held):
    """Raise where packed pixels cannot be unpacked here, or would become far more than they are."""
    pydicom = pydicom_for(header.path)
    syntax = pydicom.uid.UID(header.syntax)
    try:
        ready = pydicom.pixels.get_decoder(syntax).is_available
    except NotImplementedError:
        ready = False
    if not ready:
        name = syntax.name if syntax.name != header.syntax else "a private way"
        raise FileProblem(header.path, f"its pixels are packed by {name}, which cannot be unpacked here.", DECODERS)
    if declared > limits.BOMB_BYTES and declared > limits.BOMB_RATIO * held:
        limits.check_declared(header.path, declared, held)
    if declared // header.n_frames > MAX_FRAME_BYTES:
        raise FileProblem(header.path, "one of its frames is beyond belief in size.", "Copy or export it again.")


def _stored_frames(header, numbers_wanted):
    """Yield the wanted frames of one file as stored, each (rows, columns)."""
    dtype, shape = _dtype(header), (header.count("Rows"), header.count("Columns"))
    if header.syntax not in RAW:
        yield from _unpacked(header, numbers_wanted, shape, dtype)
        return
    n_bytes = shape[0] * shape[1] * dtype.itemsize
    with limits.open_file(header.path) as (file, _):
        for number in numbers_wanted:
            file.seek(header.place + number * n_bytes)
            yield limits.read_array(file, shape, dtype, header.path)


def _unpacked(header, numbers_wanted, shape, dtype):
    """Yield wanted frames of packed pixels, none unpacked before its own size was held against the header's."""
    pydicom = pydicom_for(header.path)
    limits.check_memory(header.path, 2 * header.n_file)
    with limits.open_file(header.path) as (file, _), quiet(), understanding(header.path, "packed pixels"):
        file.seek(header.place)
        packed = file.read()
        _check_whole(header, packed)
        frames = list(pydicom.encaps.generate_frames(packed, number_of_frames=header.n_frames))
    if len(frames) != header.n_frames:
        raise FileProblem(
            header.path, f"it holds {len(frames)} frames, its header declares {header.n_frames}.", "Copy it again."
        )
    decode = pydicom.pixels.get_decoder(header.syntax).as_array
    for number in numbers_wanted:
        _check_codestream(header, frames[number], shape, shape[0] * shape[1] * dtype.itemsize)
        with quiet(), understanding(header.path, "packed pixels"):
            stored, _ = decode(_one_frame(pydicom, header, frames[number]), index=0, raw=True)
        if stored.shape != shape:
            raise FileProblem(header.path, f"its packed pixels are {stored.shape}, not {shape}.", "Copy it again.")
        yield stored


def _check_whole(header, packed):
    """Raise where packed pixels do not go on, item by item, to their end: a decoder may fill up a cut one by itself."""
    at = 0
    while packed[at : at + 4] == ITEM:
        at += 8 + int.from_bytes(packed[at + 4 : at + 8], "little")
    if packed[at : at + 8] != END:
        raise FileProblem(header.path, "it is cut within its packed pixels.", "Copy or export it again.")


def _one_frame(pydicom, header, frame):
    """Return a data set of one packed frame, which is all that a decoder needs."""
    one = pydicom.Dataset()
    for keyword in (
        "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit",
        "PixelRepresentation",
    ):  # fmt: skip
        setattr(one, keyword, header.entries.get(keyword))
    one.file_meta = pydicom.dataset.FileMetaDataset()
    one.file_meta.TransferSyntaxUID = header.syntax
    one.PixelData = pydicom.encaps.encapsulate([frame])
    one["PixelData"].VR = "OB"
    return one


def _check_codestream(header, frame, shape, n_bytes):
    """Raise where a packed frame names another size than the header, or is far larger than unpacked."""
    told = shape if header.syntax == RLE else _codestream_size(frame)
    if told != shape:
        raise FileProblem(
            header.path,
            f"its packed pixels are {told[0]} x {told[1]}, its header declares {shape[0]} x {shape[1]}.",
            "Copy or export it again.",
        )
    if len(frame) > 2 * n_bytes + 4096:
        raise FileProblem(header.path, "its packed pixels are larger than unpacked ones.", "Copy or export it again.")


def _codestream_size(frame):
    """Return rows and columns that a JPEG, JPEG-LS or JPEG 2000 picture names; 0 and 0 where it is none."""
    if (at := frame.find(JPEG_2000, 0, 200)) >= 0 and len(frame) >= at + 24:  # ISO 15444-1, A.5.1
        right, bottom, left, top = struct.unpack(">4I", frame[at + 8 : at + 24])
        return bottom - top, right - left
    at = 2 if frame.startswith(b"\xff\xd8") else len(frame)
    while at + 9 <= len(frame) and frame[at] == 0xFF:  # ITU T.81, B.2.2
        if frame[at + 1] in JPEG_SIZES:
            return struct.unpack(">HH", frame[at + 5 : at + 9])
        at += 2 + struct.unpack(">H", frame[at + 2 : at + 4])[0]
    return 0, 0


# ---- from stored numbers to values -----------------------------------------------------------------------


def _whole(header, stored):
    """Return stored numbers, having checked that they need no more bits than declared; bright is large."""
    bits, signed = header.count("BitsStored", header.count("BitsAllocated")), header.count("PixelRepresentation") == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if stored.min() < low or stored.max() > high:
        raise FileProblem(
            header.path,
            f"its pixels go from {stored.min()} to {stored.max()}, beyond the {bits} bits that its header declares.",
            "Are there overlays in them, or is BitsStored wrong? Convert it with dcm2niix, and look at it.",
        )
    return low + high - stored.astype(np.int64) if is_inverted(header) else stored


def _scaled(frame, stored):
    """Return slope · stored + intercept as float32, by the frame's own scaling."""
    header = frame.header
    slope, intercept = (
        header.frame_value(frame.number, "PixelValueTransformationSequence", f"Rescale{word}", numbers)
        for word in ("Slope", "Intercept")
    )
    if header.items("ModalityLUTSequence"):
        raise FileProblem(header.path, "its values are told by a table (ModalityLUTSequence).", "Convert it.")
    if slope is None and intercept is None and header.word("Modality") not in QUANTITIES:
        return limits.to_float32(stored, header.path)
    if slope is None or intercept is None:
        raise FileProblem(
            header.path, "it has no RescaleSlope and RescaleIntercept: its unit would be guessed.", "Export it again."
        )
    if (
        slope.shape != (1,)
        or intercept.shape != (1,)
        or not 0 < abs(slope[0]) < LARGEST
        or not abs(intercept[0]) < LARGEST
    ):
        raise FileProblem(header.path, "its RescaleSlope and RescaleIntercept scale nothing.", "Export it again.")
    return limits.to_float32(stored * slope[0] + intercept[0], header.path)
