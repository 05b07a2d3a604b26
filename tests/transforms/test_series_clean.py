import numpy as np
import pytest
from nilearn import signal

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.series_clean import CleanSeries

BAND = {"high_pass": 0.01, "low_pass": 0.1}


def scan(data, period=2.0, **geometry):
    geometry = {"sampling_rate": 1 / period, **geometry} if period else geometry
    return Scan(np.asarray(data, dtype=np.float32), "series", geometry)


@pytest.fixture
def walk():
    """Return random walks around a level and a line, (region, time)."""
    rng = np.random.default_rng(0)
    return 100 + np.linspace(0, 3, 150) + np.cumsum(rng.standard_normal((6, 150)), axis=1)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"detrend": False}, {"detrend": False}),
        ({"standardize": False}, {"standardize": None}),
        (BAND, {**BAND, "filter": "butterworth"}),
        ({"low_pass": 0.1}, {"low_pass": 0.1, "filter": "butterworth"}),
        ({"high_pass": 0.01}, {"high_pass": 0.01, "filter": "butterworth"}),
    ],
)
def test_same_numbers_as_nilearn(walk, ours, theirs):
    arguments = {"detrend": True, "standardize": "zscore_sample", "filter": False, "t_r": 2.0, **theirs}
    data = scan(walk).data.astype(np.float64)
    expected = signal.clean(data.T, **arguments).T
    np.testing.assert_allclose(CleanSeries(**ours)(scan(walk)).data, expected, atol=2e-5 * np.abs(expected).max())


def test_global_signal_is_taken_out_as_nilearn_takes_a_confound_out(walk):
    data = scan(walk).data.astype(np.float64)
    detrended = signal.clean(data.T, detrend=True, standardize=None, filter=False).T
    expected = signal.clean(
        data.T, confounds=detrended.mean(axis=0)[:, None], detrend=True, standardize="zscore_sample", filter=False,
        standardize_confounds=False,
    ).T  # fmt: skip
    cleaned = CleanSeries(global_signal=True)(scan(walk)).data
    np.testing.assert_allclose(cleaned, expected, atol=1e-4)


@pytest.mark.parametrize(("hz", "left"), [(0.05, 1.0), (0.2, 0.0), (0.002, 0.0)])
def test_a_sine_passes_only_inside_the_band(hz, left):
    time = np.arange(600) * 2.0
    sine = np.sin(2 * np.pi * hz * time)[None]
    cleaned = CleanSeries(high_pass=0.01, low_pass=0.1, detrend=False, standardize=False)(scan(sine)).data[0, 150:-150]
    assert np.abs(cleaned - left * sine[0, 150:-150]).max() < 0.02


def test_constant_regions_stay_constant_and_are_named(walk):
    walk[1], walk[4] = 0.1, np.linspace(10, 20, 150)  # a level, and a mere line
    cleaned = CleanSeries(low_pass=0.1, global_signal=True)(scan(walk, names=list("abcdef")))
    assert cleaned.geometry["constant_regions"] == ["b", "e"]
    assert not cleaned.data[[1, 4]].any()
    np.testing.assert_allclose(cleaned.data[[0, 2, 3, 5]].std(axis=1, ddof=1), 1, rtol=1e-5)


def test_nan_stays_in_its_region(walk):
    walk[2, 10] = np.nan
    cleaned = CleanSeries(low_pass=0.1, global_signal=True)(scan(walk)).data
    assert np.isnan(cleaned).all(axis=1).tolist() == [False, False, True, False, False, False]
    assert not np.isnan(np.delete(cleaned, 2, axis=0)).any()


def test_what_is_missing_or_impossible_is_said(walk):
    with pytest.raises(NeuroloomError, match="sampling_period"):
        CleanSeries(low_pass=0.1)(scan(walk, period=None))
    with pytest.raises(NeuroloomError, match=r"between 0 and 0.25 Hz \(Nyquist\)"):
        CleanSeries(low_pass=0.3)(scan(walk))
    with pytest.raises(NeuroloomError, match="in this order"):
        CleanSeries(low_pass=0.01, high_pass=0.1)(scan(walk))
    with pytest.raises(NeuroloomError, match="20 samples, and this filter needs more than 33"):
        CleanSeries(low_pass=0.1, high_pass=0.01)(scan(walk[:, :20]))
    with pytest.raises(NeuroloomError, match="series"):
        CleanSeries()(Scan(np.zeros(4), "table"))
