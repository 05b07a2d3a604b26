"""Deformable registration by diffeomorphic demons, of scans that an affine map has brought together.

Vercauteren et al. 2009, doi:10.1016/j.neuroimage.2008.10.040. Demons compare intensities, so those of the moving
scan are first likened to the fixed one's: each is replaced by the mean of the fixed scan where it occurs, and what
is left of two different bias fields is taken out (Lewis & Fox 2004, doi:10.1016/j.neuroimage.2004.04.014). That
makes up for two scanners, not for two contrasts: with the intensities of one scan inverted, as between T1 and T2,
no point came nearer to its place, so such scans are refused.
"""

import numpy as np
from scipy.ndimage import binary_erosion, gaussian_filter

from neuroloom.errors import NeuroloomError
from neuroloom.registration.affine import check_scan, level_sizes, reduced
from neuroloom.registration.itk import simpleitk, to_image
from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import affine_of, resample_onto

MOST_LEVELS = 3
STEPS = 40
UPDATE, SMOOTHING = 1.0, 2.0  # voxels: standard deviations of the Gaussians on each step and on the whole field
LIKENINGS = 4  # rounds at each level: the intensities are likened anew as the scans come together
BINS = 64
LEAST_ALIKE = 0.3  # correlation within the fixed head; one contrast was seen at 0.56 to 0.85, two at -0.61 to 0.19
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

    Raises
    ------
    NeuroloomError
        Where the scans are not of one contrast, or were not brought together by the matrix.
    """
    check_scan(moving, "moving")
    check_scan(fixed, "fixed")
    moving = moving.with_data(moving.data, affine=np.linalg.inv(matrix) @ affine_of(moving))
    sizes = level_sizes(moving, fixed)[:MOST_LEVELS]
    field = None
    for size in sizes:
        target, source = reduced(fixed, size), reduced(moving, size)
        field = _onto(field, target)
        if size == sizes[0]:
            _check_alike(source, target)
        for _ in range(LIKENINGS):
            field = _demons(target, _likened(source, target, field, BIAS * sizes[0] / size), field)
    return field


def _check_alike(source, target):
    """Raise where the scans' intensities do not rise together, as those of two contrasts do not."""
    seen = resample_onto(source, target.data.shape[1:], affine_of(target))
    head = binary_erosion(target.data[0] > target.data.mean())[None]  # at its edge all contrasts are alike
    inside = [scan.data[head] for scan in (seen, target)]
    correlation = np.corrcoef(inside)[0, 1] if head.any() and min(np.ptp(x) for x in inside) > 0 else 0.0
    if correlation < LEAST_ALIKE:
        raise NeuroloomError(
            f"After the affine map the scans' intensities correlate by {correlation:.2f} within the head; "
            f"{LEAST_ALIKE:.2f} is needed to deform one into the other. Take two scans of one contrast (T1 and T1), or "
            "leave the deformation out."
        )


def _onto(field, target):
    shape, affine = target.data.shape[1:], affine_of(target)
    if field is None:
        return Scan(np.zeros((3, *shape), dtype=np.float32), "volume", {"affine": affine})
    return resample_onto(field, shape, affine)


def _likened(source, target, field, bias):
    """Return the source on the target's grid, not moved, with intensities as the target has under the field."""
    shape, affine = target.data.shape[1:], affine_of(target)
    seen, unmoved = (resample_onto(source, shape, affine, by).data[0] for by in (field.data, None))
    means = _conditional_means(seen, target.data[0])
    air = 0.02 * target.data.max()  # where there is no signal there is no bias field
    ratio = (gaussian_filter(target.data[0], bias) + air) / (gaussian_filter(means(seen), bias) + air)
    return target.with_data((means(unmoved) * np.clip(ratio, 0.5, 2.0))[None].astype(np.float32))


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
