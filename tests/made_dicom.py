"""DICOM files of known voxels at known places, as a scanner would write them."""

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

PRIVATE = {
    "PatientName": "Quux^Zaphod", "PatientID": "MRN-4711", "PatientBirthDate": "19510203", "StudyDate": "20220711",
    "SeriesDate": "20220712", "AcquisitionDateTime": "20220713101112", "InstitutionName": "Frogstar Clinic",
    "ReferringPhysicianName": "Doc^Grumpy", "AccessionNumber": "ACC-0815",
}  # fmt: skip
CLASSES = {
    "MR": "1.2.840.10008.5.1.4.1.1.4", "CT": "1.2.840.10008.5.1.4.1.1.2", "PT": "1.2.840.10008.5.1.4.1.1.128",
    "enhanced": "1.2.840.10008.5.1.4.1.1.4.1", "capture": "1.2.840.10008.5.1.4.1.1.7",
}  # fmt: skip
TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def oblique(spacing=(12.5, 11.0, 14.0), turn=(20.0, -15.0, 30.0), first=(-60.0, 45.0, -70.0)):
    """Return an affine (4, 4), RAS+: axes of three lengths, turned by degrees about x, y and z."""
    rotation = np.eye(3)
    for axis, angle in enumerate(np.radians(turn)):
        one, other = [n for n in range(3) if n != axis]
        about = np.eye(3)
        about[[one, one, other, other], [one, other, one, other]] = (
            np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle),
        )  # fmt: skip
        rotation = rotation @ about
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = rotation * spacing, first
    return affine


def planted(shape=(7, 9, 8), at=(2, 6, 5), bright=900, seed=0):
    """Return stored numbers (column, row, slice), all different places dim, one bright."""
    stored = np.random.default_rng(seed).integers(0, 200, shape)
    stored[at] = bright
    return stored


def header(modality="MR", *, number=5, description="t1 mprage", series=None, study=None, dtype="<u2", **entries):
    """Return a data set without geometry and pixels; series and study are words that stand for identifiers."""
    one = Dataset()
    for keyword, value in PRIVATE.items():
        setattr(one, keyword, value)
    one.SOPClassUID, one.SOPInstanceUID = CLASSES[modality], generate_uid()
    one.Modality = modality if modality in ("MR", "CT", "PT") else {"enhanced": "MR", "capture": "OT"}[modality]
    one.StudyInstanceUID = generate_uid(entropy_srcs=[f"study {study}"])
    one.SeriesInstanceUID = generate_uid(entropy_srcs=[f"series {series or number} {study}"])
    one.SeriesNumber, one.SeriesDescription = number, description
    one.ImageType = ["ORIGINAL", "PRIMARY", "M", "NONE"]
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    dtype = np.dtype(dtype)
    one.BitsAllocated = one.BitsStored = 8 * dtype.itemsize
    one.HighBit, one.PixelRepresentation = one.BitsStored - 1, int(dtype.kind == "i")
    if modality in ("CT", "PT"):
        one.RescaleSlope, one.RescaleIntercept = 1, 0
    one.update({pydicom.tag.Tag(keyword): _element(keyword, value) for keyword, value in entries.items()})
    return one


def _element(keyword, value):
    return pydicom.DataElement(
        pydicom.datadict.tag_for_keyword(keyword),
        pydicom.datadict.dictionary_VR(keyword),
        Sequence(value) if isinstance(value, list) and value and isinstance(value[0], Dataset) else value,
    )


def geometry(affine):
    """Return in-plane directions, pixel spacing (rows, columns) and the place of each slice, in LPS+."""
    lps = TO_LPS @ affine
    sizes = np.linalg.norm(lps[:3, :2], axis=0)
    return (
        [float(f"{x:.10f}") for x in (lps[:3, :2] / sizes).T.ravel()],
        [float(f"{x:.10f}") for x in sizes[::-1]],
        lambda k: [float(f"{x:.8f}") for x in lps[:3, 2] * k + lps[:3, 3]],
    )


def save(path, one, syntax=ExplicitVRLittleEndian):
    """Write a data set with its file meta information."""
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = syntax
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(
        path, one, enforce_file_format=True, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian
    )
    return path


def slices(stored, affine, *, modality="MR", dtype="<u2", change=None, **told):
    """Return a data set a slice of a volume (column, row, slice); ``change(data set, k)`` is made to each."""
    directions, spacing, place = geometry(affine)
    made = []
    for k in range(stored.shape[2]):
        one = header(modality, dtype=dtype, **told)
        one.ImageOrientationPatient, one.PixelSpacing, one.ImagePositionPatient = directions, spacing, place(k)
        one.InstanceNumber, one.SliceThickness = k + 1, 1.0
        one.Columns, one.Rows = stored.shape[:2]
        one.PixelData = np.ascontiguousarray(stored[:, :, k].T.astype(dtype)).tobytes()
        one["PixelData"].VR = "OB" if np.dtype(dtype).itemsize == 1 else "OW"
        if change is not None:
            change(one, k)
        made.append(one)
    return made


def write_series(folder, stored, affine, *, seed=1, name="{:03d}.dcm", **told):
    """Write a volume as a file a slice; the order of the names is none of the slices'. Return paths in slice order."""
    made = slices(stored, affine, **told)
    names = np.random.default_rng(seed).permutation(len(made))
    return [save(folder / name.format(number), one) for number, one in zip(names, made, strict=True)]


def enhanced(stored, affine, *, order=None, dtype="<u2", change=None, **told):
    """Return one enhanced data set with a frame a slice, the frames in any order."""
    directions, spacing, place = geometry(affine)
    order = range(stored.shape[2]) if order is None else order
    one = header("enhanced", dtype=dtype, **told)
    one.Columns, one.Rows, one.NumberOfFrames = *stored.shape[:2], len(order)
    one.SharedFunctionalGroupsSequence = [item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=directions)],
        PixelMeasuresSequence=[item(PixelSpacing=spacing, SliceThickness=1.0)],
        PixelValueTransformationSequence=[item(RescaleSlope=1, RescaleIntercept=0, RescaleType="US")],
    )]  # fmt: skip
    one.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=place(k))]) for k in order
    ]
    one.PixelData = b"".join(np.ascontiguousarray(stored[:, :, k].T.astype(dtype)).tobytes() for k in order)
    one["PixelData"].VR = "OW"
    if change is not None:
        change(one)
    return one


def item(**entries):
    one = Dataset()
    for keyword, value in entries.items():
        setattr(one, keyword, value)
    return one


def of(one, **entries):
    """Set entries of a data set; None takes one out."""
    for keyword, value in entries.items():
        if value is None:
            del one[keyword]
        else:
            setattr(one, keyword, value)
    return one
