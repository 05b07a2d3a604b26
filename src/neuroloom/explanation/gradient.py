"""Gradient: how the answer would change if a value were a little larger."""

import torch

from neuroloom.explanation.items import over_items


class Gradient:
    """Signed gradient of the answer by the input (Simonyan et al. 2014, doi:10.48550/arXiv.1312.6034).

    Parameters
    ----------
    times_input : bool
        Multiply by the input (as the network sees it): what each value adds, to first order.
    people : int
        At most this many test people of each fold are attributed.
    """

    kinds = ("trained",)
    is_pattern = False
    is_signed = False
    window = None
    label = "Gradient"
    axis = "time"  # of maps of series

    def __init__(self, times_input=False, people=40):
        self.times_input, self.people = times_input, people

    @property
    def is_contribution(self):
        return self.times_input

    @property
    def text(self):
        if self.times_input:
            return "Gradient of {answer} by each value, times the value: what it adds, to first order."
        return "Gradient of {answer}: how it changes when a value becomes a little larger."

    def of_linear(self, weights, along, frame):
        """Return the maps of linear learners, (n, *shape); see `neuroloom.explanation.chance.drawn_answers`."""
        return weights * along if self.times_input else weights

    def attribute(self, learner, data, rows, fold, answer):
        """Return the `Attribution` of some rows; ``fold`` is not needed."""

        def of_batch(batch):
            slopes, answers = gradients(learner.network, batch.inputs, batch, answer)
            if self.times_input:
                slopes = {name: slope * batch.inputs[name] for name, slope in slopes.items()}
            return slopes, answers

        return over_items(learner, data, rows, of_batch)


def gradients(network, inputs, batch, answer):
    """Return the gradient of the answer by each input, and the answers.

    Parameters
    ----------
    network : nn.Module
        Put into evaluation mode.
    inputs : dict of Tensor
        Where the gradient is taken: input name -> (batch, *shape).
    batch : Batch
        Says what is present, and lengths.
    answer : Answer

    Returns
    -------
    slopes : dict of Tensor, as ``inputs``
    answers : Tensor of shape (batch,)
    """
    network.eval()
    leaves = {name: tensor.detach().clone().requires_grad_() for name, tensor in inputs.items()}
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):  # cuDNN has no backward of a GRU at rest
        answers = answer.of_output(network(leaves, batch.present, batch.lengths)["output"])
        found = torch.autograd.grad(answers.sum(), list(leaves.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(leaves, found, strict=True)), answers.detach()
