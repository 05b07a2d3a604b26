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
    size : tuple of float or None
        Edges of the box in mm, the brain in its middle, instead of a margin; what lies beyond the map is background.
    """

    margin: float = 20.0
    size: tuple[float, float, float] | None = None

    def __call__(self, scan: Scan) -> Scan:
        if scan.kind != "labels":
            raise NeuroloomError(f"crop_brain works on label maps, but the scan is of kind {scan.kind!r}.")
        affine = affine_of(scan)
        brain = np.isin(scan.data, [one.number for one in structures() if one.number not in WIDELY_SPREAD])
        if not brain.any():
            raise NeuroloomError(
                f"The label map holds no structure of the brain by FreeSurfer's numbers, but {np.unique(scan.data)[:10]}."
            )
        edges, along = voxel_sizes(affine), []
        for axis, edge in enumerate(edges):
            there = np.flatnonzero(brain.any(axis=tuple({0, 1, 2} - {axis})))
            along.append(self._ends(there[0], there[-1] + 1, edge, scan.data.shape[axis], axis))
        start, stop = np.array(along).T
        before, after = np.maximum(-start, 0), np.maximum(stop - scan.data.shape, 0)
        inside = tuple(slice(a, b) for a, b in zip(np.maximum(start, 0), stop, strict=True))
        data = np.pad(scan.data[inside], list(zip(before, after, strict=True)))
        moved = affine.copy()
        moved[:3, 3] += affine[:3, :3] @ start
        return scan.with_data(data, affine=moved)

    def _ends(self, first, end, edge, length, axis):
        """Return first voxel and end of the box along an axis on which the brain reaches from ``first`` to ``end``."""
        if self.size is None:
            reach = int(np.ceil(self.margin / edge))
            return max(0, first - reach), min(length, end + reach)
        n = round(self.size[axis] / edge)
        start = (first + end - n) // 2
        return start, start + n
