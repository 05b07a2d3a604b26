"""Find the channels that measure badly, say why, and mark, interpolate or drop them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.known import check_known
from neuroloom.scan import Scan
from neuroloom.transforms.series_channel_quality import DRIFTS, WINDOW, channel_quality, robust_z
from neuroloom.transforms.series_channels import as_list, bad_of, check_amount, eeg_channels, kept, names_of, recording
from neuroloom.transforms.series_mixing import Mixing, mixed
from neuroloom.transforms.series_regions import constant_regions, sampling_rate, unknown_regions
from neuroloom.transforms.series_splines import positions_of, spline_matrix

RULES = ("flat", "deviation", "correlation", "noise")
DOINGS = ("mark", "interpolate", "drop")
FLAT = 1e-3  # of the median channel's amplitude
LEAST_CHANNELS = 5  # to say which of them stands out


@dataclass(frozen=True)
class BadChannels:
    """Find bad EEG channels by the rules of the PREP pipeline (Bigdely-Shamlo 2015, doi:10.3389/fninf.2015.00016).

    A channel with NaN is bad in any case, and so is what the file marks. All rules but ``flat`` compare
    the channels with each other, above 1 Hz, and need five. ``deviation`` and ``noise`` judge logarithms, and
    with z = 5 nothing stands out that is not at least half or twice the others.

    Parameters
    ----------
    rules : list of {"flat", "deviation", "correlation", "noise"}
        ``flat``: most seconds have under a thousandth of the median channel's amplitude. ``deviation``: the
        amplitude lies more than ``largest_z`` robust standard deviations from the others'. ``correlation``: in
        more than ``windows`` of all seconds no other channels are alike (98th percentile of the absolute
        correlations below ``least_correlation``). ``noise``: what lies above 50 Hz is larger, beside what lies
        below, by more than ``largest_z`` (only where sampled above 110 Hz). [] finds none of its own.
    do : {"mark", "interpolate", "drop"}
        ``mark``: they stand in ``geometry["bad"]`` with the reason, and later steps leave them out.
        ``interpolate``: they are given anew by spherical splines (Perrin 1989,
        doi:10.1016/0013-4694(89)90180-6) from the good ones, and stand in ``geometry["interpolated"]``. ``drop``:
        they are left out, and stand in ``geometry["dropped"]``.
    largest_z : float
    least_correlation : float
    windows : float
        Part of the seconds, between 0 and 1. PREP takes 0.01, by which one second in 30 makes a channel bad.
    """

    rules: Sequence[str] = RULES
    do: str = "mark"
    largest_z: float = 5.0
    least_correlation: float = 0.4
    windows: float = 0.05

    causal_way_out = "name the bad channels in the stream's geometry, and use rules: []"

    def __post_init__(self):
        for rule in as_list(self.rules):
            check_known("rule of bad_channels", rule, RULES)
        check_known("way to treat bad channels", self.do, DOINGS)
        check_amount("bad_channels", largest_z=self.largest_z, least_correlation=self.least_correlation)
        if isinstance(self.windows, bool) or not 0 <= float(self.windows) < 1:
            raise NeuroloomError(f"bad_channels: windows must lie between 0 and 1, but is {self.windows!r}.")

    @property
    def causal(self):
        return not as_list(self.rules)

    def __call__(self, scan: Scan) -> Scan:
        scan = recording(scan, "bad_channels")
        bad = {**bad_of(scan.geometry), **self._unusable(scan)}
        if as_list(self.rules):
            bad |= self._found(scan, bad)
        if not bad or self.do == "mark":
            return scan.with_data(scan.data, bad=bad)
        return mixed(scan, self.stream({**scan.geometry, "bad": bad}))

    def stream(self, geometry):
        """Return what treats the channels that ``geometry["bad"]`` names in a live stream (channel, n)."""
        names, bad = names_of(geometry, "bad_channels"), bad_of(geometry)
        whole = np.eye(len(names))
        if self.do == "mark" or not bad:
            return Mixing(whole, {**geometry, "bad": bad})
        good = [place for place, name in enumerate(names) if name not in bad]
        if self.do == "drop":
            told = {"dropped": {**geometry.get("dropped", {}), **bad}}
            return Mixing(whole[good], {**kept(geometry, good), **told})
        return Mixing(*self._interpolated(geometry, whole, bad))

    def _interpolated(self, geometry, whole, bad):
        """Return the matrix and geometry that give bad EEG channels from the good ones."""
        eeg, sources = eeg_channels(geometry, "bad_channels"), eeg_channels(geometry, "bad_channels", with_bad=False)
        lost = np.setdiff1d(eeg, sources)
        if 2 * len(lost) > len(eeg):
            raise NeuroloomError(
                f"bad_channels: {len(lost)} of {len(eeg)} EEG channels are bad, too many to interpolate: "
                f"{told_bad(bad)}. Leave the recording out."
            )
        places = positions_of(geometry, np.concatenate([sources, lost]), "bad_channels: interpolate")
        whole[lost] = 0
        whole[np.ix_(lost, sources)] = spline_matrix(places[: len(sources)], places[len(sources) :])
        now = {geometry["names"][place] for place in lost}
        told = {**geometry.get("interpolated", {}), **{name: why for name, why in bad.items() if name in now}}
        still = {name: why for name, why in bad.items() if name not in now}
        geometry = kept(geometry, range(len(whole)))
        return whole, {**geometry, "bad": still, "interpolated": told}

    def _unusable(self, scan):
        """Return the channels of any type with values that are no numbers, with the reason."""
        unknown = unknown_regions(scan.data)
        return {name: "not a number" for name, lost in zip(scan.geometry["names"], unknown, strict=True) if lost}

    def _found(self, scan, bad):
        """Return name -> reason of the EEG channels that the rules find among those that are not yet bad."""
        channels = eeg_channels({**scan.geometry, "bad": bad}, "bad_channels", with_bad=False)
        constant = constant_regions(scan.data)[channels]
        names = np.array([scan.geometry["names"][place] for place in channels])
        reasons = {}
        if "flat" in self.rules:
            reasons |= dict.fromkeys(names[constant].tolist(), "flat: it never changes")
        names, channels = names[~constant], channels[~constant]
        quality = channel_quality(scan.data, self._checked_rate(scan, len(channels)), channels)
        for rule in as_list(self.rules):
            told = getattr(self, f"_{rule}")(quality)
            reasons |= {
                name: f"{rule}: {why}"
                for name, why in zip(names.tolist(), told, strict=True)
                if why and name not in reasons
            }
        return reasons

    def _checked_rate(self, scan, n_channels):
        """Return the sampling rate, or raise where nothing can be compared."""
        rate, n = sampling_rate(scan, "bad_channels"), scan.data.shape[1]
        if n < WINDOW * rate or rate <= 2 * DRIFTS:
            raise NeuroloomError(
                f"bad_channels compares seconds of signal above {DRIFTS:g} Hz, but this recording has {n / rate:.3g} s "
                f"at {rate:g} Hz. Use rules: [], or leave it out."
            )
        comparing = [rule for rule in as_list(self.rules) if rule != "flat"]
        if comparing and n_channels < LEAST_CHANNELS:
            raise NeuroloomError(
                f"bad_channels: {listed(comparing)} compare channels with each other and need {LEAST_CHANNELS} good "
                f"EEG channels; this recording has {n_channels}. Use rules: [flat]."
            )
        return rate

    def _flat(self, quality):
        least = FLAT * np.median(quality.amplitude)
        return ["most seconds without a signal" if one < least else "" for one in quality.amplitude]

    def _deviation(self, quality):
        z = robust_z(np.maximum(quality.amplitude, 1e-30))
        return [f"amplitude z = {one:.1f}" if abs(one) > self.largest_z else "" for one in z]

    def _correlation(self, quality):
        share = (quality.agreement < self.least_correlation).mean(axis=0)
        return [f"like no other in {100 * one:.0f} % of seconds" if one > self.windows else "" for one in share]

    def _noise(self, quality):
        if quality.noise is None:
            return [""] * len(quality.amplitude)
        z = robust_z(np.maximum(quality.noise, 1e-30))
        return [f"above 50 Hz, z = {one:.1f}" if one > self.largest_z else "" for one in z]


def told_bad(bad):
    """Return bad channels with their reasons as words."""
    return listed([f"{name} ({why})" for name, why in bad.items()], 12)
