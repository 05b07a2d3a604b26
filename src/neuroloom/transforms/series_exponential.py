"""Each channel against its own recent past: the running mean and spread of decoding from single trials."""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.series_channels import check_amount, check_finite, names_of, recording
from neuroloom.transforms.series_walk import by_block


@dataclass(frozen=True)
class ExponentialStandardize:
    """Take away a running mean of each channel, and divide by its running standard deviation.

    As for decoding with deep networks (Schirrmeister 2017, doi:10.1002/hbm.23730).

    The past is weighted by (1 - factor)^age, the weights adding to 1 from the first sample on. Nothing looks
    into the future, so that the first seconds are rough.

    Parameters
    ----------
    factor : float
        Weight of the newest sample, between 0 and 1. The memory is 1 / factor samples, 4 s at 250 Hz for 0.001.
    least : float
        Smallest standard deviation that is divided by, in the unit of the recording (V: 1e-10 is 0.0001 microvolts).
    """

    factor: float = 1e-3
    least: float = 1e-10

    causal = True

    def __post_init__(self):
        check_amount("exponential_standardize", factor=self.factor, least=self.least)
        if self.factor >= 1:
            raise NeuroloomError(f"exponential_standardize: factor must lie below 1, but is {self.factor:g}.")

    def __call__(self, scan: Scan) -> Scan:
        scan = recording(scan, "exponential_standardize")
        stream = self.stream(scan.geometry)
        return Scan(by_block(scan.data, stream), scan.kind, stream.geometry)

    def stream(self, geometry):
        """Return what standardizes a live stream of this geometry, chunk by chunk (channel, n)."""
        names_of(geometry, "exponential_standardize")
        return ExponentialStream(self.factor, self.least, geometry)


class ExponentialStream:
    """Standardize chunks (channel, n) by their past, which is kept as two running sums a channel."""

    def __init__(self, factor, least, geometry):
        self.factor, self.least = factor, least
        self.came = geometry
        self.geometry = {**geometry, "unit": "standard deviations"}
        self.seen = 0
        self.sums = np.zeros((2, len(geometry["names"]), 1))  # of values, of squares

    def __call__(self, chunk):
        if chunk.shape[1] == 0:
            return np.array(chunk, dtype=np.float32)
        check_finite(chunk, self.came, "exponential_standardize")
        forget = 1 - self.factor
        ages = np.arange(self.seen + 1, self.seen + chunk.shape[1] + 1)
        weights = -np.expm1(ages * np.log(forget)) / self.factor  # sum of (1 - factor)^age so far
        self.seen += chunk.shape[1]
        away = chunk.astype(np.float64)
        away -= self._sum(0, away) / weights
        spread = np.sqrt(self._sum(1, away**2) / weights)
        return (away / np.maximum(spread, self.least)).astype(np.float32)

    def _sum(self, which, values):
        """Return the running sum of values (channel, n), each sample forgetting the one before by a factor."""
        forget = 1 - self.factor
        sums, kept = signal.lfilter([1.0], [1.0, -forget], values, axis=1, zi=self.sums[which])
        self.sums[which] = kept
        return sums
