"""From recordings to a page: trials, a model a person, the last epoch, new recordings."""

import json

import numpy as np
import pandas as pd
import pytest

import neuroloom
from neuroloom.cohort.cohort import Cohort, DrawnSource
from neuroloom.errors import NeuroloomError
from neuroloom.experiment import learn
from neuroloom.prediction import predict
from neuroloom.preparation import prepare
from neuroloom.recipe import resolved
from neuroloom.replay import replay_run
from neuroloom.run_folder import Run
from neuroloom.sampling.data import with_noise
from neuroloom.scan import Scan
from neuroloom.seeds import generator
from neuroloom.simulators import SIMULATORS
from neuroloom.transforms.cache import Cache

RATE = 50.0


def recording(sample, effect):
    """Return a recording of 24 trials of two hands; the power of one channel each is raised by ``effect``."""
    draw = generator(0, "trials", sample)
    hands = draw.permutation([0, 1] * 12)
    data = draw.standard_normal((4, int(RATE * 24 * 3) + 50)).astype(np.float32)
    for number, hand in enumerate(hands):
        first = int((1 + 3 * number) * RATE)
        data[hand, first : first + 100] *= 1 + effect
    events = [[1.0 + 3 * number, 2.0, ["left", "right"][hand]] for number, hand in enumerate(hands)]
    return Scan(
        data, "series", {"sampling_rate": RATE, "names": ["C3", "C4", "Cz", "Pz"], "unit": "V", "events": events}
    )


class Draw:
    def __init__(self, effect):
        self.effect = effect

    def __call__(self, sample):
        return recording(sample, self.effect)


def simulate_hands(effect=1.0):
    samples = [f"{person}_run-{run}" for person in ("anna", "ben") for run in (1, 2)]
    table = pd.DataFrame({"participant_id": [s.split("_")[0] for s in samples]}, pd.Index(samples, name="sample_id"))
    source = DrawnSource("series", frozenset(samples), Draw(effect), f"hands {effect}")
    return Cohort(table, {"eeg": source}, name="hands", simulated=True)


CONTENT = {
    "id": "hands", "title": "Hands", "source": "none", "cohort": {"name": "hands"}, "inputs": {"eeg": []},
    "trials": {"input": "eeg", "start": 0.0, "stop": 2.0, "blocks": 4},
    "target": {"column": "event", "positive": "right"}, "task": {"name": "classify"},
    "model": {"name": "conv1d", "widths": [8], "kernel_size": 3}, "baselines": [{"name": "band_power", "bands": [[1, 20]]}],
    "training": {"epochs": 2, "batch_size": 8, "show_last": True},
    "validation": {"unit": "block", "within": "participant", "gap": 0.5, "folds": 4, "permutations": 100, "confounds": ["onset"]},
}  # fmt: skip


@pytest.fixture(autouse=True)
def hands(monkeypatch):
    monkeypatch.setitem(SIMULATORS, "hands", "test_trials_run:simulate_hands")


def test_a_planted_difference_is_found_in_runs_not_learned_from(tmp_path):
    run = neuroloom.run(resolved(CONTENT), out=tmp_path / "run", cache=tmp_path / "cache")
    learners = run.metrics["learners"]
    assert set(learners) == {"conv1d", "conv1d-last-epoch", "band_power", "confounds"}
    # log power of 100 points has a standard deviation of about .14; doubling the amplitude moves it by 1.4: 10 of those
    assert learners["band_power"]["scores"]["auc"]["value"] > 0.99
    assert learners["band_power"]["null"]["method"] == "predictions permuted within fold and recording"
    assert run.metrics["unit"] == {"name": "block", "n": 8, "participants": 2, "within_person": True}
    assert "inside each of 2 people, who have a model each, 4 folds" in run.metrics["split"]["text"]
    folds = pd.read_csv(run.folder / "folds.csv")
    assert folds.groupby("fold")["participant_id"].nunique().max() == 1
    onset = pd.read_csv(run.folder / "cohort.csv").set_index("sample_id")[["recording_id", "onset"]]
    for _, fold in folds.join(onset, on="sample_id").groupby("fold"):
        test = fold[fold["part"] == "test"]
        for _, row in fold[fold["part"] == "fit"].iterrows():
            beside = test.loc[test["recording_id"] == row["recording_id"], "onset"]
            assert (abs(beside - row["onset"]) >= 2.5).all()


def test_a_run_with_its_last_epoch_beside_is_repeated(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROLOOM_CACHE", str(tmp_path / "cache"))
    run = neuroloom.run(resolved(CONTENT), out=tmp_path / "run")
    assert set(run.predictions["learner"]) >= {"conv1d", "conv1d-last-epoch"}
    agreement = replay_run(run)
    assert agreement.agrees
    assert "conv1d: stored weights against stored predictions 0, repeated" in agreement.text


def test_nothing_planted_is_not_called_found(tmp_path):
    recipe = resolved(CONTENT, overrides=[("cohort.effect", 0.0)])
    run = neuroloom.run(recipe, out=tmp_path / "run", cache=tmp_path / "cache")
    assert run.metrics["learners"]["band_power"]["null"]["p"] > 0.01
    low, high = run.metrics["learners"]["band_power"]["scores"]["auc"]["interval"]
    assert low < 0.5 < high


def test_noise_in_the_test_trials_changes_no_weight(tmp_path):
    recipe = resolved(CONTENT)
    cohort = simulate_hands()
    prepared = prepare(recipe, cohort, Cache(tmp_path / "cache"))
    fold = prepared.folds[0]
    weights = []
    for name, data in (("as-is", prepared.data), ("noise", with_noise(prepared.data, fold.test))):
        run = Run(tmp_path / name)
        one = type(prepared)(recipe, data, [fold], prepared.plans, prepared.roles, ())
        learn(run, one, Cache(tmp_path / "cache"))
        weights.append({p.relative_to(run.folder): p.read_bytes() for p in run.folder.glob("folds/**/*.safetensors")})
    assert len(weights[0]) >= 3
    assert weights[0] == weights[1]


def test_trials_of_a_new_recording_are_answered_one_by_one(tmp_path):
    run = neuroloom.run(resolved(CONTENT), out=tmp_path / "run", cache=tmp_path / "cache")
    new = recording("carla", 1.0)
    np.save(tmp_path / "carla_eeg.npy", new.data)
    events = "onset\tduration\ttrial_type\n" + "".join(f"{o}\t{d}\t{label}\n" for o, d, label in new.geometry["events"])
    (tmp_path / "carla_events.tsv").write_text(events)
    reader = {"axes": ["channel", "time"], "sampling_rate": RATE}
    files = [tmp_path / "carla_eeg.npy"]
    with pytest.raises(NeuroloomError, match="Say it with --person, one of anna, ben"):
        predict(run, files, reader=reader)
    networks = [predict(run, files, reader=reader, person=who)["prediction_p_right"] for who in ("anna", "ben")]
    assert np.abs(networks[0] - networks[1]).max() > 1e-4  # other weights
    answers = predict(run, files, learner="band_power", reader=reader, person="anna")
    assert answers["sample_id"].tolist() == [f"carla_eeg_t{n:04d}" for n in range(1, 25)]
    assert answers["onset"].tolist() == [onset for onset, _, _ in new.geometry["events"]]
    hands = [label for _, _, label in new.geometry["events"]]
    assert (answers["prediction_event"] == hands).mean() > 0.9
    assert json.loads((run.folder / "inputs.json").read_text())["eeg"]["kind"] == "series"
