import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.validation.outcomes import read_outcomes


def folds_of(n, k, tune=False):
    """Return the fold of n samples and the fit masks of k folds; with ``tune`` the next fold is held back too."""
    fold = np.arange(n) % k
    return fold, {(0, f): (fold != f) & ((fold != (f + 1) % k) | ~np.bool_(tune)) for f in range(k)}


def test_cross_validation_counts_every_pair_twice(outcomes_of):
    fold, fitted = folds_of(20, 5)
    assert outcomes_of(fold % 2, np.full(20, 0.5), fold, fitted=fitted).mutual == 1.0


def test_a_single_split_counts_pairs_once(outcomes_of):
    fitted = {(0, 0): np.arange(20) >= 5}
    assert outcomes_of(np.arange(5) % 2, np.full(5, 0.5), fitted=fitted).mutual == 0.0


def test_a_rotating_tune_part_breaks_a_third_of_the_pairs(outcomes_of):
    # fold a fits on a+2, a+3, a+4 (mod 5): a+2 and a+3 fit on a too, a+4 tunes on it
    fold, fitted = folds_of(20, 5, tune=True)
    assert outcomes_of(fold % 2, np.full(20, 0.5), fold, fitted=fitted).mutual == pytest.approx(2 / 3)


def test_people_of_one_test_fold_never_trained_each_other(outcomes_of):
    fold, fitted = folds_of(20, 4)
    outcomes = outcomes_of(fold % 2, np.full(20, 0.5), fold, fitted=fitted)
    assert outcomes.subset(fold == 1).mutual == 0.0
    # half of each fold: of the 15 trained on for each tested, half are tested in turn
    half = outcomes.subset(np.arange(20) < 8)
    assert half.mutual == pytest.approx(6 / 15)


def test_an_unpredicted_sample_is_named(tables):
    predictions, people, _ = tables(n=20)
    rows = predictions[predictions["learner"] == "net"].copy()
    rows.iloc[3, rows.columns.get_loc("prediction_p_AD")] = np.nan
    code = {sample: number for number, sample in enumerate(people.index)}
    with pytest.raises(NeuroloomError, match="'net' gave no finite prediction for 1 of 20 samples: scan-003"):
        read_outcomes(rows, "diagnosis", ("control", "AD"), code, code, {})


def test_a_class_that_is_not_asked_is_named(tables):
    predictions, people, _ = tables(n=20)
    rows = predictions[predictions["learner"] == "net"].copy()
    rows["truth_diagnosis"] = rows["truth_diagnosis"].replace("AD", "MCI")
    code = {sample: number for number, sample in enumerate(people.index)}
    with pytest.raises(NeuroloomError, match="has MCI, but the classes are control, AD"):
        read_outcomes(rows, "diagnosis", ("control", "AD"), code, code, {})
