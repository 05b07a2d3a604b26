"""What a simulator's effect changes in trials: the channels, the rhythm and the moment that it says."""

from types import SimpleNamespace

import numpy as np
import pytest

from neuroloom.explanation.changed_trials import change_of_trials, rows_of_recordings
from neuroloom.explanation.explain import place_of
from neuroloom.explanation.frame import frame_of
from neuroloom.explanation.integrated_gradients import IntegratedGradients
from neuroloom.explanation.planted import place_of_change
from neuroloom.preparation import prepare, read_cohort
from neuroloom.recipe import read_recipe
from neuroloom.training.learner import make_learner
from neuroloom.transforms.cache import Cache

pytest.importorskip("mne")
SMALL = {
    "eeg-decode": {
        "cohort.n_participants": 2, "cohort.n_sessions": 1, "cohort.n_trials": 16, "cohort.n_channels": 32,
        "cohort.bad_channels": 0.0, "trials.start": -1.5,
    },
    "p300": {"cohort.n_participants": 2, "cohort.n_runs": 1, "cohort.n_letters": 2, "validation.folds": 2},
}  # fmt: skip


def made_ready(name, folder, **more):
    recipe = read_recipe(name, overrides={**SMALL[name], **more}.items())
    prepared = prepare(recipe, read_cohort(recipe), Cache(folder, 1))
    learner = make_learner(prepared.plans[0])
    learner.inputs.fit(prepared.data, prepared.folds[0].fit)
    return prepared, learner


def asked(learner, data, **how):
    method = IntegratedGradients(**how)
    rows = np.arange(4)
    return SimpleNamespace(
        how=method, input="eeg", frame=frame_of(learner, data, "eeg", rows, method), learner="eegnet"
    )


def change_of(prepared, learner, one, cut):
    planted = prepared.data.cohort.planted
    with_effect = planted.get("with_effect", {}).get("eeg")
    return change_of_trials(learner, prepared.data, one, planted["without"]["eeg"], with_effect, cut)


@pytest.fixture(scope="module")
def movers(tmp_path_factory):
    return made_ready("eeg-decode", tmp_path_factory.mktemp("movers"))


def test_rhythms_fall_over_the_motor_cortex_after_the_cue(movers):
    prepared, learner = movers
    one = asked(learner, prepared.data)
    change = change_of(prepared, learner, one, {})
    edges = np.array(one.frame.columns.edges)
    assert edges[[0, -1]] == pytest.approx([-1.5, 4.0], abs=0.01)
    over_time = change.mean(axis=0)
    before, during = over_time[edges[1:] < 0.0].mean(), over_time[(edges[:-1] > 1.0) & (edges[1:] < 3.9)].mean()
    assert during > 3 * before  # the filter reaches back a little
    strongest = {one.frame.names[at] for at in np.argsort(-change.mean(axis=1))[:4]}
    assert strongest <= {f"{row}{number}" for row in ("FC", "C", "CP") for number in (1, 2, 3, 4, 5, 6)}


def test_the_band_is_that_of_the_people(movers):
    prepared, learner = movers
    one = asked(learner, prepared.data, over="frequency")
    edges, change = np.array(one.frame.columns.edges), change_of(prepared, learner, one, {})
    peak = edges[np.argmax(change.mean(axis=0))] + 0.5
    recipe = prepared.recipe
    mu = read_cohort(recipe).truth["mu_frequency"]
    assert mu.min() - 2 < peak < mu.max() + 2


def test_awaited_flashes_differ_behind_the_middle_when_the_p300_is(tmp_path):
    prepared, learner = made_ready("p300", tmp_path)
    one = asked(learner, prepared.data)
    change = change_of(prepared, learner, one, {})
    place = place_of_change(change, one.frame, True)
    middle = (np.array(one.frame.columns.edges)[:-1] + np.array(one.frame.columns.edges)[1:]) / 2
    inside = np.repeat(middle, place.mask.sum(axis=0))
    latency = read_cohort(prepared.recipe).truth["p300_latency"]
    assert np.mean((inside > 0.15) & (inside < 0.55)) > 0.8  # N200 at 0.21 s, P300 at 0.28 to 0.46 s, with their widths
    assert np.abs(middle[np.argmax(change[one.frame.names.index("Pz")])] - latency.mean()) < 0.06
    assert {"Pz", "CP1", "CP2", "Cz"} & {one.frame.names[at] for at in np.flatnonzero(place.mask.any(axis=1))}
    rows = rows_of_recordings(prepared.data, "eeg")
    assert len(rows) == 2
    counts = [np.bincount(prepared.data.target.values[of_one]).tolist() for of_one in rows]
    assert counts == [
        [120, 32],
        [120, 32],
    ]  # all awaited flashes (two letters, eight rounds, a row and a column), and 120 others


def test_where_nothing_is_planted_the_place_is_where_it_would_be(tmp_path, movers, monkeypatch):
    prepared, learner = made_ready("eeg-decode", tmp_path, **{"cohort.effect": 0.0})
    monkeypatch.setattr("neuroloom.explanation.explain.load_learner", lambda folder: learner)
    run, fold = SimpleNamespace(job_folder=lambda *which: None), prepared.folds[0]
    found = place_of(asked(learner, prepared.data, over="frequency"), run, prepared, fold)
    assert found.effect is False
    assert found.text == "where half of what would tell the classes' trials apart lies"
    there, other = movers
    one = asked(other, there.data, over="frequency")
    expected = place_of_change(change_of(there, other, one, {}), one.frame, True)
    assert (found.mask & expected.mask).sum() > 0.8 * expected.mask.sum()


def test_recordings_are_drawn_once_for_all_maps(movers, monkeypatch):
    prepared, learner = movers
    cut = {}
    first = change_of(prepared, learner, asked(learner, prepared.data), cut)
    monkeypatch.setattr("neuroloom.explanation.changed_trials.ScanChain", None)  # would be needed to draw again
    np.testing.assert_array_equal(change_of(prepared, learner, asked(learner, prepared.data), cut), first)
