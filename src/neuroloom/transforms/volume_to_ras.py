"""Axis order: every volume runs to the right, front and top."""

from dataclasses import dataclass

from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import ras


@dataclass(frozen=True)
class ToRAS:
    """Flip and permute the axes of a volume or label map to RAS+, and its affine with them; no voxel changes."""

    def __call__(self, scan: Scan) -> Scan:
        return ras(scan)
