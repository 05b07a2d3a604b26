"""BIDS folders: who and what is found, what is said of it, and what is refused."""

import json

import numpy as np
import pytest

from neuroloom.cohort.bids import is_bids, read_bids
from neuroloom.cohort.opened import open_cohort
from neuroloom.errors import NeuroloomError
from neuroloom.formats.nifti import write_nifti
from neuroloom.scan import Scan

PEOPLE = "participant_id\tage\tgender\tgroup\nsub-01\t39\tm\tdepr\nsub-02\t89+\tF\tcontrol\nsub-03\tn/a\tf\tcontrol\n"


def volume(seed=0, shape=(6, 7, 8)):
    data = np.random.default_rng(seed).standard_normal((1, *shape)).astype(np.float32)
    return Scan(data, "volume", {"affine": np.diag([2.0, 3.0, 4.0, 1.0])})


def add_volume(folder, name, seed=0):
    """Write a small volume where BIDS wants it."""
    parts = name.split("_")
    place = folder / parts[0]
    place = place / parts[1] if parts[1].startswith("ses-") else place
    (place / "anat").mkdir(parents=True, exist_ok=True)
    write_nifti(place / "anat" / f"{name}.nii.gz", volume(seed))
    return place / "anat" / f"{name}.nii.gz"


def add_series(folder, name, sidecar=None, seed=1):
    parts = name.split("_")
    place = folder.joinpath(*parts[: 1 + parts[1].startswith("ses-")], "func")
    place.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).standard_normal((30, 2))
    np.savetxt(place / f"{name}.tsv", values, delimiter="\t", header="left\tright", comments="")
    if sidecar is not None:
        (place / f"{name}.json").write_text(json.dumps(sidecar))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "participants.tsv").write_text(PEOPLE)
    for number in (1, 2, 3):
        add_volume(tmp_path, f"sub-0{number}_T1w", number)
    return tmp_path


def refused(folder):
    with pytest.raises(NeuroloomError) as error:
        read_bids(folder)
    return str(error.value)


def test_people_and_files_are_put_together(folder):
    (folder / "dataset_description.json").write_text('{"Name": "Moods"}')
    cohort = read_bids(folder)
    assert cohort.name == "Moods"
    assert cohort.samples == ["sub-01", "sub-02", "sub-03"]
    assert cohort.table["sex"].tolist() == ["M", "F", "F"]
    assert cohort.table["diagnosis"].tolist() == ["depr", "control", "control"]
    assert cohort.table["age"].tolist()[:2] == [39, 89]
    assert np.isnan(cohort.table["age"].iloc[2])
    scan = cohort.load("t1w", "sub-02")
    np.testing.assert_array_equal(scan.data, volume(2).data)
    np.testing.assert_allclose(scan.geometry["affine"], volume().geometry["affine"])


def test_what_was_taken_for_what_is_said(folder):
    notes = read_bids(folder).notes
    assert "column 'gender' taken as sex" in notes
    assert "column 'group' taken as diagnosis" in notes
    assert "1 ages such as '89+' taken as the number alone" in notes


def test_sessions_and_runs_are_samples_of_their_person(tmp_path):
    for name in ("sub-01_ses-1_T1w", "sub-01_ses-2_run-1_T1w", "sub-01_ses-2_run-2_T1w", "sub-02_ses-1_T1w"):
        add_volume(tmp_path, name)
    (tmp_path / "participants.tsv").write_text("participant_id\tage\tsession_id\n01\t30\tx\n02\t40\ty\n")
    cohort = read_bids(tmp_path)
    table = cohort.table
    assert table.index.tolist() == [
        "sub-01_ses-1",
        "sub-01_ses-2_run-1",
        "sub-01_ses-2_run-2",
        "sub-02_ses-1",
    ]
    assert table["participant_id"].tolist() == ["sub-01"] * 3 + ["sub-02"]
    assert table["session_id"].tolist() == ["ses-1", "ses-2", "ses-2", "ses-1"]  # of the files, not of the table
    assert table["age"].tolist() == [30, 30, 30, 40]
    assert "age is of the participant, the same at all 2 visits: sub-01" in cohort.notes


def test_what_is_said_of_a_visit_stands_before_what_is_said_of_the_person(tmp_path):
    for name in ("sub-01_ses-1_T1w", "sub-01_ses-2_T1w", "sub-02_ses-1_T1w", "sub-03_ses-1_T1w", "sub-03_ses-2_T1w"):
        add_volume(tmp_path, name)
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tage\tsex\tdx\n01\t30\tm\ta\n02\t40\tf\tb\n03\t50\tf\tb\n"
    )
    (tmp_path / "sub-01" / "sub-01_sessions.tsv").write_text(
        "session_id\tage_at_scan\tgroup\tmmse\nses-1\t30.5\ta\t29\n2\t32.5\tconverted\tn/a\nses-9\t60\tc\t1\n"
    )
    cohort = read_bids(tmp_path)
    assert cohort.table["age"].tolist() == [30.5, 32.5, 40, 50, 50]
    assert cohort.table["age"].dtype == float
    assert cohort.table["diagnosis"].tolist() == ["a", "converted", "b", "b", "b"]
    assert cohort.table["sex"].tolist() == ["M", "M", "F", "F", "F"]
    assert cohort.table["mmse"].tolist()[0] == 29
    assert cohort.table["mmse"].isna().tolist() == [False, True, True, True, True]
    assert [note for note in cohort.notes if note.startswith("age is of")] == [
        "age is of the participant, the same at all 2 visits: sub-03"
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [("age\n30\n", "no column session_id"), ("session_id\tage\n1\t30\nses-1\t31\n", "several rows: ses-1")],
)
def test_a_wrong_table_of_visits_is_named(tmp_path, content, words):
    add_volume(tmp_path, "sub-01_ses-1_T1w")
    (tmp_path / "participants.tsv").write_text("participant_id\n01\n")
    (tmp_path / "sub-01" / "sub-01_sessions.tsv").write_text(content)
    message = refused(tmp_path)
    assert "sub-01_sessions.tsv" in message
    assert words in message


def test_inputs_of_one_session_share_a_row_whatever_their_acquisition(tmp_path):
    add_volume(tmp_path, "sub-01_acq-mprage_T1w")
    add_series(tmp_path, "sub-01_task-rest_run-1_timeseries")
    for run in (1, 2):
        add_series(tmp_path, f"sub-02_task-rest_run-{run}_timeseries")
    cohort = read_bids(tmp_path)
    assert cohort.samples == ["sub-01", "sub-02_run-1", "sub-02_run-2"]
    assert cohort.inputs["t1w"].available("sub-01")
    assert cohort.inputs["bold"].available("sub-01")


def test_confounds_and_files_in_other_folders_are_no_inputs(folder):
    add_series(folder, "sub-01_task-rest_desc-confounds_timeseries")
    assert set(read_bids(folder).inputs) == {"t1w"}
    (folder / "sub-01" / "func").mkdir(exist_ok=True)
    (folder / "sub-01" / "func" / "sub-01_T2w.nii.gz").write_bytes(b"x")
    cohort = read_bids(folder)
    assert set(cohort.inputs) == {"t1w"}
    assert "1 files outside the folder of their kind passed over: sub-01_T2w.nii.gz" in cohort.notes


def test_region_numbers_are_names(folder):
    add_series(folder, "sub-01_task-rest_timeseries")
    (folder / "sub-01" / "func" / "sub-01_task-rest_timeseries.tsv").write_text("2001\t2002\n" + "1\t5\n2\t4\n" * 9)
    scan = read_bids(folder).load("bold", "sub-01")
    assert scan.data.shape == (2, 18)
    assert scan.geometry["names"] == ["2001", "2002"]


def test_sidecars_are_inherited_and_the_nearest_counts(folder):
    for number, sidecar in ((1, None), (2, {"RepetitionTime": 1.5}), (3, None)):
        add_series(folder, f"sub-0{number}_task-rest_timeseries", sidecar)
    (folder / "task-rest_timeseries.json").write_text('{"RepetitionTime": 2.5}')
    (folder / "task-nback_timeseries.json").write_text('{"RepetitionTime": 9}')
    (folder / "sub-03" / "sub-03_timeseries.json").write_text('{"SamplingFrequency": 10}')
    cohort = read_bids(folder)
    rates = [cohort.load("bold", sample).geometry["sampling_rate"] for sample in cohort.samples]
    assert rates == pytest.approx([1 / 2.5, 1 / 1.5, 10])


def test_files_are_chosen_by_their_entities(folder):
    for number in (1, 2, 3):
        add_series(folder, f"sub-0{number}_task-rest_run-01_timeseries", seed=number)
        add_series(folder, f"sub-0{number}_task-nback_run-01_timeseries", seed=9)
    message = refused(folder)
    assert "sub-01 has 2 files for bold" in message
    assert "They differ in task (nback, rest)" in message
    assert "'bids: {bold: {task: nback}}'" in message
    (folder / "cohort.yaml").write_text(
        "name: Mine\nbids: {bold: {task: rest, run: 1, sampling_period: 2.0}, t1w: leave_out}\nwhere: sex == 'F'"
    )
    cohort = open_cohort(folder)
    assert cohort.name == "Mine"
    assert cohort.samples == ["sub-02", "sub-03"]
    assert set(cohort.inputs) == {"bold"}
    scan = cohort.load("bold", "sub-03")
    assert scan.geometry["sampling_rate"] == 0.5
    np.testing.assert_allclose(scan.data, np.random.default_rng(3).standard_normal((30, 2)).T.astype(np.float32))


def test_a_kind_is_told_and_a_name_without_an_entity_chosen(folder):
    add_volume(folder, "sub-01_rec-norm_T1w", 7)
    cohort = read_bids(folder, {"t1w": {"rec": None, "kind": "labels"}})
    assert cohort.inputs["t1w"].kind == "labels"
    assert cohort.inputs["t1w"].paths["sub-01"].name == "sub-01_T1w.nii.gz"


def test_several_tasks_among_people_are_said(folder):
    add_series(folder, "sub-01_task-rest_timeseries")
    add_series(folder, "sub-02_task-nback_timeseries")
    assert "files for bold are of several task: nback, rest" in read_bids(folder).notes


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"t2w": {}}, "Unknown input under bids: 't2w'. Did you mean 't1w'"),
        ({"t1w": {"acq": "x"}}, "bids.t1w: no file has acq: x; there are acq: null"),
        ({"t1w": {"kind": "volum"}}, "Did you mean 'volume'"),
        ({"t1w": {"tsk": "x"}}, "Unknown argument of a .nii.gz file: 'tsk'"),
        ({"t1w": "leave_out"}, "no input is left"),
    ],
)
def test_wrong_choices_are_named(folder, choices, words):
    with pytest.raises(NeuroloomError) as error:
        read_bids(folder, choices)
    assert words in str(error.value)


def test_linked_folders_are_followed_once(folder, tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    (folder / "sub-01").rename(store / "sub-01")
    (folder / "sub-01").symlink_to(store / "sub-01")
    (store / "sub-01" / "again").symlink_to(store / "sub-01")
    cohort = read_bids(folder)
    assert cohort.samples == ["sub-01", "sub-02", "sub-03"]
    np.testing.assert_array_equal(cohort.load("t1w", "sub-01").data, volume(1).data)


def test_several_inputs_of_one_sample_share_a_row(folder):
    add_volume(folder, "sub-01_T2w")
    add_series(folder, "sub-02_task-rest_timeseries", {"RepetitionTime": 2.5})
    add_series(folder, "sub-03_task-rest_timeseries", {"SamplingFrequency": 10})
    cohort = read_bids(folder)
    assert cohort.samples == ["sub-01", "sub-02", "sub-03"]
    assert set(cohort.inputs) == {"t1w", "t2w", "bold"}
    assert cohort.inputs["t2w"].available("sub-01")
    assert not cohort.inputs["t2w"].available("sub-02")
    slow, fast = cohort.load("bold", "sub-02"), cohort.load("bold", "sub-03")
    assert slow.data.shape == (2, 30)
    assert slow.geometry["sampling_rate"] == pytest.approx(0.4)
    assert fast.geometry["sampling_rate"] == pytest.approx(10)
    assert list(slow.geometry["names"]) == ["left", "right"]


def test_people_without_files_and_files_without_people_are_named(folder):
    with (folder / "participants.tsv").open("a") as file:
        file.write("sub-09\t20\tm\tdepr\n")
    add_volume(folder, "sub-04_T1w")
    cohort = read_bids(folder)
    assert "1 participants of participants.tsv have no file and are left out: sub-09" in cohort.notes
    assert "1 participants have files but no row in participants.tsv: sub-04" in cohort.notes
    assert cohort.table.loc["sub-04"].drop("participant_id").isna().all()


def test_without_participants_nothing_is_known_but_names(tmp_path):
    add_volume(tmp_path, "sub-01_T1w")
    cohort = read_bids(tmp_path)
    assert list(cohort.table) == ["participant_id"]
    assert any("no participants.tsv" in note for note in cohort.notes)


@pytest.mark.parametrize("name", ["._sub-01_T1w.nii.gz", "sub-01_T1w.json", "sub-01_T1w.nii.gz.md5", "T1w.nii.gz"])
def test_other_files_are_passed_over(folder, name):
    (folder / "sub-01" / "anat" / name).write_bytes(b"{}")
    assert len(read_bids(folder)) == 3


def test_derivatives_are_not_the_data(folder):
    add_volume(folder / "derivatives", "sub-01_T1w")
    assert len(read_bids(folder)) == 3


def test_numbers_as_names_keep_their_zeros(folder):
    (folder / "participants.tsv").write_text("participant_id\tage\n01\t39\n02\t40\n03\t41\n")
    assert read_bids(folder).table["age"].tolist() == [39, 40, 41]


def test_what_is_bids(folder, tmp_path_factory):
    assert is_bids(folder)
    (folder / "participants.tsv").unlink()
    assert is_bids(folder)
    assert not is_bids(tmp_path_factory.mktemp("other"))
    assert len(open_cohort(folder)) == 3


# ---- what is refused, and in which words -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("age\tsex\n30\tm\n", ["no column participant_id"]),
        ("participant_id\tage\nsub-01\t30\n01\t31\n", ["several rows: sub-01"]),
        ("participant_id\tage\nsub-01\t30\nn/a\t31\n", ["1 rows have no participant_id"]),
        ("participant_id,age\nsub-01,30\n", ["delimiter"]),
        ("", ["empty"]),
    ],
)
def test_a_wrong_participants_table_is_named(folder, people, words):
    (folder / "participants.tsv").write_text(people)
    message = refused(folder)
    assert "participants.tsv" in message
    assert all(word in message for word in words), message


def test_no_file_of_a_known_kind(tmp_path):
    (tmp_path / "sub-01").mkdir()
    (tmp_path / "sub-01" / "sub-01_dwi.nii.gz").write_bytes(b"x")
    message = refused(tmp_path)
    assert "no file of a known kind" in message
    assert "cohort.yaml" in message


def test_two_files_for_one_place(folder):
    add_volume(folder, "sub-01_rec-norm_T1w")
    message = refused(folder)
    assert "sub-01 has 2 files for t1w" in message
    assert "sub-01_rec-norm_T1w.nii.gz" in message
    assert "They differ in rec (norm, null)" in message


@pytest.mark.parametrize("name", ["sub-02_T2w", "mine_T2w"])
def test_a_file_in_anothers_folder(folder, name):
    write_nifti(folder / "sub-01" / "anat" / f"{name}.nii.gz", volume())
    message = refused(folder)
    assert f"{name}.nii.gz" in message
    assert "by its folder it is of sub-01" in message


def test_content_that_was_not_fetched_is_named(folder):
    for number in (2, 3):
        path = folder / f"sub-0{number}" / "anat" / f"sub-0{number}_T1w.nii.gz"
        path.unlink()
        path.symlink_to(folder / ".git" / "annex" / f"{number}")
    message = refused(folder)
    assert "2 of 3 files for t1w are links to content that is not there" in message
    assert "'datalad get'" in message


@pytest.mark.parametrize("label", ["sub-NDAR_INV1", "sub-a.b"])
def test_labels_are_letters_and_digits(folder, label):
    (folder / label / "anat").mkdir(parents=True)
    write_nifti(folder / label / "anat" / f"{label}_T1w.nii.gz", volume())
    message = refused(folder)
    assert "BIDS labels are letters and digits only" in message
    assert "Rename it to sub-" + ("NDARINV1" if "NDAR" in label else "ab") in message


@pytest.mark.parametrize("name", ["sub-01_ses-2_T1w", "sub-01_T1w"])
def test_a_file_in_anothers_session(tmp_path, name):
    (tmp_path / "sub-01" / "ses-1" / "anat").mkdir(parents=True)
    write_nifti(tmp_path / "sub-01" / "ses-1" / "anat" / f"{name}.nii.gz", volume())
    assert f"by its folder it is of sub-01_ses-1, by its name of {name.removesuffix('_T1w')}." in refused(tmp_path)


@pytest.mark.parametrize("content", ["[]", "3", "{", '{"RepetitionTime": 2, "RepetitionTime": 3}'])
def test_a_wrong_sidecar_is_named(folder, content):
    add_series(folder, "sub-01_task-rest_timeseries")
    (folder / "sub-01" / "func" / "sub-01_task-rest_timeseries.json").write_text(content)
    assert "timeseries.json" in refused(folder)


@pytest.mark.real_data
def test_a_real_folder(real_data):
    cohort = read_bids(real_data / "bids_depression_t1w")
    assert len(cohort) == 12
    assert cohort.table["diagnosis"].value_counts().to_dict() == {"depr": 6, "control": 6}
    assert cohort.table["sex"].isin(["M", "F"]).all()
    assert cohort.name.startswith("Resting state")
    assert cohort.load("t1w", "sub-02").data.shape == (1, 288, 288, 181)
