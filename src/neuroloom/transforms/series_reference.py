"""The reference of a recording: what the voltages are measured against."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.series_channels import (
    as_list,
    bad_of,
    eeg_channels,
    kept,
    names_of,
    recording,
)
from neuroloom.transforms.series_mixing import Mixing, mixed
from neuroloom.transforms.series_pick import place_of
from neuroloom.transforms.series_rank import measured_rank
from neuroloom.transforms.series_splines import rest_matrix

NAMED = ("average", "rest")


@dataclass(frozen=True)
class Reference:
    """Measure the EEG channels against another reference; channels of other types stay as they are.

    A bad channel has no part in the reference, but gets it too (with ``rest``, the average). How many EEG channels
    are linearly independent afterwards is told in ``geometry["rank"]``: at least one is lost, and what needs
    full rank (a covariance to be inverted, a tangent space) must know.

    Parameters
    ----------
    to : str or list of str
        ``average`` of the good EEG channels; a channel's name; several names, whose mean is taken (the two
        mastoids, for instance); or ``rest``, the point at infinity by a spherical head model from the
        electrodes' places (Yao 2001, doi:10.1088/0967-3334/22/4/305; extra ``signals``).
    """

    to: str | Sequence[str] = "average"

    causal = True

    def __post_init__(self):
        if not as_list(self.to) or not all(isinstance(one, str) for one in as_list(self.to)):
            raise NeuroloomError(f"reference: to must be average, rest or names of channels, but is {self.to!r}.")

    def __call__(self, scan: Scan) -> Scan:
        scan = recording(scan, "reference")
        made = mixed(scan, self.stream(scan.geometry))
        rank = measured_rank(made.data, eeg_channels(made.geometry, "reference", with_bad=False))
        return made.with_data(made.data, rank=rank)

    def stream(self, geometry):
        """Return what references a live stream of this geometry, chunk by chunk (channel, n)."""
        names = names_of(geometry, "reference")
        eeg, good = eeg_channels(geometry, "reference"), eeg_channels(geometry, "reference", with_bad=False)
        matrix = np.eye(len(names))
        if self.to == "rest":
            matrix[np.ix_(good, good)] = rest_matrix(geometry, good)
            matrix[np.ix_(np.setdiff1d(eeg, good), good)] -= 1 / len(good)  # of a bad channel: the average
        else:
            sources = good if self.to == "average" else self._sources(geometry)
            matrix[np.ix_(eeg, sources)] -= 1 / len(sources)
        told = self.to if isinstance(self.to, str) else ", ".join(self.to)
        geometry = {**kept(geometry, range(len(names))), "reference": told}
        return Mixing(matrix, geometry)

    def _sources(self, geometry):
        places = [place_of(name, geometry, "reference") for name in as_list(self.to)]
        bad = [geometry["names"][place] for place in places if geometry["names"][place] in bad_of(geometry)]
        if bad:
            why = "; ".join(f"{name}: {bad_of(geometry)[name]}" for name in bad)
            raise NeuroloomError(f"reference: channels of the reference are bad ({why}). Name others, or average.")
        return np.array(places)
