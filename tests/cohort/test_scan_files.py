"""What a user names is found, under names that tell the scans apart."""

import os

import made_dicom as made
import nibabel as nib
import numpy as np
import pytest

from neuroloom.cohort.cohort import FileSource
from neuroloom.cohort.opened import open_cohort
from neuroloom.cohort.scan_files import scans_of
from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats import read

AFFINE, STORED = made.oblique(), made.planted()


def nifti(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.ones((3, 3, 3), np.float32), np.eye(4)), path)
    return path


def named(*paths, **told):
    return [name for name, _ in scans_of(paths, **told)]


def test_files_stay_in_order_and_their_readers_are_known(tmp_path):
    one, other = nifti(tmp_path / "z.nii.gz"), made.save(tmp_path / "0001", made.enhanced(STORED, AFFINE))
    assert scans_of([one, other]) == [("z", one), ("0001", other)]
    (tmp_path / "people.csv").write_text("a,b\n")
    with pytest.raises(FileProblem, match=r"people\.csv: a \.csv file is no scan"):
        scans_of([tmp_path / "people.csv"])
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(FileProblem, match=r"no reader for files that end in '\.txt'"):
        scans_of([tmp_path / "a.txt"])
    with pytest.raises(FileProblem, match="no such file or folder"):
        scans_of([tmp_path / "absent.nii"])


def test_a_folder_of_scans(tmp_path):
    for name in ("b.nii.gz", "a.nii", "c.mgz"):
        nifti(tmp_path / name) if not name.endswith("mgz") else (tmp_path / name).write_bytes(b"broken")
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "._a.nii").write_bytes(b"x")
    assert named(tmp_path) == ["a", "b", "c"]  # the broken one is found: it is told when it is read


def test_bids_by_suffix_whole_or_in_part(tmp_path):
    for person in ("01", "02"):
        for visit in ("1", "2"):
            folder = tmp_path / f"sub-{person}" / f"ses-{visit}" / "anat"
            nifti(folder / f"sub-{person}_ses-{visit}_T1w.nii.gz")
    nifti(tmp_path / "sub-01" / "ses-1" / "anat" / "sub-01_ses-1_FLAIR.nii.gz")
    everyone = [f"sub-{person}_ses-{visit}_T1w" for person in ("01", "02") for visit in "12"]
    assert named(tmp_path) == everyone
    assert named(tmp_path / "sub-02") == everyone[2:]
    assert named(tmp_path / "sub-02" / "ses-1") == everyone[2:3]
    assert named(tmp_path / "sub-02" / "ses-1" / "anat") == everyone[2:3]
    assert named(tmp_path, suffix="FLAIR") == ["sub-01_ses-1_FLAIR"]
    with pytest.raises(FileProblem, match=r"no scan was found.*_T2w\.nii\.gz.*it has FLAIR, T1w: choose"):
        scans_of([tmp_path], suffix="T2w")
    with pytest.raises(NeuroloomError, match="Did you mean 'T1w'"):
        scans_of([tmp_path], suffix="T1")


def test_folders_of_dicom(tmp_path):
    for person in ("anna", "bert"):
        made.write_series(tmp_path / person / "study" / "head", STORED, AFFINE, study=person)
    assert scans_of([tmp_path]) == [("anna", tmp_path / "anna"), ("bert", tmp_path / "bert")]
    assert named(tmp_path / "anna") == ["anna"]
    assert named(tmp_path / "anna" / "study" / "head") == ["head"]
    assert all(read(place).data.max() == 900 for _, place in scans_of([tmp_path]))


def test_series_of_one_examination_are_one_scan(tmp_path):
    disc = tmp_path / "disc"
    made.write_series(disc / "DICOM" / "PA0" / "SE0", STORED, AFFINE, number=3, study=1)
    made.write_series(
        disc / "DICOM" / "PA0" / "SE1", made.planted((20, 20, 3), at=(1, 1, 0)), made.oblique(spacing=(5, 5, 5)),
        number=1, study=1,
    )  # fmt: skip
    made.save(disc / "DICOMDIR", made.header("capture"))
    assert scans_of([disc]) == [("disc", disc)]
    assert read(disc).data.max() == 900
    made.write_series(disc / "DICOM" / "PA0" / "SE2", STORED, AFFINE, study=2)
    with pytest.raises(NeuroloomError, match=r"SE0, .*SE1 are of one examination, the folders beside them"):
        scans_of([disc])


def test_a_broken_person_is_found_like_the_others(tmp_path):
    for person in ("a", "b", "c"):
        made.write_series(tmp_path / person, STORED, AFFINE, study=person)
    for path in (tmp_path / "b").glob("*.dcm"):
        path.write_bytes(b"x" * 300)
    assert named(tmp_path) == ["a", "b", "c"]
    with pytest.raises(FileProblem, match="not a DICOM file"):
        read(tmp_path / "b")


def test_dicom_beside_other_scans_is_not_guessed(tmp_path):
    made.write_series(tmp_path, STORED, AFFINE)
    nifti(tmp_path / "converted.nii.gz")
    with pytest.raises(FileProblem, match=r"DICOM files and 1 others \(converted\.nii\.gz\)"):
        scans_of([tmp_path])


def test_one_name_twice_and_nothing_at_all(tmp_path):
    one, other = nifti(tmp_path / "a" / "x.nii"), nifti(tmp_path / "b" / "x.nii.gz")
    with pytest.raises(NeuroloomError, match=r"'x' is .*a/x\.nii, .*b/x\.nii\.gz"):
        scans_of([one, other])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileProblem, match=r"empty: no scan was found in it. Looked for: sub-\*/.*_T1w\.nii\.gz"):
        scans_of([tmp_path / "empty"])


def test_a_cohort_file_names_folders_of_dicom(tmp_path):
    for n, person in enumerate(("anna", "bert")):
        made.write_series(tmp_path / person / "dicom", made.planted(bright=700 + n), AFFINE, study=person, number=5)
    (tmp_path / "people.csv").write_text("participant_id,age\nanna,30\nbert,40\n")
    (tmp_path / "cohort.yaml").write_text(
        "table: people.csv\ninputs:\n  t1w: {kind: volume, files: '{participant_id}/dicom', series: 5}\n"
    )
    cohort = open_cohort(tmp_path)
    assert [cohort.load("t1w", sample).data.max() for sample in cohort.samples] == [700, 701]


def test_a_cohort_sees_that_a_file_of_a_folder_changed(tmp_path):
    paths = made.write_series(tmp_path, STORED, AFFINE)
    source = FileSource("volume", {"a": tmp_path})
    before = source.identity("a")
    assert source.identity("a") == before
    assert source.load("a").data.max() == 900
    paths[0].write_bytes(paths[0].read_bytes() + b"x")
    assert source.identity("a") != before


@pytest.mark.real_data
def test_real_folders(real_data):
    assert named(real_data / "bids_depression_t1w") == [f"sub-{n:02d}_T1w" for n in _numbers(real_data)]
    assert named(real_data / "dicom") == ["pd_axial_20_slices", "t1w_enhanced_multiframe"]
    assert named(real_data / "t1w_with_labels" / "freesurfer_subject") == ["aparc.a2009s+aseg", "norm"]


def _numbers(real_data):
    folders = (real_data / "bids_depression_t1w").glob("sub-*")
    return sorted(int(folder.name.removeprefix("sub-")) for folder in folders if folder.is_dir())


def test_results_of_an_earlier_run_are_no_scans(tmp_path):
    ends = ("dseg", "desc-brain", "desc-brain_mask", "probseg", "label-GM_probseg")
    made_of = [nifti(tmp_path / f"h_{end}.nii.gz") for end in ends]
    made_of.append(nifti(tmp_path / "sub-1_desc-brain_T1w.nii.gz"))
    with pytest.raises(
        FileProblem, match=r"it holds no scan, but what was made of scans: .* and 3 more\. .*desc-brain"
    ):
        scans_of([tmp_path])
    scan = nifti(tmp_path / "h.nii.gz")
    assert scans_of([tmp_path]) == [("h", scan)]
    assert named(*made_of[:1]) == ["h_dseg"]  # one that is named is meant


def test_results_beside_the_slices_of_a_scan(tmp_path):
    folder = tmp_path / "anna"
    made.write_series(folder, STORED, AFFINE)
    nifti(folder / "anna_dseg.nii.gz")
    assert scans_of([folder]) == [("anna", folder)]


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_names_that_are_not_utf8_are_refused_before_the_work(tmp_path):
    name = os.fsdecode(b"Andr\xe9.nii")
    try:
        nifti(tmp_path / name)
    except OSError:
        pytest.skip("this disk takes no such name")
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(
            FileProblem, match=r"Andr\\udce9\.nii: its name is not written in UTF-8.*Rename it"
        ) as error:
            scans_of([path])
        str(error.value).encode("utf-8")
