"""Deformable registration learned from label maps: pairs it has not seen come closer, and no field folds."""

import numpy as np
import pytest
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.models.volume_voxelmorph import VoxelMorph
from neuroloom.registration.deformable import jacobian
from neuroloom.registration.velocity import flow, moved
from neuroloom.scan import Scan
from neuroloom.seeds import torch_generator
from neuroloom.training.pairs import agreement, made_scans, pair_loss, train_on_pairs
from neuroloom.transforms.augment_contrasts import SimulatedContrasts

SHAPE = (16, 16, 16)
CENTRES = np.array([[7.5, 7.5, 7.5], [5.0, 5.5, 6.0], [10.0, 10.0, 9.0]])
RADII = np.array([6.5, 3.0, 3.0])
TABLE = {
    "label": [0, 1, 2, 3], "output": [0, 1, 2, 3], "brain": [False, True, True, True], "partner": [0, 1, 2, 3],
    "contrasts": {"one": [0.0, 0.4, 0.8, 0.6]},
}  # fmt: skip
SIMULATED = {
    "table": TABLE, "voxel_size": 6.0, "flip": 0.0, "rotation": 0.0, "scale": 0.0, "shear": 0.0, "elastic": 0.0,
    "stripped": 0.0, "cut": 0.0, "thick": 0.0, "ghosts": 0.0,
    "known_contrast": 1.0, "noise": 0.04, "bias": 0.2, "gamma": 0.1,
}  # fmt: skip


def blobs(n, seed):
    """Return label maps (n, i, j, k) of two balls in a third, of drawn places and sizes."""
    draw, place = np.random.default_rng(seed), np.indices(SHAPE)
    maps = np.zeros((n, *SHAPE), dtype=np.int32)
    for one in maps:
        for number, (centre, radius) in enumerate(zip(CENTRES, RADII, strict=True), start=1):
            at = centre + draw.normal(0, 1.0, 3)
            size = radius * draw.uniform(0.85, 1.15, 3)
            distance = ((place - at[:, None, None, None]) / size[:, None, None, None]) ** 2
            one[distance.sum(axis=0) < 1] = number
    return torch.from_numpy(maps)


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    network = VoxelMorph((1, *SHAPE), widths=(8, 16))
    losses = train_on_pairs(network, blobs(12, 0), SimulatedContrasts(**SIMULATED), n_steps=160, learning_rate=1e-2)
    return network, losses


@pytest.mark.slow
def test_held_out_pairs_come_closer_and_nothing_folds(trained):
    network, losses = trained
    assert np.mean(losses[-50:]) < np.mean(losses[:50])
    new, maker, gains = blobs(24, 1), SimulatedContrasts(**SIMULATED), []
    for pair in range(12):
        scans, shares = made_scans(new[2 * pair : 2 * pair + 2], maker, torch_generator(1, pair))
        _, displacement = network.register(scans[:1], scans[1:])
        before, after = (agreement(x, shares[1]) for x in (shares[0], moved(shares[:1], displacement)[0]))
        gains.append(after - before)
        grown = jacobian(Scan(displacement[0].numpy(), "volume", {"affine": np.eye(4)}))
        assert (grown <= 0).mean() < 0.001
    assert np.mean(gains) > 3 * np.std(gains) / np.sqrt(len(gains))  # beyond what 12 pairs vary by
    assert np.mean(gains) > 0.03


def test_an_untrained_network_moves_nothing():
    torch.manual_seed(0)
    x = torch.rand(1, 1, *SHAPE)
    after, displacement = VoxelMorph((1, *SHAPE)).register(x, x.flip(2))
    assert float(displacement.abs().max()) < 0.01
    torch.testing.assert_close(after, x, atol=0.01, rtol=0)


def test_the_loss_of_a_pair_that_lies_together_is_0():
    class Still(torch.nn.Module):
        def forward(self, moving, fixed):
            return torch.zeros(len(moving), 3, *SHAPE)

    scans, shares = made_scans(blobs(1, 0).expand(2, -1, -1, -1), SimulatedContrasts(**SIMULATED), torch_generator(0))
    assert float(pair_loss(Still(), scans, shares, 1.0)) == pytest.approx(0, abs=1e-5)
    assert not torch.equal(scans[0], scans[1])  # of two contrasts


def test_the_same_seed_gives_the_same_weights():
    def weights(seed):
        torch.manual_seed(0)
        network = VoxelMorph((1, *SHAPE), widths=(2, 3))
        train_on_pairs(network, blobs(3, 0), SimulatedContrasts(**SIMULATED), n_steps=2, seed=seed)
        return torch.cat([p.detach().flatten() for p in network.parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_a_field_that_is_planted_gives_back_what_it_moved():
    """The transformer and the Dice of moved shares see the same map: moved by the flow, agreement is whole."""
    shares = torch.nn.functional.one_hot(blobs(1, 0).long(), 4).movedim(-1, 1).float()
    velocity = torch.zeros(1, 3, *SHAPE)
    velocity[:, 0] = 2.0
    target = shares.roll(-2, dims=2)  # what lies 2 voxels further on comes here
    assert agreement(shares[0], target[0]) < 0.9
    assert agreement(moved(shares, flow(velocity))[0], target[0]) == 1.0


def test_two_grids_and_mirror_images_are_refused():
    network = VoxelMorph((1, *SHAPE))
    with pytest.raises(NeuroloomError, match="two volumes of one grid"):
        network(torch.zeros(1, 1, *SHAPE), torch.zeros(1, 1, 16, 16, 15))
    with pytest.raises(NeuroloomError, match="Give it flip: 0"):
        made_scans(blobs(2, 0), SimulatedContrasts(**{**SIMULATED, "flip": 0.5}), torch_generator(0))
