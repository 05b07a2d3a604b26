"""Intensity: each scan to mean 0 and spread 1 over its own brain."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.volume_channels import each_channel


@dataclass(frozen=True)
class ZScore:
    """Standardise each channel over its voxels that are not background (exactly 0); background becomes ``background``.

    Parameters
    ----------
    background : float or None
        Value of the background afterwards; None standardises it like the rest.
    """

    background: float | None = None

    def __call__(self, scan: Scan) -> Scan:
        return each_channel("zscore", scan, self._standardised)

    def _standardised(self, channel):
        inside = channel != 0
        values = channel[inside]
        if not values.size or not values.std() > 0:
            raise NeuroloomError("The volume is empty or has one value everywhere, so it cannot be standardised.")
        out = ((channel - values.mean(dtype=np.float64)) / values.std(dtype=np.float64)).astype(np.float32)
        if self.background is not None:
            out[~inside] = self.background
        return out
