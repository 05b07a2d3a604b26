"""The losses of segmentation against closed forms and MONAI, and a critic that learns to tell the truth."""

import numpy as np
import pytest
import torch
from torch import nn

from neuroloom.batch import Batch
from neuroloom.cohort.target import Target
from neuroloom.errors import NeuroloomError
from neuroloom.models.network import VoxelNetwork
from neuroloom.models.volume_unet3d import UNet3D
from neuroloom.tasks.losses import critic_loss, dice_loss, persuasion_loss
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


def test_a_weight_of_the_critic_below_0_is_refused():
    for weight in (-0.1, float("nan"), float("inf")):
        with pytest.raises(NeuroloomError, match="adversarial is a weight, 0 or more"):
            Segment(adversarial=weight)


def test_the_critics_loss_is_least_where_truth_scores_1_and_answers_0_and_a_quarter_where_it_cannot_tell():
    one, zero, half = torch.ones(5), torch.zeros(5), torch.full((5,), 0.5)
    assert float(critic_loss(one, zero)) == 0
    assert float(critic_loss(zero, one)) == 1
    assert float(critic_loss(half, half)) == 0.25  # the least of ((s - 1)^2 + s^2) / 2
    assert float(persuasion_loss(one)) == 0
    assert float(persuasion_loss(zero)) == 0.5


class Says(nn.Module):
    """A network that says the same of every batch, whatever it sees."""

    input_name = "t1w"

    def __init__(self, said):
        super().__init__()
        self.said = nn.Parameter(said)

    def forward(self, inputs, present, lengths):
        return {"output": self.said.expand(len(inputs["t1w"]), -1, -1, -1, -1)}


def halves(n, seed):
    """Scans of 16 voxels an axis in which one side, not always the same one, is bright; noise of half the contrast."""
    draw = torch.Generator().manual_seed(seed)
    truth = torch.zeros(n, 16, 16, 16, dtype=torch.int32)
    for one, left in zip(truth, torch.rand(n, generator=draw) < 0.5, strict=True):
        one[:8] = 1 + int(left)
        one[8:] = 2 - int(left)
    scan = truth[:, None].float() + 0.5 * torch.randn(n, 1, 16, 16, 16, generator=draw)
    return Batch({"t1w": scan, "seg": truth})


@pytest.mark.parametrize("wrong", ["all background", "one side's map for everybody"])
def test_a_critic_learns_to_tell_the_truth_from_a_constant_wrong_answer(wrong):
    """Of the second it can know by the scan only, and only where the truth is another."""
    torch.manual_seed(0)
    task = Segment(classes=["one", "two"], adversarial=0.1).prepare(Target("seg", "labels", np.zeros(2)), np.arange(2))
    said = torch.zeros(1, 3, 16, 16, 16)
    if wrong == "all background":
        said[:, 0] = 20
    else:
        said[:, 2, :8] = said[:, 1, 8:] = 20
    judged = task.in_training(Says(said), 1)
    batch, new = halves(16, 1), halves(16, 2)
    optimizer = torch.optim.AdamW(task.players(judged)["critic"], lr=3e-3)
    for _ in range(140):
        optimizer.zero_grad()
        task.loss("critic", judged, batch).backward()
        optimizer.step()
    assert judged.network.said.grad is None  # the critic's turn leaves the network alone
    with torch.no_grad():
        of_truth, of_answer = (
            judged.scores(new.inputs, x) for x in (task.shares(new), said.softmax(1).expand(16, -1, -1, -1, -1))
        )
    differ = torch.ones(16, dtype=torch.bool) if wrong == "all background" else new.inputs["seg"][:, 0, 0, 0] == 1
    assert int(differ.sum()) >= 4
    assert float(critic_loss(of_truth[differ], of_answer[differ])) < 0.1  # .25 is what a critic has that cannot tell
    assert (of_truth[differ].mean(dim=(1, 2, 3, 4)) > of_answer[differ].mean(dim=(1, 2, 3, 4))).all()


def test_the_networks_loss_holds_the_critics_word_while_it_trains_and_only_then():
    torch.manual_seed(0)
    task = Segment(classes=["one", "two"], adversarial=0.3).prepare(Target("seg", "labels", np.zeros(2)), np.arange(2))
    network = VoxelNetwork(UNet3D((1, *SHAPE), 3, widths=(4, 6)), "t1w")
    judged, batch = task.in_training(network, 1), Batch({"t1w": torch.rand(2, 1, *SHAPE), "seg": labels()})
    alone = float(a_task().loss("network", network, batch).detach())
    p = network(batch.inputs)["output"].softmax(dim=1)
    said = float((judged.critic(batch.inputs["t1w"], p) - 1).square().mean().detach()) / 2
    assert float(task.loss("network", judged.train(), batch).detach()) == pytest.approx(alone + 0.3 * said, abs=1e-5)
    assert float(task.loss("network", judged.eval(), batch).detach()) == pytest.approx(alone, abs=1e-6)


def test_both_players_losses_are_finite_in_half_precision():
    torch.manual_seed(0)
    task = Segment(classes=["one", "two"], adversarial=0.1).prepare(Target("seg", "labels", np.zeros(2)), np.arange(2))
    judged = task.in_training(VoxelNetwork(UNet3D((1, *SHAPE), 3, widths=(4, 6)), "t1w"), 1)
    batch = Batch({"t1w": torch.rand(2, 1, *SHAPE), "seg": labels()})
    for player, parameters in task.players(judged).items():
        whole = float(task.loss(player, judged, batch).detach())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = task.loss(player, judged, batch)
        loss.backward()
        assert float(loss.detach()) == pytest.approx(whole, rel=0.05)
        assert all(torch.isfinite(p.grad).all() for p in parameters)
