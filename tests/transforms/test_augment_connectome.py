"""Connectome augmentation against the sampling distribution it stands for."""

import math

import torch

from neuroloom.batch import Batch
from neuroloom.transforms.augment_connectome import Connectome


def test_connectome_noise_has_the_variance_of_an_estimate():
    n, n_regions, n_timepoints = 400, 20, 50
    x = torch.zeros(n, n_regions, n_regions)
    connectome = Connectome(n_timepoints=n_timepoints)
    noise = connectome(Batch({"fc": x}), torch.Generator().manual_seed(0)).inputs["fc"]
    assert torch.equal(noise, noise.mT)
    above = noise[:, *torch.triu_indices(n_regions, n_regions, 1)]
    diagonal = noise.diagonal(dim1=1, dim2=2)
    for values, variance in ((above, 1 / n_timepoints), (diagonal, 2 / n_timepoints)):
        assert abs(values.var() / variance - 1) < 4 * math.sqrt(2 / values.numel())
    # Wishart: the covariance of 50 draws of white noise scatters as much
    draws = torch.randn(n, n_timepoints, n_regions, generator=torch.Generator().manual_seed(1))
    covariance = draws.mT @ draws / n_timepoints - torch.eye(n_regions)
    again = covariance[:, *torch.triu_indices(n_regions, n_regions, 1)]
    assert abs(above.var() / again.var() - 1) < 0.05


def test_connectome_noise_may_spare_the_diagonal_and_some_items():
    x = torch.eye(8).expand(50, -1, -1)
    batch = Batch({"fc": x})
    found = Connectome(diagonal=False, probability=0.5)(batch, torch.Generator().manual_seed(0)).inputs["fc"]
    assert torch.equal(found.diagonal(dim1=1, dim2=2), x.diagonal(dim1=1, dim2=2))
    changed = (found != x).flatten(1).any(dim=1)
    assert 10 < changed.sum() < 40
