"""Another sampling rate: without delay from the whole recording, or by leaving samples out of a live stream."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import signal

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.scan import Scan
from neuroloom.transforms.series_channels import check_amount, check_finite, names_of, recording
from neuroloom.transforms.series_regions import rate_in, sampling_rate
from neuroloom.transforms.series_sections import SectionsStream, butterworth
from neuroloom.transforms.series_walk import by_block, by_channel

FORMS = ("zero_phase", "causal")
PASSED = 0.8  # of the lower Nyquist frequency: what lies below is kept
ATTENUATION = 80.0  # dB, from the lower Nyquist frequency on
CAUSAL_ORDER = 8
LARGEST = 10_000  # of the two whole numbers that the rates' ratio is made of
MOST = 2.0  # times the old rate


@dataclass(frozen=True)
class ResampleSeries:
    """Bring a recording to another sampling rate; events stay where they are, in s.

    The new series starts with the old one, at 0 s, and holds round(n * rate / old rate) samples.

    Parameters
    ----------
    rate : float
        Hz; at most twice that of the recording.
    form : {"zero_phase", "causal"}
        ``zero_phase``: a symmetric low-pass (Kaiser window) that keeps what lies below 0.8 of the lower Nyquist
        frequency, and holds what lies above that frequency 80 dB down; it looks into the future. ``causal``: a
        Butterworth low-pass of order 8 at 0.8 of the new Nyquist frequency, with its delay, then every k-th
        sample; the old rate must be k times the new one.
    """

    rate: float
    form: str = "zero_phase"

    causal_way_out = "use form: causal"

    def __post_init__(self):
        check_known("form of resample_series", self.form, FORMS)
        check_amount("resample_series", rate=self.rate)

    @property
    def causal(self):
        return self.form == "causal"

    def __call__(self, scan: Scan) -> Scan:
        scan = recording(scan, "resample_series")
        old, n = sampling_rate(scan, "resample_series"), scan.data.shape[1]
        if old == self.rate:
            return scan
        if self.causal:
            stream = self.stream(scan.geometry)
            return Scan(by_block(scan.data, stream, n_times=-(-n // stream.step)), scan.kind, stream.geometry)
        self._check_not_above(old)
        check_finite(scan.data, scan.geometry, "resample_series")
        length = round(n * self.rate / old)
        ratio = Fraction(self.rate / old).limit_denominator(LARGEST)
        up, down, window = ratio.numerator, ratio.denominator, low_pass_window(ratio)
        made = by_channel(scan.data, lambda channel: resampled(channel, up, down, window)[:length], length)
        return scan.with_data(made, sampling_rate=float(self.rate))

    def stream(self, geometry):
        """Return what resamples a live stream of this geometry, chunk by chunk (channel, n)."""
        names_of(geometry, "resample_series")
        old = rate_in(geometry, "resample_series")
        step = round(old / self.rate)
        if step < 1 or not np.isclose(step * self.rate, old, rtol=1e-9):
            raise NeuroloomError(
                f"resample_series: form causal keeps every k-th sample, and {old:g} Hz is no multiple of "
                f"{self.rate:g} Hz. Choose {', '.join(f'{old / k:g}' for k in (2, 3, 4, 5))} Hz or another such rate."
            )
        return DecimateStream(geometry, old, step)

    def _check_not_above(self, old):
        if self.rate > MOST * old:
            raise NeuroloomError(
                f"resample_series: {self.rate:g} Hz is more than twice the recording's {old:g} Hz, and would hold "
                f"nothing above {old / 2:g} Hz all the same. Is rate meant in Hz?"
            )


def low_pass_window(ratio):
    """Return the symmetric low-pass, at the rate between the two, of a ratio new rate / old rate (a Fraction)."""
    finest = max(ratio.numerator, ratio.denominator)
    n_taps, beta = signal.kaiserord(ATTENUATION, (1 - PASSED) / finest)
    return signal.firwin(n_taps | 1, (1 + PASSED) / 2 / finest, window=("kaiser", beta))


def resampled(channel, up, down, window):
    """Return one channel (time,) at up / down times its rate; the ends are continued by the line between them."""
    return signal.resample_poly(channel, up, down, window=window, padtype="line")


class DecimateStream:
    """Keep every ``step``-th sample of chunks (channel, n), after a low-pass whose state is kept."""

    def __init__(self, geometry, old, step):
        self.step, self.seen = step, 0
        self.geometry = {**geometry, "sampling_rate": old / step}
        self.low_pass = None
        if step > 1:
            sections = butterworth("resample_series", old, None, PASSED * old / step / 2, CAUSAL_ORDER)
            everywhere = np.ones(len(geometry["names"]), dtype=bool)
            self.low_pass = SectionsStream(sections, geometry, everywhere, "resample_series")

    def __call__(self, chunk):
        if self.low_pass is not None:
            chunk = self.low_pass(chunk)
        first = -self.seen % self.step
        self.seen += chunk.shape[1]
        return np.asarray(chunk[:, first :: self.step], dtype=np.float32)
