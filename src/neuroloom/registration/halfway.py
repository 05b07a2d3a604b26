"""The space half-way between two scans of one head, so that neither visit is treated otherwise than the other.

A scan that is resampled loses sharpness; where only the second of two visits is, the loss looks like a change
(Reuter et al. 2012, doi:10.1016/j.neuroimage.2012.02.084). Here both are resampled once, each by half the way.
"""

import itertools

import numpy as np
from scipy.linalg import sqrtm

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.volume_grid import affine_of, box_grid, resample_onto

ROOT_ERROR = 1e-6  # largest share of the matrix by which a root's square may miss it


def halfway(matrix):
    """Return the principal square root of an affine map: done twice, it is the map.

    Parameters
    ----------
    matrix : ndarray of shape (4, 4)
        mm to mm; its last row is 0, 0, 0, 1.

    Returns
    -------
    ndarray of shape (4, 4), float64

    Raises
    ------
    NeuroloomError
        Where there is no real root that is half of the way: the map mirrors, or turns by 180 degrees.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.allclose(matrix[3], [0, 0, 0, 1]):
        raise NeuroloomError(
            f"An affine map is a finite (4, 4) matrix with last row 0, 0, 0, 1, not {matrix.tolist()}."
        )
    values = np.linalg.eigvals(matrix[:3, :3])
    least = 1e-6 * np.abs(values).max()
    if ((np.abs(values.imag) <= least) & (values.real <= least)).any():
        raise NeuroloomError(
            "The map from one scan to the other mirrors, flattens or turns by 180 degrees, so there is no half of it. "
            "Are left and right swapped in the header of one of them?"
        )
    root = np.real(sqrtm(matrix))  # without such eigenvalues there is a real one: doi:10.1016/0024-3795(87)90118-2
    if not np.abs(root @ root - matrix).max() <= ROOT_ERROR * np.abs(matrix).max():
        raise NeuroloomError(f"No square root of the map could be found: {matrix.tolist()}.")
    root[3] = 0, 0, 0, 1
    return root


def to_halfway(first, second, matrix, voxel_size=1.0):
    """Return two scans on one grid half-way between them, each resampled once.

    Parameters
    ----------
    first, second : Scan
        Volumes or label maps, of any grids.
    matrix : ndarray of shape (4, 4)
        From the first scan's mm to the second's: ``affine_between(moving=second, fixed=first)``.
    voxel_size : float
        Edge of the grid's voxels, in mm.

    Returns
    -------
    first, second : Scan
        On the same grid, which holds all of both; 0 outside of a scan.
    affine : ndarray of shape (4, 4)
        Of that grid.

    Notes
    -----
    The same two scans in the other order, with the inverse matrix, give the same two results in the other order.
    """
    half = halfway(matrix)
    first = first.with_data(first.data, affine=half @ affine_of(first))
    second = second.with_data(second.data, affine=np.linalg.inv(half) @ affine_of(second))
    corners = np.concatenate([outer_corners(first), outer_corners(second)], axis=1)
    shape, affine = box_grid(corners.min(axis=1), corners.max(axis=1), voxel_size)
    return resample_onto(first, shape, affine), resample_onto(second, shape, affine), affine


def outer_corners(scan):
    """Return the outer corners of a scan's grid in mm, shape (3, 8)."""
    ends = [(-0.5, n - 0.5) for n in scan.data.shape[-3:]]
    affine = affine_of(scan)
    return affine[:3, :3] @ np.array(list(itertools.product(*ends))).T + affine[:3, 3:]
