"""A box given in mm, on one grid for everyone."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import affine_of, box_grid, resample_onto

LEAST_COVERED = 0.5  # of the box: a scan that holds less does not lie where the box is meant


@dataclass(frozen=True)
class CropBox:
    """Resample a volume or label map onto a box in the scan's mm space (MNI after ``align``), once.

    Parameters
    ----------
    lower, upper : tuple of float
        Opposite corners of the box, in mm: left, back, bottom and right, front, top.
    voxel_size : float
        Edge of the voxels, in mm.
    """

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]
    voxel_size: float = 4.0

    def __call__(self, scan: Scan) -> Scan:
        shape, affine = box_grid(self.lower, self.upper, self.voxel_size)
        covered = self._covered(scan, shape, affine)
        if covered < LEAST_COVERED:
            raise NeuroloomError(
                f"The scan's field of view holds {covered:.0%} of the box from {list(self.lower)} to "
                f"{list(self.upper)} mm. Is it in MNI space? "
                "Put {name: align} before crop_box for scans in their own space."
            )
        return resample_onto(scan, shape, affine)

    def _covered(self, scan, shape, affine):
        """Return the share of the box's voxel centres that lie in the scan's field of view."""
        to_old = np.linalg.inv(affine_of(scan)) @ affine
        old = to_old[:3, :3] @ np.indices(shape).reshape(3, -1) + to_old[:3, 3:]
        size = np.array(scan.data.shape[-3:])[:, None]
        return float(((old >= -0.5) & (old <= size - 0.5)).all(axis=0).mean())
