"""Noise of a stated spectrum: its variance, its spectrum, and no seams."""

import itertools

import numpy as np
import pytest
from scipy.signal import welch
from scipy.special import polygamma

from neuroloom.simulators.eeg_rhythms import FADE, STEP, aperiodic, band, coloured, degrees_of_freedom, peak


def drawn(density, n_rows, rate, n_steps, seed=0):
    return np.concatenate(
        list(itertools.islice(coloured(density, n_rows, rate, np.random.default_rng(seed)), n_steps)), axis=1
    )


def test_variance_is_the_integral_of_the_density_everywhere():
    noise = drawn(peak(20.0, 3.0), 400, 250.0, 3)
    independent = 400 * degrees_of_freedom(3.0, FADE / 250.0)
    for begin in (100, STEP, 2 * STEP, STEP + FADE):  # at seams, and far from them
        assert noise[:, begin : begin + FADE].var() == pytest.approx(1.0, abs=5 * np.sqrt(2 / independent))


def test_spectrum_is_the_density():
    density = aperiodic(1.4)
    frequencies, power = welch(drawn(density, 40, 200.0, 8), 200.0, nperseg=1024)
    kept = (frequencies > 2) & (frequencies < 90)
    n_averages = 40 * 2 * 8 * STEP / 1024
    np.testing.assert_allclose(power.mean(axis=0)[kept] / density(frequencies[kept]), 1.0, atol=6 / np.sqrt(n_averages))


def test_no_seam_is_rougher_than_the_rest():
    """The mean squared step of a random course, 2 (1 - correlation at lag 1) in units of the variance, at each place."""
    noise = drawn(peak(10.0, 1.0), 2000, 250.0, 2)
    squares = (np.diff(noise, axis=1) ** 2).mean(axis=0)
    assert squares[[STEP - 1, STEP - 2, STEP + FADE - 1]] == pytest.approx(
        squares[1000:7000].mean(), rel=5 * np.sqrt(2 / 2000)
    )


def test_backgrounds_have_variance_1_from_1_to_40_hz():
    f = np.linspace(1, 40, 4001)
    assert np.trapezoid(aperiodic(1.7)(f), f) == pytest.approx(1.0, abs=1e-3)
    assert np.log(aperiodic(1.7)(40.0) / aperiodic(1.7)(20.0)) / np.log(2) == pytest.approx(-1.7, abs=0.01)


def test_log_power_varies_as_its_degrees_of_freedom_say():
    n, rate, duration = 4000, 125.0, 4.0
    noise = drawn(peak(12.0, 1.0), n, rate, 1)[:, 2000 : 2000 + int(duration * rate)]
    measured = np.log((noise**2).mean(axis=1)).var()
    assert measured == pytest.approx(
        polygamma(1, degrees_of_freedom(1.0, duration) / 2), rel=0.12
    )  # ends of the window


def test_a_band_has_nothing_outside():
    frequencies, power = welch(drawn(band(20.0, 40.0, 250.0), 10, 250.0, 4), 250.0, nperseg=2048)
    outside = (frequencies < 18) | (frequencies > 42)
    assert power[:, outside].sum() < 1e-3 * power.sum()
    with np.errstate(all="raise"):
        assert next(coloured(band(20.0, 100.0, 128.0), 1, 128.0, np.random.default_rng(0))).std() == pytest.approx(
            1, abs=0.1
        )
