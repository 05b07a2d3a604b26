"""Segment: what is where in a volume."""

import numpy as np
import torch
import torch.nn.functional as F

from neuroloom.atlases.anatomy import generation_table, structures
from neuroloom.errors import NeuroloomError
from neuroloom.metrics.overlap import dice
from neuroloom.models.volume_critic import Judged, PatchCritic
from neuroloom.tasks.losses import critic_loss, persuasion_loss, segmentation_loss


class Segment:
    """Predict for each voxel what it belongs to.

    Parameters
    ----------
    classes : "anatomy" or list of str
        What is told apart beside the background: the structures of `neuroloom.atlases.anatomy`, by their numbers; or
        names, whose numbers in the label maps are 1, 2, ...
    cross_entropy : float
        Weight of the cross-entropy beside the Dice loss, whose weight is 1.
    adversarial : float
        Weight of a critic's judgement beside the Dice loss; 0 trains without a critic. The critic learns to tell the truth
        from the network's answers, given the scan, and the network to persuade it (Luc et al. 2016, arXiv:1611.08408,
        with the least-squares loss of Mao et al. 2017, doi:10.1109/ICCV.2017.304). It has no say in which epoch is kept.
    """

    kind = "segment"
    target_kind = "labels"
    primary = "dice"

    def __init__(self, classes="anatomy", cross_entropy=0.5, adversarial=0.0):
        anatomy = classes == "anatomy"
        self.classes = tuple(one.name for one in structures()) if anatomy else tuple(classes)
        told = generation_table() if anatomy else {}
        numbers = range(len(self.classes) + 1)
        self.numbers = (0, *(one.number for one in structures())) if anatomy else tuple(numbers)
        self.class_of = dict(zip(told.get("label", numbers), told.get("output", numbers), strict=True))
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise NeuroloomError(f"task segment: classes must be 'anatomy' or different names, not {classes}.")
        if not 0 <= adversarial < np.inf:
            raise NeuroloomError(f"task segment: adversarial is a weight, 0 or more, not {adversarial}.")
        self.cross_entropy, self.adversarial = cross_entropy, adversarial
        self.target = None
        self.warnings = []

    @property
    def n_outputs(self):
        return len(self.classes) + 1

    def prepare(self, target, fit_rows):
        """Remember which input holds the truth."""
        self.target = target.name
        return self

    def in_training(self, network, n_channels):
        """Return what the loop trains: the network, judged by a new critic of scans of so many channels if one is asked for."""
        return Judged(network, PatchCritic(n_channels + self.n_outputs)) if self.adversarial else network

    def players(self, network):
        """Return the parameters of each network that has a loss of its own: the critic is the second, where there is one."""
        if not self.adversarial:
            return {"network": list(network.parameters())}
        return {"network": list(network.network.parameters()), "critic": list(network.critic.parameters())}

    def loss(self, player, network, batch):
        """Return a player's loss of a batch.

        The network's is Dice loss and cross-entropy, where each coarser level counts half of the level above; while it
        trains against a critic, also what that says.
        """
        truth = self.shares(batch)
        if player == "critic":
            return self._critic_loss(network, batch, truth)
        answers = network(batch.inputs, batch.present, batch.lengths)
        loss = segmentation_loss([answers["output"], *answers.get("sides", ())], truth, self.cross_entropy)
        if self.adversarial and network.training:
            scores = network.scores(batch.inputs, answers["output"].float().softmax(dim=1))
            loss = loss + self.adversarial * persuasion_loss(scores.float())
        return loss

    def _critic_loss(self, network, batch, truth):
        with torch.no_grad():
            answer = network(batch.inputs, batch.present, batch.lengths)["output"].float().softmax(dim=1)
        of_truth, of_answer = (network.scores(batch.inputs, shares).float() for shares in (truth, answer))
        return critic_loss(of_truth, of_answer)

    def shares(self, batch):
        """Return the truth of a batch as the share of each class in each voxel, (batch, class, i, j, k) float32."""
        if self.target in batch.target:
            return batch.target[self.target]
        classes = self.as_classes(batch.inputs[self.target])
        return F.one_hot(classes, self.n_outputs).movedim(-1, 1).float()

    def as_classes(self, labels):
        """Return label numbers as class numbers, int64; a number that no class has is an error."""
        lookup = torch.full((max(int(labels.max()), *self.class_of) + 1,), -1)
        lookup[list(self.class_of)] = torch.tensor(list(self.class_of.values()))
        lookup = lookup.to(labels.device)
        classes = lookup[labels.long()]
        if bool((classes < 0).any()):
            found = torch.unique(labels[classes < 0]).tolist()
            raise NeuroloomError(
                f"label map {self.target!r} holds the numbers {found[:10]}, but those known are {sorted(self.class_of)}. "
                "Name them in task.classes, or map them in your files."
            )
        return classes

    def calibrate(self, raw, truth):
        """Nothing is calibrated."""
        return self

    def error(self, raw, truth):
        """Return 1 - the mean Dice overlap; what a search lowers. The truth is in the counts already."""
        return 1 - float(np.nanmean(self.columns(self.target, raw)["prediction_dice"]))

    def columns(self, name, raw):
        """Return the columns of ``predictions.csv``: Dice and volumes (ml) of each class, means over a sample's scans.

        Parameters
        ----------
        name : str
        raw : dict
            ``counts`` (n, scan, class, 3), see `neuroloom.metrics.overlap`; ``scans``, their names; ``ml``, volume of a
            voxel.
        """
        overlaps = dice(raw["counts"])[..., 1:]  # (n, scan, class but the background)
        volumes = raw["counts"][..., 1:, :2].mean(axis=1) * raw["ml"]  # (n, class, truth and answer)
        columns = {"prediction_dice": _mean(overlaps.reshape(len(overlaps), -1))}
        if len(raw["scans"]) > 1:
            columns |= {f"prediction_dice_on_{s}": _mean(overlaps[:, n]) for n, s in enumerate(raw["scans"])}
        for number, named in enumerate(self.classes):
            columns[f"prediction_dice_{named}"] = _mean(overlaps[:, :, number])
            columns[f"truth_ml_{named}"] = volumes[:, number, 0]
            columns[f"prediction_ml_{named}"] = volumes[:, number, 1]
        return columns

    def state(self):
        """Return what was learned from the fit people: nothing."""
        return {}

    def load_state(self, state, told):
        """Take up what `told` returned."""
        self.target = told["target"]
        return self

    def told(self):
        """Return what is needed beside `state`, as JSON has it."""
        return {"target": self.target, "classes": list(self.classes)}


def _mean(values):
    """Return means over the last axis of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.where(known.any(axis=-1), total / np.maximum(known.sum(axis=-1), 1), np.nan)
