"""A file of trials that were cut already: a row each, with its label, whatever the order of its axes."""

import numpy as np
import pytest
import yaml
from scipy.io import savemat

from neuroloom.cohort.cohort_file import read_cohort_file
from neuroloom.errors import NeuroloomError

TRIALS = np.random.default_rng(0).standard_normal((12, 3, 50)) * 20  # (trial, channel, time), µV
HAND = np.arange(12) % 2
INPUT = {
    "kind": "series",
    "file": "a.mat",
    "variable": "x",
    "axes": ["time", "channel", "trial"],
    "sampling_rate": 100,
    "unit": "uV",
}
TOLD = {
    "participant": "aa",
    "labels": {"column": "hand", "variable": "y", "values": {0: "left", 1: "right"}},
    "inputs": {"eeg": INPUT},
}


def write(folder, told, **variables):
    savemat(folder / "a.mat", variables)
    np.savez(folder / "a.npz", **variables)
    path = folder / "cohort.yaml"
    path.write_text(yaml.safe_dump(told, sort_keys=False))
    return path


@pytest.mark.parametrize("axes", ["time channel trial", "trial channel time", "epoch region time"])
@pytest.mark.parametrize("file", ["a.mat", "a.npz"])
def test_each_trial_is_a_row_with_its_own_data_and_label(tmp_path, axes, file):
    axes = axes.split()
    stored = TRIALS if axes[0] != "time" else TRIALS.transpose(2, 1, 0)
    eeg = {**INPUT, "axes": axes, "file": file, "names": ["C3", "Cz", "EOG"], "montage": "standard_1020"}
    cohort = read_cohort_file(write(tmp_path, {**TOLD, "inputs": {"eeg": eeg}}, x=stored, y=HAND[None]))
    assert cohort.samples[0] == "trial-0001"
    assert cohort.table["trial"].tolist() == list(range(1, 13))
    assert cohort.table["hand"].tolist() == ["left", "right"] * 6
    assert set(cohort.table["participant_id"]) == {"aa"}
    for number, sample in enumerate(cohort.samples):
        np.testing.assert_allclose(cohort.load("eeg", sample).data, TRIALS[number] * 1e-6, rtol=1e-6)
    geometry = cohort.load("eeg", "trial-0003").geometry
    assert geometry["sampling_rate"] == 100
    assert geometry["types"] == ["eeg", "eeg", "eog"]
    assert geometry["positions"][0][0] < 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"inputs": {"eeg": {**INPUT, "axes": ["time", "channel"]}}}, "shape \\(50, 3, 12\\); three axes are expected"),
        ({"inputs": {"eeg": {**INPUT, "variable": "z"}}}, "Unknown variable: 'z'"),
        ({"inputs": {"eeg": {**INPUT, "rate": 100}}}, "Unknown key of input 'eeg'"),
        ({"inputs": {"eeg": {**INPUT, "names": ["C3"]}}}, "names must be 3 different names"),
        ({"labels": {"column": "hand", "variable": "x"}}, "x has 1800 values for 12 trials"),
        ({"labels": {"column": "hand", "variable": "y", "values": {0: "left"}}}, "column 'y' holds 1"),
        ({"participant": None}, "needs 'participant: NAME'"),
        ({"labels": {"column": "hand", "variabel": "y"}}, "labels.variab"),
    ],
)
def test_what_is_told_wrongly_is_refused(tmp_path, change, says):
    path = write(tmp_path, {**TOLD, **change}, x=TRIALS.transpose(2, 1, 0), y=HAND[None])
    with pytest.raises(NeuroloomError, match=says):
        read_cohort_file(path)


def test_blocks_are_parts_of_the_file_in_its_order(tmp_path):
    cohort = read_cohort_file(write(tmp_path, {**TOLD, "blocks": 5}, x=TRIALS.transpose(2, 1, 0), y=HAND[None]))
    assert cohort.table["block"].tolist() == [1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5]  # 12 trials: 2 or 3 a block


def test_more_blocks_than_trials_are_refused(tmp_path):
    path = write(tmp_path, {**TOLD, "blocks": 13}, x=TRIALS.transpose(2, 1, 0), y=HAND[None])
    with pytest.raises(
        NeuroloomError, match=r"aa has 12 trials, too few for 13 blocks. Ask for fewer with .*yaml: blocks"
    ):
        read_cohort_file(path)


def test_blocks_of_anything_else_are_refused(tmp_path):
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump({"table": "people.csv", "blocks": 5}))
    with pytest.raises(NeuroloomError, match="blocks is for a file of trials that were cut already"):
        read_cohort_file(tmp_path / "cohort.yaml")


@pytest.mark.real_data
def test_real_trials_of_finger_movements(real_data, tmp_path):
    folder = real_data / "eeg" / "finger_movements"
    eeg = {**INPUT, "file": "sp1s_aa.mat", "variable": "x_train"}
    labels = {**TOLD["labels"], "variable": "y_train"}
    path = tmp_path / "cohort.yaml"
    path.write_text(yaml.safe_dump({**TOLD, "labels": labels, "inputs": {"eeg": eeg}}))
    cohort = read_cohort_file(path, folder)
    assert len(cohort) == 316
    from scipy.io import loadmat

    held = loadmat(folder / "sp1s_aa.mat")
    assert (cohort.table["hand"] == "right").tolist() == (held["y_train"][0] == 1).tolist()
    np.testing.assert_allclose(cohort.load("eeg", "trial-0316").data, held["x_train"][:, :, 315].T * 1e-6, rtol=1e-6)
