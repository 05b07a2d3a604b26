"""Cohorts without a table: what the names of files say."""

import numpy as np
import pytest
import yaml

from neuroloom.cohort.checks import check_data
from neuroloom.cohort.cohort_file import read_cohort_file
from neuroloom.errors import NeuroloomError

EEG = {"kind": "series", "axes": ["time", "channel"], "sampling_rate": 200, "unit": "uV"}


def folder_of(tmp_path, names, **told):
    rng = np.random.default_rng(0)
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / name, 20 * rng.standard_normal((400, 2)))
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(told, sort_keys=False))
    return tmp_path / "cohort.yaml"


def test_a_folders_name_is_a_column_and_the_person_is_said_to_be_unknown(tmp_path):
    names = [f"all of it/{stage}/{stage}{n}.npy" for stage in ("ictal", "rest") for n in (1, 2)]
    path = folder_of(
        tmp_path, names, participant_id="part", identity="unknown", columns={"diagnosis": "stage"},
        inputs={"eeg": {**EEG, "files": "all of it/{stage}/{part}.npy"}},
    )  # fmt: skip
    cohort = read_cohort_file(path)
    assert cohort.samples == ["ictal1", "ictal2", "rest1", "rest2"]
    assert cohort.table["diagnosis"].tolist() == ["ictal", "ictal", "rest", "rest"]
    assert cohort.identity == "unknown"
    assert any("no split can be proven" in note for note in cohort.notes)
    found = check_data(tmp_path, target="diagnosis")
    assert found.ok
    assert "identity: unknown" in found.text


def test_files_of_one_person_are_samples_of_their_own(tmp_path):
    names = [f"{who}-{state}-{take}.npy" for who in "ab" for state in ("rest", "task") for take in (1, 2)]
    path = folder_of(
        tmp_path,
        names,
        participant_id="person",
        run_id="take",
        inputs={"eeg": {**EEG, "files": "{person}-{state}-{take}.npy"}},
    )
    cohort = read_cohort_file(path)
    assert cohort.identity == "known"
    assert cohort.table["participant_id"].value_counts().to_dict() == {"a": 4, "b": 4}
    assert cohort.table.loc["a_2_task", ["run_id", "state"]].tolist() == ["2", "task"]


def test_a_pattern_without_the_person_is_refused(tmp_path):
    path = folder_of(
        tmp_path, ["a-1.npy"], participant_id="person", inputs={"eeg": {**EEG, "files": "{who}-{take}.npy"}}
    )
    with pytest.raises(NeuroloomError, match=r"its pattern needs \{person\}"):
        read_cohort_file(path)


def test_a_table_of_events_lies_where_a_pattern_says(tmp_path):
    import made_recordings as made

    for who in "ab":
        made.write_edf(tmp_path / f"{who}.edf", events=[])
        (tmp_path / f"{who}_marks.csv").write_text(f"onset,label\n2.5,of {who}\n")
    eeg = {"kind": "series", "files": "{person}.edf", "events": "{person}_marks.csv"}
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump({"participant_id": "person", "inputs": {"eeg": eeg}}))
    cohort = read_cohort_file(tmp_path / "cohort.yaml")
    assert cohort.load("eeg", "b").geometry["events"] == [[2.5, 0.0, "of b"]]
    before = cohort.inputs["eeg"].identity("b")
    (tmp_path / "b_marks.csv").write_text("onset,label\n2.75,of b\n")
    assert cohort.inputs["eeg"].identity("b") != before


@pytest.mark.real_data
def test_real_segments_by_folder_hold_copies(real_data, tmp_path):
    eeg = {**EEG, "files": "EEG Epilepsy Datasets/{stage}/{segment}.mat"}
    told = {
        "participant_id": "segment",
        "identity": "unknown",
        "columns": {"diagnosis": "stage"},
        "inputs": {"eeg": eeg},
    }
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(told))
    found = check_data(real_data / "eeg" / "delhi_seizure", cohort_file=tmp_path / "cohort.yaml")
    assert found.n_samples == 150
    twice = next(one for one in found if one.what == "near-duplicate scans")
    assert {"ictal26", "ictal37"} <= set(twice.who)  # the same numbers, byte by byte
