"""A real recording, replayed: the answers that predict gives for its trials."""

import numpy as np
import pytest
import yaml

import neuroloom
from neuroloom.api import answer_live, predict_files
from neuroloom.recipe import resolved

pytestmark = pytest.mark.real_data

RATE, STOP = 128.0, 1.0  # Hz; s after the event
CONTENT = {
    "id": "mine", "title": "Mine", "source": "", "cohort": {"name": "user"},
    "inputs": {"eeg": [{"name": "filter", "high_pass": 1.0, "low_pass": 30.0, "form": "causal"},
                       {"name": "reference"}, {"name": "exponential_standardize"}]},
    "trials": {"input": "eeg", "classes": {"shown": "square", "pressed": "rt"}, "start": 0.0, "stop": STOP, "blocks": 4},
    "target": {"column": "event", "positive": "pressed"}, "task": {"name": "classify"},
    "model": {"name": "time_lda", "rate": 16}, "live": {"step": 1 / RATE, "smooth": 0.0},
    "validation": {"unit": "block", "within": "participant", "folds": 2, "permutations": 20},
}  # fmt: skip


def test_a_real_recording_is_answered_live_as_it_is_by_predict(real_data, tmp_path):
    folder = real_data / "eeg/eeglab_sample"
    told = {"participant_id": "person", "inputs": {"eeg": {"kind": "series", "files": "{person}_data.set"}}}
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(told))
    run = neuroloom.run(
        resolved(CONTENT),
        folder,
        cohort_file=tmp_path / "cohort.yaml",
        out=tmp_path / "run",
        cache=tmp_path / "cache",
        jobs=1,
    )
    file = folder / "eeglab_data.set"
    offline = predict_files(run.folder, [file])
    live = {}

    def keep(line):
        if line["event"] == "answer":
            live[round(line["time"] * RATE)] = line["probability"]["pressed"]

    summary = answer_live(run.folder, file, fast=True, seconds=25.0, on_line=keep)
    ends = (np.round(offline["onset"] * RATE) + STOP * RATE).astype(int)
    seen = ends.isin(live.keys())
    assert seen.sum() > 5
    np.testing.assert_allclose([live[end] for end in ends[seen]], offline.loc[seen, "prediction_p_pressed"], atol=1e-5)
    assert summary["unanswered"] == summary["gaps"] == 0
