"""Bad input, as a user meets it: the program in a process of its own, its exit code and what it says."""

import gzip
import os
import signal
import subprocess
import sys
import time

import nibabel
import numpy as np
import pytest

from neuroloom.formats.tables import write_table

RECIPE = """
title: test
source: https://doi.org/10.1/test
expected: {metric: auc, on: nothing, value: [0, 1]}
cohort: {name: simulated_t1w}
inputs:
  t1w: [{name: to_ras}, {name: zscore}]
target: {column: diagnosis, positive: AD}
task: {name: classify}
model: {name: cnn3d, widths: [2]}
baselines: [{name: logistic}]
training: {epochs: 1, batch_size: 4}
validation: {folds: 2, tune: 0.25, permutations: 10}
"""


def neuroloom(*words, **environment):
    """Run the program; return (exit code, what it wrote to stderr)."""
    command = [sys.executable, "-m", "neuroloom.cli", *map(str, words)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.fixture
def study(tmp_path):
    """A small BIDS folder of 16 people, a recipe for it, and how to run it."""
    return Study(tmp_path)


class Study:
    def __init__(self, folder):
        import pandas as pd

        self.folder, self.data = folder, folder / "data"
        self.recipe = folder / "test.yaml"
        self.recipe.write_text(RECIPE)
        draw = np.random.default_rng(0)
        people = [f"sub-{number:02d}" for number in range(16)]
        for person in people:
            self.write(person, draw.normal(100, 10, (12, 14, 10)))
        table = pd.DataFrame({"participant_id": people, "diagnosis": ["AD", "control"] * 8, "age": 70, "sex": "F"})
        write_table(self.data / "participants.tsv", table)
        self.table = table

    def path(self, person):
        return self.data / person / "anat" / f"{person}_T1w.nii.gz"

    def write(self, person, data, affine=None):
        self.path(person).parent.mkdir(parents=True, exist_ok=True)
        affine = np.diag([2.0, 2.0, 2.0, 1.0]) if affine is None else affine
        nibabel.Nifti1Image(np.asarray(data, np.float32), affine).to_filename(self.path(person))

    def rewrite(self, **columns):
        write_table(self.data / "participants.tsv", self.table.assign(**columns))

    def run(self, *more, **environment):
        words = ("run", self.recipe, "--data", self.data, "--out", self.folder / "out", "--jobs", "1", *more)
        return neuroloom(*words, NEUROLOOM_CACHE=str(self.folder / "cache"), **environment)


REFUSED = {"code": 1, "traceback": False, "not told": []}


def outcome(result, *told):
    """Return how the program ended: its exit code, whether it showed a traceback, and which words it did not say."""
    code, said = result
    said = " ".join(said.split())
    absent = [words for words in told if words not in said]
    return {"code": code, "traceback": "Traceback" in said, "not told": absent, **({"said": said} if absent else {})}


def test_a_sane_study_runs(study):
    code, said = study.run()
    assert code == 0, said
    assert "AUC" in (study.folder / "out" / "report.html").read_text()


def test_not_a_nifti(study):
    study.path("sub-03").write_bytes(gzip.compress(b"this is no scan at all" * 40))
    assert outcome(study.run(), "sub-03_T1w.nii.gz") == REFUSED


def test_a_file_cut_in_the_middle(study):
    whole = study.path("sub-05").read_bytes()
    study.path("sub-05").write_bytes(whole[: len(whole) // 2])
    assert outcome(study.run(), "sub-05_T1w.nii.gz") == REFUSED


def test_4d_where_3d_is_asked(study):
    study.write("sub-02", np.ones((12, 14, 10, 5)))
    assert outcome(study.run(), "sub-02_T1w.nii.gz", "4") == REFUSED


def test_no_affine(study):
    image = nibabel.Nifti1Image(np.ones((12, 14, 10), np.float32), None)
    image.header["qform_code"] = image.header["sform_code"] = 0
    image.to_filename(study.path("sub-07"))
    assert outcome(study.run(), "sub-07_T1w.nii.gz", "affine") == REFUSED


def test_scans_of_different_grids(study):
    study.write("sub-04", np.random.default_rng(1).normal(size=(12, 14, 11)))
    assert outcome(study.run(), "differ in shape", "sub-04 (1, 12, 14, 11)", "crop_box") == REFUSED


def test_nan(study):
    data = np.random.default_rng(1).normal(size=(12, 14, 10))
    data[3, 3, 3] = np.nan
    study.write("sub-09", data)
    assert outcome(study.run(), "sub-09", "NaN") == REFUSED


def test_a_missing_column(study):
    assert outcome(study.run("--set", "target.column=diagnose"), "'diagnose'. Did you mean 'diagnosis'") == REFUSED


def test_one_class(study):
    study.rewrite(diagnosis="AD")
    assert outcome(study.run(), "'diagnosis' has one class only (AD)") == REFUSED


def test_three_classes_where_two_are_asked(study):
    study.rewrite(diagnosis=["AD", "control", "MCI", "control"] * 4)
    assert outcome(study.run(), "3 classes (AD, MCI, control)", "cohort.where") == REFUSED


def test_a_class_smaller_than_the_folds(study):
    study.rewrite(diagnosis=["AD"] + ["control"] * 15)
    assert outcome(study.run(), "class 'AD' of 'diagnosis' has 1 unit, fewer than the 2 folds") == REFUSED


def test_people_without_a_target_are_named(study):
    study.rewrite(diagnosis=["AD", "control"] * 7 + [None, None])
    assert outcome(study.run(), "2 of 16 samples have no 'diagnosis': sub-14, sub-15", "known(diagnosis)") == REFUSED


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", "alzheimer-mri"), "Did you mean"),
        (("run", "brain-age-table", "--set", "model.name=mpl"), "'mpl'. Did you mean 'mlp'"),
        (("run", "brain-age-table", "--set", "model.widhts=[3]"), "'widhts'. Did you mean 'widths'"),
        (("run", "brain-age-table", "--set", "training.epochs=ten"), "training.epochs = 'ten'"),
        (("run", "brain-age-table", "--variant", "smallest"), "Did you mean 'smaller'"),
        (("run", "brain-age-table", "--data", "nowhere"), "nowhere: there is no such folder"),
        (("run", "brain-age-table", "--cohort", "ixi-thickness"), "--cohort needs --data DIR"),
        (("redteam", "brain-age-table", "--cohort", "ixi-thickness"), "--cohort needs --data DIR"),
        (("simulate", "simulated_tables", "--out", "x"), "Did you mean 'simulated_table'"),
        (("predict", "nowhere", "x.csv"), "nowhere: this is not a run's folder"),
    ],
)
def test_wrong_words_on_the_command_line(words, told):
    assert outcome(neuroloom(*words), told) == REFUSED


def test_an_out_that_cannot_be_written(study, tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    assert outcome(study.run("--out", blocked / "run"), "a file/run: cannot be made") == REFUSED


def test_a_folder_that_is_not_a_run_is_never_overwritten(study):
    precious = study.folder / "out" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work")
    assert outcome(study.run("--force"), "holds no run but thesis.txt, so --force does not replace it") == REFUSED
    assert outcome(study.run(), "it exists already, and holds no run but thesis.txt") == REFUSED
    assert precious.read_text() == "years of work"


@pytest.mark.parametrize(
    ("words", "out", "lost"),
    [
        (("predict", "no run", "x.csv"), "answers.csv", "answers.csv"),
        (("redteam", "brain-age-table", "--set", "target.column=agee"), "attacks", "attacks/redteam.json"),
    ],
)
def test_a_file_is_replaced_only_when_told_and_before_any_work(tmp_path, words, out, lost):
    (tmp_path / lost).parent.mkdir(exist_ok=True)
    (tmp_path / lost).write_text("years of work")
    assert outcome(neuroloom(*words, "--out", tmp_path / out), f"{lost}: it exists already", "--force") == REFUSED
    code, said = neuroloom(*words, "--out", tmp_path / out, "--force")
    assert code == 1
    assert "it exists already" not in said  # it now fails at what comes after
    assert (tmp_path / lost).read_text() == "years of work"


def test_answers_that_could_not_be_written_are_not_begun(tmp_path):
    assert (
        outcome(neuroloom("predict", "no run", "x.csv", "--out", tmp_path / "a.xlsx"), "a table ends in .csv or .tsv")
        == REFUSED
    )


def test_a_full_disk_while_caching(study):
    """Writes beyond a size limit of the process fail as they do on a full disk; nothing half is kept."""
    limited = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limited += "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)); from neuroloom.cli import main; main()"
    words = ["run", study.recipe, "--data", study.data, "--out", study.folder / "out", "--jobs", "1"]
    environment = {**os.environ, "NEUROLOOM_CACHE": str(study.folder / "cache")}
    command = [sys.executable, "-c", limited, *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert outcome((done.returncode, done.stderr), "could not be written", "disk") == REFUSED
    assert [path for path in (study.folder / "cache").rglob("*") if path.is_file()] == []


def test_ctrl_c_says_that_it_goes_on(study):
    words = ["run", study.recipe, "--data", study.data, "--out", study.folder / "out", "--jobs", "1"]
    words += ["--set", "training.epochs=100000"]
    command = [sys.executable, "-m", "neuroloom.cli", *map(str, words)]
    environment = {**os.environ, "NEUROLOOM_CACHE": str(study.folder / "cache")}
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # also where our own parent ignores it
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, **heard)
    log = study.folder / "out" / "log.jsonl"
    try:
        while not (log.exists() and "epoch ended" in log.read_text()) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert process.returncode == 130
    assert "The same run or replay goes on where it was" in said
    assert "Traceback" not in said
