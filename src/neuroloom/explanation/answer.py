"""Answer: the one number of a learner that an attribution explains."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neuroloom.tasks.soft_bins import SoftBins

SMALLEST = 1e-6  # probability below which log-odds are not followed


@dataclass(frozen=True)
class ClassAnswer:
    """Log-odds of one class against all others.

    Parameters
    ----------
    classes : tuple of str
    number : int
        The class that is explained.
    """

    classes: tuple[str, ...]
    number: int

    @property
    def text(self):
        return f"the log-odds of {self.classes[self.number]}"

    @property
    def label(self):
        """Name of the class; None with two classes, where one map says it all."""
        return self.classes[self.number] if len(self.classes) > 2 else None

    def of_output(self, output):
        """Return log p / (1 - p) of the class from logits: (batch, n_classes) -> (batch,)."""
        others = [number for number in range(output.shape[1]) if number != self.number]
        return output[:, self.number] - torch.logsumexp(output[:, others], dim=1)

    def of_prediction(self, prediction):
        """Return the same from probabilities: (n, n_classes) -> (n,)."""
        chance = np.clip(prediction[:, self.number], SMALLEST, 1 - SMALLEST)
        return np.log(chance / (1 - chance))

    def of_weights(self, weights):
        """Return one row of linear weights (1 or n_classes, n_features) for the class against the others."""
        if len(weights) == 1:
            return weights[0]
        return weights[self.number] - np.delete(weights, self.number, axis=0).mean(axis=0)


@dataclass(frozen=True)
class NumberAnswer:
    """The predicted number, in its own unit.

    Parameters
    ----------
    name : str
        The target.
    task : object
        A task that predicts a number, after its state was learned or loaded.
    """

    name: str
    task: Any
    label = None

    @property
    def text(self):
        return f"the predicted {self.name}"

    def of_output(self, output):
        """Return the number from what the network puts out: (batch, n_outputs) -> (batch,)."""
        if isinstance(self.task, SoftBins):
            return torch.softmax(output, dim=1) @ self.task.bin_centres.to(output)
        return output[:, 0] * self.task.spread + self.task.mean

    def of_prediction(self, prediction):
        return prediction

    def of_weights(self, weights):
        """Return the one row of linear weights (1, n_features)."""
        return weights[0]


def n_answers(target):
    """Return how many numbers of a learner are explained: each class where there are more than two, else one."""
    return len(target.classes) if len(target.classes) > 2 else 1


def answer_of(learner, target, number):
    """Return an answer of a fitted learner; with two classes it is about the positive one."""
    if target.kind != "class":
        return NumberAnswer(target.name, learner.task)
    return ClassAnswer(target.classes, 1 if len(target.classes) == 2 else number)
