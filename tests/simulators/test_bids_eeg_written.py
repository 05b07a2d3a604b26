"""Simulated recordings written as BIDS-EEG are read by MNE-Python as they were."""

import json

import mne
import numpy as np
import pytest

from neuroloom.formats.tables import read_table
from neuroloom.simulators.bids import write_cohort
from neuroloom.simulators.eeg_motor_imagery import simulate_motor_imagery
from neuroloom.simulators.eeg_p300 import simulate_p300


@pytest.fixture
def study(tmp_path):
    cohort = simulate_motor_imagery(n_participants=2, n_runs=2, n_trials=4, sampling_rate=128.0)
    write_cohort(cohort, tmp_path / "study")
    return cohort, tmp_path / "study"


def test_mne_reads_numbers_names_and_events(study):
    cohort, folder = study
    for sample in cohort.samples:
        person, session, run = cohort.table.loc[sample]
        name = f"{person}_{session}_task-motorimagery_{run}"
        raw = mne.io.read_raw_brainvision(folder / person / session / "eeg" / f"{name}_eeg.vhdr", verbose="error")
        scan = cohort.load("eeg", sample)
        np.testing.assert_allclose(raw.get_data(), scan.data, rtol=1e-5, atol=1e-12)
        assert raw.info["sfreq"] == pytest.approx(128.0)
        assert raw.ch_names == scan.geometry["names"]
        told = [one for one in raw.annotations if one["description"].startswith("Comment/")]
        assert [one["description"] for one in told] == [f"Comment/{label}" for _, _, label in scan.geometry["events"]]
        expected = [[onset, duration] for onset, duration, _ in scan.geometry["events"]]
        np.testing.assert_allclose([[one["onset"], one["duration"]] for one in told], expected, atol=1e-6)


def test_tables_stand_beside_it(study):
    cohort, folder = study
    scan = cohort.load("eeg", cohort.samples[0])
    place = folder / "sub-001" / "ses-01" / "eeg"
    events = read_table(place / "sub-001_ses-01_task-motorimagery_run-01_events.tsv")
    assert events["trial_type"].tolist() == [label for _, _, label in scan.geometry["events"]]
    electrodes = read_table(place / "sub-001_ses-01_electrodes.tsv")
    np.testing.assert_allclose(electrodes[["x", "y", "z"]].to_numpy(float), scan.geometry["positions"], atol=1e-6)
    told = json.loads((place / "sub-001_ses-01_task-motorimagery_run-01_eeg.json").read_text())
    assert (told["PowerLineFrequency"], told["EEGReference"], told["EEGChannelCount"]) == (50.0, "linked mastoids", 22)
    assert len(read_table(folder / "participants.tsv")) == 2
    assert len(read_table(folder / "sub-001" / "sub-001_sessions.tsv")) == 2
    assert len(read_table(folder / "derivatives" / "truth" / "truth.tsv")) == 8


def test_labels_of_several_parts_come_back(tmp_path):
    cohort = simulate_p300(n_participants=1, n_runs=1, n_letters=1, n_rounds=1, n_channels=19, sampling_rate=128.0)
    write_cohort(cohort, tmp_path / "study")
    (header,) = (tmp_path / "study").rglob("*.vhdr")
    raw = mne.io.read_raw_brainvision(header, verbose="error")
    told = [one["description"] for one in raw.annotations if one["description"].startswith("Comment/")]
    events = cohort.load("eeg", cohort.samples[0]).geometry["events"]
    assert told == [f"Comment/{label}" for _, _, label in events]
