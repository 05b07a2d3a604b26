"""EEG networks: sizes derived by hand, quick layers beside plain ones, norms, shortest items."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.models.eeg_atcnet import ATCNet
from neuroloom.models.eeg_conformer import EEGConformer
from neuroloom.models.eeg_deep import DeepConvNet
from neuroloom.models.eeg_depthwise import depthwise_same
from neuroloom.models.eeg_eegnet import EEGNet
from neuroloom.models.eeg_filters import DepthwiseBank, FilterBank, seen_moments
from neuroloom.models.eeg_p300 import P300CNN
from neuroloom.models.eeg_pooling import mean_pool
from neuroloom.models.eeg_shallow import ShallowConvNet
from neuroloom.models.fusion import LateFusion
from neuroloom.models.network import parameter_count

TRIAL = (22, 1125)  # BCI Competition IV 2a: 22 channels, 4.5 s at 250 Hz, 4 classes


def test_eegnet_sizes():
    # filters over time 8 x 64, spatial 16 x 22, separable 16 x 16 + 16 x 16, batch norms 2 (8 + 16 + 16)
    body = 8 * 64 + 16 * 22 + 16 * 16 + 16 * 16 + 2 * (8 + 16 + 16)
    # 1125 // 4 = 281, 281 // 8 = 35 steps of 16 features
    assert parameter_count(EEGNet(TRIAL, 4)) == body + 16 * 35 * 4 + 4 == 3_700
    # the paper's table: P300 (64 channels, 1 s at 128 Hz), and SMR (22, 2 s, kernels of a quarter of a second)
    assert parameter_count(EEGNet((64, 128), 2)) == 2_258
    assert parameter_count(EEGNet((22, 256), 4, kernel_size=32)) == 1_716


def test_schirrmeister_sizes():
    # 40 x 25 + 40 over time, 40 x 40 x 22 spatial, batch norm 80; (1101 - 75) // 15 + 1 = 69 steps of 40 features
    assert parameter_count(ShallowConvNet(TRIAL, 4)) == 1_040 + 35_200 + 80 + 40 * 69 * 4 + 4 == 47_364
    # 25 x 10 + 25, 25 x 25 x 22, then 10 (25 50 + 50 100 + 100 200), batch norms 2 (25 + 50 + 100 + 200)
    body = 275 + 13_750 + 10 * (25 * 50 + 50 * 100 + 100 * 200) + 2 * 375
    # 1125 -> 1116 -> 372 -> 363 -> 121 -> 112 -> 37 -> 28 -> 9 steps of 200 features
    assert parameter_count(DeepConvNet(TRIAL, 4)) == body + 200 * 9 * 4 + 4 == 284_479


def test_conformer_size():
    front = (40 * 25 + 40) + (40 * 40 * 22 + 40) + 80 + (40 * 40 + 40)
    layer = 2 * 80 + 4 * (40 * 40 + 40) + (40 * 160 + 160) + (160 * 40 + 40)
    tokens = (1000 - 24 - 75) // 15 + 1
    dense = (40 * tokens * 256 + 256) + (256 * 32 + 32) + (32 * 4 + 4)
    model = EEGConformer((22, 1000), 4)
    assert parameter_count(model) == front + 6 * layer + dense == 789_572  # the paper says 0.79 million


def test_atcnet_size():
    front = 16 * 64 + 32 + 32 * 22 + 64 + 32 * 32 * 16 + 64
    attention = 64 + 3 * (32 * 16 + 16) + (16 * 32 + 32)
    causal = 2 * 2 * (32 * 32 * 4 + 32 + 64)
    expected = front + 5 * (attention + causal) + 160 * 4 + 4
    model = ATCNet(TRIAL, 4)
    assert parameter_count(model) == expected == 113_716
    running = sum(buffer.numel() for name, buffer in model.named_buffers() if "running" in name)
    assert expected + running + 4 * 4 == 115_172  # the authors' count; they have a bias for each of 5 windows


def test_p300_size():
    # 10 (64 + 1), 50 (10 x 13 + 1), 100 (50 x 6 + 1), 2 (100 + 1): 78 samples are 6 steps of 13
    assert parameter_count(P300CNN((64, 78), 2)) == 650 + 6_550 + 30_100 + 202 == 37_502


@pytest.mark.parametrize(("n_times", "length"), [(45, 8), (40, 8), (33, 5), (7, 16), (9, 1), (300, 64)])
def test_depthwise_is_a_grouped_convolution(n_times, length):
    torch.manual_seed(0)
    x, kernels = torch.randn(2, 3, n_times).double(), torch.randn(3, length).double()
    expected = F.conv1d(F.pad(x, ((length - 1) // 2, length // 2)), kernels[:, None], groups=3)
    torch.testing.assert_close(depthwise_same(x, kernels), expected)


@pytest.mark.parametrize(("n_times", "length"), [(45, 8), (33, 5), (7, 16), (9, 1), (200, 64)])
def test_moments_are_those_of_all_samples_seen(n_times, length):
    torch.manual_seed(0)
    x = torch.randn(3, 4, n_times).double() + 0.7
    padded = F.pad(x, ((length - 1) // 2, length // 2))
    seen = padded.unfold(2, length, 1).flatten(0, 2)  # (every place, length)
    mean, second = seen_moments(x, length)
    torch.testing.assert_close(mean, seen.mean(dim=0))
    torch.testing.assert_close(second, seen.T @ seen / len(seen))


def plain_bank(bank, n_channels):
    """Return the same layers in the order of the paper, each as torch has it."""
    n_filters, depth, _ = bank.spatial.shape
    length = bank.temporal.shape[1]
    layers = nn.Sequential(
        nn.ZeroPad2d(((length - 1) // 2, length // 2, 0, 0)),
        nn.Conv2d(1, n_filters, (1, length), bias=False),
        nn.BatchNorm2d(n_filters, eps=bank.norm.eps),
        nn.Conv2d(n_filters, n_filters * depth, (n_channels, 1), groups=n_filters, bias=False),
    ).double()
    layers[1].weight.data = bank.temporal.data.double().view_as(layers[1].weight)
    layers[2].load_state_dict(bank.norm.state_dict())
    layers[3].weight.data = bank.spatial.data.double().view_as(layers[3].weight)
    return layers


@pytest.mark.parametrize("training", [True, False])
def test_depthwise_bank_is_the_papers_layers_and_their_gradients(training):
    torch.manual_seed(0)
    bank = DepthwiseBank(6, 3, 16, 2, eps=1e-3).double().train(training)
    nn.init.uniform_(bank.norm.weight, 0.5, 2.0)
    nn.init.normal_(bank.norm.bias)
    plain = plain_bank(bank, 6).train(training)
    x = torch.randn(4, 6, 90).double().cumsum(dim=2).requires_grad_()
    again = x.detach().clone().requires_grad_()
    found, expected = bank(x), plain(again[:, None]).squeeze(2)
    torch.testing.assert_close(found, expected)
    found.pow(3).mean().backward()
    expected.pow(3).mean().backward()
    torch.testing.assert_close(x.grad, again.grad)
    torch.testing.assert_close(bank.temporal.grad, plain[1].weight.grad.view_as(bank.temporal))
    torch.testing.assert_close(bank.spatial.grad, plain[3].weight.grad.view_as(bank.spatial))
    torch.testing.assert_close(bank.norm.weight.grad, plain[2].weight.grad)
    torch.testing.assert_close(bank.norm.bias.grad, plain[2].bias.grad)
    for key, value in plain[2].state_dict().items():
        torch.testing.assert_close(bank.norm.state_dict()[key], value)


def test_depthwise_bank_keeps_its_digits_on_a_large_offset():
    torch.manual_seed(0)
    bank = DepthwiseBank(4, 3, 16, 2, eps=1e-3)
    bank.temporal.data -= bank.temporal.data.mean(dim=1, keepdim=True)  # blind to the offset but at the ends
    x = torch.randn(8, 4, 400) + 50
    plain = plain_bank(bank, 4)
    torch.testing.assert_close(bank(x), plain(x[:, None].double()).squeeze(2).float(), atol=2e-4, rtol=1e-4)


def test_filter_bank_is_two_convolutions_and_their_gradients():
    torch.manual_seed(0)
    bank = FilterBank(5, 3, 7, 4, spatial_bias=True).double()
    nn.init.normal_(bank.temporal_bias)
    nn.init.normal_(bank.spatial_bias)
    x = torch.randn(2, 5, 40).double()
    temporal, spatial = (weight.detach().clone().requires_grad_() for weight in (bank.temporal, bank.spatial))
    filtered = F.conv2d(x[:, None], temporal[:, None, None], bank.temporal_bias.detach())
    expected = F.conv2d(filtered, spatial[..., None], bank.spatial_bias.detach()).squeeze(2)
    found = bank(x)
    torch.testing.assert_close(found, expected)
    found.pow(2).sum().backward()
    expected.pow(2).sum().backward()
    torch.testing.assert_close(bank.temporal.grad, temporal.grad)
    torch.testing.assert_close(bank.spatial.grad, spatial.grad)


@pytest.mark.parametrize(
    ("n_times", "length", "step"), [(1101, 75, 15), (60, 20, 5), (20, 20, 5), (61, 20, 7), (9, 3, 3)]
)
def test_mean_pool_is_average_pooling(n_times, length, step):
    x = torch.randn(2, 3, n_times, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(mean_pool(x, length, step), F.avg_pool1d(x, length, step))


SHORTEST = [  # (2 - 1) x 4 + 4 etc: fewest samples that leave one step
    (EEGNet, {}, 32),
    (EEGNet, {"pools": (4, 2)}, 8),
    (ShallowConvNet, {}, 99),
    (DeepConvNet, {}, 441),
    (EEGConformer, {}, 99),
    (ATCNet, {}, 280),
    (P300CNN, {}, 13),
]


@pytest.mark.parametrize(("model", "arguments", "shortest"), SHORTEST)
def test_shortest_item_runs_and_one_sample_less_is_refused(model, arguments, shortest):
    made = model((3, shortest), 2, **arguments).eval()
    assert made(torch.randn(2, 3, shortest)).shape == (2, 2)
    with pytest.raises(NeuroloomError, match=f"at least {shortest} samples.*have {shortest - 1}"):
        model((3, shortest - 1), 2, **arguments)


@pytest.mark.parametrize("model", [EEGNet, ATCNet])
def test_norms_are_limited_and_small_ones_left(model):
    torch.manual_seed(0)
    made = model((5, 300), 3)
    with torch.no_grad():
        made.bank.spatial.normal_(std=3.0)
        made.bank.spatial[0] *= 1e-3
        made.head.weight.normal_(std=3.0)
    small = made.bank.spatial[0].clone()
    made.constrain()
    torch.testing.assert_close(made.bank.spatial[1:].norm(dim=2), torch.ones(made.bank.spatial[1:].shape[:2]))
    assert torch.equal(made.bank.spatial[0], small)
    torch.testing.assert_close(made.head.weight.norm(dim=1), torch.full((3,), 0.25))


def test_norms_can_be_left_free_and_a_fusion_takes_the_head():
    made = EEGNet((5, 300), 3, spatial_norm=None, head_norm=None)
    with torch.no_grad():
        made.bank.spatial.fill_(9.0)
    made.constrain()
    assert (made.bank.spatial == 9).all()
    LateFusion({"eeg": made}, 2)
    made.constrain()


def test_conformer_says_which_widths_fit():
    with pytest.raises(NeuroloomError, match="width 42 cannot be shared by 10 heads"):
        EEGConformer(TRIAL, 2, width=42)
