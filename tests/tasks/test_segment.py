"""The loss of segmentation against closed forms and MONAI."""

import numpy as np
import pytest
import torch

from neuroloom.batch import Batch
from neuroloom.cohort.target import Target
from neuroloom.errors import NeuroloomError
from neuroloom.models.network import VoxelNetwork
from neuroloom.models.volume_unet3d import UNet3D
from neuroloom.tasks.losses import dice_loss
from neuroloom.tasks.segment import Segment

SHAPE = (9, 8, 10)


def labels(seed=0, n_classes=3):
    return torch.randint(n_classes, (2, *SHAPE), generator=torch.Generator().manual_seed(seed), dtype=torch.int32)


def shares(labels, n_classes=3):
    return torch.nn.functional.one_hot(labels.long(), n_classes).movedim(-1, 1).float()


def a_task():
    return Segment(classes=["one", "two"]).prepare(Target("seg", "labels", np.zeros(2)), np.arange(2))


def test_dice_of_the_truth_is_1_and_of_all_elsewhere_0():
    truth = shares(labels())
    assert float(dice_loss(truth, truth)) == pytest.approx(0, abs=1e-6)
    assert float(dice_loss(truth.roll(1, dims=1), truth)) == pytest.approx(1, abs=1e-6)


def test_dice_of_half_an_overlap():
    truth, p = torch.zeros(1, 2, 4, 4, 4), torch.zeros(1, 2, 4, 4, 4)
    truth[:, 1, :2], truth[:, 0, 2:] = 1, 1  # 32 voxels each
    p[:, 1, 1:3], p[:, 0, :1], p[:, 0, 3:] = 1, 1, 1  # half of each is right
    assert float(dice_loss(p, truth)) == pytest.approx(0.5, abs=1e-5)


def test_a_class_that_is_not_there_does_not_count():
    truth = shares(labels(), 5)  # classes 3 and 4 are nowhere
    p = torch.softmax(torch.randn(truth.shape, generator=torch.Generator().manual_seed(1)), dim=1)
    assert float(dice_loss(p, truth)) == pytest.approx(float(dice_loss(p[:, :3], truth[:, :3])), abs=1e-6)


def test_shares_of_voxels_count_as_parts():
    half = torch.full((1, 2, 4, 4, 4), 0.5)
    assert float(dice_loss(half, half)) == pytest.approx(0.5, abs=1e-5)  # Dice of shares: 2 * .25 / 1


def test_dice_is_monais():
    losses = pytest.importorskip("monai.losses")
    truth = shares(labels())
    logits = torch.randn(truth.shape, generator=torch.Generator().manual_seed(2))
    theirs = losses.DiceLoss(softmax=True, batch=True, smooth_nr=1e-5, smooth_dr=1e-5)(logits, truth)
    assert float(dice_loss(logits.softmax(dim=1), truth)) == pytest.approx(float(theirs), abs=1e-6)


def test_numbers_and_shares_give_the_same_loss_on_every_level():
    task = a_task()
    torch.manual_seed(0)
    network = VoxelNetwork(UNet3D((1, *SHAPE), 3, widths=(4, 6, 8), deep_supervision=True), "t1w")
    x, truth = torch.rand(2, 1, *SHAPE), labels()
    of_numbers = task.loss("network", network, Batch({"t1w": x, "seg": truth}))
    of_shares = task.loss("network", network, Batch({"t1w": x}, {"seg": shares(truth)}))
    assert float(of_numbers.detach()) == pytest.approx(float(of_shares.detach()), abs=1e-6)
    assert len(network({"t1w": x})["sides"]) == 1


def test_anatomy_is_told_by_freesurfers_numbers():
    task = Segment()
    told = task.as_classes(torch.tensor([0, 2, 17, 136, 511], dtype=torch.int32)).tolist()
    names = ["background", *task.classes]
    assert [names[number] for number in told] == [
        "background", "left_cerebral_white_matter", "left_hippocampus", "left_lateral_ventricle", "background",
    ]  # fmt: skip
    assert task.n_outputs == 33


def test_a_number_that_no_class_has_is_named():
    with pytest.raises(NeuroloomError, match=r"holds the numbers \[7\], but those known are \[0, 1, 2\]"):
        a_task().as_classes(torch.tensor([0, 7], dtype=torch.int32))


def test_columns_tell_dice_and_volumes_of_each_class():
    counts = np.array([[[[90, 90, 80], [10, 10, 5], [0, 0, 0]]]])  # one sample, one scan, background and two classes
    columns = a_task().columns("seg", {"counts": counts, "scans": ["scan"], "ml": 0.008})
    assert columns["prediction_dice_one"].tolist() == [0.5]
    assert np.isnan(columns["prediction_dice_two"]).all()
    assert columns["prediction_dice"].tolist() == [0.5]  # of what is there
    assert columns["truth_ml_one"].tolist() == pytest.approx([0.08])


def test_classes_without_a_name_are_refused():
    for classes in ([], ["one", "one"]):
        with pytest.raises(NeuroloomError, match="different names"):
            Segment(classes=classes)
