"""Filter a recording: keep a band of frequencies, take out the mains; without delay, or as it can be done live."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.scan import Scan
from neuroloom.transforms.series_channels import (
    as_list,
    check_amount,
    check_finite,
    names_of,
    recording,
    types_of,
)
from neuroloom.transforms.series_regions import rate_in, sampling_rate
from neuroloom.transforms.series_sections import SectionsStream, butterworth, forward_backward, least_padding, notches
from neuroloom.transforms.series_walk import by_block, by_channel

FORMS = ("zero_phase", "causal")


@dataclass(frozen=True)
class Filter:
    """Keep a band of frequencies of each channel, and take out single ones.

    Channels of type misc (triggers, for instance) are left as they are. A channel that is marked as bad may
    hold NaN; elsewhere NaN are an error.

    Parameters
    ----------
    high_pass, low_pass : float or None
        Edges of the pass band in Hz (Butterworth).
    notch : float or list of float
        Frequencies to take out, in Hz, for example [50, 100].
    notch_width : float
        Width of a notch in Hz, at -3 dB.
    order : int
        Of the Butterworth filter, at each edge.
    form : {"zero_phase", "causal"}
        ``zero_phase`` goes forward and backward: no delay, -6 dB at the edges (each pass takes 3), and it looks
        into the future. ``causal`` goes forward alone, with a delay, as a live stream must.
    """

    high_pass: float | None = None
    low_pass: float | None = None
    notch: float | Sequence[float] = ()
    notch_width: float = 2.0
    order: int = 4
    form: str = "zero_phase"

    causal_way_out = "use form: causal"

    def __post_init__(self):
        check_known("form of filter", self.form, FORMS)
        check_amount("filter", high_pass=self.high_pass, low_pass=self.low_pass, notch_width=self.notch_width)
        for one in as_list(self.notch):
            check_amount("filter", notch=one)
        if isinstance(self.order, bool) or not isinstance(self.order, int) or self.order < 1:
            raise NeuroloomError(f"filter: order must be a whole number above 0, but is {self.order!r}.")
        if self.high_pass is None and self.low_pass is None and not as_list(self.notch):
            raise NeuroloomError("filter needs high_pass, low_pass or notch (Hz).")

    @property
    def causal(self):
        return self.form == "causal"

    def __call__(self, scan: Scan) -> Scan:
        scan = recording(scan, "filter")
        if self.causal:
            return scan.with_data(by_block(scan.data, self.stream(scan.geometry)))
        sections = self.sections(sampling_rate(scan, "filter"))
        padding = self._padding(sections, scan)
        check_finite(scan.data, scan.geometry, "filter")
        made = by_channel(
            scan.data, lambda channel: forward_backward(sections, channel, padding), chosen=filtered(scan.geometry)
        )
        return scan.with_data(made)

    def stream(self, geometry):
        """Return what filters a live stream of this geometry, chunk by chunk (channel, n)."""
        names_of(geometry, "filter")
        return SectionsStream(self.sections(rate_in(geometry, "filter")), geometry, filtered(geometry), "filter")

    def sections(self, rate):
        """Return the filter as second-order sections, shape (n, 6)."""
        made = notches("filter", rate, as_list(self.notch), self.notch_width)
        if self.high_pass is None and self.low_pass is None:
            return made
        return np.concatenate([butterworth("filter", rate, self.high_pass, self.low_pass, self.order), made])

    def _padding(self, sections, scan):
        """Return the samples that continue each end: a period of the lowest edge, so that drifts start smoothly."""
        n, least = scan.data.shape[1], least_padding(sections)
        if n <= least:
            raise NeuroloomError(f"filter: the series has {n} samples, and this filter needs more than {least}.")
        slowest = min(edge for edge in (self.high_pass, self.low_pass, *as_list(self.notch)) if edge is not None)
        return min(n - 1, max(least, round(sampling_rate(scan, "filter") / slowest)))


def filtered(geometry):
    """Return which channels are filtered: all but those of type misc."""
    return np.array([kind != "misc" for kind in types_of(geometry)])
