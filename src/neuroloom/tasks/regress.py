"""Regress: how much of something a sample has."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import linregress

from neuroloom.known import check_known

LOSSES = ("huber", "squared")


class Regress:
    """Predict a number; the network learns it standardised by the fit part's mean and spread.

    Parameters
    ----------
    loss : str
        ``huber`` (on the standardised number, threshold 1) or ``squared``.
    bias_correction : bool
        Also report predictions corrected for regression to the mean: the line
        prediction = a + b truth is fitted on the tune part, and (prediction - a) / b reported
        (Cole et al. 2018, doi:10.1038/mp.2017.62). The truth of a test person is not used.
    """

    kind = "regress"
    target_kind = "number"
    primary = "mae"

    def __init__(self, loss="huber", bias_correction=False):
        check_known("loss of task regress", loss, LOSSES)
        self.loss_name = loss
        self.bias_correction = bias_correction
        self.mean, self.spread = 0.0, 1.0
        self.line = np.array([0.0, 1.0])  # intercept, slope
        self.warnings = []

    n_outputs = 1

    def prepare(self, target, fit_rows):
        """Learn mean and spread of the target from the fit part."""
        self.mean = float(target.values[fit_rows].mean())
        self.spread = float(target.values[fit_rows].std()) or 1.0
        return self

    def players(self, network):
        """Return the parameters of each network that has a loss of its own: there is one."""
        return {"network": list(network.parameters())}

    def loss(self, player, network, batch):
        """Return the mean loss of a batch, in standardised units."""
        output = network(batch.inputs, batch.present, batch.lengths)["output"][:, 0]
        wanted = (batch.target["target"] - self.mean) / self.spread
        return F.huber_loss(output, wanted) if self.loss_name == "huber" else F.mse_loss(output, wanted)

    def predict(self, output):
        """Return numbers (n,) in the target's own unit from outputs (n, 1)."""
        return torch.as_tensor(output, dtype=torch.float64)[:, 0].numpy() * self.spread + self.mean

    def calibrate(self, raw, truth):
        """Fit the line of the bias correction on the tune part; where it does not rise surely, nothing is corrected.

        Without a tune part there is no line, and no corrected column is reported.
        """
        if not self.bias_correction:
            return self
        if not len(raw):
            self.line = np.full(2, np.nan)
            self.warnings = [
                "There is no tune part to fit the bias correction on, so nothing was corrected. "
                "Use --set validation.tune=0.15."
            ]
            return self
        fitted = linregress(truth, raw) if len(raw) >= 3 and np.std(truth) > 0 else None
        if fitted is not None and fitted.slope > 2 * fitted.stderr:
            self.line = np.array([fitted.intercept, fitted.slope])
        else:
            self.warnings = ["The bias correction found no rising line on the tune part, so nothing was corrected."]
        return self

    def error(self, raw, truth):
        """Return the mean absolute error of numbers (n,); what a search lowers."""
        return float(np.mean(np.abs(raw - truth)))

    def columns(self, name, raw):
        """Return prediction columns of ``predictions.csv``, in the target's unit."""
        columns = {f"prediction_{name}": raw}
        if self.bias_correction and np.isfinite(self.line).all():
            columns[f"prediction_{name}_corrected"] = (raw - self.line[0]) / self.line[1]
        return columns

    def state(self):
        """Return what was learned: mean and spread of the target, and the line by which predictions are corrected."""
        return {"scale": np.array([self.mean, self.spread]), "line": np.asarray(self.line, dtype=np.float64)}

    def load_state(self, state, told):
        """Take up what `state` returned."""
        self.mean, self.spread = map(float, state["scale"])
        self.line = state["line"]
        return self

    def told(self):
        """Return what is needed beside `state`, as JSON has it: nothing."""
        return {}
