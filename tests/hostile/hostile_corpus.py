"""Files that are broken, or meant to do harm, one for each way we know; written anew by each run, never stored.

``make_corpus(folder)`` writes them and returns what is to be done with each. Every one must end in a clear
`NeuroloomError` that names the file, under 2 s and 200 MB.
"""

import gzip
import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import scipy.io

HUGE = 10 * 2**30  # bytes that a bomb unpacks to


@dataclass(frozen=True)
class Case:
    """One file, what is done with it, and words that its error must hold."""

    name: str
    says: str
    make: Callable[[Path], Any]  # returns the file's content, or makes what is no plain file itself
    reader: str = "read"  # read, table, yaml, json, or inside (a path from a table)
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def needs_no_root(self):
        return self.name.startswith("unreadable")


CASES = []


def case(name, says, make, reader="read", **arguments):
    CASES.append(Case(name, says, make if callable(make) else lambda path: make, reader, arguments))


def make_corpus(folder):
    """Write all files under ``folder`` and return their cases."""
    for one in CASES:
        content = one.make(folder / one.name)
        if content is not None:
            (folder / one.name).write_bytes(content.encode() if isinstance(content, str) else content)
    return CASES


class Owner:
    """Unpickled, it makes a folder: the proof that code from a file was run."""

    def __reduce__(self):
        return os.mkdir, ("owned",)


def noise(n_bytes):
    return np.random.default_rng(0).bytes(n_bytes)


# ---- images ----------------------------------------------------------------------------------------------


def nifti(shape=(4, 5, 6), dtype="f4", values=None, kind=nib.Nifti1Header, **fields):
    """Return the bytes of a sound .nii in which the named header fields are then set to something else."""
    header = kind()
    header.set_data_dtype(dtype)
    header.set_data_shape(shape)
    header.set_sform(np.diag([2.0, 2, 2, 1]), 1)
    header.set_xyzt_units("mm", "sec")
    header["vox_offset"] = header.structarr.nbytes + 4
    for name, value in fields.items():
        header.structarr[name] = value
    values = np.zeros(shape, dtype) if values is None else np.full(shape, values, dtype)
    return header.binaryblock + bytes(4) + values.tobytes()


def dims(*lengths):
    """Return NIfTI's dim field, whatever its lengths are."""
    return [len(lengths), *lengths, *[1] * (7 - len(lengths))]


def with_zeros(start, n_bytes=HUGE):
    """Return a gzip file of ``start`` and then zeros without end, quickly made of equal members."""
    member = gzip.compress(bytes(2**26), 9, mtime=0)
    return gzip.compress(start, mtime=0) + member * (n_bytes // 2**26)


def mgh(shape=(4, 5, 6, 1), code=3, good=1, spacing=(1, 1, 1), n_data=None):
    """Return the bytes of an .mgh file."""
    axes = (-1, 0, 0, 0, 0, -1, 0, 1, 0)
    head = struct.pack(">7ih3f9f3f", 1, *shape, code, 0, good, *spacing, *axes, 0, 0, 0)
    return head.ljust(284, b"\0") + bytes(4 * int(np.prod(shape)) if n_data is None else n_data)


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def unreadable(path):
    path.write_bytes(nifti())
    path.chmod(0)


QUATERNION_WRONG = {"qform_code": 1, "sform_code": 0, "quatern_b": 5.0}
PACKED = gzip.compress(nifti((20, 20, 20)), mtime=0)

case("words.nii", "not a NIfTI", "this is a letter, not a scan\n" * 40)
case("empty.nii", "empty", b"")
case("empty.nii.gz", "empty", b"")
case("not_gzip.nii.gz", "damaged", noise(5000))
case("cut_in_header.nii", "cut within", nifti()[:100])
case("cut_in_magic.nii.gz", "damaged", PACKED[:30])
case("header_only.nii", "cut", nifti()[:352])
case("cut.nii", "cut", nifti()[:-1])
case("cut.nii.gz", "damaged", gzip.compress(nifti()[:352] + noise(480), mtime=0)[:-100])
case("bit_flipped.nii.gz", "damaged", flipped(PACKED, len(PACKED) - 6))
case("longer_than_declared.nii.gz", "more than", gzip.compress(nifti() + bytes(1)))
case("longer_than_declared.nii", "more than", nifti() + bytes(1))
case("bomb.nii.gz", "not a NIfTI", lambda path: with_zeros(b""))
case("bomb_behind_sound_image.nii.gz", "more than", lambda path: with_zeros(nifti()))
case("bomb_declared.nii.gz", "unpack", lambda path: with_zeros(nifti(dtype="f8", dim=dims(1024, 1024, 1279))[:352]))
case("dims_32767.nii", "7 axes", nifti(dim=dims(*[32767] * 7)))
case("dims_32767_in_3d.nii", "cut", nifti(dim=dims(32767, 32767, 32767)))
case("dims_32767_in_3d.nii.gz", "more than", gzip.compress(nifti(dim=dims(32767, 32767, 32767))))
case("dims_2_to_62.nii", "cut", nifti(kind=nib.Nifti2Header, dim=dims(2**62, 2**62, 2**62)))
case("dims_2_to_62.nii.gz", "more than", gzip.compress(nifti(kind=nib.Nifti2Header, dim=dims(2**62, 2**62, 2**62))))
case("negative_dim.nii", "shape", nifti(dim=dims(4, -5, 6)))
case("zero_dim.nii", "shape", nifti(dim=dims(4, 0, 6)))
case("no_axes.nii", "0 axes", nifti(dim=[0] * 8))
case("twelve_axes.nii", "12 axes", nifti(dim=[12, 4, 5, 6, 1, 1, 1, 1]))
case("flat.nii", "2 axes", nifti(dim=dims(20, 6)))
case("time_series.nii.gz", "4 axes", gzip.compress(nifti((4, 5, 6, 7))))
case("offset_past_end.nii", "cut", nifti(vox_offset=1e6))
case("offset_past_end.nii.gz", "more than", gzip.compress(nifti(vox_offset=1e6)))
case("offset_1e30.nii", "byte 1e+30", nifti(vox_offset=1e30))
case("offset_nan.nii", "byte nan", nifti(vox_offset=np.nan))
case("offset_negative.nii", "byte -4", nifti(vox_offset=-4))
case("offset_in_header.nii", "byte 8", nifti(vox_offset=8))
case("affine_nan.nii", "affine", nifti(srow_x=[np.nan, 0, 0, 0]))
case("affine_inf.nii", "affine", nifti(srow_x=[2, 0, 0, np.inf]))
case("affine_zero.nii", "singular", nifti(srow_x=[0] * 4, srow_y=[0] * 4, srow_z=[0] * 4))
case("affine_flat.nii", "singular", nifti(srow_x=[1, 1, 0, 0], srow_y=[1, 1, 0, 0]))
case("affine_1e20.nii", "belief", nifti(srow_x=[1e20, 0, 0, 0], srow_y=[0, 1e20, 0, 0], srow_z=[0, 0, 1e20, 0]))
case("affine_missing.nii", "no affine", nifti(sform_code=0))
case("affine_mirrored.nii", "which side is left", nifti(qform_code=1, pixdim=[-1, 2, 2, 2, 0, 0, 0, 0]))
case("quaternion_beyond_one.nii", "damaged", nifti(**QUATERNION_WRONG))
case("pixdim_negative.nii", "damaged", nifti(qform_code=1, sform_code=0, pixdim=[1, -2, 2, 2, 0, 0, 0, 0]))
case("unit_unknown.nii", "unit of length", nifti(xyzt_units=7))
case("slope_inf.nii", "scaling", nifti(scl_slope=np.inf, scl_inter=0))
case("intercept_nan.nii", "scaling", nifti(scl_slope=2, scl_inter=np.nan))
case("rgb.nii", "RGB", nifti(datatype=128, bitpix=24))
case("complex.nii", "complex", nifti(datatype=32, bitpix=64))
case("type_unknown.nii", "number type 9999", nifti(datatype=9999))
case("pair.nii", "pair", nifti(magic=b"ni1"))
case("analyze.nii", "ANALYZE", nifti(magic=b""))
case("beyond_float32.nii", "float32", nifti(dtype="f8", values=1e300))
case("scaled_beyond_float32.nii", "float32", nifti(values=1e30, scl_slope=1e30, scl_inter=0))
case("scaled_beyond_float64.nii", "scaling", nifti(dtype="f8", values=1e300, scl_slope=1e30, scl_inter=0))
case("no_table.nii", "hold volume", nifti(), kind="table")
case("voxel_size_zero.nii", "voxel size", nifti(sform_code=0, pixdim=[1, 0, 2, 2, 0, 0, 0, 0]), orientation="RAS")
case("labels_negative.nii", "0 to 65535", nifti(dtype="i2", values=-1), kind="labels")
case("labels_fraction.nii", "whole numbers", nifti(values=0.5), kind="labels")
case("labels_nan.nii", "0 to 65535", nifti(values=np.nan), kind="labels")
case("folder.nii", "folder", os.mkdir)
case("pipe.nii.gz", "pipe", os.mkfifo)
case("absent.nii.gz", "no such file", lambda path: None)
case("long_name" * 40 + ".nii", "cannot be opened", lambda path: None)
case("unreadable.nii", "may not read", unreadable)
case("circle.nii", "cannot be opened", lambda path: path.symlink_to(path))
case("kind_unknown.nii", "Did you mean 'volume'", nifti(), kind="volum")
case("argument_unknown.nii", "Did you mean 'orientation'", nifti(), orientatio="RAS")
case("scan.img", "no reader", noise(300))
case("words.mgz", "damaged", "this is a letter, not a scan\n" * 40)
case("words.mgh", "not a FreeSurfer", "this is a letter, not a scan\n" * 40)
case("cut.mgz", "cut", gzip.compress(mgh(n_data=400)))
case("dims_2_to_31.mgz", "more than", gzip.compress(mgh((2**31 - 1, 2**31 - 1, 2**31 - 1, 1), n_data=9)))
case("negative_dim.mgh", "shape", mgh((4, -5, 6, 1), n_data=480))
case("affine_missing.mgh", "no affine", mgh(good=0))
case("affine_nan.mgh", "affine", mgh(spacing=(np.nan, 1, 1)))
case("type_unknown.mgh", "number type", mgh(code=77))
case("bomb_behind_sound_image.mgz", "more than", lambda path: with_zeros(mgh()))

# ---- DICOM -----------------------------------------------------------------------------------------------

LONG = (b"OB", b"OW", b"SQ", b"UN")  # value representations with a length of four bytes
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
EXPLICIT, DEFLATED, RLE, JPEG_2000 = (f"1.2.840.10008.1.2{end}" for end in (".1", ".1.99", ".5", ".4.90"))


def entry(group, number, kind, value, n_bytes=None):
    """Return one entry of a DICOM header; numbers of kind US, text else; ``n_bytes`` may lie."""
    if isinstance(value, int):
        value = struct.pack("<H", value)
    if isinstance(value, str):
        value = value.encode() + (b"\0" if kind == b"UI" else b" ") * (len(value) % 2)
    size = len(value) if n_bytes is None else n_bytes
    packed = struct.pack("<HI", 0, size) if kind in LONG else struct.pack("<H", size)
    return struct.pack("<HH", group, number) + kind + packed + value


def items(*contents):
    """Return the items of a sequence."""
    return b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(one)) + one for one in contents)


def nested(depth):
    """Return sequences of undefined length within each other."""
    start = struct.pack("<HH", 0x0040, 0x0275) + b"SQ" + struct.pack("<HI", 0, 2**32 - 1)
    return (start + struct.pack("<HHI", 0xFFFE, 0xE000, 2**32 - 1)) * depth


def group(number, content):
    """Return a functional group: a sequence of one item."""
    return entry(0x0020 if number != 0x9110 else 0x0028, number, b"SQ", items(content))


def dicom(syntax=EXPLICIT, **parts):
    """Return the bytes of an enhanced MR file of three frames of 4 x 5 pixels, with some parts replaced."""
    shared = group(0x9116, entry(0x0020, 0x0037, b"DS", "1\\0\\0\\0\\1\\0"))
    shared += group(0x9110, entry(0x0028, 0x0030, b"DS", "2\\3"))
    places = [group(0x9113, entry(0x0020, 0x0032, b"DS", f"0\\0\\{4 * k}")) for k in range(3)]
    header = {
        "kind": entry(0x0008, 0x0016, b"UI", ENHANCED_MR),
        "modality": entry(0x0008, 0x0060, b"CS", "MR"),
        "person": entry(0x0010, 0x0010, b"PN", "Quux^Zaphod"),
        "before": b"",
        "series": entry(0x0020, 0x0011, b"IS", "5"),
        "samples": entry(0x0028, 0x0002, b"US", 1),
        "colours": entry(0x0028, 0x0004, b"CS", "MONOCHROME2"),
        "frames": entry(0x0028, 0x0008, b"IS", "3"),
        "rows": entry(0x0028, 0x0010, b"US", 4),
        "columns": entry(0x0028, 0x0011, b"US", 5),
        "bits": entry(0x0028, 0x0100, b"US", 16) + entry(0x0028, 0x0101, b"US", 16) + entry(0x0028, 0x0102, b"US", 15),
        "signed": entry(0x0028, 0x0103, b"US", 0),
        "scaling": b"",
        "shared": entry(0x5200, 0x9229, b"SQ", items(shared)),
        "each": entry(0x5200, 0x9230, b"SQ", items(*places)),
        "pixels": entry(0x7FE0, 0x0010, b"OW", bytes(120)),
    }
    meta = entry(0x0002, 0x0010, b"UI", syntax) if syntax else b""
    start = bytes(128) + b"DICM" + entry(0x0002, 0x0000, b"UL", struct.pack("<I", len(meta))) + meta
    return start + b"".join((header | parts).values())


def packed_pixels(*frames):
    """Return encapsulated pixels."""
    padded = [frame + b"\0" * (len(frame) % 2) for frame in frames]
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return entry(0x7FE0, 0x0010, b"OB", items(b"", *padded) + end, 2**32 - 1)


def codestream(rows, columns):
    """Return the start of a JPEG 2000 picture of some size, and noise."""
    sizes = struct.pack(">HH8IH", 41, 0, columns, rows, 0, 0, columns, rows, 0, 0, 1) + b"\x0f\1\1"
    return b"\xff\x4f\xff\x51" + sizes + noise(400)


def packed_twice(n_mb):
    """Return what pretends to be a run-length frame: one segment of zeros that is far longer than the picture."""
    return struct.pack("<16I", 2, 64, 64 + n_mb * 2**20, *[0] * 13) + b"\x81\0" * (n_mb * 2**20)


SHARED_ROWS = {"rows": entry(0x0028, 0x0010, b"US", 65535), "columns": entry(0x0028, 0x0011, b"US", 65535)}
EMPTY_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
MANY_ITEMS = entry(0x0040, 0x0275, b"SQ", EMPTY_ITEM * 200_000, 2**32 - 1)
MANY_ENTRIES = b"".join(entry(0x0011, number, b"LO", "") for number in range(0x1000, 0x2000)) * 150
DIRECTIONS = entry(0x5200, 0x9229, b"SQ", items(group(0x9116, entry(0x0020, 0x0037, b"DS", "1\\0\\0\\0\\1\\0"))))
SPACING = entry(0x5200, 0x9229, b"SQ", items(group(0x9110, entry(0x0028, 0x0030, b"DS", "2\\3"))))

case("words.dcm", "not a DICOM", "this is a letter, not a scan\n" * 40)
case("empty.dcm", "empty", b"")
case("cut_in_preamble.dcm", "not a DICOM", dicom()[:100])
case("cut_in_meta.dcm", "how it is stored", dicom()[:140])
case("cut_in_header.dcm", "no picture", dicom()[:280])
case("cut.dcm", "cut", dicom()[:-1])
case("no_syntax.dcm", "how it is stored", dicom(syntax=""))
case("syntax_unknown.dcm", "packed by a private way", dicom("1.2.3.4", pixels=packed_pixels(b"a", b"b", b"c")))
case("deflated_bomb.dcm", "deflated", lambda path: dicom(DEFLATED)[:180] + zlib.compress(bytes(2**28), 9)[2:])
case("rows_65535.dcm", "cut", dicom(**SHARED_ROWS))
case("rows_zero.dcm", "no picture", dicom(rows=entry(0x0028, 0x0010, b"US", 0)))
case("columns_zero.dcm", "pixels", dicom(columns=entry(0x0028, 0x0011, b"US", 0)))
case("frames_2_to_31.dcm", "declares 2147483647 frames", dicom(frames=entry(0x0028, 0x0008, b"IS", "2147483647")))
case("frames_negative.dcm", "declares -3 frames", dicom(frames=entry(0x0028, 0x0008, b"IS", "-3")))
case("frames_words.dcm", "NumberOfFrames", dicom(frames=entry(0x0028, 0x0008, b"IS", "three")))
case("frames_fewer.dcm", "declares 2 frames", dicom(frames=entry(0x0028, 0x0008, b"IS", "2")))
case("frames_undescribed.dcm", "no places", dicom(each=b""))
case("no_pixels.dcm", "no pixels", dicom(pixels=b""))
case("pixels_lie.dcm", "cut", dicom(pixels=entry(0x7FE0, 0x0010, b"OW", bytes(120), 2**32 - 2)))
case("pixels_more.dcm", "declares 120 bytes", dicom(pixels=entry(0x7FE0, 0x0010, b"OW", bytes(200))))
case("pixels_packed_lie.dcm", "not stored as", dicom(pixels=packed_pixels(bytes(40))))
case("no_orientation.dcm", "no ImageOrientationPatient", dicom(shared=SPACING))
case("no_spacing.dcm", "no PixelSpacing", dicom(shared=DIRECTIONS))
case("no_position.dcm", "no ImagePositionPatient", dicom(each=entry(0x5200, 0x9230, b"SQ", items(b"", b"", b""))))
case("no_bits.dcm", "no BitsAllocated", dicom(bits=b""))
case("bits_1.dcm", "of 1 bits", dicom(bits=entry(0x0028, 0x0100, b"US", 1)))
case("colours.dcm", "colours", dicom(samples=entry(0x0028, 0x0002, b"US", 3)))
case("report.dcm", "modality SR", dicom(modality=entry(0x0008, 0x0060, b"CS", "SR")))
case(
    "slope_1e300.dcm",
    "scale nothing",
    dicom(scaling=entry(0x0028, 0x1052, b"DS", "0") + entry(0x0028, 0x1053, b"DS", "1e300")),
)
case("slope_words.dcm", "RescaleSlope", dicom(scaling=entry(0x0028, 0x1053, b"DS", "steep ")))
case("nested.dcm", "damaged", dicom(before=nested(20_000)))
case("nested_in_frames.dcm", "damaged", dicom(each=entry(0x5200, 0x9230, b"SQ", items(nested(20_000), b"", b""))))
case("many_items.dcm", "too many entries", dicom(before=MANY_ITEMS))
case("many_entries.dcm", "too many entries", dicom(before=MANY_ENTRIES))
case("length_lies.dcm", "no picture", dicom(before=entry(0x0018, 0x9999, b"UN", b"ab", 2**32 - 2)))
case("noise_behind_mark.dcm", "how it is stored", bytes(128) + b"DICM" + noise(5000))
case("rle_beyond_belief.dcm", "can hold", dicom(RLE, pixels=packed_pixels(*[bytes(64)] * 3), **SHARED_ROWS))
case("rle_bomb.dcm", "larger than unpacked", lambda path: dicom(RLE, pixels=packed_pixels(*[packed_twice(4)] * 3)))
case("rle_noise.dcm", "damaged", dicom(RLE, pixels=packed_pixels(*[noise(80)] * 3)))
case("frames_packed_fewer.dcm", "1 frames", dicom(RLE, pixels=packed_pixels(noise(80))))
case("jpeg_2000_noise.dcm", "packed pixels are 0 x 0", dicom(JPEG_2000, pixels=packed_pixels(*[noise(200)] * 3)))
case(
    "jpeg_2000_lies.dcm",
    "packed pixels are 60000 x 60000",
    dicom(JPEG_2000, pixels=packed_pixels(*[codestream(60000, 60000)] * 3)),
)
case("folder.dcm", "no DICOM file", os.mkdir)
case("pipe.dcm", "pipe", os.mkfifo)
case("circle.dcm", "cannot be opened", lambda path: path.symlink_to(path))
case("series_words.dcm", "no series ../x", dicom(), series="../x")
case("labels.dcm", "hold volume", dicom(), kind="labels")

# ---- numbers as text -------------------------------------------------------------------------------------

SERIES = {"axes": ["time", "region"]}


def sparse(path):
    """Make a file of 100 GB that takes no room."""
    with open(path, "wb") as file:
        file.truncate(100 * 2**30)


case("words.1D", "not a number", "#1\t#2\n1\t2\n3\tfour\n")
case("ragged.1D", "line 3 has 1 cells", "#1\t#2\n1\t2\n3\n")
case("comments_only.1D", "no numbers", "# nothing\n# here\n")
case("more_names.1D", "3 names for 2 columns", "a b c\n1 2\n3 4\n")
case("nul.1D", "NUL", b"1 2\n3 \x00\n")
case("empty.1D", "empty", b"")
case("binary.1D", "NUL", noise(5000))
case("words.csv", "line 3, column 2", "a,b\n1,2\n3,four\n", **SERIES)
case("ragged.csv", "line 3 has 3 cells", "a,b\n1,2\n3,4,5\n", **SERIES)
case("short_row.csv", "line 3 has 1 cells", "a,b\n1,2\n3\n", **SERIES)
case("header_only.csv", "no numbers", "a,b,c\n", **SERIES)
case("blank.csv", "no numbers", "\n\n  \n", **SERIES)
case("unterminated.csv", "never closed", 'a,b\n1,"2\n3,4\n', **SERIES)
case("wide.csv", "columns", ",".join(["1"] * 10**6) + "\n", **SERIES)
case("giant_cell.csv", "field larger", 'a,b\n"' + "9" * 300_000 + '",1\n', **SERIES)
case("nul.csv", "NUL", b"a,b\n1,\x002\n", **SERIES)
case("latin_1.csv", "not UTF-8", "größe,b\n1,2\n".encode("latin-1"), **SERIES)
case("utf_16.csv", "UTF-16", "a,b\n1,2\n".encode("utf-16"), **SERIES)
case("twins.csv", "same name", "a,a\n1,2\n3,4\n", **SERIES)
case("nameless.csv", "no name", ",a\n1,2\n3,4\n", **SERIES)
case("clock.csv", "counts the time", "timestamps,TP9\n0.1,5\n0.2,6\n", **SERIES)
case("names_or_numbers.csv", "header: true", "1,2,3\n4,5,6\n7,8,9\n", **SERIES)
case("axes_untold.csv", "axes: [time, region]", "a,b\n1,2\n3,4\n")
case("axes_odd.csv", "expected two words", "a,b\n1,2\n3,4\n", axes=["time", "time"])
case("rate_odd.csv", "above 0", "a,b\n1,2\n3,4\n", sampling_rate=-2, **SERIES)
case("semicolons.csv", "delimiter: ", "1;2\n3;4\n", header=False, **SERIES)
case("one_time.csv", "no series", "a,b\n1,2\n", **SERIES)
case("beyond_float32.csv", "float32", "a,b\n1,2\n3,1e300\n", **SERIES)
case("sparse.csv", "at most", sparse, **SERIES)
case("graph_not_square.csv", "square", "a,b\n1,2\n3,4\n5,6\n", kind="graph")
case("graph_not_symmetric.csv", "not symmetric", "a,b\n1,2\n3,1\n", kind="graph")
case("graph_maybe_symmetric.csv", "true or false", "1,2\n2,1\n", kind="graph", symmetric="maybe")
case("binary.tsv", "NUL", noise(5000), **SERIES)

# ---- NumPy -----------------------------------------------------------------------------------------------


def npy(array, allow_pickle=False):
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asarray(array), allow_pickle=allow_pickle)
    return content.getvalue()


def npy_header(text, version=(1, 0), data=b""):
    """Return .npy bytes with any header text."""
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + size + text.encode() + data


def npy_declaring(shape, dtype="<f8", data=bytes(80)):
    return npy_header(f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n", data=data)


def zipped(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def zip_bomb(path):
    """Write a .npz whose one array, truly declared, unpacks to 3 GB of zeros from 3 MB."""
    n_zeros = 3 * 2**30
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = npy_declaring((n_zeros // 8,), data=b"")
    stream = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**26)) + packer.flush(zlib.Z_FULL_FLUSH)
    stream += block * (n_zeros // 2**26) + packer.flush()
    write_zip(path, "x.npy", stream, len(start) + n_zeros)


def write_zip(path, name, stream, declared, method=8):
    """Write a zip of one member by hand, with whatever unpacked size is to be declared."""
    fields = struct.pack("<HHHHIII", 0, method, 0, 0, 0, len(stream), declared)
    local = b"PK\3\4" + struct.pack("<H", 20) + fields + struct.pack("<HH", len(name), 0) + name.encode()
    entry = b"PK\1\2" + struct.pack("<HH", 20, 20) + fields + struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0)
    entry += name.encode()
    end = struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local) + len(stream), 0)
    path.write_bytes(local + stream + entry + b"PK\5\6" + end)


BAD_TYPE = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])

case("pickle.npy", "Python objects", npy(np.array([Owner()], dtype=object), allow_pickle=True))
case("bare_pickle.npy", "damaged", pickle.dumps(Owner()))
case("shape_lies.npy", "declares", npy_declaring((10**6, 10**6)))
case("shape_smaller.npy", "declares", npy_declaring((2,)))
case("shape_overflows.npy", "declares", npy_declaring((2**40, 2**40)))
case("shape_negative.npy", "declares", npy_declaring((-2, -5)))
case("shape_words.npy", "damaged", npy_declaring("('a', 'b')"))
case("header_huge.npy", "damaged", npy_header("{" + " " * 10**7 + "}", version=(2, 0)))
case("header_4_gb.npy", "damaged", b"\x93NUMPY\2\0" + b"\xff" * 4 + b"{")
case("header_nested.npy", "damaged", npy_header("(" * 9000 + ")" * 9000, version=(2, 0)))
case("header_unary.npy", "damaged", npy_header("-" * 9000 + "1"))
case("header_code.npy", "damaged", npy_header("__import__('os').mkdir('owned')"))
case("version_99.npy", "version", npy_header("{}", version=(99, 0)))
case("cut.npy", "declares", npy(np.zeros((10, 10)))[:-1])
case("cut_in_header.npy", "damaged", npy(np.zeros((10, 10)))[:40])
case("empty.npy", "empty", b"")
case("no_values.npy", "empty, shape", npy(np.zeros((0, 5))))
case("texts.npy", "expected real", npy(np.array(["a", "b"])))
case("complex.npy", "expected real", npy(np.zeros((4, 4), complex)))
case("structured.npy", "expected real", npy(BAD_TYPE))
case("axes_untold.npy", "axes: [time, region]", npy(np.zeros((4, 5))))
case("four_axes.npy", "4 axes", npy(np.zeros((2, 2, 2, 2))), **SERIES)
case("pickle.npz", "Python objects", zipped(**{"x.npy": npy(np.array([Owner()], dtype=object), allow_pickle=True)}))
case("bomb.npz", "unpack", zip_bomb, **SERIES)
case("size_lies.npz", "can hold", lambda path: write_zip(path, "x.npy", b"\3\0", 2**32 - 2), **SERIES)
case("size_smaller.npz", "damaged", lambda path: write_zip(path, "x.npy", npy(np.zeros(99)), 200, method=0))
case("method_unknown.npz", "damaged", lambda path: write_zip(path, "x.npy", b"ab", 2, method=77))
case("leads_out.npz", "lead out", zipped(**{"../../x.npy": npy(np.zeros(5))}))
case("leads_to_root.npz", "lead out", zipped(**{"/etc/x.npy": npy(np.zeros(5))}))
case("cut.npz", "table of contents", zipped(**{"x.npy": npy(np.arange(500.0))})[:-40])
case("checksum_wrong.npz", "damaged", flipped(zipped(**{"x.npy": npy(np.arange(99.0))}), 60))
case("contents_huge.npz", "table of contents", b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 9, 9, 2**31, 0, 0))
case("not_zip.npz", "not a .npz", noise(500))
case("two_arrays.npz", "variable: NAME", zipped(**{"a.npy": npy(np.zeros(5)), "b.npy": npy(np.zeros(5))}))
case("no_arrays.npz", "holds none", zipped(**{"a.txt": b"hello"}))
case("array_unknown.npz", "Did you mean", zipped(**{"bold.npy": npy(np.zeros(5))}), variable="bolt")

# ---- MATLAB ----------------------------------------------------------------------------------------------


def mat(**variables):
    content = io.BytesIO()
    scipy.io.savemat(content, variables)
    return content.getvalue()


def mat_file(*elements):
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + b"".join(elements)


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(number_class, shape, data=b"", stored=9, name=b"x", flags=0, n_numbers=None):
    """Return a matrix element with whatever class, shape and bytes of numbers."""
    parts = element(6, bytes([number_class, flags, 0, 0, 0, 0, 0, 0]))
    parts += element(5, struct.pack(f"<{len(shape)}i", *shape)) + element(1, name)
    return element(14, parts + struct.pack("<II", stored, len(data) if n_numbers is None else n_numbers) + data)


def squeezed(content, n_zeros=0):
    """Return a compressed element of some bytes and, quickly, many zeros."""
    packer = zlib.compressobj(9)
    stream = packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**26)) + packer.flush(zlib.Z_FULL_FLUSH)
    return struct.pack("<II", 15, len(stream) + len(block) * (n_zeros // 2**26)) + stream + block * (n_zeros // 2**26)


def mat_bomb(path):
    n_zeros = 3 * 2**30
    inner = bytearray(matrix(6, (n_zeros // 8, 1), n_numbers=n_zeros))
    inner[4:8] = struct.pack("<I", len(inner) - 8 + n_zeros)
    return mat_file(squeezed(bytes(inner), n_zeros))


def mat_v73(path, number_class, empty=0):
    """Write a .mat file of version 7.3 whose one variable is no array of numbers; without h5py its head alone."""
    try:
        import h5py
    except ImportError:
        return b"MATLAB 7.3 MAT-file".ljust(512) + noise(2000)
    with h5py.File(path, "w", userblock_size=512) as file:
        dataset = file.create_dataset("x", data=np.array([[104, 105]] * 4, "u2"))
        dataset.attrs["MATLAB_class"], dataset.attrs["MATLAB_empty"] = np.bytes_(number_class), np.uint8(empty)
    return b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + path.read_bytes()[128:]


DOUBLES = bytes(80)
HANDLE = matrix(16, (1, 1), element(14, b""))
OPAQUE = element(14, element(6, bytes([17]) + bytes(7)) + element(1, b"x") + element(1, b"MCOS") + element(1, b"table"))

case("words.mat", "not a MATLAB", "this is a letter, not a recording\n" * 40)
case("empty.mat", "empty", b"")
case("cut.mat", "cut or damaged", mat(x=np.zeros((40, 50)))[:-7], **SERIES)
case("cut_in_head.mat", "not a MATLAB", mat(x=np.zeros(5))[:100])
case("version_4.mat", "not a MATLAB", struct.pack("<5i", 0, 2, 2, 0, 2) + b"x\0" + bytes(32))
case("handle.mat", "function handle", mat_file(HANDLE))
case("opaque.mat", "MATLAB class", mat_file(OPAQUE))
case("struct.mat", "struct", mat(x={"a": 1}), **SERIES)
case("cell.mat", "cell", mat(x=np.array([1, "a"], dtype=object)))
case("text.mat", "text", mat(x="hello"))
case("sparse.mat", "sparse", mat(x=scipy.sparse.eye_array(5, format="csc")))
case("complex.mat", "complex", mat(x=np.zeros((4, 4), complex)))
case("shape_lies.mat", "damaged", mat_file(matrix(6, (2**31 - 1, 2**31 - 1), DOUBLES)))
case("shape_negative.mat", "damaged", mat_file(matrix(6, (-10, -1), DOUBLES)))
case("numbers_lie.mat", "damaged", mat_file(matrix(6, (2**29, 1), DOUBLES, n_numbers=2**32 - 8)))
case("many_axes.mat", "damaged", mat_file(matrix(6, (1,) * 900 + (10,), DOUBLES)))
case("length_lies.mat", "cut or damaged", mat_file(struct.pack("<II", 14, 2**32 - 8) + bytes(40)))
case("compressed_noise.mat", "damaged", mat_file(struct.pack("<II", 15, 400) + noise(400)))
case("bomb.mat", "unpack", mat_bomb, **SERIES)
case(
    "matrix_lies.mat",
    "can hold",
    mat_file(squeezed(struct.pack("<II", 14, 2**32 - 8) + matrix(6, (10, 1), DOUBLES)[8:])),
)
case("number_in_matrix.mat", "damaged", mat_file(squeezed(struct.pack("<II", 9, 80) + DOUBLES)))
case("nameless.mat", "none", mat_file(matrix(9, (1, 8), bytes(8), stored=2, name=b""), element(14, b"")))
case("crowded.mat", "more than 10000", mat_file(element(14, b"") * 10_001))
case("version_7_3.mat", "", b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + noise(2000))
case("text_7_3.mat", "", lambda path: mat_v73(path, "char"), **SERIES)
case("cell_7_3.mat", "", lambda path: mat_v73(path, "cell"), **SERIES)
case("empty_7_3.mat", "", lambda path: mat_v73(path, "double", empty=1), **SERIES)
case(
    "twins.mat", "several variables of one name: x", mat_file(matrix(6, (10, 1), DOUBLES), matrix(6, (10, 1), DOUBLES))
)
case("two_variables.mat", "variable: NAME", mat(x=np.zeros(5), y=np.zeros(5)))
case("variable_unknown.mat", "Did you mean", mat(spikes=np.zeros((5, 5))), variable="spike")
case("no_variables.mat", "none", mat())


# ---- recordings ------------------------------------------------------------------------------------------


def edf(n_signals=2, n_records=3, n_samples=10, record="1", n_bytes=2, labels=("C3", "C4"), n_data=None, magic=None):
    """Return the bytes of an .edf (or .bdf, of 3 bytes a number) in which what is named may be anything."""
    n_header = 256 * (1 + n_signals)
    magic = magic or (b"\xffBIOSEMI" if n_bytes == 3 else b"0       ")
    head = magic + b"X X X X".ljust(80) + b"Startdate X X X X".ljust(80) + b"01.01.0101.01.01"
    numbers = (str(n_header)[:8].ljust(8), " " * 44, str(n_records).ljust(8), record.ljust(8), str(n_signals).ljust(4))
    fields = [
        (16, labels),
        (80, "x"),
        (8, "uV"),
        (8, "-100"),
        (8, "100"),
        (8, "-32768"),
        (8, "32767"),
        (80, ""),
        (8, n_samples),
        (32, ""),
    ]
    told = [
        [str(one[n % 2] if isinstance(one, tuple) else one).ljust(width) for n in range(n_signals)]
        for width, one in fields
    ]
    content = head + "".join([*numbers, *("".join(each) for each in told)]).encode()
    return content + bytes(n_bytes * n_signals * n_samples * n_records if n_data is None else n_data)


def vhdr(**changed):
    """Return the text of a BrainVision header."""
    told = {
        "DataFile": "a.eeg",
        "DataFormat": "BINARY",
        "DataOrientation": "MULTIPLEXED",
        "NumberOfChannels": 2,
        "SamplingInterval": 5000,
    }
    lines = [f"{key}={value}" for key, value in (told | changed).items()]
    common = "\n".join(["Brain Vision Data Exchange Header File Version 1.0", "[Common Infos]", *lines])
    return common + "\n[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\nCh1=C3,,0.1,\u00b5V\nCh2=C4,,0.1,\u00b5V\n"


def vhdr_beside(n_bytes, **changed):
    """Return what writes a header and a file of numbers of so many bytes beside it."""

    def make(path):
        path.with_suffix(".eeg").write_bytes(bytes(n_bytes))
        return vhdr(DataFile=path.with_suffix(".eeg").name, **changed)

    return make


def nested_cells(depth):
    """Return a MATLAB file of cells within cells."""
    inner = b""
    for _ in range(depth):
        flags = struct.pack("<IIII", 6, 8, 1, 0)
        shape = struct.pack("<IIii", 5, 8, 1, 1)
        inner = (
            struct.pack("<II", 14, len(flags + shape) + 8 + len(inner))
            + flags
            + shape
            + struct.pack("<II", 1, 0)
            + inner
        )
    return b"MATLAB 5.0 MAT-file".ljust(116) + bytes(8) + struct.pack("<H", 0x0100) + b"IM" + inner


def set_of(**changed):
    """Return what writes an EEGLAB .set of two channels in which what is named is anything."""
    struct_ = {
        "nbchan": 2,
        "pnts": 100,
        "trials": 1,
        "srate": 100.0,
        "xmin": 0.0,
        "xmax": 1.0,
        "data": np.zeros((2, 100), "f4"),
    }
    places = np.array([("C3",), ("C4",)], dtype=[("labels", object)])
    struct_ |= {
        "setname": "a",
        "chanlocs": places,
        "event": [],
        "icawinv": [],
        "icasphere": [],
        "icaweights": [],
    } | changed
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"EEG": struct_}, do_compression=True)
    return stream.getvalue()


def with_fdt(n_bytes, **changed):
    """Return what writes a .set whose numbers lie in a .fdt beside it, of so many bytes."""

    def make(path):
        path.with_suffix(".fdt").write_bytes(bytes(n_bytes))
        return set_of(data=path.with_suffix(".fdt").name, **changed)

    return make


def fif(*tags):
    """Return tags as FIF stores them, (kind, type, content, next) each, behind the mark of a file."""
    start = (100, 31, bytes(20), 0)
    return b"".join(
        struct.pack(">iIii", kind, form, len(held), after) + held for kind, form, held, after in (start, *tags)
    )


def xdf(*chunks):
    """Return chunks (tag, content) as XDF stores them."""
    bodies = [struct.pack("<H", tag) + content for tag, content in chunks]
    return b"XDF:" + b"".join(b"\x08" + struct.pack("<Q", len(body)) + body for body in bodies)


def stream_header(
    channels=2,
    xml="<info><name>a</name><channel_count>{}</channel_count><channel_format>float32</channel_format></info>",
):
    return 2, struct.pack("<I", 1) + xml.format(channels).encode()


def xdf_of(numbers):
    """Return the chunks of one stream of numbers (time, channel)."""
    info = (
        "<info><name>a</name><type>EEG</type><channel_count>{}</channel_count><nominal_srate>100</nominal_srate>"
        "<channel_format>float32</channel_format></info>"
    )
    rows = [b"\x08" + struct.pack("<d", 10 + n / 100) + row.astype("<f4").tobytes() for n, row in enumerate(numbers)]
    samples = struct.pack("<IBB", 1, 1, len(rows)) + b"".join(rows)
    return (1, b"<info></info>"), stream_header(numbers.shape[1], info), (3, samples)


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><info><name>&b;</name></info>'

for ending, width in ((".edf", 2), (".bdf", 3)):
    case(f"words{ending}", "does not begin", b"this is a letter, no recording\n" * 40)
    case(f"empty{ending}", "empty", b"")
    case(f"cut_in_header{ending}", "cut within its header", edf(n_bytes=width)[:400])
    case(f"cut{ending}", "is cut", edf(n_bytes=width)[:-7])
    case(f"longer_than_declared{ending}", "4 were found", edf(n_bytes=width, n_data=4 * 20 * width))
    case(f"records_99999999{ending}", "is cut", edf(n_bytes=width, n_records=99999999, n_data=1000))
    case(f"samples_99999999{ending}", "is cut", edf(n_bytes=width, n_samples=99999999, n_data=1000))
    case(f"samples_negative{ending}", "no sample in a record", edf(n_bytes=width, n_samples=-10, n_data=1000))
    case(f"signals_9999{ending}", "declares 9999 signals", edf(n_bytes=width, n_data=0)[:252] + b"9999" + bytes(1000))
    case(f"record_of_0_s{ending}", "holds no signals", edf(n_bytes=width, record="0"))
    case(f"record_of_nan_s{ending}", "nan s long", edf(n_bytes=width, record="nan"))
    case(f"numbers_that_are_words{ending}", "damaged", edf(n_bytes=width, record="one"))
    case(f"annotations_alone{ending}", "no EEG", edf(n_bytes=width, labels=("EDF Annotations",) * 2))
case("edf_by_another_name.bdf", "Is its ending right", edf())
case("words.vhdr", "does not begin", "this is a letter, no header\n" * 40)
case("no_numbers.vhdr", "not there", vhdr(DataFile="nowhere.eeg"))
case("numbers_elsewhere.vhdr", "not beside it", vhdr(DataFile="../a.eeg"))
case("numbers_at_root.vhdr", "not beside it", vhdr(DataFile="/etc/passwd"))
case("points_2_to_62.vhdr", "declares", vhdr_beside(400, DataPoints=2**62))
case("channels_2_to_31.vhdr", "channels", vhdr_beside(400, NumberOfChannels=2**31))
case("channels_negative.vhdr", "channels", vhdr_beside(400, NumberOfChannels=-2))
case("half_a_sample.vhdr", "no whole number", vhdr_beside(401))
case("numbers_as_text.vhdr", "stored as text", vhdr_beside(400, DataFormat="ASCII"))
case("words.set", "not a MATLAB file", "this is a letter, no recording\n" * 40)
case("cut.set", "cut", set_of()[:-60])
case("nested.set", "nested deeper", nested_cells(20_000))
case("hdf5.set", "7.3", b"\x89HDF\r\n\x1a\n" + bytes(500))
case("no_recording.set", "damaged, or not a", lambda path: scipy.io.savemat(path, {"x": np.zeros(3)}, appendmat=False))
case("numbers_elsewhere.set", "damaged, or not a", set_of(data="../../a.fdt"))
case("epochs.set", "holds epochs", set_of(trials=2, pnts=50, data=np.zeros((2, 50, 2), "f4")))
case("points_2_to_31.set", "declares 2147483648 samples", with_fdt(800, pnts=2**31))
case("half_of_its_numbers.set", "cut or of another", with_fdt(400))
case("words.fif", "does not begin", "this is a letter, no recording\n" * 40)
case("cut.fif", "cut or damaged", fif((104, 3, bytes(4), 0))[:-2])
case("tag_2_to_31.fif", "cut or damaged", fif() + struct.pack(">iIii", 300, 4, 2**31 - 1, 0))
case("circle.fif", "points back", fif((104, 3, bytes(4), 36), (104, 3, bytes(4), 36)))
case(
    "no_recording.fif",
    "damaged, or not a",
    fif((104, 3, struct.pack(">i", 100), 0), (105, 3, struct.pack(">i", 100), -1)),
)
case("words.xdf", "does not begin", "this is a letter, no recording\n" * 40)
case("chunk_2_to_62.xdf", "cut or damaged", b"XDF:\x08" + struct.pack("<Q", 2**62) + bytes(100))
case(
    "samples_2_to_40.xdf",
    "declares 1099511627776 samples",
    xdf(stream_header(), (3, struct.pack("<IBQ", 1, 8, 2**40) + bytes(50))),
)
case("channels_2_to_40.xdf", "1099511627776 channels", xdf(stream_header(2**40)))
case("laughs.xdf", "entities", xdf((2, struct.pack("<I", 1) + LAUGHS.encode())))
case("unknown_stream.xdf", "does not describe", xdf((3, struct.pack("<IBB", 7, 1, 1) + bytes(20))))
case("nothing.xdf", "holds signals", xdf((1, b"<info></info>")))


# ---- tables, YAML, JSON, paths ---------------------------------------------------------------------------

ROWS = "participant_id,age\nsub-01,30\n"
YAML_BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


def link_out(path):
    outside = path.parent.parent / "outside.nii"
    outside.write_bytes(nifti())
    path.symlink_to(outside)


case("twins.tsv", "same name", "age\tage\n1\t2\n", reader="table")
case("ragged.tsv", "line 3 has 3 cells", "participant_id\tage\nsub-01\t30\nsub-02\t31\t5\n", reader="table")
case("header_only.tsv", "no rows", "participant_id\tage\n", reader="table")
case("latin_1.tsv", "line 2", "name\nJosé\n".encode("latin-1"), reader="table")
case("nul.tsv", "NUL", b"name\nJos\0\n", reader="table")
case("unterminated.tsv", "never closed", 'name\tage\n"sub-01\t30\n', reader="table")
case("table_with_semicolons.csv", "delimiter", "ID;AGE\n1;50\n", reader="table")
case("wide_table.csv", "columns", ",".join(map(str, range(10**6))) + "\n" + "1," * 999_999 + "1\n", reader="table")
case("sparse.tsv", "at most", sparse, reader="table")
case("table.xlsx", "ends in .csv or .tsv", noise(500), reader="table")
case("alias_bomb.yaml", "aliases", YAML_BOMB, reader="yaml")
case("anchor.yaml", "aliases", "a: &x 1\n", reader="yaml")
case("tag.yaml", "tags", "a: !!python/object/apply:os.mkdir [owned]\n", reader="yaml")
case("module_tag.yaml", "tags", "a: !!python/name:os.system\n", reader="yaml")
case("deep.yaml", "deeper", "[" * 100_000, reader="yaml")
case("deep_blocks.yaml", "deeper", "".join(" " * i + "a:\n" for i in range(500)), reader="yaml")
case("long.yaml", "entries", "a: [" + "1, " * 200_000 + "1]\n", reader="yaml")
case("big.yaml", "at most", "a: " + "x" * 2_000_000, reader="yaml")
case("digits.yaml", "YAML", "a: " + "9" * 10_000 + "\n", reader="yaml")
case("twice.yaml", "given twice", "epochs: 5\nepochs: 6\n", reader="yaml")
case("key_of_lists.yaml", "one word", "? [a, b]\n: 1\n", reader="yaml")
case("tabs.yaml", "line 2", "a:\n\tb: 1\n", reader="yaml")
case("norway.yaml", "quote it", "country: no\n", reader="yaml")
case("two_documents.yaml", "line 2", "a: 1\n---\nb: 2\n", reader="yaml")
case("bell.yaml", "YAML", "a: \x07\n", reader="yaml")
case("deep.json", "deep", "[" * 100_000, reader="json")
case("deep_but_sound.json", "deeper", "[" * 200 + "]" * 200, reader="json")
case("digits.json", "JSON", json.dumps({"a": 1})[:-2] + "9" * 10_000 + "}", reader="json")
case("twice.json", "given twice", '{"a": 1, "a": 2}', reader="json")
case("words.json", "JSON", "hello", reader="json")
case("latin_1.json", "UTF-8", '{"a": "é"}'.encode("latin-1"), reader="json")
case("sparse.json", "at most", sparse, reader="json")
case("link_out.nii", "leads out", link_out, reader="inside")
case("../outside.nii", "'..'", lambda path: None, reader="inside")
case("/etc/passwd.nii", "absolute", lambda path: None, reader="inside")
case("C:\\scans\\a.nii", "absolute", lambda path: None, reader="inside")
case("..\\outside.nii", "'..'", lambda path: None, reader="inside")
case("~/a.nii", "absolute", lambda path: None, reader="inside")
