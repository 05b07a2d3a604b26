"""A label map cut down to its brain."""

from dataclasses import dataclass

import numpy as np

from neuroloom.atlases.anatomy import structures
from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import affine_of, voxel_sizes

WIDELY_SPREAD = (24, 16)  # fluid and brain stem reach down the neck in some maps


@dataclass(frozen=True)
class CropBrain:
    """Cut a label map of a head down to a box about its brain; the affine goes with it, and no voxel changes.

    Parameters
    ----------
    margin : float
        Between the brain and the box, in mm; the box ends with the map.
    """

    margin: float = 20.0

    def __call__(self, scan: Scan) -> Scan:
        if scan.kind != "labels":
            raise NeuroloomError(f"crop_brain works on label maps, but the scan is of kind {scan.kind!r}.")
        affine = affine_of(scan)
        brain = np.isin(scan.data, [one.number for one in structures() if one.number not in WIDELY_SPREAD])
        if not brain.any():
            raise NeuroloomError(
                f"The label map holds no structure of the brain by FreeSurfer's numbers, but {np.unique(scan.data)[:10]}."
            )
        box = []
        for axis, edge in enumerate(voxel_sizes(affine)):
            there = np.flatnonzero(brain.any(axis=tuple({0, 1, 2} - {axis})))
            reach = int(np.ceil(self.margin / edge))
            box.append(slice(max(0, there[0] - reach), there[-1] + 1 + reach))
        moved = affine.copy()
        moved[:3, 3] += affine[:3, :3] @ [one.start for one in box]
        return scan.with_data(np.ascontiguousarray(scan.data[tuple(box)]), affine=moved)
