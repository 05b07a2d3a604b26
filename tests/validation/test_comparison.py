import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.metrics.decision import accuracy
from neuroloom.metrics.regression import mae
from neuroloom.validation.comparison import compare, judged


def test_difference_and_words(outcomes_of):
    rng = np.random.default_rng(0)
    truth = rng.uniform(20, 80, 100)
    close, far = (outcomes_of(truth, truth + size * rng.standard_normal(100), classes=()) for size in (4.0, 9.0))
    told = compare(mae, close, far, ("net", "ridge"), ("SFCN", "ridge"))
    errors = [np.abs(o.prediction - truth).mean() for o in (close, far)]
    assert told["difference"] == pytest.approx(errors[0] - errors[1])
    assert told["verdict"] == "better"  # an error that is smaller
    assert (told["a"], told["b"]) == ("net", "ridge")
    assert told["text"].startswith("SFCN minus ridge: -")
    assert told["text"].endswith("SFCN is better.")


@pytest.mark.parametrize(
    ("metric", "low", "high", "verdict"),
    [
        (accuracy, 0.01, 0.2, "better"),
        (accuracy, -0.2, -0.01, "worse"),
        (accuracy, -0.1, 0.1, "equal"),
        (mae, 0.5, 2.0, "worse"),
        (mae, -2.0, -0.5, "better"),
        (mae, np.nan, np.nan, "unknown"),
    ],
)
def test_verdict_of_an_interval(metric, low, high, verdict):
    assert judged(metric, low, high) == verdict


def test_order_of_the_two_turns_the_difference(outcomes_of):
    rng = np.random.default_rng(1)
    truth = np.arange(60) % 2
    one, two = (outcomes_of(truth, np.clip(truth * 0.3 + 0.7 * rng.random(60), 0, 1)) for _ in range(2))
    there, back = compare(accuracy, one, two, ("a", "b")), compare(accuracy, two, one, ("b", "a"))
    assert there["difference"] == -back["difference"]
    assert there["interval"] == pytest.approx([-back["interval"][1], -back["interval"][0]])


def test_other_people_cannot_be_compared(outcomes_of):
    outcomes = outcomes_of([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8])
    with pytest.raises(NeuroloomError, match=r"did not predict the same samples .* \(1 and 0 that the other"):
        compare(accuracy, outcomes, outcomes.subset(np.array([True, True, True, False])), ("net", "svm"))
