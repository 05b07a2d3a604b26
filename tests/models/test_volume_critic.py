"""The critic of label maps: its size by hand, how far a score sees, and what it makes of another scan."""

import pytest
import torch

from neuroloom.models.network import parameter_count
from neuroloom.models.volume_critic import PatchCritic


def test_size():
    convolutions = 27 * (34 * 16 + 16 * 32 + 32 * 64) + 16 + 32 + 64
    normalisations, score = 2 * (16 + 32 + 64), 64 + 1
    assert parameter_count(PatchCritic(34)) == convolutions + normalisations + score == 84_209


@pytest.mark.parametrize(("shape", "patches"), [((16, 24, 40), (2, 3, 5)), ((9, 8, 1), (2, 1, 1))])
def test_a_score_for_each_patch_of_8_voxels(shape, patches):
    assert PatchCritic(5)(torch.rand(2, 1, *shape), torch.rand(2, 4, *shape)).shape == (2, 1, *patches)


def test_a_score_sees_15_voxels():
    torch.manual_seed(0)
    critic = PatchCritic(3)
    without = torch.nn.Sequential(*(layer for layer in critic.layers if not isinstance(layer, torch.nn.GroupNorm)))
    x = torch.rand(1, 3, 48, 48, 48, requires_grad=True)
    without(x)[0, 0, 3, 3, 3].backward()
    seen = x.grad.abs().sum(dim=(0, 1)) > 0
    assert [int(seen.any(dim=axes).sum()) for axes in ((1, 2), (0, 2), (0, 1))] == [15, 15, 15]


def test_a_score_depends_on_the_scan_and_not_on_the_others_in_the_batch():
    torch.manual_seed(0)
    critic, scan, shares = PatchCritic(4), torch.rand(2, 1, 16, 16, 16), torch.rand(2, 3, 16, 16, 16)
    scores = critic(scan, shares)
    torch.testing.assert_close(scores[:1], critic(scan[:1], shares[:1]), atol=1e-5, rtol=1e-4)
    assert (critic(scan.flip(0), shares) - scores).abs().max() > 1e-3
