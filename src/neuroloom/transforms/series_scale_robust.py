"""Each channel of a recording on one scale: by its median and its interquartile range."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.scan import Scan
from neuroloom.transforms.series_channels import check_amount, check_finite, recording
from neuroloom.transforms.series_regions import constant_regions, named
from neuroloom.transforms.series_walk import by_channel


@dataclass(frozen=True)
class ScaleRobust:
    """Take away each channel's median over the recording, and divide by its interquartile range.

    A channel that never changes becomes 0, and is named in ``geometry["constant_regions"]``.

    Parameters
    ----------
    clip : float or None
        Values beyond are set to it, in interquartile ranges; None leaves all as they are.
    """

    clip: float | None = None

    causal = False
    causal_way_out = "use exponential_standardize"

    def __post_init__(self):
        check_amount("scale_robust", clip=self.clip)

    def __call__(self, scan: Scan) -> Scan:
        scan = recording(scan, "scale_robust")
        check_finite(scan.data, scan.geometry, "scale_robust")
        constant, steady = constant_regions(scan.data), []

        def scaled(channel):
            low, middle, high = np.quantile(channel, (0.25, 0.5, 0.75))
            steady.append(high == low)
            changed = (channel - middle) / (high - low if high > low else 1.0)
            return changed if self.clip is None else np.clip(changed, -self.clip, self.clip)

        data = by_channel(scan.data, scaled)
        data[constant] = 0.0
        names = named(scan, np.array(steady) & ~constant)
        if names:
            raise NeuroloomError(
                f"scale_robust: half of all samples are equal in {listed(names)}, which therefore have no scale. "
                "Put {name: bad_channels, do: interpolate} (or drop) before it."
            )
        return scan.with_data(data, unit="interquartile ranges", constant_regions=named(scan, constant))
