"""Voxel size: a volume on cubes of a stated edge, in its own field of view."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import affine_of, ras, resample_onto, voxel_sizes


@dataclass(frozen=True)
class Resample:
    """Resample a volume or label map to RAS axes and cubic voxels, once.

    Larger voxels hold the mean over their own volume; label maps take the nearest label. The field of view
    is kept: its centre does not move, and its edges are those of whole voxels.

    Parameters
    ----------
    voxel_size : float
        Edge of the new voxels, in mm.
    """

    voxel_size: float = 1.0

    def __post_init__(self):
        if not self.voxel_size > 0:
            raise NeuroloomError(f"resample: voxel_size must be more than 0 mm, not {self.voxel_size}.")

    def __call__(self, scan: Scan) -> Scan:
        scan = ras(scan)
        affine = affine_of(scan)
        size = voxel_sizes(affine)
        old = np.array(scan.data.shape[-3:])
        shape = np.maximum(1, np.ceil(old * size / self.voxel_size - 1e-3).astype(int))
        new = affine.copy()
        new[:3, :3] = affine[:3, :3] / size * self.voxel_size
        new[:3, 3] += affine[:3, :3] @ ((old - 1) / 2) - new[:3, :3] @ ((shape - 1) / 2)  # the same centre
        return resample_onto(scan, tuple(int(n) for n in shape), new)
