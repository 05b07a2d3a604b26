"""Real recordings by a recipe and a cohort file of one's own: scores that were seen, and what may be claimed of them."""

import pytest
import yaml

import neuroloom
from neuroloom.preparation import prepare, read_cohort
from neuroloom.recipe import resolved
from neuroloom.redteam import rows_as_people
from neuroloom.transforms.cache import Cache

pytestmark = pytest.mark.real_data

COPIES = ["ictal36", "ictal37", "preictal42", "preictal43"]  # the same numbers under two names
OVERLAPPING = [f"preictal{number}" for number in (22, 25, 26, 28, 29, 30)]  # cut from what others were cut from
HEADBANDS = {
    "participant_id": "person",
    "run_id": "take",
    "where": "person != 'name' and not (person == 'subjectb' and state == 'relaxed' and take == '2')",
    "inputs": {
        "eeg": {
            "kind": "series",
            "files": "{person}-{state}-{take}.csv",
            "time_column": "timestamps",
            "columns": ["TP9", "AF7", "AF8", "TP10"],
            "unit": "uV",
            "fill_gaps": 0.05,
        }
    },
}
SEGMENTS = {
    "participant_id": "segment",
    "identity": "unknown",
    "where": f"segment not in {[*COPIES, *OVERLAPPING]}",
    "inputs": {
        "eeg": {
            "kind": "series",
            "files": "EEG Epilepsy Datasets/{stage}/{segment}.mat",
            "axes": ["time", "channel"],
            "sampling_rate": 200,
            "unit": "uV",
        }
    },
}
KEY_PRESSES = {
    "participant": "aa",
    "labels": {"column": "hand", "variable": "y_train", "values": {0: "left", 1: "right"}},
    "blocks": 10,
    "inputs": {
        "eeg": {
            "kind": "series",
            "file": "sp1s_aa.mat",
            "variable": "x_train",
            "axes": ["time", "channel", "trial"],
            "sampling_rate": 100,
        }
    },
}


def recipe(**content):
    given = {"id": "mine", "title": "Mine", "source": "", "cohort": {"name": "user"}, "task": {"name": "classify"}}
    return resolved(given | content)


def written(folder, cohort):
    (folder / "cohort.yaml").write_text(yaml.safe_dump(cohort))
    return folder / "cohort.yaml"


def scores(run, metric):
    return {name: told["scores"][metric]["value"] for name, told in run.metrics["learners"].items()}


def test_windows_of_headbands_claim_more_when_dealt_as_people(real_data, tmp_path):
    """Four people, three states: .65 (.24 to .91) with people kept apart, .83 (.77 to .88) from windows dealt as people."""
    mine = recipe(
        inputs={
            "eeg": [{"name": "filter", "high_pass": 1.0, "low_pass": 40.0}, {"name": "resample_series", "rate": 128.0}]
        },
        sampling={"name": "windows", "length": 384},
        target={"column": "state"},
        model={"name": "band_power", "bands": [[1, 4], [4, 8], [8, 13], [13, 30], [30, 40]]},
        validation={"folds": 4, "permutations": 0, "primary": "balanced_accuracy"},
    )
    cohort = read_cohort(mine, real_data / "eeg" / "muse_mental_state", written(tmp_path, HEADBANDS))
    assert len(cohort) == 23
    found = {one.name: one for one in rows_as_people(prepare(mine, cohort, Cache(tmp_path)), None, 1, None)}
    assert 0.5 < found["people kept apart"].value < 0.75
    assert 0.78 < found["rows as people"].value < 0.9


def test_segments_of_nobody_knows_whom_are_told_apart_but_claimed_for_nobody(real_data, tmp_path):
    mine = recipe(
        inputs={"eeg": [{"name": "filter", "high_pass": 0.5, "low_pass": 60.0}]},
        target={"column": "stage"},
        model={"name": "band_power"},
        validation={"unit": "sample", "folds": 5, "permutations": 20, "primary": "balanced_accuracy"},
    )
    run = neuroloom.run(
        mine, real_data / "eeg" / "delhi_seizure", cohort_file=written(tmp_path, SEGMENTS), out=tmp_path / "run"
    )
    assert run.metrics["identity"] == "unknown"
    assert run.metrics["sentence"].startswith(
        "Who is who is unknown, so the split cannot be proven to keep people apart: from eeg, "
    )
    assert run.metrics["warnings"][0].startswith("Who is who is unknown")
    page = (run.folder / "report.html").read_text()
    assert "claimed for nobody new" in page
    assert "claimed for new samples" not in page
    assert len(run.metrics["warnings"]) >= 2
    assert 0.75 < scores(run, "balanced_accuracy")["band_power"] < 0.9  # .83 seen, of 140


def test_the_hand_that_presses_in_blocks_of_one_person(real_data, tmp_path):
    mine = recipe(
        inputs={"eeg": []},
        target={"column": "hand", "positive": "right"},
        model={"name": "xdawn_tangent"},
        baselines=[{"name": "time_lda"}],
        validation={
            "unit": "block", "within": "participant", "folds": 10, "permutations": 20, "primary": "accuracy",
            "confounds": ["trial"],
        },
    )  # fmt: skip
    run = neuroloom.run(
        mine, real_data / "eeg" / "finger_movements", cohort_file=written(tmp_path, KEY_PRESSES), out=tmp_path / "run"
    )
    assert run.metrics["sentence"].startswith("For this person, from eeg, ")
    reached = scores(run, "accuracy")
    assert 0.75 < reached["xdawn_tangent"] < 0.87  # .81 seen, of 316
    assert 0.65 < reached["time_lda"] < 0.8  # .72
    assert 0.4 < reached["confounds"] < 0.6  # .53: the trial's number says nothing
