"""The loss of segmentation against closed forms and MONAI."""

import pytest
import torch

from neuroloom.batch import Batch
from neuroloom.errors import NeuroloomError
from neuroloom.models.network import VoxelNetwork
from neuroloom.models.volume_unet3d import UNet3D
from neuroloom.tasks.segment import Segment, dice_loss

SHAPE = (9, 8, 10)


def labels(seed=0, n_classes=3):
    return torch.randint(n_classes, (2, *SHAPE), generator=torch.Generator().manual_seed(seed))


def test_dice_of_the_truth_is_1_and_of_all_elsewhere_0():
    truth = Segment(n_classes=3).shares(labels())
    assert float(dice_loss(truth, truth)) == pytest.approx(0, abs=1e-6)
    assert float(dice_loss(truth.roll(1, dims=1), truth)) == pytest.approx(1, abs=1e-6)


def test_dice_of_half_an_overlap():
    truth, p = torch.zeros(1, 2, 4, 4, 4), torch.zeros(1, 2, 4, 4, 4)
    truth[:, 1, :2], truth[:, 0, 2:] = 1, 1  # 32 voxels each
    p[:, 1, 1:3], p[:, 0, :1], p[:, 0, 3:] = 1, 1, 1  # half of each is right
    assert float(dice_loss(p, truth)) == pytest.approx(0.5, abs=1e-5)


def test_a_class_that_is_not_there_does_not_count():
    truth = Segment(n_classes=5).shares(labels())  # classes 3 and 4 are nowhere
    p = torch.softmax(torch.randn(truth.shape, generator=torch.Generator().manual_seed(1)), dim=1)
    assert float(dice_loss(p, truth)) == pytest.approx(float(dice_loss(p[:, :3], truth[:, :3])), abs=1e-6)


def test_shares_of_voxels_count_as_parts():
    half = torch.full((1, 2, 4, 4, 4), 0.5)
    assert float(dice_loss(half, half)) == pytest.approx(0.5, abs=1e-5)  # Dice of shares: 2 * .25 / 1


def test_dice_is_monais():
    losses = pytest.importorskip("monai.losses")
    truth = Segment(n_classes=3).shares(labels())
    logits = torch.randn(truth.shape, generator=torch.Generator().manual_seed(2))
    theirs = losses.DiceLoss(softmax=True, batch=True, smooth_nr=1e-5, smooth_dr=1e-5)(logits, truth)
    assert float(dice_loss(logits.softmax(dim=1), truth)) == pytest.approx(float(theirs), abs=1e-6)


def test_numbers_and_shares_give_the_same_loss_on_every_level():
    task = Segment(target="seg", n_classes=3)
    torch.manual_seed(0)
    network = VoxelNetwork(UNet3D((1, *SHAPE), 3, widths=(4, 6, 8), deep_supervision=True), "t1w")
    x, truth = torch.rand(2, 1, *SHAPE), labels()
    of_numbers = task.loss("network", network, Batch({"t1w": x}, {"seg": truth}))
    of_shares = task.loss("network", network, Batch({"t1w": x}, {"seg": task.shares(truth)}))
    assert float(of_numbers.detach()) == pytest.approx(float(of_shares.detach()), abs=1e-6)
    assert len(network({"t1w": x})["sides"]) == 1


def test_one_class_is_refused():
    with pytest.raises(NeuroloomError, match="n_classes must be 2 or more"):
        Segment(n_classes=1)
