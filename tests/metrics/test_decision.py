import numpy as np
import pytest
from sklearn import metrics as sk

from neuroloom.metrics.decision import (
    accuracy,
    balanced_accuracy,
    confusion,
    f1,
    kappa,
    metrics_of_class,
    sensitivity,
    specificity,
)

TRUTH = np.array([0, 0, 0, 0, 1, 1])
POSITIVE = np.array([0.1, 0.2, 0.3, 0.9, 0.8, 0.4])  # 3 of 4 negatives left alone, 1 of 2 positives found
PROBABILITY = np.column_stack([1 - POSITIVE, POSITIVE])


def test_by_hand():
    assert confusion(TRUTH, PROBABILITY).tolist() == [[3, 1], [1, 1]]
    assert accuracy(TRUTH, PROBABILITY) == 4 / 6
    assert sensitivity(TRUTH, PROBABILITY) == 1 / 2
    assert specificity(TRUTH, PROBABILITY) == 3 / 4
    assert balanced_accuracy(TRUTH, PROBABILITY) == (1 / 2 + 3 / 4) / 2
    assert f1(TRUTH, PROBABILITY) == 2 * 1 / (2 + 2)


@pytest.mark.parametrize("case", ["two_classes", "three_classes"])
def test_against_sklearn(case, request):
    truth, probability = request.getfixturevalue(case)
    said = probability.argmax(axis=1)
    average = "binary" if case == "two_classes" else "macro"
    assert accuracy(truth, probability) == pytest.approx(sk.accuracy_score(truth, said))
    assert balanced_accuracy(truth, probability) == pytest.approx(sk.balanced_accuracy_score(truth, said))
    assert sensitivity(truth, probability) == pytest.approx(sk.recall_score(truth, said, average=average))
    assert f1(truth, probability) == pytest.approx(sk.f1_score(truth, said, average=average))
    assert kappa(truth, probability) == pytest.approx(sk.cohen_kappa_score(truth, said))
    assert confusion(truth, probability).tolist() == sk.confusion_matrix(truth, said).tolist()


def test_specificity_of_many_classes_is_the_mean_over_them(three_classes):
    truth, probability = three_classes
    said = probability.argmax(axis=1)
    each = [sk.recall_score(truth != k, said != k) for k in range(3)]
    assert specificity(truth, probability) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("case", ["two_classes", "three_classes"])
def test_each_class_against_sklearn(case, request):
    truth, probability = request.getfixturevalue(case)
    said, n_classes = probability.argmax(axis=1), probability.shape[1]
    found = [[metric(truth, probability) for metric in metrics_of_class(k, f"class {k}")] for k in range(n_classes)]
    expected = [sk.recall_score(truth, said, average=None), sk.f1_score(truth, said, average=None)]
    np.testing.assert_allclose(np.transpose(found), expected, atol=1e-12)
    recalls = [recall for recall, _ in found]
    assert np.mean(recalls) == pytest.approx(balanced_accuracy(truth, probability))


@pytest.mark.parametrize(
    "metric",
    [*metrics_of_class(1, "one"), accuracy, balanced_accuracy, sensitivity, specificity, f1, kappa],
    ids=lambda m: m.name,
)
@pytest.mark.parametrize("case", ["two_classes", "three_classes"])
def test_weights_are_copies_of_people(metric, case, copies, request):
    truth, probability = request.getfixturevalue(case)
    weight, index = copies(len(truth))
    weighted = metric.finish(metric.sums(truth, probability, weight, None))[0]
    assert weighted == pytest.approx(metric(truth[index], probability[index]), abs=1e-12)


def test_chance_is_what_the_commonest_class_reaches():
    always = np.tile([0.9, 0.1], (6, 1))
    assert accuracy.chance(TRUTH) == accuracy(TRUTH, always)
    assert balanced_accuracy.chance(TRUTH) == balanced_accuracy(TRUTH, always)
    assert kappa.chance(TRUTH) == kappa(TRUTH, always) == 0
    assert f1.chance(TRUTH) == pytest.approx(f1(TRUTH, 1 - always))
