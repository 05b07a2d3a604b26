"""Intensity augmentation against closed forms."""

import math

import pytest
import torch

from neuroloom.batch import Batch
from neuroloom.errors import NeuroloomError
from neuroloom.transforms import augment_intensity
from neuroloom.transforms.augment_intensity import Intensity

NOTHING = {"resolution": 0.0, "gamma": 0.0, "bias": 0.0, "noise": 0.0, "contrast": 0.0, "brightness": 0.0}
SHAPE = (30, 32, 28)


def volumes(n=2, channels=1, seed=0):
    x = torch.randn(n, channels, *SHAPE, generator=torch.Generator().manual_seed(seed))
    return x * 3 + 10


def augmented(x, seed=0, **arguments):
    generator = torch.Generator().manual_seed(seed)
    return Intensity(**{**NOTHING, **arguments})(Batch({"t1w": x}), generator).inputs["t1w"]


@pytest.fixture
def strongest(monkeypatch):
    monkeypatch.setattr(
        augment_intensity, "uniform", lambda generator, shape, low, high, device: torch.full(shape, float(high))
    )


def per_item(x):
    return x.flatten(2)


def test_zero_strength_keeps_the_bytes():
    x = volumes()
    assert torch.equal(augmented(x), x)


def test_gamma_keeps_the_range_and_the_order():
    x = volumes()
    found = augmented(x, gamma=0.5)
    for extreme in (torch.amin, torch.amax):
        torch.testing.assert_close(extreme(per_item(found), 2), extreme(per_item(x), 2), atol=1e-4, rtol=0)
    order = per_item(x).argsort(dim=2)
    assert (per_item(found).gather(2, order).diff(dim=2) >= -1e-5).all()


def test_gamma_is_the_power_of_the_share_of_the_range(strongest):
    x = volumes(1)
    low, high = x.min(), x.max()
    expected = low + (high - low) * ((x - low) / (high - low)) ** math.exp(0.5)
    torch.testing.assert_close(augmented(x, gamma=0.5), expected, atol=1e-4, rtol=0)


def test_bias_is_a_smooth_gain_within_its_limits():
    x = volumes(8)
    low = x.amin(dim=(2, 3, 4), keepdim=True)
    gain = (augmented(x, bias=0.4) - low)[:, 0] / (x - low)[:, 0].clamp(min=1e-3)
    gain = torch.where((x - low)[:, 0] > 1, gain, torch.nan)
    assert math.exp(-0.4) <= torch.nan_to_num(gain, 1.0).min()
    assert torch.nan_to_num(gain, 1.0).max() <= math.exp(0.4) + 1e-4
    for axis in (1, 2, 3):  # a cubic polynomial along each axis: its fourth difference is 0
        fourth = gain.diff(n=4, dim=axis)
        assert torch.nan_to_num(fourth).abs().max() < 1e-4
    assert torch.nan_to_num(gain, 1.0).std() > 0.02


def test_bias_shades_scans_around_zero_as_raw_ones():
    x = volumes()
    torch.testing.assert_close(augmented(x - 10, bias=0.3), augmented(x, bias=0.3) - 10, atol=1e-4, rtol=0)


def test_gaussian_noise_has_the_asked_standard_deviation(strongest):
    x = volumes()
    noise = per_item(augmented(x, noise=0.2) - x)
    n = noise.shape[2]
    level = 0.2 * per_item(x).std(dim=2)
    assert (abs(noise.mean(dim=2)) < 4 * level / math.sqrt(n)).all()
    assert (abs(noise.std(dim=2) / level - 1) < 4 / math.sqrt(2 * n)).all()


def test_rician_noise_is_rayleigh_where_there_is_no_signal(strongest):
    x = torch.zeros(1, 1, *SHAPE)
    x[:, :, :3] = 1.0
    level = 0.2 * x.std(correction=0)
    background = augmented(x, noise=0.2, noise_kind="rician")[:, :, 3:]
    n = background.numel()
    mean, std = level * math.sqrt(math.pi / 2), level * math.sqrt(2 - math.pi / 2)
    assert abs(background.mean() - mean) < 4 * std / math.sqrt(n)
    assert abs(background.std() / std - 1) < 4 * math.sqrt(0.811 / n)  # Rayleigh kurtosis 3.245
    assert background.min() >= 0


def test_contrast_keeps_the_mean_and_brightness_moves_it(strongest):
    x = volumes()
    mean, std = per_item(x).mean(dim=2), per_item(x).std(dim=2, correction=0)
    stretched = per_item(augmented(x, contrast=0.25))
    torch.testing.assert_close(stretched.mean(dim=2), mean, atol=1e-4, rtol=0)
    torch.testing.assert_close(stretched.std(dim=2, correction=0), 1.25 * std, atol=1e-4, rtol=0)
    moved = augmented(x, brightness=0.5)
    torch.testing.assert_close(moved - x, (0.5 * std)[..., None, None, None].expand_as(x), atol=1e-4, rtol=0)


def test_resolution_is_a_gaussian_slice_profile_along_one_axis(strongest):
    x = torch.zeros(6, 1, *SHAPE)
    x[:, 0, 15, 16, 14] = 1.0
    found = augmented(x, resolution=4.0)[:, 0]
    seen = set()
    for item in found:
        spread = [item.sum(dim=[a for a in range(3) if a != axis]) for axis in range(3)]
        blurred = [axis for axis in range(3) if (spread[axis] > 1e-6).sum() > 1]
        assert len(blurred) == 1
        seen.update(blurred)
        profile = spread[blurred[0]]
        place = torch.arange(len(profile)).float() - profile.argmax()
        assert profile.sum() == pytest.approx(1.0, abs=1e-3)
        half = profile[profile.argmax() + 2] / profile.max()  # 2 voxels aside is half a width of 4
        assert half == pytest.approx(0.5, abs=1e-3)
        variance = (profile * place**2).sum()
        assert variance == pytest.approx((4 / 2.3548) ** 2, rel=1e-2)
    assert len(seen) > 1
    constant = torch.full((1, 1, *SHAPE), 5.0)
    torch.testing.assert_close(augmented(constant, resolution=4.0), constant)


def test_all_changes_together_are_finite_also_for_a_constant_item():
    x = volumes(3)
    x[1] = 4.0
    found = augmented(x, resolution=2, gamma=0.3, bias=0.3, noise=0.1, contrast=0.2, brightness=0.2)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[1], x[1])


def test_items_channels_and_seeds():
    x = volumes(3, channels=2)
    state = torch.get_rng_state()
    everything = {"gamma": 0.3, "bias": 0.3, "noise": 0.1, "contrast": 0.2, "brightness": 0.2}
    found = augmented(x, 1, **everything)
    assert torch.equal(found, augmented(x, 1, **everything))
    assert not torch.equal(found, augmented(x, 2, **everything))
    changed = x.clone()
    changed[0] = 0.0
    assert torch.equal(found[1:], augmented(changed, 1, **everything)[1:])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(x, volumes(3, channels=2))


def test_probability_leaves_the_others_their_bytes():
    x = volumes(1).expand(60, -1, -1, -1, -1)[:, :, :4, :4, :4]
    changed = (augmented(x, probability=0.5, gamma=0.3) != x).flatten(1).any(dim=1)
    assert 0 < changed.sum() < 60


def test_wrong_arguments_are_named():
    with pytest.raises(NeuroloomError, match="noise is -1"):
        Intensity(noise=-1)
    with pytest.raises(NeuroloomError, match="gaussian, rician"):
        Intensity(noise_kind="poisson")
