"""Every estimator against scikit-learn, and one contract for all of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC

from neuroloom.estimators import ESTIMATORS
from neuroloom.estimators.confounds import ConfoundFeatures
from neuroloom.estimators.features import rotate
from neuroloom.estimators.gaussian_process import GaussianProcess
from neuroloom.estimators.lda import LDA
from neuroloom.estimators.linear_svm import LinearSVM
from neuroloom.estimators.logistic import Logistic
from neuroloom.estimators.ridge import Ridge
from neuroloom.estimators.tuning import inner_folds
from neuroloom.known import locate

OF_FEATURES = [name for name in ESTIMATORS if getattr(locate("estimator", ESTIMATORS, name), "takes", None) is None]


def drawn(n=60, n_features=8, n_classes=0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, n_features)) * rng.uniform(0.5, 3, n_features) + rng.normal(size=n_features)
    score = x @ rng.normal(size=n_features) + rng.normal(size=n)
    y = score if not n_classes else np.searchsorted(np.quantile(score, np.arange(1, n_classes) / n_classes), score)
    return x, y, np.arange(n)


@pytest.mark.parametrize("n_features", [8, 300])
def test_ridge_equals_scikit_learn(n_features):
    x, y, groups = drawn(n_features=n_features)
    z = (x - x.mean(0)) / x.std(0)
    expected = SklearnRidge(alpha=0.5 * len(y)).fit(z, y).predict(z)
    assert Ridge(alphas=[0.5]).fit(x, y, groups).predict(x) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("n_features", [8, 300])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_equals_scikit_learn(n_features, n_classes):
    x, y, groups = drawn(n_features=n_features, n_classes=n_classes)
    z = (x - x.mean(0)) / x.std(0)
    oracle = LogisticRegression(C=0.1, class_weight="balanced", tol=1e-8, max_iter=5000).fit(z, y)
    assert Logistic(strengths=[0.1]).fit(x, y, groups).predict(x) == pytest.approx(oracle.predict_proba(z), abs=2e-3)


@pytest.mark.parametrize("n_features", [8, 300])
def test_linear_svm_decides_as_scikit_learn_does(n_features):
    x, y, groups = drawn(n_features=n_features, n_classes=2)
    z = (x - x.mean(0)) / x.std(0)
    z /= np.sqrt(np.mean(np.sum(z**2, axis=1)))
    oracle = SVC(C=1.0, kernel="linear", class_weight="balanced", tol=1e-6).fit(z, y)
    new = np.random.default_rng(9).normal(size=(50, n_features))
    probability = LinearSVM(strengths=[1.0]).fit(x, y, groups).predict(new * x.std(0) + x.mean(0))[:, 1]
    decision = oracle.decision_function(new / np.sqrt(np.mean(np.sum(((x - x.mean(0)) / x.std(0)) ** 2, axis=1))))
    assert np.corrcoef(decision, np.log(probability / (1 - probability)))[0, 1] > 0.99999


@pytest.mark.parametrize("n_features", [8, 300])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_lda_equals_scikit_learn(n_features, n_classes):
    x, y, groups = drawn(n_features=n_features, n_classes=n_classes)
    oracle = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, y)
    assert LDA(class_weight="none").fit(x, y, groups).predict(x) == pytest.approx(oracle.predict_proba(x), abs=1e-8)


def test_linear_svm_probabilities_come_from_held_out_decisions():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(200, 400)), np.tile([0, 1], 100)  # noise: the machine separates whom it has seen
    probability = LinearSVM(strengths=[1.0]).fit(x, y, np.arange(200)).predict(x)[:, 1]
    assert roc_auc_score(y, probability) > 0.99
    assert np.abs(probability - 0.5).max() < 0.4  # and yet the held-out curve does not let it be sure


def test_gaussian_process_equals_scikit_learn():
    x, y, groups = drawn(n=50, n_features=5)
    fitted = GaussianProcess().fit(x, y, groups)
    z = (x - x.mean(0)) / x.std(0) / np.sqrt(5)
    kernel = (
        ConstantKernel(1.0, (1e-4, 1e4)) * DotProduct(0.0, "fixed")
        + ConstantKernel(1.0, (1e-4, 1e3)) * RBF(1.0, (0.1, 100.0))
        + WhiteKernel(0.5, (1e-3, 10.0))
    )
    oracle = GaussianProcessRegressor(kernel, random_state=0).fit(z, (y - y.mean()) / y.std())
    expected = oracle.predict(z) * y.std() + y.mean()
    assert fitted.predict(x) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", OF_FEATURES)
def test_every_estimator_survives_saving_and_treats_people_independently(name):
    make = locate("estimator", ESTIMATORS, name)
    x, y, groups = drawn(n_classes=2 if make.target_kind == "class" else 0)
    x[:, 3] = 7.0  # a constant feature
    fitted = make().fit(x, y, groups, seed=1)
    loaded = make().load_state(fitted.state())
    assert np.array_equal(loaded.predict(x), fitted.predict(x))
    assert loaded.predict(x[:1]) == pytest.approx(fitted.predict(x)[:1], abs=1e-10)
    changed = x.copy()
    changed[:, 3] = 1e6
    assert np.array_equal(loaded.predict(changed), fitted.predict(x))  # nothing is read from a constant


@pytest.mark.parametrize("name", OF_FEATURES)
def test_every_estimator_finds_nothing_in_noise(name):
    make = locate("estimator", ESTIMATORS, name)
    rng = np.random.default_rng(5)
    x, groups = rng.normal(size=(200, 20)), np.arange(200)
    y = rng.integers(2, size=200) if make.target_kind == "class" else rng.normal(size=200)
    answer = make().fit(x[:100], y[:100], groups[:100]).predict(x[100:])
    answer = answer[:, 1] if make.target_kind == "class" else answer
    correlation = 0.0 if answer.std() < 1e-6 else np.corrcoef(answer, y[100:])[0, 1]
    assert abs(correlation) < 3 / np.sqrt(100)


def test_rotation_keeps_inner_products():
    x = np.random.default_rng(0).normal(size=(10, 40))
    rotated, back = rotate(x)
    assert rotated @ rotated.T == pytest.approx(x @ x.T)
    assert rotated @ back == pytest.approx(x)


def test_inner_folds_keep_a_unit_on_one_side():
    y, groups = np.tile([0, 1], 30), np.arange(60) // 4
    for train, held_out in inner_folds(y, groups, is_class=True, seed=0):
        assert not set(groups[train]) & set(groups[held_out])


def test_confounds_code_words_and_numbers_from_the_fit_part_only():
    fit = pd.DataFrame({"site": ["A", "B", "A"], "age": [20.0, np.nan, 40.0]})
    test = pd.DataFrame({"site": ["C", "B"], "age": [np.nan, 50.0]})
    coded = ConfoundFeatures(["site", "age"]).fit(fit)
    assert coded.names == ["site=A", "site=B", "age"]
    assert coded.transform(test).tolist() == [[0, 0, 30], [0, 1, 50]]
    assert np.array_equal(ConfoundFeatures(["site"]).load_state(coded.state()).transform(test), coded.transform(test))


def test_a_confound_of_which_the_fit_part_knows_no_word_says_nothing():
    known, new = pd.DataFrame({"scanner": [None, None]}, dtype=object), pd.DataFrame({"scanner": ["A", None]})
    features = ConfoundFeatures(["scanner"]).fit(known)
    assert features.transform(new).tolist() == [[0.0], [0.0]]
    assert features.names == ["scanner"]


@pytest.mark.parametrize("make", [LinearSVM, Logistic, LDA])
def test_probabilities_decide_as_the_classes_are_weighed(make):
    rng = np.random.default_rng(4)
    y = (np.arange(400) < 60).astype(int)  # 15 % positive, two thirds of them on the right side of the middle
    x = rng.normal(size=(400, 5)) + 0.9 * y[:, None] * np.array([1, 0, 0, 0, 0])
    new = rng.normal(size=(4000, 5)) + 0.9 * np.tile([0, 1], 2000)[:, None] * np.array([1, 0, 0, 0, 0])
    balanced = make(class_weight="balanced").fit(x, y, np.arange(400)).predict(new)
    assert np.mean(balanced.argmax(axis=1) == np.tile([0, 1], 2000)) > 0.6  # the best there is: Phi(.45) = .67
    assert balanced[:, 1].mean() == pytest.approx(0.5, abs=0.06)
    as_frequent = make(class_weight="none").fit(x, y, np.arange(400)).predict(x)
    assert as_frequent[:, 1].mean() == pytest.approx(0.15, abs=0.02)


@pytest.mark.parametrize("make", [LinearSVM, Logistic])
def test_scaled_by_one_number_an_answer_does_not_depend_on_the_axes(make):
    x, y, groups = drawn(n_classes=2)
    turned = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))[0]
    straight = make(scale_by="all").fit(x, y, groups).predict(x)
    assert make(scale_by="all").fit(x @ turned, y, groups).predict(x @ turned) == pytest.approx(straight, abs=1e-3)
