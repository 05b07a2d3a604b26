import numpy as np
import pytest
import torch
import torch.nn.functional as F

from neuroloom.batch import Batch
from neuroloom.cohort.target import Target
from neuroloom.errors import NeuroloomError
from neuroloom.known import locate
from neuroloom.tasks import TASKS
from neuroloom.tasks.classify import Classify
from neuroloom.tasks.regress import Regress
from neuroloom.tasks.soft_bins import SoftBins

AGES = Target("age", "number", np.linspace(20, 80, 61))
LABELS = Target("diagnosis", "class", np.array([0, 0, 0, 1]), ("control", "AD"))


def answering(output):
    """A network that gives the same output whatever it is asked."""
    return lambda inputs, present, lengths: {"output": output}


@pytest.mark.parametrize("years", [0.0, 1.5, 3.0])
def test_soft_bins_divergence_is_that_of_two_gaussians(years):
    task = SoftBins(bin_width=0.5, label_std=1.0, margin=20.0).prepare(AGES, np.arange(61))
    age = torch.tensor([50.0, 61.3])
    logits = -0.5 * (task.bin_centres - (age.double() + years)[:, None]) ** 2
    assert float(task.divergence(logits, age)) == pytest.approx(years**2 / 2, abs=1e-4)  # KL = years² / (2 std²)


def test_soft_bins_reach_beyond_the_fit_part_and_answer_their_mean():
    task = SoftBins(bin_width=2.0, margin=6.0).prepare(AGES, np.arange(61))
    assert (task.edges[0], task.edges[1]) == (14.0, 86.0)
    assert task.n_outputs == 36
    logits = torch.full((1, 36), -1e9)
    logits[0, 10] = logits[0, 11] = 0.0
    assert task.predict(logits) == pytest.approx([36.0])  # between the bins centred at 35 and 37


def test_classes_weigh_the_same_in_the_loss():
    task = Classify().prepare(LABELS, np.arange(4))
    assert task.weights == pytest.approx([4 / 6, 4 / 2])
    logits = torch.tensor([[2.0, 0.0]]).repeat(4, 1)
    batch = Batch({}, {"target": torch.tensor(LABELS.values)})
    expected = (F.cross_entropy(logits[:1], torch.tensor([0])) + F.cross_entropy(logits[:1], torch.tensor([1]))) / 2
    assert task.loss("network", answering(logits), batch) == pytest.approx(float(expected))


def test_a_fold_without_a_class_is_refused():
    with pytest.raises(NeuroloomError, match="nobody of class 'AD'"):
        Classify().prepare(LABELS, np.arange(3))


def test_columns_of_a_classification_name_the_likeliest_class():
    task = Classify().prepare(LABELS, np.arange(4))
    columns = task.columns("diagnosis", np.array([[0.9, 0.1], [0.3, 0.7]]))
    assert columns["prediction_diagnosis"].tolist() == ["control", "AD"]
    assert columns["prediction_p_AD"].tolist() == [0.1, 0.7]


def test_a_number_is_learned_standardised_and_answered_in_its_own_unit():
    task = Regress(loss="squared").prepare(AGES, np.arange(61))
    assert task.predict(np.array([[0.0], [1.0]])) == pytest.approx([50.0, 50.0 + AGES.values.std()])
    batch = Batch({}, {"target": torch.tensor([50.0 + AGES.values.std()])})
    assert float(task.loss("network", answering(torch.zeros(1, 1)), batch)) == pytest.approx(1.0, rel=1e-6)


def test_bias_correction_undoes_regression_to_the_mean_without_the_truth():
    task = Regress(bias_correction=True).prepare(AGES, np.arange(61))
    shrunk = 25.0 + 0.5 * AGES.values  # a learner that halves every difference
    task.calibrate(shrunk, AGES.values)
    assert task.columns("age", np.array([45.0]))["prediction_age_corrected"] == pytest.approx([40.0])


def test_without_a_rising_line_nothing_is_corrected_and_that_is_said():
    noise = np.random.default_rng(0).normal(50, 5, 61)
    task = Regress(bias_correction=True).prepare(AGES, np.arange(61)).calibrate(noise, AGES.values)
    assert task.columns("age", np.array([45.0]))["prediction_age_corrected"].tolist() == [45.0]
    assert "no rising line" in task.warnings[0]


OF_COLUMNS = [name for name in TASKS if locate("task", TASKS, name).target_kind != "labels"]


@pytest.mark.parametrize("name", OF_COLUMNS)
def test_every_task_survives_saving(name):
    target = LABELS if locate("task", TASKS, name).target_kind == "class" else AGES
    task = locate("task", TASKS, name)().prepare(target, np.arange(len(target.values)))
    loaded = locate("task", TASKS, name)().load_state(task.state(), task.told())
    output = np.random.default_rng(0).normal(size=(5, task.n_outputs))
    assert np.array_equal(loaded.predict(output), task.predict(output))
    assert loaded.n_outputs == task.n_outputs


@pytest.mark.parametrize("task", [Regress, SoftBins])
def test_without_a_tune_part_no_corrected_column_is_reported_and_that_is_said(task):
    fitted = task(bias_correction=True).prepare(AGES, np.arange(61)).calibrate(np.empty(0), np.empty(0))
    assert list(fitted.columns("age", np.array([45.0]))) == ["prediction_age"]
    assert fitted.warnings[0].startswith("There is no tune part to fit the bias correction on")
    loaded = task(bias_correction=True).load_state(fitted.state(), fitted.told())
    assert list(loaded.columns("age", np.array([45.0]))) == ["prediction_age"]
