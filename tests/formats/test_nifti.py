"""NIfTI: the same numbers and affine as nibabel's, or an error; what is written comes back."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats import read
from neuroloom.formats.nifti import write_nifti
from neuroloom.scan import Scan

OBLIQUE = np.array([[1.9, -0.2, 0.3, -80], [0.25, 2.9, -0.4, -110], [-0.3, 0.5, 3.8, -60], [0, 0, 0, 1.0]])


def saved(path, data, affine=OBLIQUE):
    """Save an array by nibabel."""
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def rescaled(path, slope, intercept):
    """Set the scaling of a saved .nii, its stored numbers left as they are."""
    raw = bytearray(path.read_bytes())
    raw[112:120] = np.array([slope, intercept], "<f4").tobytes()  # scl_slope, scl_inter
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", ">i2", ">f4", ">f8"])
def test_numbers_and_affine_are_nibabels(tmp_path, ending, image_class, dtype):
    data = np.random.default_rng(0).integers(0, 100, (5, 6, 7)).astype(dtype)
    header = image_class.header_class(endianness=">" if dtype.startswith(">") else "<")
    header.set_data_dtype(dtype)
    image = image_class(data, OBLIQUE, header)
    nib.save(image, tmp_path / f"a{ending}")
    scan = read(tmp_path / f"a{ending}")
    assert scan.kind == "volume"
    assert scan.data.dtype == np.float32
    assert scan.data.dtype.isnative
    np.testing.assert_array_equal(scan.data[0], nib.load(tmp_path / f"a{ending}").get_fdata(dtype=np.float32))
    np.testing.assert_array_equal(scan.geometry["affine"], nib.load(tmp_path / f"a{ending}").affine)


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 0.0), (0.0123, -1024.0), (1.0, 3.0), (-2.0, 1.0)])
def test_scaling_is_applied_in_double_precision(tmp_path, slope, intercept):
    stored = np.arange(-3000, 2880, 7, dtype="i2").reshape(5, 6, 28)
    path = rescaled(saved(tmp_path / "a.nii", stored), slope, intercept)
    expected = stored * np.float64(np.float32(slope)) + np.float64(np.float32(intercept))
    np.testing.assert_array_equal(read(path).data[0], expected.astype(np.float32))
    np.testing.assert_allclose(read(path).data[0], nib.load(path).get_fdata(), rtol=1e-6)


def test_slope_zero_means_no_scaling(tmp_path):
    path = rescaled(saved(tmp_path / "a.nii", np.full((3, 3, 3), 7, "i2")), 0, 5)
    assert (read(path).data == 7).all()


def test_float32_files_are_not_copied_and_may_be_changed(tmp_path):
    path = saved(tmp_path / "a.nii.gz", np.ones((4, 5, 6), np.float32))
    data = read(path).data
    assert data.flags.writeable
    assert data[0].flags.f_contiguous  # as in the file


def test_nan_are_kept(tmp_path):
    data = np.zeros((4, 4, 4), np.float32)
    data[1, 2, 3] = np.nan
    scan = read(saved(tmp_path / "a.nii", data))
    assert np.argwhere(np.isnan(scan.data)).tolist() == [[0, 1, 2, 3]]


def test_trailing_axes_of_one_are_no_axes(tmp_path):
    assert read(saved(tmp_path / "a.nii", np.zeros((4, 5, 6, 1), np.float32))).data.shape == (1, 4, 5, 6)
    assert read(saved(tmp_path / "b.nii", np.zeros((4, 5, 1, 1, 1), np.float32))).data.shape == (1, 4, 5, 1)


def test_sform_wins_and_qform_stands_in(tmp_path):
    rigid = nib.affines.from_matvec(np.array([[0, 0, 2.0], [-2, 0, 0], [0, 2, 0]]), [1, 2, 3])
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.float32), None)
    image.set_qform(rigid, code=1)
    image.set_sform(None, code=0)
    nib.save(image, tmp_path / "q.nii")
    np.testing.assert_allclose(read(tmp_path / "q.nii").geometry["affine"], rigid, atol=1e-6)
    image.set_sform(rigid @ np.diag([1.5, 1.5, 1.5, 1]), code=4)
    nib.save(image, tmp_path / "s.nii")
    np.testing.assert_allclose(
        read(tmp_path / "s.nii").geometry["affine"], rigid @ np.diag([1.5, 1.5, 1.5, 1]), atol=1e-6
    )


@pytest.mark.parametrize(("unit", "factor"), [("unknown", 1), ("meter", 1000), ("mm", 1), ("micron", 0.001)])
def test_affine_is_in_mm(tmp_path, unit, factor):
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.float32), np.diag([0.5, 0.5, 0.5, 1]))
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "a.nii")
    np.testing.assert_allclose(np.diag(read(tmp_path / "a.nii").geometry["affine"])[:3], 0.5 * factor)


@pytest.mark.parametrize("orientation", ["RAS", "LPI", "ASL", "SRP"])
def test_a_stated_orientation_stands_in_for_a_missing_affine(tmp_path, orientation):
    image = nib.Nifti1Image(np.zeros((5, 7, 9), np.float32), None)  # no affine: both codes are 0
    image.header.set_zooms((2, 3, 4))
    path = tmp_path / "a.nii"
    nib.save(image, path)
    with pytest.raises(FileProblem, match=r"no affine .*which side is left would be guessed"):
        read(path)
    affine = read(path, orientation=orientation).geometry["affine"]
    assert "".join(nib.aff2axcodes(affine)) == orientation
    np.testing.assert_allclose(nib.affines.voxel_sizes(affine), [2, 3, 4])
    np.testing.assert_allclose(affine @ [2, 3, 4, 1], [0, 0, 0, 1])  # the middle voxel
    with pytest.raises(FileProblem, match="none of the 48"):
        read(path, orientation="RAR")
    with_affine = saved(tmp_path / "b.nii", np.zeros((5, 7, 9), np.float32))
    np.testing.assert_allclose(read(with_affine, orientation=orientation).geometry["affine"], OBLIQUE, rtol=1e-6)


def test_mirror_images_in_one_header_are_refused_and_may_agree(tmp_path):
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.float32), None)
    image.set_sform(np.diag([-2, 2, 2, 1]), code=1)
    image.set_qform(np.diag([-2, 2, 2, 1]), code=1)
    nib.save(image, tmp_path / "alike.nii")
    assert nib.aff2axcodes(read(tmp_path / "alike.nii").geometry["affine"]) == ("L", "A", "S")
    image.set_qform(np.diag([2, 2, 2, 1]), code=1)
    nib.save(image, tmp_path / "mirrored.nii")
    with pytest.raises(FileProblem, match="disagree on which side is left"):
        read(tmp_path / "mirrored.nii")


def test_labels_are_whole_numbers_of_16_bits(tmp_path):
    labels = np.random.default_rng(1).choice([0, 2, 41, 1001, 12175, 65535], (6, 7, 8))
    for dtype in ("i4", "f4", "f8", "u2"):
        scan = read(saved(tmp_path / f"{dtype}.nii.gz", labels.astype(dtype)), kind="labels")
        assert scan.data.dtype == np.uint16
        assert scan.data.shape == (6, 7, 8)
        np.testing.assert_array_equal(scan.data, labels)
    labels[0, 0, 0] = 65536
    with pytest.raises(FileProblem, match="0 to 65535, but it has 0 to 65536"):
        read(saved(tmp_path / "high.nii", labels.astype("i4")), kind="labels")


def test_scaled_labels(tmp_path):
    path = rescaled(saved(tmp_path / "a.nii", np.arange(24, dtype="u1").reshape(2, 3, 4)), 10, 5)
    np.testing.assert_array_equal(read(path, kind="labels").data.ravel(), np.arange(24) * 10 + 5)


def test_series_and_movie_of_a_4d_file(tmp_path):
    data = np.random.default_rng(2).standard_normal((4, 5, 6, 7)).astype(np.float32)
    image = nib.Nifti1Image(data, OBLIQUE)
    image.header.set_xyzt_units("mm", "msec")
    image.header.set_zooms((2, 3, 4, 2500))
    nib.save(image, tmp_path / "a.nii.gz")
    scan = read(tmp_path / "a.nii.gz", kind="series")
    assert scan.data.shape == (120, 7)
    assert scan.geometry["sampling_rate"] == pytest.approx(0.4)
    np.testing.assert_array_equal(scan.data.reshape(*scan.geometry["grid"], 7), data)
    assert read(tmp_path / "a.nii.gz", kind="series", sampling_period=2).geometry["sampling_rate"] == 0.5
    with pytest.raises(FileProblem, match="a movie is"):
        read(tmp_path / "a.nii.gz", kind="movie")
    with pytest.raises(FileProblem, match=r"4 axes \(4, 5, 6, 7\), expected 3: it holds 7 volumes"):
        read(tmp_path / "a.nii.gz")
    saved(tmp_path / "slice.nii", data[:, :, :1])
    movie = read(tmp_path / "slice.nii", kind="movie", sampling_rate=10)
    np.testing.assert_array_equal(movie.data, data[:, :, 0].transpose(2, 0, 1))
    with pytest.raises(FileProblem, match="time between its volumes is not known: its header says none"):
        read(tmp_path / "slice.nii", kind="movie")
    with pytest.raises(FileProblem, match="a series of volumes is"):
        read(saved(tmp_path / "b.nii", data[..., 0]), kind="series")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(1, 7, 8, 9), (1, 7, 8, 1), (3, 4, 5, 6)])
def test_volumes_come_back_as_they_were(tmp_path, ending, order, shape):
    data = np.asarray(np.random.default_rng(3).standard_normal(shape), np.float32, order=order)
    data[0, 0, 0, 0] = np.nan
    write_nifti(tmp_path / f"a{ending}", Scan(data, "volume", {"affine": OBLIQUE}))
    scan = read(tmp_path / f"a{ending}")
    np.testing.assert_array_equal(scan.data, data)
    np.testing.assert_array_equal(scan.geometry["affine"], OBLIQUE.astype(np.float32))
    write_nifti(tmp_path / f"b{ending}", scan)
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_labels_come_back_and_others_can_read_them(tmp_path):
    labels = np.random.default_rng(4).integers(0, 65536, (5, 6, 7)).astype(np.uint16)
    rigid = nib.affines.from_matvec(np.array([[0, 0, -1.0], [-1.2, 0, 0], [0, 1.4, 0]]), [10, 20, -30])
    write_nifti(tmp_path / "a.nii.gz", Scan(labels, "labels", {"affine": rigid}))
    np.testing.assert_array_equal(read(tmp_path / "a.nii.gz", kind="labels").data, labels)
    image = nib.load(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(np.asarray(image.dataobj), labels)
    assert image.get_data_dtype() == np.uint16
    assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 2
    np.testing.assert_allclose(image.get_qform(), rigid, atol=1e-5)
    assert image.header.get_xyzt_units() == ("mm", "sec")


def test_a_sheared_affine_stands_in_the_sform_alone(tmp_path):
    write_nifti(tmp_path / "a.nii", Scan(np.zeros((1, 4, 4, 4), np.float32), "volume", {"affine": OBLIQUE}))
    header = nib.load(tmp_path / "a.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (2, 0)


def test_long_axes_are_written_as_nifti_2(tmp_path):
    data = np.arange(40_000, dtype=np.float32).reshape(1, 40_000, 1, 1)
    write_nifti(tmp_path / "a.nii", Scan(data, "volume", {"affine": np.eye(4)}))
    assert isinstance(nib.load(tmp_path / "a.nii"), nib.Nifti2Image)
    np.testing.assert_array_equal(read(tmp_path / "a.nii").data, data)


def test_a_written_file_says_neither_name_nor_date(tmp_path):
    scan = Scan(np.zeros((1, 4, 4, 4), np.float32), "volume", {"affine": np.eye(4)})
    write_nifti(tmp_path / "sub-secret.nii.gz", scan)
    content = (tmp_path / "sub-secret.nii.gz").read_bytes()
    assert b"secret" not in content
    assert content[4:8] == bytes(4)  # gzip's time of writing (RFC 1952)
    assert gzip.decompress(content)[:4] == (348).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("name", "scan", "words"),
    [
        ("a.nii", Scan(np.zeros((1, 4, 4, 4)), "volume", {"affine": np.eye(4)}), "must be float32 with 4 axes"),
        ("a.nii", Scan(np.zeros((4, 4, 4), np.float32), "volume", {"affine": np.eye(4)}), "shape"),
        ("a.nii", Scan(np.zeros((4, 4, 4), np.int32), "labels", {"affine": np.eye(4)}), "must be uint16"),
        ("a.nii", Scan(np.zeros((4, 9), np.float32), "series", {}), "not for series"),
        ("a.nii", Scan(np.zeros((1, 4, 4, 4), np.float32), "volume", {}), "affine"),
        ("a.mgz", Scan(np.zeros((1, 4, 4, 4), np.float32), "volume", {"affine": np.eye(4)}), r"\.nii or \.nii\.gz"),
    ],
)
def test_what_cannot_be_written_is_said_before(tmp_path, name, scan, words):
    with pytest.raises(NeuroloomError, match=words):
        write_nifti(tmp_path / name, scan)
    assert not list(tmp_path.iterdir())


# ---- real scans ------------------------------------------------------------------------------------------

FACTS = {  # path: shape, voxel size in mm, axes
    "bids_depression_t1w/sub-01/anat/sub-01_T1w.nii.gz": ((288, 288, 181), (0.868, 0.868, 1.0), "LAS"),
    "label_maps/training_seg_01.nii.gz": ((256, 256, 256), (1, 1, 1), "LIA"),
    "lesions/multiple_sclerosis/patient01/study1_FLAIR.nii.gz": ((320, 320, 36), (0.719, 0.719, 4.0), "LPS"),
    "lesions/stroke/T2w.nii.gz": ((144, 168, 148), (1, 1, 1), "RAS"),
    "pet/SERT_DASB_HC30.nii": ((61, 73, 61), (3, 3, 3), "LAS"),  # big-endian
    "ct/head_ct_uint8_not_hu.nii.gz": ((208, 256, 225), (1, 1, 1), "RAS"),  # units unknown
    "atlases/aal116/aal116MNI.nii.gz": ((97, 115, 97), (2, 2, 2), "RAS"),  # qform alone
    "t1w_with_labels/whole_head/sub-01_T1w.nii.gz": ((96, 128, 128), (1.8, 1.875, 1.875), "RAS"),
    "fmri/haxby_reduced/mask4d.nii.gz": ((40, 20, 1), (3.1, 3.75, 3.75), "LAS"),  # fourth axis of 1
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", FACTS)
def test_real_scan_has_its_grid_and_nibabels_numbers(real_data, name):
    shape, sizes, axes = FACTS[name]
    scan, image = read(real_data / name), nib.load(real_data / name)
    assert scan.data.shape == (1, *shape)
    np.testing.assert_allclose(nib.affines.voxel_sizes(scan.geometry["affine"]), sizes, atol=5e-4)
    assert "".join(nib.aff2axcodes(scan.geometry["affine"])) == axes
    np.testing.assert_array_equal(scan.geometry["affine"], image.affine)
    np.testing.assert_array_equal(scan.data[0], image.get_fdata(dtype=np.float32).reshape(shape))


@pytest.mark.real_data
def test_every_real_image_is_read_or_said_to_have_time(real_data):
    paths = sorted([*real_data.rglob("*.nii"), *real_data.rglob("*.nii.gz")])
    assert len(paths) > 80
    for path in paths:
        if "mvpa2" in path.parts or path.name.startswith("training_seg"):
            continue  # copies of one grid
        shape = nib.load(path).shape
        if len(shape) == 4 and shape[3] > 1:
            with pytest.raises(FileProblem, match=f"4 axes .*expected 3: it holds {shape[3]} volumes"):
                read(path)
        else:
            assert read(path).data.shape == (1, *shape[:3])


@pytest.mark.real_data
def test_real_label_map_holds_freesurfers_labels(real_data):
    labels = read(real_data / "label_maps" / "training_seg_01.nii.gz", kind="labels").data
    known = np.load(real_data / "label_maps" / "labels_classes_priors" / "generation_labels.npy")
    assert {2, 3, 17, 41, 42, 53} <= set(np.unique(labels))  # white, cortex, hippocampus; left and right
    assert set(np.unique(labels)) <= set(known)


@pytest.mark.real_data
def test_real_pet_is_no_label_map(real_data):
    with pytest.raises(FileProblem, match="labels must be whole numbers"):
        read(real_data / "pet" / "SERT_DASB_HC30.nii", kind="labels")


@pytest.mark.real_data
def test_real_bold_is_a_series_at_its_rate(real_data):
    scan = read(real_data / "fmri" / "bold.nii.gz", kind="series")
    image = nib.load(real_data / "fmri" / "bold.nii.gz")
    assert scan.data.shape == (64 * 64 * 33, 20)
    assert scan.geometry["sampling_rate"] == 1.0
    np.testing.assert_array_equal(scan.data.reshape(image.shape), image.get_fdata(dtype=np.float32))


@pytest.mark.real_data
def test_real_header_with_a_period_of_half_an_hour_is_not_believed(real_data):
    path = real_data / "fmri" / "haxby_reduced" / "example4d.nii.gz"
    with pytest.raises(FileProblem, match="its header says 2000 s"):
        read(path, kind="series")
    assert read(path, kind="series", sampling_period=2.0).geometry["sampling_rate"] == 0.5


@pytest.mark.real_data
def test_real_scan_comes_back_from_our_file(real_data, tmp_path):
    scan = read(real_data / "lesions" / "stroke" / "T2w.nii.gz")
    write_nifti(tmp_path / "a.nii.gz", scan)
    back = read(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(back.data, scan.data)
    np.testing.assert_array_equal(back.geometry["affine"], scan.geometry["affine"])
