"""Time stamps: what an even clock is, what strays from it, and what is missing."""

import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.formats import read
from neuroloom.formats.clock import on_even_clock

RATE, N = 256, 5000
TIMES = 1.5e9 + np.arange(N) / RATE
SIGNAL = np.sin(2 * np.pi * 1.0 * np.arange(N) / RATE)[:, None]


def test_stamps_rounded_to_milliseconds_are_even():
    values, rate, filled = on_even_clock("a.csv", np.round(TIMES, 3), SIGNAL)
    assert values is SIGNAL
    assert filled == []
    assert rate == pytest.approx(RATE, rel=1e-3 / (N / RATE))  # the ends are rounded by half a millisecond each


def test_a_gap_is_refused_with_its_place_and_filled_where_asked():
    kept = np.r_[0:1000, 1013:N]
    with pytest.raises(
        NeuroloomError, match=r"a\.csv: .* 1 place, 0\.05078 s in all; .* comes 3\.90\d s after the start"
    ):
        on_even_clock("a.csv", TIMES[kept], SIGNAL[kept])
    values, rate, filled = on_even_clock("a.csv", TIMES[kept], SIGNAL[kept], fill_gaps=0.06)
    assert rate == pytest.approx(RATE, rel=1e-6)
    assert len(values) == N
    np.testing.assert_allclose(filled, [[1000 / RATE, 13 / RATE]], rtol=1e-6)
    np.testing.assert_array_equal(values[kept], SIGNAL[kept])  # what was measured stays as it is
    # a straight line strays from a sine by at most its curvature times the gap squared over 8
    most = (2 * np.pi) ** 2 * (14 / RATE) ** 2 / 8
    assert np.abs(values - SIGNAL).max() < most


def test_stamps_that_go_back_or_stand_still_are_refused():
    times = TIMES.copy()
    times[700] = times[699]
    with pytest.raises(
        NeuroloomError, match=r"1 of its time stamps are not later than the one before, the first in row 701"
    ):
        on_even_clock("a.csv", times, SIGNAL)


def test_a_clock_that_drifts_by_more_than_half_a_sample_is_uneven():
    bent = TIMES + 0.004 * np.sin(np.pi * np.arange(N) / N)  # strays by a whole sample, half of it to each side
    with pytest.raises(NeuroloomError, match="uneven: 256 Hz on average"):
        on_even_clock("a.csv", bent + 0.0004 * np.sin(np.arange(N) / 100), SIGNAL)


def test_a_csv_with_stamps_becomes_a_series_in_volts(tmp_path):
    path = tmp_path / "a.csv"
    rows = np.column_stack([np.round(TIMES, 3), 10 * SIGNAL, -10 * SIGNAL])
    np.savetxt(path, rows, delimiter=",", header="timestamps,TP9,Right AUX", comments="", fmt="%.6f")
    scan = read(path, time_column="timestamps", unit="uV")
    np.testing.assert_allclose(scan.data[0], 1e-5 * SIGNAL[:, 0], atol=1e-11)
    assert (scan.geometry["names"], scan.geometry["types"]) == (["TP9", "Right AUX"], ["eeg", "misc"])
    assert scan.geometry["unit"] == "V"
    assert read(path, time_column="timestamps", columns=["TP9"], unit="uV").data.shape == (1, N)
    with pytest.raises(NeuroloomError, match="beside sampling_rate"):
        read(path, time_column="timestamps", sampling_rate=256)
    with pytest.raises(NeuroloomError, match="Did you mean 'timestamps'"):
        read(path, time_column="timestamp")


@pytest.mark.real_data
def test_real_headbands_have_even_files_and_one_with_gaps(real_data):
    folder = real_data / "eeg" / "muse_mental_state"
    scan = read(folder / "subjecta-relaxed-1.csv", time_column="timestamps", unit="uV")
    assert scan.geometry["sampling_rate"] == pytest.approx(256, rel=1e-3)
    assert scan.data.shape == (5, 15204)
    with pytest.raises(NeuroloomError, match=r"missing in 9 places, .* longest gap, 700 s"):
        read(folder / "subjectb-relaxed-2.csv", time_column="timestamps", unit="uV", fill_gaps=0.1)
    filled = read(folder / "1sec_2.csv", time_column="timestamps", unit="uV", fill_gaps=0.1)
    assert len(filled.geometry["filled"]) > 0
