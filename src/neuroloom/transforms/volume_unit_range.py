"""Intensity: each scan between 0 and 1, whatever its unit and contrast."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.volume_channels import each_channel


@dataclass(frozen=True)
class UnitRange:
    """Scale each channel so that a low quantile becomes 0 and a high one 1; what lies beyond is cut off.

    Parameters
    ----------
    low, high : float
        Quantiles over all voxels of the channel, the background among them.
    """

    low: float = 0.005
    high: float = 0.995

    def __post_init__(self):
        if not 0 <= self.low < self.high <= 1:
            raise NeuroloomError(f"unit_range: 0 <= low < high <= 1 is asked for, not {self.low} and {self.high}.")

    def __call__(self, scan: Scan) -> Scan:
        return each_channel("unit_range", scan, self._scaled)

    def _scaled(self, channel):
        low, high = np.quantile(channel, [self.low, self.high])
        if not high > low:
            raise NeuroloomError("The volume is empty or has one value nearly everywhere, so it cannot be scaled.")
        return np.clip((channel - low) / (high - low), 0, 1).astype(np.float32)
