"""Intensity: each scan to mean 0 and spread 1 over its own brain."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan


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
        if scan.kind != "volume":
            raise NeuroloomError(f"zscore works on volumes, but the scan is of kind {scan.kind!r}.")
        return scan.with_data(np.stack([self._standardised(channel) for channel in scan.data]))

    def _standardised(self, channel):
        n_unknown = int((~np.isfinite(channel)).sum())
        if n_unknown:
            raise NeuroloomError(
                f"{n_unknown} of {channel.size} voxels are NaN or infinite. Mend the scan, or leave it out with "
                "cohort.where."
            )
        inside = channel != 0
        values = channel[inside]
        if not values.size or not values.std() > 0:
            raise NeuroloomError("The volume is empty or has one value everywhere, so it cannot be standardised.")
        out = ((channel - values.mean(dtype=np.float64)) / values.std(dtype=np.float64)).astype(np.float32)
        if self.background is not None:
            out[~inside] = self.background
        return out
