"""Series augmentation against closed forms."""

import math

import pytest
import torch

from neuroloom.batch import Batch
from neuroloom.errors import NeuroloomError
from neuroloom.transforms import augment_series
from neuroloom.transforms.augment_series import Series

NOTHING = {"crop": 0.0, "mask": 0.0, "noise": 0.0}


def series(n=3, n_regions=5, n_steps=400):
    """Every value tells its region and step, so that it is known where one came from."""
    step = torch.arange(1.0, n_steps + 1)
    return (step + 1000 * torch.arange(n_regions)[:, None]).expand(n, -1, -1).clone()


def augmented(x, lengths=None, seed=0, **arguments):
    batch = Batch({"bold": x}, lengths={} if lengths is None else {"bold": lengths})
    return Series(**{**NOTHING, **arguments})(batch, torch.Generator().manual_seed(seed))


@pytest.fixture
def strongest(monkeypatch):
    monkeypatch.setattr(
        augment_series,
        "uniform",
        lambda generator, shape, low, high, device: torch.full(shape, float(high) - 1e-6),
    )


def test_zero_strength_keeps_values_and_lengths():
    x = series()
    found = augmented(x)
    assert torch.equal(found.inputs["bold"], x)
    assert found.lengths == {}


def test_crop_moves_a_window_to_the_start_and_says_how_long_it_is():
    x, lengths = series(20), torch.full((20,), 300)
    x[:, :, 300:] = 0
    found = augmented(x, lengths, crop=0.5)
    kept = found.lengths["bold"]
    assert (kept >= 150).all()
    assert (kept <= 300).all()
    assert len(kept.unique()) > 5
    for item, n in zip(found.inputs["bold"], kept, strict=True):
        assert (item[:, n:] == 0).all()
        assert (item[:, :n].diff(dim=1) == 1).all()  # one stretch, in order, all regions together
        assert (item[:, 0] - item[0, 0] == 1000 * torch.arange(5)).all()
        assert item[0, 0] >= 1
        assert item[0, n - 1] <= 300


def test_mask_is_one_stretch_at_each_regions_mean(strongest):
    x = series(2)
    found = augmented(x, mask=0.25).inputs["bold"]
    masked = found != x
    assert (masked.sum(dim=2) == 100).all()  # a quarter of 400 steps
    assert (masked == masked[:, :1]).all()  # in all regions at once
    mean = x.mean(dim=2, keepdim=True).expand_as(x)
    torch.testing.assert_close(found[masked], mean[masked])


def test_noise_is_relative_to_each_region_and_leaves_padding_zero(strongest):
    x = torch.randn(2, 3, 8000, generator=torch.Generator().manual_seed(0)) * torch.tensor([[1.0], [5.0], [0.2]])
    lengths = torch.tensor([8000, 6000])
    x[1, :, 6000:] = 0
    found = augmented(x, lengths, noise=0.3).inputs["bold"]
    assert (found[1, :, 6000:] == 0).all()
    for item, n in zip((0, 1), lengths.tolist(), strict=True):
        level = 0.3 * x[item, :, :n].std(dim=1)
        noise = (found - x)[item, :, :n]
        assert (abs(noise.std(dim=1) / level - 1) < 4 / math.sqrt(2 * n)).all()


def test_series_depend_on_the_generator_and_keep_their_neighbours_out():
    x = torch.randn(4, 3, 50, generator=torch.Generator().manual_seed(0))
    state = torch.get_rng_state()
    arguments = {"crop": 0.3, "mask": 0.2, "noise": 0.1}
    found = augmented(x, seed=1, **arguments).inputs["bold"]
    assert torch.equal(found, augmented(x, seed=1, **arguments).inputs["bold"])
    assert not torch.equal(found, augmented(x, seed=2, **arguments).inputs["bold"])
    changed = x.clone()
    changed[0] = float("nan")
    assert torch.equal(found[1:], augmented(changed, seed=1, **arguments).inputs["bold"][1:])
    assert torch.equal(torch.get_rng_state(), state)


def test_a_connectome_is_no_series():
    with pytest.raises(NeuroloomError, match="connectome rather than a series"):
        augmented(torch.eye(6).expand(2, -1, -1))


def test_an_absent_series_stays_zero():
    x = torch.randn(3, 2, 30, generator=torch.Generator().manual_seed(0))
    x[1] = 0.0
    found = augmented(x, torch.tensor([30, 0, 20]), crop=0.5, mask=0.5, noise=0.5)
    assert found.lengths["bold"][1] == 0
    assert (found.inputs["bold"][1] == 0).all()
    assert torch.isfinite(found.inputs["bold"]).all()
