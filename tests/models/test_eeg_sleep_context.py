"""Sleep stages in context: epochs are read one by one by the same encoder, and the answer knows the neighbours."""

import pytest
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.models.eeg_sleep import SleepContext
from neuroloom.models.network import parameter_count

SMALL = {"width": 8, "kernel_size": 8, "step": 2, "pools": (2, 2), "hidden": 5}
EPOCH = 60


def made(parts=5, seed=0, **more):
    torch.manual_seed(seed)
    return SleepContext((3, parts * EPOCH), 2, parts=parts, **{**SMALL, **more}).eval()


def night(n=4, parts=5, seed=1):
    return torch.randn(n, 3, parts * EPOCH, generator=torch.Generator().manual_seed(seed))


def shuffled(x, order):
    return x.unflatten(2, (len(order), -1))[:, :, order].flatten(2)


def test_the_size_that_the_docstring_gives():
    width, hidden = 48, 48
    convolutions = 6 * 32 * width + 3 * width * width * 8 + 4 * 2 * width  # without biases, a batch norm each
    recurrent = 2 * 3 * hidden * (width + hidden + 2)
    expected = convolutions + recurrent + (2 * hidden + 1) * width + (width + 1) * 5
    assert parameter_count(SleepContext((6, 9600), 5)) == expected == 98_021


def test_epochs_that_change_places_take_their_features_with_them():
    model, x, order = made(), night(), [3, 0, 4, 1, 2]
    torch.testing.assert_close(model.encode(shuffled(x, order)), model.encode(x)[:, order])


def test_an_epoch_is_encoded_as_if_it_were_alone():
    model, alone = made(), made(parts=1)
    alone.load_state_dict(model.state_dict())
    x = night()
    third = x[:, :, 2 * EPOCH : 3 * EPOCH]
    torch.testing.assert_close(model.encode(x)[:, 2], alone.encode(third)[:, 0])


@pytest.mark.parametrize("epoch", range(5))
def test_the_answer_hangs_on_every_epoch(epoch):
    x = night().requires_grad_()
    made()(x).square().sum().backward()
    assert x.grad[:, :, epoch * EPOCH : (epoch + 1) * EPOCH].abs().sum() > 0


@pytest.mark.parametrize(("parts", "learns"), [(3, True), (1, False)])
def test_what_only_the_neighbours_show_is_learned_with_context_alone(parts, learns):
    """Middle epochs are noise alike in both classes; before and after them a tone stands in one class, on one side each."""
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(400, 3, 3, EPOCH, generator=draw)  # (night, channel, epoch, time)
    truth = torch.arange(400) % 2
    tone = 2 * torch.sin(2 * torch.pi * torch.arange(EPOCH) / 6)
    x[truth == 1, :, 0] += tone
    x[truth == 0, :, 2] += tone
    items = (x if parts == 3 else x[:, :, 1:2]).flatten(2)
    model = made(parts, dropout=0.0).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(60):
        rows = torch.arange(200).roll(50 * step)[:50]
        loss = torch.nn.functional.cross_entropy(model(items[rows]), truth[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    right = (model.eval()(items[200:]).argmax(dim=1) == truth[200:]).float().mean()
    assert right > 0.95 if learns else abs(right - 0.5) < 4 * 0.5 / 200**0.5


@pytest.mark.parametrize(("time", "parts"), [(300, 4), (301, 5), (300, 0)])
def test_items_without_a_middle_are_refused(time, parts):
    with pytest.raises(NeuroloomError, match="sleep_context"):
        SleepContext((3, time), 2, parts=parts, **SMALL)
