"""Drawn weights: another learner, the same inputs, the original untouched."""

import numpy as np
import pytest
import torch

from neuroloom.explanation.redrawn import redrawn


@pytest.mark.parametrize("kind", ["volume", "graph", "series", "table"])
def test_every_weight_is_drawn_anew_and_the_learner_stays(drawn, kind):
    data, fold = drawn.data(kind), drawn.fold()
    learner = drawn.learner(kind, data, fold)
    before = {name: tensor.clone() for name, tensor in learner.network.state_dict().items()}
    one, same, other = (redrawn(learner, data, fold, 0, number) for number in (1, 1, 2))
    for name, tensor in learner.network.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)
        torch.testing.assert_close(one.network.state_dict()[name], same.network.state_dict()[name], rtol=0, atol=0)
        if name.endswith("weight") and tensor.ndim > 1:
            assert not torch.equal(one.network.state_dict()[name], tensor)
            assert not torch.equal(one.network.state_dict()[name], other.network.state_dict()[name])


def test_batch_normalisation_gets_the_statistics_of_fit_people(drawn):
    data, fold = drawn.data("volume"), drawn.fold()
    other = redrawn(drawn.learner("volume", data, fold), data, fold, 0)
    convolution, norm = other.network.model.features[0], other.network.model.features[1]
    with torch.no_grad():
        made = convolution(torch.from_numpy(data.stores["x"].stack(fold.fit)))
    np.testing.assert_allclose(norm.running_mean, made.mean(dim=(0, 2, 3, 4)), atol=1e-5)
    assert not norm.training


def test_global_draws_go_on_as_if_nothing_was_drawn(drawn):
    data, fold = drawn.data("table"), drawn.fold()
    learner = drawn.learner("table", data, fold)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    redrawn(learner, data, fold, 0)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
