"""EEG augmentation against closed forms: every value tells the trial, channel and sample that it came from."""

import math

import pytest
import torch

from neuroloom.batch import Batch
from neuroloom.errors import NeuroloomError
from neuroloom.transforms.augment_eeg import EEG


def trials(n=6, n_channels=5, n_times=120):
    """Return values trial * 1e4 + channel * 1e3 + sample."""
    sample = torch.arange(float(n_times))
    return sample + 1e3 * torch.arange(n_channels)[:, None] + 1e4 * torch.arange(n)[:, None, None]


def augmented(x, classes=None, seed=0, lengths=None, **arguments):
    target = {} if classes is None else {"target": classes}
    batch = Batch({"eeg": x}, target, lengths={} if lengths is None else {"eeg": lengths})
    return EEG(**arguments)(batch, torch.Generator().manual_seed(seed))


def test_nothing_is_changed_unless_asked_for():
    x, classes = trials(), torch.arange(6) % 2
    found = augmented(x, classes)
    assert torch.equal(found.inputs["eeg"], x)
    assert torch.equal(found.target["target"], classes)


def test_items_that_are_not_chosen_keep_their_bytes():
    x = trials(400)
    same = (augmented(x, probability=0.3, scale=0.5).inputs["eeg"] == x).all(dim=(1, 2))
    assert abs(same.float().mean() - 0.7) < 4 * math.sqrt(0.3 * 0.7 / 400)
    assert torch.equal(x, trials(400))  # the batch that came in is left as it was


def test_pieces_come_from_trials_of_the_class_at_their_place():
    n, pieces = 300, 4
    x, classes = trials(n), torch.arange(n) % 3
    found = augmented(x, classes, recombine=pieces).inputs["eeg"]
    source = (found / 1e4).floor().long()
    assert (found % 1e4 == x[0]).all()  # channel and sample are where they were
    assert (source % 3 == classes[:, None, None]).all()
    whole = source.unflatten(2, (pieces, -1))
    assert (whole == whole[:, :1, :, :1]).all()  # all channels of a piece from one trial
    own = (whole[:, 0, :, 0] == torch.arange(n)[:, None]).float().mean()
    assert abs(own - 0.01) < 4 * math.sqrt(0.01 * 0.99 / (n * pieces))  # 1 of the 100 of its class
    counts = torch.bincount(source[:, 0].flatten()[:: x.shape[2] // pieces], minlength=n).float()
    assert abs(counts.var() / counts.mean() - 1) < 4 * math.sqrt(2 / n)  # Poisson: all are drawn alike


def test_shift_is_even_over_both_sides_and_the_mean_enters():
    n, largest = 2000, 10
    x = trials(1).expand(n, -1, -1)
    found = augmented(x, shift=largest).inputs["eeg"]
    by = x[:, 0, 60] - found[:, 0, 60]
    assert sorted(by.unique().tolist()) == list(range(-largest, largest + 1))
    assert abs(by.mean()) < 4 * math.sqrt((2 * largest + 1) ** 2 / 12 / n)
    for item, step in zip(found[:50], by[:50].int().tolist(), strict=True):
        inside = slice(max(0, step), 120 + min(0, step))
        assert torch.equal(item[:, inside], x[0].roll(step, dims=1)[:, inside])
        outside = torch.ones(120, dtype=torch.bool)
        outside[inside] = False
        assert (item[:, outside] == x[0].mean(dim=1, keepdim=True)).all()


def test_scale_is_one_factor_a_trial_even_between_its_bounds():
    x = trials(2000) + 1
    factor = augmented(x, scale=0.3).inputs["eeg"] / x
    torch.testing.assert_close(factor, factor[:, :1, :1].expand_as(factor))
    drawn = factor[:, 0, 0]
    assert drawn.min() >= 0.7 - 1e-6
    assert drawn.max() <= 1.3 + 1e-6
    assert abs(drawn.mean() - 1) < 4 * 0.6 / math.sqrt(12 * 2000)
    assert abs(drawn.std() - 0.6 / math.sqrt(12)) < 0.01


def test_noise_is_relative_to_each_channel():
    x = torch.randn(400, 3, 500, generator=torch.Generator().manual_seed(1)) * torch.tensor([[1.0], [5e-6], [0.2]])
    level = (augmented(x, noise=0.4).inputs["eeg"] - x).std(dim=2) / x.std(dim=2)  # even between 0 and 0.4
    assert (abs(level / level[:, :1] - 1) < 0.25).all()
    assert abs(level.mean() - 0.2) < 4 * 0.4 / math.sqrt(12 * 400)


def test_dropped_channels_are_silent_and_one_is_left():
    x = trials(3000) + 1
    silent = (augmented(x, drop=0.25).inputs["eeg"] == 0).all(dim=2)
    assert abs(silent.float().mean() - 0.25) < 4 * math.sqrt(0.25 * 0.75 / silent.numel()) + 0.25**5
    assert (augmented(x, drop=1.0).inputs["eeg"] != 0).any(dim=2).sum(dim=1).eq(1).all()


def test_sides_change_places_and_classes_only_when_asked():
    x, classes = trials(), torch.tensor([0, 1, 2, 0, 1, 2])
    found = augmented(x, classes, swap=1.0, pairs=[(0, 2), (3, 4)])
    assert torch.equal(found.inputs["eeg"], x[:, [2, 1, 0, 4, 3]])
    assert torch.equal(found.target["target"], classes)
    found = augmented(x, classes, swap=1.0, pairs=[(0, 2), (3, 4)], swap_classes=(0, 1))
    assert found.target["target"].tolist() == [1, 0, 2, 1, 0, 2]
    assert classes.tolist() == [0, 1, 2, 0, 1, 2]


def test_classes_follow_the_swap_of_their_own_trial():
    x, classes = trials(500), torch.arange(500) % 2
    found = augmented(x, classes, probability=0.8, swap=0.5, pairs=[(0, 1)], swap_classes=(0, 1), scale=0.1)
    swapped = found.inputs["eeg"][:, 0, 0] > found.inputs["eeg"][:, 1, 0]
    assert torch.equal(found.target["target"] != classes, swapped)
    assert abs(swapped.float().mean() - 0.4) < 4 * math.sqrt(0.4 * 0.6 / 500)


def test_same_seed_same_batch():
    x, classes = trials(), torch.arange(6) % 2
    asked = {"recombine": 3, "shift": 5, "scale": 0.1, "noise": 0.1, "drop": 0.2}
    first, again = (augmented(x, classes, **asked).inputs["eeg"] for _ in range(2))
    assert torch.equal(first, again)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"swap": 0.5}, "swap needs pairs"),
        ({"swap": 0.5, "pairs": [(0, 1), (1, 2)]}, "no channel twice"),
        ({"swap_classes": (0, 1)}, "need swap above 0"),
        ({"scale": 1.5}, "scale is 1.5"),
        ({"shift": -1}, "shift is -1"),
    ],
)
def test_wrong_settings_are_named(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        EEG(**arguments)


def test_wrong_batches_are_named():
    x = trials()
    with pytest.raises(NeuroloomError, match="pairs name channel 7, but there are 5"):
        augmented(x, swap=1.0, pairs=[(0, 7)])
    with pytest.raises(NeuroloomError, match="need a target of classes"):
        augmented(x, torch.rand(6), recombine=2)
    with pytest.raises(NeuroloomError, match=r"differ in length \(90 to 120 samples\).*windows"):
        augmented(x, shift=3, lengths=torch.tensor([120, 90, 120, 120, 120, 120]))
