"""Cut all series to one length, on the recipe's word: scans of different length are never cut silently."""

from dataclasses import dataclass

from neuroloom.errors import NeuroloomError
from neuroloom.formats import spacious
from neuroloom.scan import Scan
from neuroloom.transforms.series_regions import check_series, sampling_rate


@dataclass(frozen=True)
class CropSeries:
    """Keep a stretch of each series.

    Parameters
    ----------
    length_s : float or None
        Length to keep, in s; sites that sample at other rates then keep different numbers of samples.
    n_timepoints : int or None
        Length to keep, in samples. Exactly one of the two lengths is given.
    start_s : float
        What is cut off at the start, in s (for example until the magnetisation is steady).
    """

    length_s: float | None = None
    n_timepoints: int | None = None
    start_s: float = 0.0

    causal = False

    def __post_init__(self):
        if (self.length_s is None) == (self.n_timepoints is None):
            raise NeuroloomError("crop_series needs one length: length_s (s), or n_timepoints.")
        if min(self.length_s or 1, self.n_timepoints or 1) <= 0 or self.start_s < 0:
            raise NeuroloomError("crop_series: the length must be above 0 and start_s must not be below 0.")

    def __call__(self, scan: Scan) -> Scan:
        check_series(scan, "crop_series")
        n, first = self._samples(scan)
        last = first + n
        if n < 2 or last > scan.data.shape[1]:
            rate = scan.geometry.get("sampling_rate")
            seconds = f" ({scan.data.shape[1] / rate:g} s)" if rate else ""
            raise NeuroloomError(
                f"crop_series: samples {first} to {last} are asked, but the series has {scan.data.shape[1]}{seconds}. "
                "Ask for a shorter stretch, or leave the scan out."
            )
        start = scan.geometry.get("start", 0.0) + self.start_s
        told = {"start": start} if self.start_s else {}
        if "events" in scan.geometry:
            rate = sampling_rate(scan, "crop_series")
            told["events"] = cropped_events(scan.geometry["events"], first / rate, last / rate)
        return scan.with_data(stretch(scan.data, first, last), **told)

    def _samples(self, scan):
        """Return how many samples are kept, and the number of the first."""
        if self.length_s is None and self.start_s == 0:
            return self.n_timepoints, 0
        rate = sampling_rate(scan, "crop_series")
        n = self.n_timepoints if self.length_s is None else round(self.length_s * rate)
        return n, round(self.start_s * rate)


def stretch(data, first, last):
    """Return samples ``first`` to ``last`` (excluded) of a series (region, time)."""
    kept = spacious.empty((len(data), last - first), data.dtype)
    for some in spacious.blocks(last - first, len(data)):
        kept[:, some] = data[:, first + some.start : first + some.stop]
        spacious.let_go(kept)
        spacious.let_go(data)
    return kept


def cropped_events(events, start, stop):
    """Return the events [onset s, duration s, label] that reach into a stretch (s), counted from its start.

    What of an event lies outside is cut off; an event without a duration stays where its onset lies inside.
    """
    inside = [one for one in events if one[0] < stop and (one[0] >= start or one[0] + one[1] > start)]
    ends = [(max(onset, start), min(onset + duration, stop), label) for onset, duration, label in inside]
    return [[begin - start, end - begin, label] for begin, end, label in ends]
