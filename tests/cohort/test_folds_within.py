"""Folds inside persons: blocks, runs, and what lies too near in time."""

import numpy as np
import pandas as pd
import pytest

from neuroloom.cohort.apart import Stretches
from neuroloom.cohort.cohort import Cohort
from neuroloom.cohort.folds import check_folds, folds_table, make_folds
from neuroloom.cohort.target import Target
from neuroloom.errors import NeuroloomError

N = 24  # trials of each of three people


@pytest.fixture
def cohort():
    rows = [(f"p{p}", f"r{t // 12}", t // 4, 2.0 * (t % 12)) for p in range(3) for t in range(N)]
    table = pd.DataFrame(rows, columns=["participant_id", "run_id", "block", "onset"])
    table["recording_id"] = table["participant_id"] + table["run_id"]
    return Cohort(table.set_axis(pd.Index([f"s{n}" for n in range(len(table))], name="sample_id")), {})


@pytest.fixture
def target(cohort):
    return Target("hand", "class", np.arange(len(cohort)) % 2, ("left", "right"))


def test_each_person_is_learned_from_alone_and_tested_once(cohort, target):
    folds = make_folds(cohort, target, unit="block", n_folds=6, within="participant", tune=0.2)
    who, block = cohort.table["participant_id"].to_numpy(), cohort.table["block"].to_numpy()
    assert [fold.key for fold in folds] == [f"0-{n}" for n in range(18)]
    assert [fold.name for fold in folds[::6]] == ["p0", "p1", "p2"]
    for fold in folds:
        everybody = np.concatenate([fold.fit, fold.tune, fold.test])
        assert len(set(who[everybody])) == 1
        assert len(everybody) == N
        assert (len(set(block[fold.test])), len(set(block[fold.tune])), len(set(block[fold.fit]))) == (1, 1, 4)
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(3 * N))
    assert len(folds_table(folds, cohort)) == 18 * N


def test_runs_are_left_out_one_by_one(cohort, target):
    folds = make_folds(cohort, target, unit="run", split="leave_one_out", within="participant", tune=0)
    assert len(folds) == 6
    runs = cohort.table["recording_id"].to_numpy()
    assert all(len(set(runs[fold.test])) == 1 for fold in folds)


def test_a_gap_takes_neighbours_in_time_out_of_the_fold(cohort, target):
    onset = cohort.table["onset"].to_numpy()
    stretches = Stretches(cohort.table["recording_id"].to_numpy(), onset, onset + 1.5, gap=2.0)
    folds = make_folds(cohort, target, unit="block", n_folds=6, within="participant", tune=0, stretches=stretches)
    table = folds_table(folds, cohort)
    first = next(f for f in folds if f.name == "p0" and cohort.table["block"].to_numpy()[f.test[0]] == 1)
    # trials 4-7 are tested; 3 and 8 lie 0.5 s beside them
    assert set(range(N)) - set(first.fit) - set(first.test) == {3, 8}
    assert table.groupby("fold").size().max() == 23  # a block at the border of a run loses one neighbour
    check_folds(folds, cohort)


def test_one_model_a_person_claims_no_new_people(cohort, target):
    with pytest.raises(NeuroloomError, match="the unit of claim must lie inside a person"):
        make_folds(cohort, target, unit="participant", within="participant")


def test_a_gap_that_leaves_nothing_is_said(cohort, target):
    onset = cohort.table["onset"].to_numpy()
    stretches = Stretches(cohort.table["participant_id"].to_numpy(), onset, onset + 1.5, gap=100.0)
    with pytest.raises(NeuroloomError, match="within 100 s of a test sample"):
        make_folds(cohort, target, unit="block", n_folds=3, within="participant", tune=0, stretches=stretches)


def test_blocks_with_the_rare_class_are_dealt_evenly_though_they_begin_with_the_common_one():
    """Of 12 blocks of 5 windows, 4 end with a seizure: each of 4 folds tests one of them, and its tune part has one."""
    block = np.repeat(np.arange(12), 5)
    table = pd.DataFrame({"participant_id": "p", "block": block, "recording_id": "r"})
    cohort = Cohort(table.set_axis(pd.Index([f"s{n}" for n in range(60)], name="sample_id")), {})
    rare = np.isin(block, [0, 3, 4, 9]) & (np.arange(60) % 5 == 4)
    target = Target("event", "class", rare.astype(int), ("interictal", "preictal"))
    for seed in range(5):
        for fold in make_folds(cohort, target, unit="block", n_folds=4, within="participant", tune=0.34, seed=seed):
            assert [rare[getattr(fold, part)].sum() for part in ("fit", "tune", "test")] == [2, 1, 1]
