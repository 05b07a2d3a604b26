"""Augmentation of connectomes on a batch: the scatter of an estimate from a scan of finite length."""

import math

import torch
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.augment_draws import check_share, chosen_rows, named_inputs, normal_like, replaced


class Connectome(nn.Module):
    """Add the noise that an estimate from few time points has, as if the person had been scanned again.

    For edges of tangent or Fisher-z matrices, where the error of an estimate from n independent time points is
    close to Gaussian with variance 1/n, and twice that on the diagonal of a covariance (Anderson 2003, An
    Introduction to Multivariate Statistical Analysis, ch. 3 and 4). The noise is symmetric.

    Parameters
    ----------
    probability : float
        Chance that an item is augmented at all; the others keep their bytes.
    n_timepoints : float
        Independent time points of the imagined scan; fewer make more noise.
    diagonal : bool
        Whether the diagonal is noisy too; not so for correlations, where it is constant.
    inputs : list of str or None
        Inputs to augment; None takes all with shape (batch, region, region).
    """

    def __init__(self, *, probability=1.0, n_timepoints=200, diagonal=True, inputs=None):
        super().__init__()
        check_share("connectome", probability=probability)
        if n_timepoints <= 0:
            raise NeuroloomError(f"augmentation 'connectome': n_timepoints is {n_timepoints}; it must be positive.")
        self.probability, self.n_timepoints = probability, n_timepoints
        self.diagonal, self.inputs = diagonal, inputs

    @torch.no_grad()
    def forward(self, batch, generator):
        """Return the batch with noise added to its connectomes."""
        names = named_inputs("connectome", batch, self.inputs, is_square)
        return batch.with_inputs(**{name: self._changed(batch.inputs[name], generator) for name in names})

    def _changed(self, x, generator):
        rows = chosen_rows(generator, len(x), self.probability, x.device)
        noise = normal_like(x[rows], generator)
        noise = (noise + noise.mT) / math.sqrt(2 * self.n_timepoints)  # variance 1/n, and 2/n on the diagonal
        if not self.diagonal:
            noise.diagonal(dim1=1, dim2=2).zero_()
        return replaced(x, rows, (x[rows] + noise).to(x.dtype))


def is_square(x):
    return x.ndim == 3 and x.shape[1] == x.shape[2] and x.is_floating_point()
