"""DICOM as volumes: planted voxels lie where they were planted, and what would be guessed is refused."""

import shutil
import subprocess
import sys

import made_dicom as made
import nibabel as nib
import numpy as np
import pydicom
import pytest

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats import extension, read
from neuroloom.transforms.volume_crop_head import CropHead

AFFINE = made.oblique()
STORED = made.planted()
AT = (2, 6, 5)


def place_of_brightest(scan):
    """Return where the largest value lies, in mm."""
    at = np.unravel_index(scan.data[0].argmax(), scan.data.shape[1:])
    return nib.affines.apply_affine(scan.geometry["affine"], at)


def in_world(image, points):
    """Return values of a NIfTI image at places in mm, which must be middles of its voxels."""
    voxels = nib.affines.apply_affine(np.linalg.inv(image.affine), points)
    return np.asarray(image.dataobj)[tuple(np.rint(voxels).astype(int).T)], abs(voxels - np.rint(voxels)).max()


def places(scan):
    return nib.affines.apply_affine(scan.geometry["affine"], np.indices(scan.data.shape[1:]).reshape(3, -1).T)


def outcome(folder):
    """Return what is said of a folder."""
    try:
        return "read" if read(folder).data.size else "nothing"
    except NeuroloomError as error:
        return str(error)


# ---- where voxels lie ------------------------------------------------------------------------------------


def test_oblique_series_with_shuffled_files_lies_where_it_was(tmp_path):
    numbers = np.random.default_rng(3).permutation(8)
    made.write_series(tmp_path, STORED, AFFINE, change=lambda one, k: made.of(one, InstanceNumber=int(numbers[k])))
    scan = read(tmp_path)
    assert scan.kind == "volume"
    assert scan.data.dtype == np.float32
    assert scan.geometry["notes"] == []
    np.testing.assert_allclose(place_of_brightest(scan), nib.affines.apply_affine(AFFINE, AT), atol=1e-5)
    order = np.argsort([AFFINE[:3, 2] @ AFFINE[:3, 2] * k for k in range(8)])
    forward = np.array_equal(scan.data[0], STORED)
    backward = np.array_equal(scan.data[0], STORED[:, :, order[::-1]])
    assert forward or backward
    _, off = in_world(nib.Nifti1Image(STORED.astype(np.int16), AFFINE), places(scan))
    assert off < 1e-5


def test_enhanced_file_with_shuffled_frames_is_the_same_volume(tmp_path):
    order = [3, 0, 7, 1, 6, 2, 5, 4]
    path = made.save(tmp_path / "IM0001", made.enhanced(STORED, AFFINE, order=order))
    made.write_series(tmp_path / "slices", STORED, AFFINE)
    one, other = read(path), read(tmp_path / "slices")
    assert extension(path) == ".dcm"  # by its content
    np.testing.assert_array_equal(one.data, other.data)
    np.testing.assert_allclose(one.geometry["affine"], other.geometry["affine"], atol=1e-6)
    np.testing.assert_allclose(place_of_brightest(one), nib.affines.apply_affine(AFFINE, AT), atol=1e-5)


def test_tilted_gantry_stays_in_the_affine_as_a_shear(tmp_path):
    tilted = made.oblique(turn=(0, 0, 0))
    tilted[:3, 2] = [0, 14 * np.tan(np.radians(20)), 14]  # the table moves along z, the slices lean by 20 degrees
    made.write_series(tmp_path, STORED, tilted, modality="CT")
    scan = read(tmp_path)
    np.testing.assert_allclose(place_of_brightest(scan), nib.affines.apply_affine(tilted, AT), atol=1e-5)
    np.testing.assert_allclose(abs(np.linalg.det(scan.geometry["affine"])), 12.5 * 11 * 14, rtol=1e-9)
    assert scan.geometry["notes"] == ["slices tilted by 20.0 degrees: the affine holds the shear"]


def test_places_rounded_to_a_tenth_of_a_millimetre_give_the_affine_within_it(tmp_path):
    fine = made.oblique(spacing=(0.9, 0.9, 0.6), turn=(8, 0, 0))

    def rounded(one, k):
        one.ImagePositionPatient = [round(float(x), 1) for x in one.ImagePositionPatient]

    made.write_series(tmp_path, made.planted((7, 9, 40)), fine, change=rounded)
    scan = read(tmp_path)
    expected = nib.affines.apply_affine(fine, AT)
    assert np.linalg.norm(place_of_brightest(scan) - expected) < 0.05 * np.sqrt(3)  # half a step of rounding an axis


def test_the_same_as_dcm2niix(tmp_path):
    dcm2niix = pytest.importorskip("dcm2niix")
    made.write_series(tmp_path / "in", made.planted((32, 40, 20)), made.oblique(spacing=(4.5, 4.0, 5.5)))
    subprocess.run([dcm2niix.bin, "-f", "x", "-o", tmp_path, tmp_path / "in"], capture_output=True, check=True)
    scan, image = read(tmp_path / "in"), nib.load(tmp_path / "x.nii")
    values, off = in_world(image, places(scan))
    assert off < 1e-3
    np.testing.assert_array_equal(values, scan.data.ravel())


@pytest.mark.real_data
def test_real_enhanced_file_is_the_same_as_dcm2niix(real_data, tmp_path):
    dcm2niix = pytest.importorskip("dcm2niix")
    folder = real_data / "dicom" / "t1w_enhanced_multiframe"
    subprocess.run([dcm2niix.bin, "-f", "x", "-o", tmp_path, folder], capture_output=True, check=True)
    scan = read(folder)
    assert scan.data.shape == (1, 128, 128, 96)
    values, off = in_world(nib.load(tmp_path / "x.nii"), places(scan))
    assert off < 1e-3
    np.testing.assert_array_equal(values, scan.data.ravel())


@pytest.mark.real_data
def test_real_series_lies_where_each_of_its_files_says(real_data):
    folder = real_data / "dicom" / "pd_axial_20_slices"
    scan = read(folder)
    assert scan.data.shape == (1, 256, 256, 20)
    for k, path in enumerate(sorted(folder.glob("*.dcm"))):
        file = pydicom.dcmread(path)
        told = np.array(file.ImagePositionPatient, float) * [-1, -1, 1]
        here = nib.affines.apply_affine(scan.geometry["affine"], (0, 0, k))
        assert np.linalg.norm(here - told) < 0.1  # its places are rounded to 0.1 mm, its slices 7 mm apart
        np.testing.assert_array_equal(scan.data[0, :, :, k].T, file.pixel_array)


# ---- slices that make no volume --------------------------------------------------------------------------


def test_missing_slices_are_named(tmp_path):
    paths = made.write_series(tmp_path, STORED, AFFINE)
    for k in (2, 5, 6):
        paths[k].unlink()
    with pytest.raises(FileProblem, match=r"3 slices are missing.*14 mm apart") as told:
        read(tmp_path)
    for k in (1, 3, 4, 7):
        assert paths[k].name in str(told.value)


def test_uneven_spacing(tmp_path):
    def moved(one, k):
        if k > 4:
            one.ImagePositionPatient = list(
                np.array(one.ImagePositionPatient) + made.TO_LPS[:3, :3] @ AFFINE[:3, 2] / 2
            )

    made.write_series(tmp_path, STORED, AFFINE, change=moved)
    with pytest.raises(FileProblem, match=r"unevenly spaced: 21 mm between .*, 14 mm between most"):
        read(tmp_path)


def test_slices_beside_the_row(tmp_path):
    paths = made.write_series(tmp_path, STORED, AFFINE, change=_beside)
    with pytest.raises(FileProblem, match=rf"one straight, even row: {paths[3].name}"):
        read(tmp_path)


def _beside(one, k):
    if k == 3:
        one.ImagePositionPatient = list(
            np.array(one.ImagePositionPatient) + 9 * np.array(one.ImageOrientationPatient)[:3]
        )


def test_time_points_are_told_by_what_differs(tmp_path):
    for point in (1, 2):
        made.write_series(
            tmp_path, STORED, AFFINE, name=f"{point}_{{:03d}}", seed=point, TemporalPositionIdentifier=point
        )
    with pytest.raises(FileProblem, match=r"16 of its images lie at the place of another.*time point \(1, 2\)"):
        read(tmp_path)


def test_copies_are_told(tmp_path):
    paths = made.write_series(tmp_path, STORED, AFFINE)
    shutil.copy(paths[2], tmp_path / "copy.dcm")
    with pytest.raises(FileProblem, match=r"files are there twice \(.*copy\.dcm"):
        read(tmp_path)


def test_echoes_of_one_series_are_asked_for_by_number(tmp_path):
    for echo, bright in ((2.5, 700), (7.5, 400)):
        made.write_series(
            tmp_path, made.planted(bright=bright), AFFINE, name=f"{echo}_{{:03d}}", EchoTime=echo, series="both"
        )
    with pytest.raises(FileProblem, match=r"2 volumes.*5\.1 't1 mprage' \(echo time 2\.5, 7 x 9 x 8.*5\.2.*--series"):
        read(tmp_path)
    assert [read(tmp_path, series=label).data.max() for label in ("5.1", 5.2)] == [700, 400]


def test_echoes_and_time_points_in_one_enhanced_file(tmp_path):
    order = [*range(8), *range(8)]

    def echoes(one):
        for k, item in enumerate(one.PerFrameFunctionalGroupsSequence):
            item.MREchoSequence = [made.item(EffectiveEchoTime=2.5 + 5 * (k // 8))]

    def times(one):
        for k, item in enumerate(one.PerFrameFunctionalGroupsSequence):
            item.FrameContentSequence = [made.item(TemporalPositionIndex=1 + k // 8)]

    path = made.save(tmp_path / "a.dcm", made.enhanced(STORED, AFFINE, order=order, change=echoes))
    with pytest.raises(FileProblem, match=r"2 volumes.*5\.1 .*echo time 2\.5.*5\.2 .*echo time 7\.5"):
        read(path)
    assert read(path, series="5.1").data.max() == 900
    path = made.save(tmp_path / "b.dcm", made.enhanced(STORED, AFFINE, order=order, change=times))
    with pytest.raises(FileProblem, match=r"16 of its images .* time point \(1, 2\)"):
        read(path)


@pytest.mark.parametrize("entry", ["ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing"])
@pytest.mark.parametrize("value", [None, ""])
def test_geometry_is_never_guessed(tmp_path, entry, value):
    made.write_series(
        tmp_path, STORED, AFFINE, change=lambda one, k: made.of(one, **{entry: value}) if k == 4 else None
    )
    with pytest.raises(FileProblem, match=f"has no {entry}: where it lies would be guessed"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "right-angled"),
        ({"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]}, "right-angled"),
        ({"PixelSpacing": [0, 1]}, "pixel size"),
        ({"PixelSpacing": [5000, 5000]}, "beyond belief"),
    ],
)
def test_geometry_beyond_sense(tmp_path, entries, says):
    made.write_series(tmp_path, STORED, AFFINE, change=lambda one, k: made.of(one, **entries))
    with pytest.raises(FileProblem, match=says):
        read(tmp_path)


# ---- which series ----------------------------------------------------------------------------------------


def examination(folder):
    """Write an examination: one head, and what else a scanner and an archive put beside it."""
    made.write_series(folder / "head", STORED, AFFINE, number=5)
    for n, turn in enumerate([(0, 0, 0), (90, 0, 0), (0, 90, 0)]):
        made.write_series(
            folder / "scout", made.planted((20, 20, 3), at=(1, 1, 0)), made.oblique(turn=turn), number=1, description="localizer",
            name=f"{n}_{{}}", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
        )  # fmt: skip
    made.write_series(folder / "one", made.planted((20, 20, 1), at=(1, 1, 0)), AFFINE, number=7, description="one")
    made.write_series(
        folder / "mpr", STORED, AFFINE, number=9, description="mpr", ImageType=["DERIVED", "SECONDARY", "MPR"]
    )
    made.write_series(
        folder / "slab", made.planted((20, 20, 3), at=(1, 1, 0)), made.oblique(spacing=(5, 5, 5)), number=8,
        description="slab",
    )  # fmt: skip
    screen = made.header("capture", number=99, description="screen", Modality="MR")
    screen.Rows = screen.Columns = 4
    screen.PixelData, screen["PixelData"].VR = bytes(32), "OW"
    made.save(folder / "screen" / "a.dcm", screen)
    colours = made.header("MR", number=98, description="colours", dtype="u1")
    made.of(colours, Rows=4, Columns=4, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
    colours.PixelData, colours["PixelData"].VR = bytes(48), "OB"
    made.save(folder / "screen" / "b.dcm", colours)
    (folder / "readme.txt").write_text("not a picture")


def test_the_one_head_among_the_series_of_an_examination(tmp_path):
    examination(tmp_path)
    scan = read(tmp_path)
    np.testing.assert_allclose(place_of_brightest(scan), nib.affines.apply_affine(AFFINE, AT), atol=1e-5)
    notes = "\n".join(scan.geometry["notes"])
    for part in (
        "1 'localizer' set aside: a localizer",
        "7 'one' (20 x 20 x 1, pixels of 12.5 x 11 mm) set aside: it is one slice",
        "set aside: 10 mm thin, no whole head",
        "set aside: derived from other pictures",
        "98 'colours' set aside: a picture in colours",
        "99 'screen' set aside: a picture of a screen",
    ):
        assert part in notes
    assert len(scan.geometry["notes"]) == 6
    np.testing.assert_array_equal(read(tmp_path, series=9).data, scan.data)
    with pytest.raises(FileProblem, match="series 1 'localizer' is no volume: a localizer"):
        read(tmp_path, series=1)
    with pytest.raises(FileProblem, match=r"no series 6. It holds: 1 'localizer', 5 't1 mprage'"):
        read(tmp_path, series="6")


def test_what_is_less_likely_yields_only_to_what_is_more(tmp_path):
    derived = {"ImageType": ["DERIVED", "PRIMARY", "M"]}
    scout = made.planted((20, 20, 20), at=(3, 3, 3))
    made.write_series(tmp_path / "scout", scout, AFFINE, number=1, description="AAHead_Scout")
    thin = made.planted((20, 20, 3), at=(1, 1, 0))
    made.write_series(tmp_path / "thin", thin, made.oblique(spacing=(5, 5, 5)), number=2)
    made.write_series(tmp_path / "head", STORED, AFFINE, number=5, **derived)
    scan = read(tmp_path)
    assert scan.data.shape == (1, *STORED.shape)  # derived, but the only whole head that is no scout
    assert [note[:8] for note in scan.geometry["notes"]] == ["series 1", "series 2"]
    shutil.rmtree(tmp_path / "head")
    assert read(tmp_path).data.shape == (1, *scout.shape)
    shutil.rmtree(tmp_path / "scout")
    assert read(tmp_path).data.shape == (1, *thin.shape)


def test_two_heads_are_listed(tmp_path):
    examination(tmp_path)
    made.write_series(tmp_path / "second", made.planted(bright=500), AFFINE, number=6, description="t2 \x1b[31mspace")
    with pytest.raises(
        FileProblem, match=r"2 volumes, .*5 't1 mprage' \(7 x 9 x 8, .*6 't2 \[31mspace'.*--series"
    ) as told:
        read(tmp_path)
    assert "\x1b" not in str(told.value)
    assert read(tmp_path, series=6).data.max() == 500


def test_a_head_with_a_missing_slice_is_not_passed_over_for_another(tmp_path):
    made.write_series(tmp_path / "a", made.planted(bright=500), AFFINE, number=6)
    paths = made.write_series(tmp_path / "b", STORED, AFFINE, number=5)
    paths[3].unlink()
    with pytest.raises(FileProblem, match="2 volumes"):
        read(tmp_path)
    with pytest.raises(FileProblem, match="1 slice is missing"):
        read(tmp_path, series=5)


def test_people_put_together(tmp_path):
    for person in (1, 2):
        made.write_series(tmp_path / str(person), STORED, AFFINE, study=person)
    with pytest.raises(FileProblem, match=r"of 2 examinations.*5\.1.*5\.2"):
        read(tmp_path)


def test_one_slice_and_no_slice(tmp_path):
    paths = made.write_series(tmp_path, STORED, AFFINE)
    with pytest.raises(FileProblem, match=r"it is one slice. Name the folder"):
        read(paths[0])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileProblem, match="no DICOM file"):
        read(tmp_path / "empty")
    with pytest.raises(FileProblem, match="hold volume; labels was asked"):
        read(tmp_path, kind="labels")


def test_a_broken_file_of_a_series_is_not_passed_over(tmp_path):
    paths = made.write_series(tmp_path, STORED, AFFINE)
    content = paths[-1].read_bytes()
    paths[-1].write_bytes(b"x" * 200)
    with pytest.raises(FileProblem, match=rf"{paths[-1].name}: it is not a DICOM file"):
        read(tmp_path)
    paths[-1].write_bytes(content[:-20])
    with pytest.raises(
        FileProblem, match=rf"{paths[-1].name}: it is cut: 1 x 9 x 7 pixels need 126 bytes, it holds 106"
    ):
        read(tmp_path)


# ---- values ----------------------------------------------------------------------------------------------


def test_scaling_of_each_slice(tmp_path):
    def scaled(one, k):
        one.RescaleSlope, one.RescaleIntercept = 0.5 + k, -10 * k

    made.write_series(tmp_path, STORED, AFFINE, modality="PT", change=scaled)
    expected = STORED * (0.5 + np.arange(8)) - 10 * np.arange(8)
    found = read(tmp_path).data[0]
    assert any(np.array_equal(one, expected.astype(np.float32)) for one in (found, found[:, :, ::-1]))


def test_scaling_of_each_frame(tmp_path):
    def scaled(one):
        for k, item in enumerate(one.PerFrameFunctionalGroupsSequence):
            item.PixelValueTransformationSequence = [made.item(RescaleSlope=k + 0.5, RescaleIntercept=-k)]

    path = made.save(tmp_path / "a.dcm", made.enhanced(STORED, AFFINE, change=scaled))
    expected = (STORED * (0.5 + np.arange(8)) - np.arange(8)).astype(np.float32)
    found = read(path).data[0]
    assert any(np.array_equal(one, expected) for one in (found, found[:, :, ::-1]))


def test_signed_numbers_in_fewer_bits(tmp_path):
    signed = STORED - 1024
    made.write_series(
        tmp_path, signed, AFFINE, modality="CT", dtype="<i2", BitsStored=12, HighBit=11,
        change=lambda one, k: made.of(one, RescaleSlope=2, RescaleIntercept=-5),
    )  # fmt: skip
    scan = read(tmp_path)
    assert (scan.data.min(), scan.data.max()) == (2 * signed.min() - 5, 2 * signed.max() - 5)


@pytest.mark.parametrize(("modality", "expected"), [("MR", 4095 - 0), ("CT", 4095)])
def test_monochrome1_is_turned_round_where_numbers_have_no_unit(tmp_path, modality, expected):
    stored = np.full((7, 9, 8), 4095)
    stored[AT] = 0  # shown white in MONOCHROME1
    made.write_series(
        tmp_path, stored, AFFINE, modality=modality, BitsStored=12, HighBit=11, PhotometricInterpretation="MONOCHROME1"
    )
    scan = read(tmp_path)
    assert scan.data.max() == expected
    turned = modality == "MR"
    assert (np.count_nonzero(scan.data == 4095) == 1) == turned
    assert any("MONOCHROME1" in note for note in scan.geometry["notes"]) == turned


def test_bits_beyond_the_declared_ones_are_refused(tmp_path):
    made.write_series(tmp_path, STORED * 8, AFFINE, BitsStored=12, HighBit=11)
    with pytest.raises(FileProblem, match="beyond the 12 bits"):
        read(tmp_path)


def test_tomograms_without_scaling_are_refused(tmp_path):
    made.write_series(
        tmp_path, STORED, AFFINE, modality="CT", change=lambda one, k: made.of(one, RescaleIntercept=None)
    )
    with pytest.raises(FileProblem, match="its unit would be guessed"):
        read(tmp_path)


@pytest.mark.parametrize("syntax", [pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRBigEndian])
def test_other_byte_orders(tmp_path, syntax):
    dtype = "<u2" if syntax.is_little_endian else ">u2"
    for k, one in enumerate(made.slices(STORED, AFFINE, dtype=dtype)):
        made.save(tmp_path / f"{k}.dcm", one, syntax)
    np.testing.assert_allclose(place_of_brightest(read(tmp_path)), nib.affines.apply_affine(AFFINE, AT), atol=1e-5)


# ---- packed pixels ---------------------------------------------------------------------------------------


def packed(path, target):
    """Pack the pixels of a file by gdcm."""
    gdcm = pytest.importorskip("gdcm")
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(target(gdcm)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(path))
    assert writer.Write()


PACKINGS = {
    "RLE": lambda gdcm: gdcm.TransferSyntax.RLELossless,
    "JPEG lossless": lambda gdcm: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "JPEG-LS": lambda gdcm: gdcm.TransferSyntax.JPEGLSLossless,
    "JPEG 2000": lambda gdcm: gdcm.TransferSyntax.JPEG2000Lossless,
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_packed_slices_are_the_unpacked_ones(tmp_path, packing):
    stored = made.planted((24, 20, 8))
    paths = made.write_series(tmp_path, stored, AFFINE)
    before = read(tmp_path)
    for path in paths:
        packed(path, PACKINGS[packing])
    assert pydicom.dcmread(paths[0]).file_meta.TransferSyntaxUID.is_compressed
    after = read(tmp_path)
    np.testing.assert_array_equal(after.data, before.data)
    np.testing.assert_allclose(after.geometry["affine"], before.geometry["affine"], atol=1e-6)


@pytest.mark.parametrize("packing", ["JPEG lossless", "JPEG-LS", "JPEG 2000"])
def test_packed_pixels_of_another_size_are_not_unpacked(tmp_path, packing):
    paths = made.write_series(tmp_path, made.planted((24, 20, 8)), AFFINE)
    for path in paths:
        packed(path, PACKINGS[packing])
        one = pydicom.dcmread(path)
        one.Rows = one.Columns = 22
        one.save_as(path)
    with pytest.raises(FileProblem, match="its packed pixels are 20 x 24, its header declares 22 x 22"):
        read(tmp_path)


@pytest.mark.parametrize("packing", PACKINGS)
def test_damaged_packed_pixels_are_refused_or_read(tmp_path, packing, capfd):
    paths = made.write_series(tmp_path, made.planted((24, 20, 8)), AFFINE)
    for path in paths:
        packed(path, PACKINGS[packing])
    content = paths[3].read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(10):
        paths[3].write_bytes(content[: len(content) - int(rng.integers(1, 300))])
        with pytest.raises(FileProblem, match=rf"{paths[3].name}: it is cut"):
            read(tmp_path)
        changed = bytearray(content)
        for place in rng.integers(len(content) - 300, len(content) - 20, size=5):
            changed[place] = rng.integers(256)
        paths[3].write_bytes(bytes(changed))
        assert outcome(tmp_path) == "read" or paths[3].name in outcome(tmp_path)  # packed pixels have no checksum
    capfd.readouterr()  # decoders write on their own


def test_a_packing_that_cannot_be_undone_names_it_and_the_way_out(tmp_path):
    paths = made.write_series(tmp_path, STORED, AFFINE)
    for path in paths:
        one = pydicom.dcmread(path)
        one.PixelData = pydicom.encaps.encapsulate([bytes(20)])
        one["PixelData"].VR = "OB"
        made.save(path, one, pydicom.uid.MPEG2MPML)
    with pytest.raises(FileProblem, match=r"packed by MPEG2 .*cannot be unpacked here.*gdcmconv --raw"):
        read(tmp_path)


# ---- people, and what is not installed -------------------------------------------------------------------


def messages(folder):
    """Yield what is said of many good and bad folders."""
    examination(folder / "a")
    yield str(read(folder / "a").geometry)
    changes = [
        {"ImageOrientationPatient": None}, {"RescaleSlope": "1"}, {"BitsStored": 7}, {"ImagePositionPatient": [1, 2]},
        {"SeriesNumber": None}, {"Rows": 0}, {"Modality": "SR"}, {"EchoTime": 3.0},
    ]  # fmt: skip
    for n, change in enumerate(changes):
        made.write_series(folder / f"b{n}", STORED, AFFINE, change=lambda one, k, told=change: made.of(one, **told))
        made.write_series(folder / f"b{n}", STORED, AFFINE, series="more", name="more{}", number=6)
        yield outcome(folder / f"b{n}")
    content = made.save(folder / "c.dcm", made.enhanced(STORED, AFFINE)).read_bytes()
    for place in range(140, 1500, 7):
        (folder / "c.dcm").write_bytes(content[:place] + b"\xff\x00\xffZ" + content[place + 4 :])
        yield outcome(folder / "c.dcm")


def test_nothing_said_is_of_a_person_a_day_or_an_identifier(tmp_path, capfd, caplog):
    said = list(messages(tmp_path))
    captured = capfd.readouterr()
    everything = "\n".join(said).replace(str(tmp_path), "") + captured.out + captured.err + caplog.text
    assert len(said) > 200
    secrets = [*made.PRIVATE.values(), "Quux", "Zaphod", "Grumpy", "1.2.826", "1.2.840", "2022"]
    assert [secret for secret in secrets if secret in everything] == []


def test_without_pydicom_the_extra_is_named(tmp_path, monkeypatch):
    made.write_series(tmp_path, STORED, AFFINE)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(FileProblem, match=r"pip install 'neuroloom\[dicom\]'"):
        read(tmp_path)


def test_a_head_is_cut_out_of_a_series(tmp_path):
    grid = np.indices((40, 44, 42)).astype(float)
    centre, radii = np.array([20, 22, 20])[:, None, None, None], np.array([14, 17, 15])[:, None, None, None]
    head = ((((grid - centre) / radii) ** 2).sum(axis=0) < 1) * 500
    made.write_series(tmp_path, head, made.oblique(spacing=(5, 5, 5)))
    cut = CropHead()(read(tmp_path))
    assert cut.data.sum() == head.sum()
    assert cut.data.size < head.size
