"""Which windows are learned from: no test or tune window is lost, and those in between are not learned."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from neuroloom.cohort.folds import Fold
from neuroloom.cohort.thinned import check_events_everywhere, thinned
from neuroloom.errors import NeuroloomError

N = 6000
PART = np.repeat(["fit", "tune", "test"], N // 3)
SEIZURE = np.arange(N) % 20 == 0
PARTLY = np.arange(N) % 20 == 1
NAMED = np.where(SEIZURE, "seizure", "background")
COHORT = SimpleNamespace(name="six", table=pd.DataFrame({"participant_id": PART, "event": NAMED}))
FOLDS = [
    Fold(0, n, *(np.flatnonzero(part == PART) for part in ("fit", "tune", "test")), "participant") for n in range(2)
]


def test_the_fit_part_alone_is_thinned_and_anew_in_each_fold():
    left = thinned(FOLDS, NAMED, PARTLY, {"background": 0.2}, seed=3)
    for fold in left:
        np.testing.assert_array_equal(fold.tune, FOLDS[0].tune)
        np.testing.assert_array_equal(fold.test, FOLDS[0].test)
        assert SEIZURE[fold.fit].sum() == SEIZURE[FOLDS[0].fit].sum()
        assert not PARTLY[fold.fit].any()
        kept, of = (~SEIZURE[fold.fit]).sum(), 1800  # 2000 less 100 seizure and 100 in between
        assert abs(kept - 0.2 * of) < 4 * np.sqrt(of * 0.2 * 0.8)
    assert set(left[0].fit) != set(left[1].fit)
    np.testing.assert_array_equal(left[0].fit, thinned(FOLDS, NAMED, PARTLY, {"background": 0.2}, seed=3)[0].fit)


def test_a_class_that_is_not_there_is_named():
    with pytest.raises(
        NeuroloomError, match=r"Unknown class of trials\.keep: 'backgruond'\. Did you mean 'background'"
    ):
        thinned(FOLDS, NAMED, PARTLY, {"backgruond": 0.2})


def test_parts_without_events_are_refused_before_anything_is_learned():
    without = np.flatnonzero(~SEIZURE & (PART == "tune"))
    no_tune = [Fold(0, 0, FOLDS[0].fit, without, FOLDS[0].test, "participant")]
    with pytest.raises(NeuroloomError, match=r"the tune part of fold 0-0 \(1 people\) has no window of 'seizure'"):
        check_events_everywhere(no_tune, COHORT, "event", "seizure", tuned=True)
    check_events_everywhere(no_tune, COHORT, "event", "seizure", tuned=False)  # a given threshold asks nothing of it
    with pytest.raises(NeuroloomError, match="so nothing could be learned"):
        check_events_everywhere([Fold(0, 0, without, FOLDS[0].tune, FOLDS[0].test, "participant")],
                                COHORT, "event", "seizure", tuned=True)  # fmt: skip
