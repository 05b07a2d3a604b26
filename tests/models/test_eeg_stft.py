"""STFT + CNN: its spectra against scipy's, its size, and what it refuses."""

import numpy as np
import pytest
import torch
from scipy import signal

from neuroloom.errors import NeuroloomError
from neuroloom.models.eeg_stft import StftCNN
from neuroloom.models.network import parameter_count


def test_spectra_are_those_of_scipy():
    x = torch.randn(2, 3, 640, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    model = StftCNN((3, 640), 2, window=64).double()
    _, _, pieces = signal.stft(
        x.numpy(), window="hann", nperseg=64, noverlap=32, boundary=None, padded=False, detrend=False
    )
    taper = signal.get_window("hann", 64)
    power = np.abs(pieces[:, :, 1:]) ** 2 * taper.sum() ** 2 / (taper**2).sum()  # scipy scales by the sum of the window
    np.testing.assert_allclose(
        model.spectra(x).detach().numpy(), np.log(power + 1e-18).transpose(0, 1, 3, 2), atol=5e-5
    )  # the taper is kept in float32


def test_it_has_the_parameters_of_its_docstring():
    assert parameter_count(StftCNN((19, 1920), 2)) == 163_906


def test_a_slower_amplitude_is_seen_only_through_its_power():
    model = StftCNN((2, 640), 2, window=64).eval()
    x = torch.randn(4, 2, 640)
    torch.testing.assert_close(model(x), model(-x))


@pytest.mark.parametrize(
    ("shape", "arguments", "said"),
    [((2, 640), {"window": 63}, "even number"), ((2, 300), {"window": 64}, "at least 512 samples")],
)
def test_what_it_cannot_read_is_refused(shape, arguments, said):
    with pytest.raises(NeuroloomError, match=said):
        StftCNN(shape, 2, **arguments)
