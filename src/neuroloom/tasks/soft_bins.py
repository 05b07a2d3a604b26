"""Soft bins: a number predicted as a distribution over bins (Peng et al. 2021, doi:10.1016/j.media.2020.101871)."""

import numpy as np
import torch
import torch.nn.functional as F

from neuroloom.tasks.regress import Regress


class SoftBins(Regress):
    """Predict a number as the mean of a distribution over equal bins, learned from soft labels.

    Parameters
    ----------
    bin_width : float
        In the target's unit.
    label_std : float
        Spread of the soft label around the truth, in the target's unit.
    margin : float
        How far the bins reach beyond the youngest and oldest of the fit part.
    bias_correction : bool
        See `Regress`.
    """

    def __init__(self, bin_width=2.0, label_std=2.0, margin=6.0, bias_correction=False):
        super().__init__(bias_correction=bias_correction)
        self.bin_width, self.label_std, self.margin = bin_width, label_std, margin
        self.edges = (0.0, 1.0)

    def prepare(self, target, fit_rows):
        """Lay the bins over the fit part's range, and learn its mean and spread."""
        super().prepare(target, fit_rows)
        values = target.values[fit_rows]
        low = np.floor(values.min() - self.margin)
        n_bins = int(np.ceil((values.max() + self.margin - low) / self.bin_width))
        self.edges = (float(low), float(low + n_bins * self.bin_width))
        return self

    @property
    def bin_centres(self):
        low, high = self.edges
        return torch.arange(low + self.bin_width / 2, high, self.bin_width, dtype=torch.float64)

    @property
    def n_outputs(self):
        return len(self.bin_centres)

    def loss(self, player, network, batch):
        """Return the KL divergence from soft label to prediction, mean over the batch."""
        logits = network(batch.inputs, batch.present, batch.lengths)["output"]
        return self.divergence(logits, batch.target["target"])

    def divergence(self, logits, truth):
        """Return KL(soft label || prediction) for logits (batch, n_bins) and numbers (batch,)."""
        distance = self.bin_centres.to(truth) - truth[:, None]  # (batch, n_bins)
        soft_label = F.softmax(-0.5 * (distance / self.label_std) ** 2, dim=1)
        return F.kl_div(F.log_softmax(logits, dim=1), soft_label.to(logits), reduction="batchmean")

    def predict(self, output):
        """Return the expected number (n,) from logits (n, n_bins)."""
        chance = torch.softmax(torch.as_tensor(output, dtype=torch.float64), dim=1)
        return (chance @ self.bin_centres).numpy()

    def state(self):
        """Return what `Regress` learns, and the edges of the bins, years."""
        return {**super().state(), "edges": np.array(self.edges)}

    def load_state(self, state, told):
        """Take up what `state` returned."""
        self.edges = tuple(map(float, state["edges"]))
        return super().load_state(state, told)
