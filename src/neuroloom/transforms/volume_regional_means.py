"""Regional means: a volume in MNI space as a short table, what a linear model of regions sees."""

from dataclasses import dataclass

import numpy as np

from neuroloom.atlases import region_masks
from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import affine_of

LEAST_VOXELS = 4  # a region with fewer voxels in the scan's grid is left out


@dataclass(frozen=True)
class RegionalMeans:
    """Mean and spread of intensity in coarse regions of MNI space (``neuroloom.atlases.coarse_regions``).

    The scan must lie in MNI space (``align``); regions outside its grid are left out, the same ones for
    every scan on one grid (``crop_box``).

    Parameters
    ----------
    spread : bool
        Also the standard deviation within each region, which grows where fluid meets tissue.
    """

    spread: bool = True

    def __call__(self, scan: Scan) -> Scan:
        affine = affine_of(scan)
        if scan.kind != "volume":
            raise NeuroloomError(f"regional_means works on volumes, but the scan is of kind {scan.kind!r}.")
        volume = scan.data.mean(axis=0, dtype=np.float64)
        values, names = [], []
        for name, inside in region_masks(volume.shape, affine).items():
            if inside.sum() < LEAST_VOXELS:
                continue
            values.append(volume[inside].mean())
            names.append(f"{name}_mean")
            if self.spread:
                values.append(volume[inside].std())
                names.append(f"{name}_spread")
        if not names:
            raise NeuroloomError("No coarse region lies in the scan's field of view. Put {name: align} before.")
        return Scan(np.array(values, dtype=np.float32), "table", {"names": names})
