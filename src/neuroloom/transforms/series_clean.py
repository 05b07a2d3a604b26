"""Clean regional series: trend, band of frequencies, global signal, scale."""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.series_regions import LEAST_CHANGE, check_series, constant_regions, named, sampling_rate
from neuroloom.transforms.series_sections import butterworth, least_padding

ORDER = 5  # of the Butterworth filter, as in nilearn


@dataclass(frozen=True)
class CleanSeries:
    """Remove trend, frequencies and global signal from each region's series, in this order, and scale it.

    A region that never changes stays so (all zeros), and is named in ``geometry["constant_regions"]``; a
    region with a NaN becomes all NaN.

    Parameters
    ----------
    detrend : bool
        Take away the best straight line (and the mean).
    high_pass, low_pass : float or None
        Edges of the pass band in Hz; Butterworth of order 5, forward and backward (no shift in time).
    global_signal : bool
        Take away what the mean over regions explains of each region.
    standardize : bool
        Divide by the standard deviation (n - 1 in its denominator), after taking away the mean.
    """

    detrend: bool = True
    high_pass: float | None = None
    low_pass: float | None = None
    global_signal: bool = False
    standardize: bool = True

    causal = False

    def __call__(self, scan: Scan) -> Scan:
        check_series(scan, "clean_series")
        constant = constant_regions(scan.data)
        data = scan.data.astype(np.float64)
        if self.detrend:
            data = without_line(data)
            constant |= np.ptp(data, axis=1) <= LEAST_CHANGE * np.abs(scan.data).max(axis=1)  # a mere line
        data[constant] = 0.0  # rounding must not become a signal
        if self.high_pass is not None or self.low_pass is not None:
            data = band_pass(data, sampling_rate(scan, "clean_series"), self.high_pass, self.low_pass)
        if self.global_signal:
            data = without_global_signal(data, ~constant)
        if self.standardize:
            data = scaled(data, constant)
        return scan.with_data(data.astype(np.float32), constant_regions=named(scan, constant))


def without_line(data):
    """Return series (region, time) without the straight line that fits each best."""
    time = np.arange(data.shape[1], dtype=np.float64)
    time -= time.mean()
    data = data - data.mean(axis=1, keepdims=True)
    return data - np.outer(data @ time / max(time @ time, 1.0), time)


def band_pass(data, rate, high_pass, low_pass, asker="clean_series"):
    """Return series (region, time) without what lies below ``high_pass`` or above ``low_pass`` (Hz); errors name the asker."""
    sections = butterworth(asker, rate, high_pass, low_pass, ORDER)
    least = least_padding(sections)
    if data.shape[1] <= least:
        raise NeuroloomError(
            f"{asker}: the series has {data.shape[1]} samples, and this filter needs more than {least}. "
            "Leave the filter or the scan out."
        )
    return signal.sosfiltfilt(sections, data, axis=1)


def without_global_signal(data, regions):
    """Return series (region, time) without what the mean over ``regions`` (mask) explains of each."""
    mean = np.nanmean(data[regions], axis=0) if regions.any() else np.zeros(data.shape[1])
    mean = mean - mean.mean()
    power = mean @ mean
    return data if power == 0 else data - np.outer(data @ mean / power, mean)


def scaled(data, constant):
    """Return series (region, time) of mean 0 and standard deviation 1; constant ones are left as they are."""
    data = data - data.mean(axis=1, keepdims=True)
    spread = data.std(axis=1, ddof=1, keepdims=True)
    spread[constant] = 1.0
    return data / spread
