"""A scan cut down to its head, without the air about it and the neck below."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import affine_of, ras, voxel_sizes

BRIGHT, SHARE = 0.98, 0.2  # what is above a fifth of the 98 % quantile of what is not air is head
LEAST = 80.0  # mm along each axis: less is no head


@dataclass(frozen=True)
class CropHead:
    """Cut a volume to a box about the head, in RAS axes; the affine goes with it, and no voxel changes.

    Parameters
    ----------
    margin : float
        Between the head and the box, in mm; the box ends with the volume.
    height : float
        Of the box below the top of the head, in mm: what lies lower is neck.
    """

    margin: float = 8.0
    height: float = 190.0

    def __call__(self, scan: Scan) -> Scan:
        if scan.kind != "volume":
            raise NeuroloomError(f"crop_head works on volumes, but the scan is of kind {scan.kind!r}.")
        scan = ras(scan)
        affine, edges = affine_of(scan), voxel_sizes(affine_of(scan))
        head = self._head(scan.data[0])
        box = []
        for axis, edge in enumerate(edges):
            there = np.flatnonzero(head.any(axis=tuple({0, 1, 2} - {axis})))
            reach, first, end = int(np.ceil(self.margin / edge)), there[0], there[-1] + 1
            if axis == 2:
                first = max(first, end - round(self.height / edge))
            if (end - first) * edge < LEAST:
                raise NeuroloomError(
                    f"What is bright in this scan is {(end - first) * edge:.0f} mm long along axis {'ijk'[axis]}, too small for "
                    "a head. Is it one, and is the affine in mm?"
                )
            box.append(slice(max(0, first - reach), end + reach))
        moved = affine.copy()
        moved[:3, 3] += affine[:3, :3] @ [one.start for one in box]
        return scan.with_data(np.ascontiguousarray(scan.data[(slice(None), *box)]), affine=moved)

    def _head(self, volume):
        """Return the largest connected body of what is not air."""
        if not np.isfinite(volume).all() or not volume.max() > volume.min():
            raise NeuroloomError("The scan has NaN or one value everywhere, so no head can be found in it.")
        above = volume - volume.min()
        bodies, n = label(above > SHARE * np.quantile(above[above > 0], BRIGHT))
        sizes = np.bincount(bodies.ravel(), minlength=n + 1)[1:]
        return bodies == sizes.argmax() + 1
