"""Segment: what is where in a volume."""

import torch.nn.functional as F

from neuroloom.errors import NeuroloomError

EPSILON = 1e-5


class Segment:
    """Predict for each voxel what it belongs to.

    Parameters
    ----------
    target : str
        Name of the truth in the batch: label numbers (batch, i, j, k), or shares (batch, class, i, j, k).
    n_classes : int
        The background among them.
    cross_entropy : float
        Weight of the cross-entropy beside the Dice loss, whose weight is 1.
    """

    kind = "segment"
    primary = "dice"

    def __init__(self, target="scan", n_classes=2, cross_entropy=0.5):
        if n_classes < 2:
            raise NeuroloomError(f"task segment: n_classes must be 2 or more, not {n_classes}.")
        self.target, self.n_outputs, self.cross_entropy = target, n_classes, cross_entropy
        self.warnings = []

    def players(self, network):
        return {"network": list(network.parameters())}

    def loss(self, player, network, batch):
        """Return Dice loss and cross-entropy of a batch; each coarser level counts half of the level above."""
        truth = self.shares(batch.target[self.target])
        answers = network(batch.inputs, batch.present, batch.lengths)
        total = self.of_logits(answers["output"], truth)
        for level, logits in enumerate(answers.get("sides", ()), start=1):
            total = total + self.of_logits(logits, F.adaptive_avg_pool3d(truth, logits.shape[2:])) / 2**level
        return total

    def of_logits(self, logits, truth):
        """Return the loss of logits for shares, both (batch, class, i, j, k)."""
        log_p = F.log_softmax(logits.float(), dim=1)
        return dice_loss(log_p.exp(), truth) - self.cross_entropy * (truth * log_p).sum(dim=1).mean()

    def shares(self, truth):
        """Return the truth as shares of each class, (batch, class, i, j, k) float32."""
        if truth.ndim == 5:
            return truth
        return F.one_hot(truth.long(), self.n_outputs).movedim(-1, 1).float()


def dice_loss(p, truth):
    """Return 1 - the mean Dice overlap over the classes that are there, sums taken over the whole batch.

    Parameters
    ----------
    p, truth : Tensor of shape (batch, class, i, j, k)
        Probabilities, and shares of each class.
    """
    overlap = (p * truth).sum(dim=(0, 2, 3, 4))
    size, known = p.sum(dim=(0, 2, 3, 4)), truth.sum(dim=(0, 2, 3, 4))
    dice = (2 * overlap + EPSILON) / (size + known + EPSILON)
    there = known > 0
    return 1 - dice[there].mean()
