"""What is explained is what the task predicts."""

import numpy as np
import pytest
import torch

from neuroloom.cohort.target import Target
from neuroloom.explanation.answer import ClassAnswer, NumberAnswer, n_answers
from neuroloom.known import locate
from neuroloom.parts import Part, build
from neuroloom.tasks import TASKS


@pytest.mark.parametrize("name", [name for name in TASKS if locate("task", TASKS, name).target_kind == "number"])
def test_number_is_the_tasks_prediction(name):
    values = np.random.default_rng(0).uniform(20, 80, 50)
    task = build("task", TASKS, Part(name=name)).prepare(Target("age", "number", values), np.arange(50))
    output = torch.randn(7, task.n_outputs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    np.testing.assert_allclose(NumberAnswer("age", task).of_output(output), task.predict(output), rtol=1e-10)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_class_answer_is_the_log_odds_of_the_probability(n_classes):
    logits = torch.randn(9, n_classes, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    chance = torch.softmax(logits, dim=1).numpy()
    for number in range(n_classes):
        answer = ClassAnswer(tuple("ABCD"[:n_classes]), number)
        expected = np.log(chance[:, number] / (1 - chance[:, number]))
        np.testing.assert_allclose(answer.of_output(logits), expected, rtol=1e-10)
        np.testing.assert_allclose(answer.of_prediction(chance), expected, rtol=1e-10)


def test_two_classes_have_one_answer_three_have_three():
    two, three = (Target("dx", "class", np.zeros(3, int), names) for names in (("A", "B"), ("A", "B", "C")))
    assert (n_answers(two), n_answers(three)) == (1, 3)
