"""Attribution over frequency: against automatic differentiation of the inverse transform, and Parseval's sum."""

import numpy as np
import pytest
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.explanation.spectrum import attribution_of_lines, lines_of


def network(x):
    return (torch.tanh(x[:, :, 3:] * x[:, :, :-3]).sum(dim=(1, 2)) + x.pow(3).mean(dim=(1, 2))).sum()


@pytest.mark.parametrize("n_times", [40, 41])
def test_lines_have_the_gradients_of_a_network_behind_an_inverse_transform(n_times):
    """The layer of Vielhaben et al. 2024 written out: real and imaginary parts are the inputs."""
    x = torch.as_tensor(np.random.default_rng(0).standard_normal((2, 3, n_times)))
    spectrum = torch.fft.rfft(x)
    parts = [part.clone().requires_grad_() for part in (spectrum.real, spectrum.imag)]
    slopes = torch.autograd.grad(network(torch.fft.irfft(torch.complex(*parts), n=n_times)), parts)
    expected = sum(part.detach() * slope for part, slope in zip(parts, slopes, strict=True))
    leaf = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(leaf), leaf)
    found = attribution_of_lines(slope, x)
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-8)
    torch.testing.assert_close(found.sum(dim=-1), (slope * x).sum(dim=-1), atol=1e-10, rtol=1e-8)


def test_a_filter_of_one_frequency_has_all_of_it_there():
    times = torch.arange(128, dtype=torch.float64) / 128  # a second
    filtered = torch.cos(2 * np.pi * 9 * times + 0.4)
    x = filtered + torch.cos(2 * np.pi * 20 * times)
    lines = lines_of("x", 128, 128.0, 1.0, 40.0, 1.0)
    found = lines.added(attribution_of_lines(filtered[None], x[None]))[0].numpy()
    assert lines.edges[8] == pytest.approx(8.5)
    np.testing.assert_allclose(found[8], 64.0)  # the filter's energy
    np.testing.assert_allclose(np.delete(found, 8), 0, atol=1e-9)


def test_columns_are_no_narrower_than_lines_are_apart():
    lines = lines_of("x", 51, 64.0, 1.0, 45.0, 1.0)  # 0.8 s: lines 1.25 Hz apart, up to 32 Hz
    assert (lines.together, lines.first, lines.n) == (1, 1, 25)
    np.testing.assert_allclose(np.diff(lines.edges), 64 / 51)
    wide = lines_of("x", 400, 100.0, 1.0, 45.0, 2.0)
    np.testing.assert_allclose(wide.edges[:3], [0.875, 2.875, 4.875])
    assert wide.edges[-1] <= 45.125
    values = torch.arange(201.0)
    assert wide.added(values)[0] == 4 + 5 + 6 + 7 + 8 + 9 + 10 + 11
    assert wide.spread(torch.ones(wide.n), 0.0).sum() == 8 * wide.n


def test_items_too_short_for_two_columns_are_refused():
    with pytest.raises(NeuroloomError, match=r"lines are 5 Hz apart. Use longer items"):
        lines_of("amplitude_perturbation", 20, 100.0, 1.0, 9.0, 1.0)
