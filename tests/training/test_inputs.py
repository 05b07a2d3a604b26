"""What a fitted learner is asked about must be such as it was fitted on: shapes, and names in their order."""

import numpy as np
import pandas as pd
import pytest

from neuroloom.cohort.cohort import Cohort
from neuroloom.cohort.folds import Fold
from neuroloom.cohort.target import Target
from neuroloom.errors import LeakError, NeuroloomError
from neuroloom.parts import Part
from neuroloom.sampling.data import Data
from neuroloom.sampling.whole import Whole
from neuroloom.training.job import predictions
from neuroloom.training.learner import InputPlan, Plan, load_learner, make_learner
from neuroloom.transforms.store import ArrayStore

N = 12
PARTS = {"mlp": Part(name="mlp", widths=[4]), "ridge": Part(name="ridge"), "cnn3d": Part(name="cnn3d", widths=[2, 2])}
FOLD = Fold(0, 0, np.arange(6), np.arange(6, 8), np.arange(8, N), "participant")


def drawn(kind, shape, names=None, absent=()):
    rng = np.random.default_rng(0)
    samples = tuple(f"sub-{row:02d}" for row in range(N))
    values = {row: rng.normal(size=shape).astype(np.float32) for row in range(N) if row not in absent}
    table = pd.DataFrame({"participant_id": samples}, index=pd.Index(samples, name="sample_id"))
    target = Target("age", "number", rng.uniform(20, 80, N))
    return Data(Cohort(table, {}), {"x": ArrayStore(kind, samples, values, names)}, target, Whole())


def fitted(name, data, folder, inputs=("x",), part=None):
    kind = "estimator" if name == "ridge" else "trained"
    training = {"epochs": 1, "batch_size": 4} if kind == "trained" else {}
    plans = {name: InputPlan(name) for name in inputs}
    plan = Plan(name, kind, part or PARTS[name], plans, Part(name="regress"), (), training)
    make_learner(plan).fit(data, FOLD, 0, folder)
    return load_learner(folder)


@pytest.mark.parametrize(("name", "kind", "known", "asked"), [
    ("mlp", "table", (5,), (7,)), ("ridge", "table", (5,), (7,)), ("cnn3d", "volume", (1, 8, 8, 8), (1, 20, 16, 12)),
])  # fmt: skip
def test_new_data_of_another_shape_are_refused(tmp_path, name, kind, known, asked):
    learner = fitted(name, drawn(kind, known), tmp_path)
    assert learner.predict(drawn(kind, known), FOLD.test).shape == (4,)
    with pytest.raises(NeuroloomError) as refused:
        learner.predict(drawn(kind, asked), FOLD.test)
    assert f"this learner was fitted on {known}, but sub-08 {asked}" in str(refused.value)


@pytest.mark.parametrize("name", ["mlp", "ridge"])
def test_new_data_with_their_features_in_another_order_are_refused(tmp_path, name):
    learner = fitted(name, drawn("table", (3,), ["a", "b", "c"]), tmp_path)
    with pytest.raises(NeuroloomError, match=r"sub-08: number 2 of x is 'c', but this learner was fitted with 'b'"):
        learner.predict(drawn("table", (3,), ["a", "c", "b"]), FOLD.test)


def test_an_estimator_of_whole_series_says_that_their_length_counts(tmp_path):
    learner = fitted("ridge", drawn("series", (2, 9)), tmp_path)
    with pytest.raises(NeuroloomError, match=r"make 20 features, but this learner was fitted on 18"):
        learner.predict(drawn("series", (2, 10)), FOLD.test)


def test_scans_of_several_shapes_are_refused_before_anything_is_padded(tmp_path):
    data = drawn("volume", (1, 8, 8, 8))
    data.stores["x"].values[3] = np.zeros((1, 8, 8, 9), dtype=np.float32)
    with pytest.raises(NeuroloomError, match=r"most are \(1, 8, 8, 8\), but sub-03 \(1, 8, 8, 9\)"):
        fitted("cnn3d", data, tmp_path)


def test_a_network_is_built_though_the_first_has_no_scan_and_a_part_may_have_none(tmp_path):
    data = drawn("table", (4,))
    scans = drawn("volume", (1, 8, 8, 8), absent=(0, 2, *range(6, N))).stores["x"]
    data = Data(data.cohort, {**data.stores, "scan": scans}, data.target, data.sampling)
    fusion = Part(name="late_fusion", encoders={"x": {"name": "mlp", "widths": [3]}, "scan": {"name": "cnn3d"}})
    learner = fitted("fusion", data, tmp_path, ("x", "scan"), fusion)
    assert learner.told_network["shapes"] == {"x": [4], "scan": [1, 8, 8, 8]}
    assert np.isfinite(learner.predict(data, FOLD.test)).all()  # nobody of the tune and the test part was scanned


def test_an_input_that_nobody_of_the_fit_part_has_is_refused(tmp_path):
    with pytest.raises(NeuroloomError, match="None of the 6 samples of a fit part has the input x"):
        fitted("mlp", drawn("table", (4,), absent=range(6)), tmp_path)


def test_a_learner_is_not_tested_on_people_it_has_learned_from(tmp_path):
    data = drawn("table", (4,))
    learner = fitted("ridge", data, tmp_path)
    assert len(predictions(learner, data, FOLD)) == 4
    other = Fold(0, 1, np.arange(5), np.arange(5, 6), np.arange(6, N), "participant")
    with pytest.raises(LeakError, match=r"2 people to be tested .* learned from: sub-06, sub-07\."):
        predictions(learner, data, other)
    within = Fold(0, 1, np.arange(5), np.arange(5, 6), np.arange(6, N), "session")
    assert len(predictions(learner, data, within)) == 6  # claimed for other sessions of the same people
