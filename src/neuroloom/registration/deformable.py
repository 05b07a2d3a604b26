"""Deformable registration by diffeomorphic demons, of scans that an affine map has brought together.

Vercauteren et al. 2009, doi:10.1016/j.neuroimage.2008.10.040. Demons compare intensities, so those of the moving
scan are first likened to the fixed one's: each is replaced by the mean of the fixed scan where it occurs, and what
is left of two different bias fields is taken out (Lewis & Fox 2004, doi:10.1016/j.neuroimage.2004.04.014).
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from neuroloom.registration.affine import check_scan, level_sizes, reduced
from neuroloom.registration.itk import simpleitk, to_image
from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import affine_of, resample_onto

MOST_LEVELS = 3
STEPS = 40
UPDATE, SMOOTHING = 1.0, 1.5  # voxels: standard deviations of the Gaussians on each step and on the whole field
LIKENINGS = 4  # rounds at each level: the intensities are likened anew as the scans come together
BINS = 64
BIAS = 5.0  # voxels of the first level (about 30 mm of a head): standard deviation of what is taken for a bias field


def field_between(moving, fixed, matrix):
    """Return the displacement that is left between two scans after an affine map.

    Parameters
    ----------
    moving, fixed : Scan
        Volumes of one channel.
    matrix : ndarray of shape (4, 4)
        Fixed world mm (RAS) to moving world mm, from `affine_between`.

    Returns
    -------
    Scan
        ``volume`` (3, i, j, k) on cubes over the fixed scan, in mm (RAS): the point x of the fixed scan lies in the
        moving one at ``matrix @ (x + displacement(x))``. Two calls give the same bytes.
    """
    check_scan(moving, "moving")
    check_scan(fixed, "fixed")
    moving = moving.with_data(moving.data, affine=np.linalg.inv(matrix) @ affine_of(moving))
    sizes = level_sizes(moving, fixed)[:MOST_LEVELS]
    field = None
    for size in sizes:
        target, source = reduced(fixed, size), reduced(moving, size)
        field = _onto(field, target)
        for _ in range(LIKENINGS):
            field = _demons(target, _likened(source, target, field, BIAS * sizes[0] / size), field)
    return field


def _onto(field, target):
    shape, affine = target.data.shape[1:], affine_of(target)
    if field is None:
        return Scan(np.zeros((3, *shape), dtype=np.float32), "volume", {"affine": affine})
    return resample_onto(field, shape, affine)


def _likened(source, target, field, bias):
    """Return the source, seen on the target's grid through the field's affine only, with the target's intensities."""
    shape, affine = target.data.shape[1:], affine_of(target)
    seen = resample_onto(source, shape, affine, field.data).data[0]
    means = _conditional_means(seen, target.data[0])
    likened = means(seen)
    ratio = _smooth(target.data[0], bias) / np.maximum(_smooth(likened, bias), 1e-6)
    unmoved = means(resample_onto(source, shape, affine).data[0])
    return target.with_data((unmoved * np.clip(ratio, 0.5, 2.0))[None].astype(np.float32))


def _smooth(data, width):
    return gaussian_filter(data, width) + 0.02 * data.max()  # the air has no bias field


def _conditional_means(seen, target):
    """Return the function from intensities to the mean of the target where they occur, linear between bins."""
    edges = np.linspace(seen.min(), seen.max(), BINS + 1)
    bins = np.clip(np.digitize(seen, edges) - 1, 0, BINS - 1).ravel()
    count = np.bincount(bins, minlength=BINS)
    total = np.bincount(bins, weights=target.ravel(), minlength=BINS)
    centres, known = (edges[1:] + edges[:-1]) / 2, count > 0
    return lambda values: np.interp(values, centres[known], total[known] / count[known])


def _demons(target, source, field):
    """Return the field after further steps; all three are on one grid."""
    sitk = simpleitk()
    demons = sitk.DiffeomorphicDemonsRegistrationFilter()
    demons.SetNumberOfIterations(STEPS // LIKENINGS)
    demons.SetSmoothUpdateField(True)
    demons.SetUpdateFieldStandardDeviations(UPDATE)
    demons.SetSmoothDisplacementField(True)
    demons.SetStandardDeviations(SMOOTHING)
    fixed = to_image(target)
    before = sitk.GetImageFromArray(np.ascontiguousarray(_signs(field.data).T.astype(np.float64)), isVector=True)
    before.CopyInformation(fixed)
    after = sitk.GetArrayFromImage(demons.Execute(fixed, to_image(source), before))  # (k, j, i, 3)
    return field.with_data(_signs(np.ascontiguousarray(after.T)).astype(np.float32))


def _signs(field):
    """Return a field (3, i, j, k) in LPS from one in RAS, or the other way."""
    return field * np.array([-1.0, -1.0, 1.0])[:, None, None, None]


def jacobian(field):
    """Return by what factor a field of displacements grows each voxel's volume; below 0 it folds; shape (i, j, k)."""
    slopes = np.stack(
        [np.stack(np.gradient(component.astype(np.float64))) for component in field.data]
    )  # (a, axis, ...)
    per_mm = np.einsum("anijk,nb->ijkab", slopes, np.linalg.inv(affine_of(field)[:3, :3]))
    return np.linalg.det(per_mm + np.eye(3))
