import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.series_crop import CropSeries

SERIES = np.arange(200, dtype=np.float32).reshape(2, 100)


def test_lengths_in_seconds_and_in_samples():
    scan = Scan(SERIES, "series", {"sampling_rate": 0.5})
    np.testing.assert_array_equal(CropSeries(length_s=60)(scan).data, SERIES[:, :30])
    np.testing.assert_array_equal(CropSeries(n_timepoints=30)(Scan(SERIES, "series")).data, SERIES[:, :30])
    late = CropSeries(length_s=60, start_s=10)(scan)
    np.testing.assert_array_equal(late.data, SERIES[:, 5:35])
    assert late.geometry["start"] == 10


def test_what_cannot_be_cut_is_said():
    scan = Scan(SERIES, "series", {"sampling_rate": 0.5})
    with pytest.raises(NeuroloomError, match=r"samples 0 to 101 are asked, but the series has 100 \(200 s\)"):
        CropSeries(n_timepoints=101)(scan)
    with pytest.raises(NeuroloomError, match="needs the sampling rate"):
        CropSeries(length_s=60)(Scan(SERIES, "series"))
    with pytest.raises(NeuroloomError, match="one length"):
        CropSeries()
    with pytest.raises(NeuroloomError, match="above 0"):
        CropSeries(length_s=-5)
