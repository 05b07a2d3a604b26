"""A BIDS folder of EEG that mne-bids wrote, read back by our own reader."""

import made_recordings as made
import mne_bids
import numpy as np
import pandas as pd
import pytest

from neuroloom.cohort.bids import read_bids
from neuroloom.cohort.checks import check_data

FORMATS = {"BrainVision": 0.1, "EDF": 0.01}  # µV: half of what a step is, generously


@pytest.fixture(params=FORMATS)
def folder(tmp_path, request):
    """Two people, two runs each, with one bad channel, an EOG and the places of the electrodes."""
    for person in ("01", "02"):
        for run in ("1", "2"):
            raw = made.mne_raw(made.microvolts(seed=int(person + run)), montage="standard_1020")
            raw.set_channel_types({"Fp2": "eog"}, verbose="error")
            raw.info["bads"], raw.info["line_freq"] = ["O2"], 50
            raw.set_meas_date(0)
            path = mne_bids.BIDSPath(subject=person, task="motor", run=run, root=tmp_path, datatype="eeg")
            mne_bids.write_raw_bids(
                raw, path, format=request.param, allow_preload=True, montage=raw.get_montage(), verbose="error"
            )
    return tmp_path, request.param


def test_numbers_events_types_and_places_come_back(folder):
    root, form = folder
    cohort = read_bids(root)
    assert list(cohort.inputs) == ["eeg"]
    assert cohort.table["participant_id"].tolist() == ["sub-01", "sub-01", "sub-02", "sub-02"]
    assert cohort.table["run_id"].tolist() == ["run-1", "run-2"] * 2
    scan = cohort.load("eeg", "sub-02_run-1")
    np.testing.assert_allclose(scan.data * 1e6, made.microvolts(seed=21)[[0, 2, 3, 4, 5, 6]], atol=FORMATS[form])
    geometry = scan.geometry
    assert geometry["names"] == ["Fp1", "C3", "Cz", "C4", "O1", "O2"]  # Fp2 is an EOG, as channels.tsv says
    assert geometry["bad"] == ["O2"]
    assert geometry["line_frequency"] == 50
    assert geometry["sampling_rate"] == made.RATE
    assert [event[2] for event in geometry["events"]] == ["T1", "T2", "T0"]
    np.testing.assert_allclose([event[0] for event in geometry["events"]], [1.0, 3.25, 6.0], atol=0.5 / made.RATE)
    theirs = mne_bids.read_raw_bids(
        mne_bids.BIDSPath(subject="02", task="motor", run="1", root=root, datatype="eeg"), verbose="error"
    )
    place = {channel["ch_name"]: channel["loc"][:3] for channel in theirs.info["chs"]}
    np.testing.assert_allclose(geometry["positions"], [place[name] for name in geometry["names"]], atol=2e-3)


def test_a_change_of_a_sidecar_or_of_the_numbers_is_seen(folder):
    root, form = folder
    before = read_bids(root).inputs["eeg"].identity("sub-01_run-1")
    changed = next(root.rglob("sub-01*run-1_events.tsv"))
    changed.write_text(changed.read_text() + "7.0\t0.0\tlate\t9\t1400\n")
    after = read_bids(root).inputs["eeg"].identity("sub-01_run-1")
    assert before != after
    if form == "BrainVision":
        numbers = next(root.rglob("sub-01*run-1_eeg.eeg"))
        numbers.write_bytes(numbers.read_bytes()[:-28])
        assert read_bids(root).inputs["eeg"].identity("sub-01_run-1") != after


def test_a_table_without_events_and_the_files_own_annotations(folder):
    root, _ = folder
    table = next(root.rglob("sub-01*run-1_events.tsv"))
    table.write_text(table.read_text().splitlines()[0] + "\n")
    assert read_bids(root).load("eeg", "sub-01_run-1").geometry["events"] == []
    own = read_bids(root, {"eeg": {"events": "annotations"}}).load("eeg", "sub-01_run-1").geometry["events"]
    assert len([event for event in own if not event[2].startswith("New Segment")]) == 3


def test_inherited_sidecars_and_check(folder):
    root, _ = folder
    for path in [*root.rglob("*_channels.tsv")]:
        path.unlink()
    rows = pd.DataFrame({"name": made.NAMES, "type": "EEG", "status": "good"})
    rows.to_csv(root / "task-motor_channels.tsv", sep="\t", index=False)
    geometry = read_bids(root).load("eeg", "sub-01_run-2").geometry
    assert geometry["bad"] == []
    assert geometry["types"] == ["eeg"] * 7
    assert check_data(root).ok


def test_tasks_are_chosen(folder):
    root, form = folder
    raw = made.mne_raw()
    raw.set_meas_date(0)
    path = mne_bids.BIDSPath(subject="01", task="rest", root=root, datatype="eeg")
    mne_bids.write_raw_bids(raw, path, format=form, allow_preload=True, verbose="error")
    assert len(read_bids(root, {"eeg": {"task": "rest", "channels": ["C3", "C4"]}})) == 1


def test_a_folder_named_from_where_one_stands_is_read_alike(folder, monkeypatch):
    root, _ = folder
    whole = read_bids(root).load("eeg", "sub-01_run-1")
    monkeypatch.chdir(root.parent)
    near = read_bids(type(root)(root.name)).load("eeg", "sub-01_run-1")
    assert near.geometry == whole.geometry
    assert np.array_equal(near.data, whole.data)
