"""Losses of label maps; needs torch only."""

import torch.nn.functional as F

EPSILON = 1e-5


def dice_loss(p, truth):
    """Return 1 - the mean Dice overlap over the classes that are there, sums taken over the whole batch.

    Parameters
    ----------
    p, truth : Tensor of shape (batch, class, i, j, k)
        Probabilities, and shares of each class.
    """
    overlap = (p * truth).sum(dim=(0, 2, 3, 4))
    size, known = p.sum(dim=(0, 2, 3, 4)), truth.sum(dim=(0, 2, 3, 4))
    overlaps = (2 * overlap + EPSILON) / (size + known + EPSILON)
    there = known > 0
    return 1 - overlaps[there].mean()


def segmentation_loss(logits, truth, cross_entropy):
    """Return Dice loss and weighted cross-entropy; each coarser level counts half of the level above.

    Parameters
    ----------
    logits : list of Tensor of shape (batch, class, i', j', k')
        At each voxel, then at coarser levels, the finest first.
    truth : Tensor of shape (batch, class, i, j, k)
        Shares of each class.
    cross_entropy : float
        Weight beside the Dice loss, whose weight is 1.
    """
    total = 0.0
    for level, answer in enumerate(logits):
        known = F.adaptive_avg_pool3d(truth, answer.shape[2:]) if level else truth
        log_p = F.log_softmax(answer.float(), dim=1)
        loss = dice_loss(log_p.exp(), known) - cross_entropy * (known * log_p).sum(dim=1).mean()
        total = total + loss / 2**level
    return total


def critic_loss(of_truth, of_answer):
    """Return the critic's loss in the least-squares form of Mao et al. 2017 (doi:10.1109/ICCV.2017.304).

    The truth should score 1 and an answer 0; whoever scores both alike loses 1/4 or more.

    Parameters
    ----------
    of_truth, of_answer : Tensor
        Scores, of any one shape.
    """
    return ((of_truth - 1).square().mean() + of_answer.square().mean()) / 2


def persuasion_loss(of_answer):
    """Return the loss of a network whose answers should score as the truth does, see `critic_loss`."""
    return (of_answer - 1).square().mean() / 2
