"""Train a deformable registration on pairs of scans made of label maps, as SynthMorph does: no scan is needed.

Hoffmann et al. 2022, doi:10.1109/TMI.2021.3116879. The scans of a pair differ in contrast, noise and resolution; what is
compared is the labels, so that the network has to find anatomy and cannot go by intensities.
"""

import itertools

import numpy as np
import torch

from neuroloom.batch import Batch
from neuroloom.errors import Diverged, NeuroloomError
from neuroloom.metrics.overlap import dice, overlap
from neuroloom.registration.velocity import flow, moved, roughness
from neuroloom.seeds import generator, key_number, torch_generator
from neuroloom.tasks.losses import dice_loss

ROUGHNESS = 0.05  # weight of the field's roughness beside the Dice loss


def train_on_pairs(network, maps, maker, *, n_steps, together=4, learning_rate=1e-3, weight=ROUGHNESS, seed=0):
    """Train a network to bring the scan of one label map onto that of another.

    Parameters
    ----------
    network : VoxelMorph
        Trained in place, on its device.
    maps : Tensor of shape (n, i, j, k)
        Label maps on one grid, whole numbers.
    maker : SimulatedContrasts
        Makes scans of them; it must not flip, since no smooth field turns left into right.
    n_steps : int
    together : int
        Maps of each step: every one is brought onto every other.
    learning_rate : float
    weight : float
        Of the field's roughness beside the Dice loss, whose weight is 1.
    seed : int
        Every scan depends on it and on the step's number only.

    Returns
    -------
    list of float
        The loss at each step.
    """
    device = next(network.parameters()).device
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    torch.manual_seed(key_number(seed, "pairs"))
    network.train()
    losses = []
    for step in range(n_steps):
        chosen = generator(seed, "maps", step).integers(len(maps), size=together)
        scans, shares = made_scans(maps[chosen].to(device), maker, torch_generator(seed, "scans", step, device=device))
        loss = pair_loss(network, scans, shares, weight)
        if not torch.isfinite(loss):
            raise Diverged(
                f"The loss became {loss.item()} in step {step + 1}. Lower learning_rate (now {learning_rate})."
            )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def made_scans(maps, maker, draw):
    """Return a scan of each label map (n, i, j, k), and the share of each structure in its voxels.

    Returns
    -------
    scans : Tensor of shape (n, 1, i', j', k')
    shares : Tensor of shape (n, structure, i', j', k')
    """
    if maker.spatial.flip:
        raise NeuroloomError(
            f"simulated_contrasts: flip is {maker.spatial.flip}, but no smooth field brings a head onto its mirror image. "
            "Give it flip: 0."
        )
    batch = maker(Batch({maker.labels: maps}), draw)
    return batch.inputs[maker.scan], batch.target[maker.labels]


def pair_loss(network, scans, shares, weight):
    """Return 1 - Dice of moved and fixed shares, over all ordered pairs of scans, and the weighted roughness of the fields."""
    moving, fixed = map(list, zip(*itertools.permutations(range(len(scans)), 2), strict=True))
    velocity = network(scans[moving], scans[fixed])
    return dice_loss(moved(shares[moving], flow(velocity)), shares[fixed]) + weight * roughness(velocity)


def agreement(moving, fixed):
    """Return the mean Dice overlap of two maps of shares (structure, i, j, k) over what is there but the background."""
    counts = overlap(fixed.argmax(dim=0).cpu().numpy(), moving.argmax(dim=0).cpu().numpy(), len(fixed))
    return float(np.nanmean(dice(counts)[1:]))
