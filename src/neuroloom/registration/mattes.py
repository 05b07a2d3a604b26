"""Climbing the mutual information of two scans with SimpleITK, by Mattes' histograms, in one order of sums."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.registration.itk import LPS, one_thread, set_matrix, simpleitk, to_image, to_matrix
from neuroloom.transforms.volume_grid import affine_of

TRANSFORMS = {  # degrees of freedom -> SimpleITK's transform
    "rigid": "VersorRigid3DTransform",
    "similarity": "Similarity3DTransform",
    "affine": "AffineTransform",
}
BINS = 32
SAMPLES = 60_000  # points of the fixed scan at which the information is measured
SEED = 12345
STEPS = 200
LAST_STEP = 1e-3  # voxels


class Pair:
    """Two scans at one level, and how alike they are under a map.

    SimpleITK sees each head with its centre at 0 and in units of `radius`: a step of one length along any of a
    transform's numbers then moves the head's points by about as much, be it a shift, a turn or a stretch.

    Parameters
    ----------
    moving, fixed : Scan
        Volumes of one channel.
    masks : tuple of Scan or None
        Labels: where the fixed and where the moving scan is looked at.
    """

    def __init__(self, moving, fixed, masks=(None, None)):
        radius = radius_of(fixed)
        self.moving_world, self.fixed_world = (centred(scan, radius) for scan in (moving, fixed))
        self.moving, self.fixed = to_image(moving, self.moving_world), to_image(fixed, self.fixed_world)
        worlds = (self.fixed_world, self.moving_world)
        self.masks = [mask and to_image(nonzero(mask), world) for mask, world in zip(masks, worlds, strict=True)]

    def information(self, matrix):
        """Return the mutual information under a map, in nats; 0 where the scans do not meet."""
        method = self._method(self._transform("affine", matrix))
        try:
            with one_thread():
                return -method.MetricEvaluate(self.fixed, self.moving)
        except RuntimeError:  # SimpleITK's only word for "too few points lie in both"
            return 0.0

    def climb(self, matrix, degrees):
        """Return the map, of stated degrees of freedom, to which the information rises from a first one."""
        try:
            transform = self._transform(degrees, matrix)
            method = self._method(transform)
            voxel = min(self.fixed.GetSpacing())
            method.SetOptimizerAsRegularStepGradientDescent(
                learningRate=voxel, minStep=LAST_STEP * voxel, numberOfIterations=STEPS, gradientMagnitudeTolerance=1e-9
            )
            with one_thread():
                method.Execute(self.fixed, self.moving)
        except RuntimeError:  # as above, or turned so far that SimpleITK cannot tell the angle
            raise NeuroloomError(
                "The registration failed: the scans were driven apart. Do both show the same part of a head?"
            ) from None
        return np.linalg.inv(self.moving_world) @ to_matrix(transform) @ self.fixed_world

    def _method(self, transform):
        method = simpleitk().ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(BINS)
        share = min(1.0, SAMPLES / np.prod(self.fixed.GetSize()))
        if share < 1:
            method.SetMetricSamplingStrategy(method.RANDOM)
            method.SetMetricSamplingPercentage(share, SEED)
        fixed_mask, moving_mask = self.masks
        if fixed_mask is not None:
            method.SetMetricFixedMask(fixed_mask)
        if moving_mask is not None:
            method.SetMetricMovingMask(moving_mask)
        method.SetInterpolator(simpleitk().sitkLinear)
        method.SetInitialTransform(transform, inPlace=True)
        return method

    def _transform(self, degrees, matrix):
        """Return SimpleITK's transform with a map that has no more than its degrees of freedom."""
        transform = getattr(simpleitk(), TRANSFORMS[degrees])(*([3] if degrees == "affine" else []))
        return set_matrix(transform, self.moving_world @ matrix @ np.linalg.inv(self.fixed_world))


def centred(scan, radius):
    """Return the matrix from RAS mm to LPS about the head's centre, in units of a radius (mm)."""
    world = LPS.copy()
    world[:3, 3] = -LPS[:3, :3] @ centre_of_mass(scan)
    return np.diag([1 / radius] * 3 + [1.0]) @ world


def centre_of_mass(scan):
    """Return where the head's centre lies, in mm: the mean place, weighted by what exceeds the median."""
    return _mass(scan)[0]


def radius_of(scan):
    """Return the root mean square distance of the head from its centre along one axis, in mm."""
    return float(np.sqrt(_mass(scan)[1].mean()))


def _mass(scan):
    """Return the mean place of the head in mm, and its variance along each of the grid's axes in mm²."""
    weight = np.maximum(scan.data[0] - np.median(scan.data), 0.0).astype(np.float64)
    affine = affine_of(scan)
    mean, variance = np.empty(3), np.empty(3)
    for axis, n in enumerate(weight.shape):
        along = weight.sum(axis=tuple({0, 1, 2} - {axis})) / weight.sum()
        mean[axis] = np.arange(n) @ along
        variance[axis] = (np.arange(n) - mean[axis]) ** 2 @ along * (affine[:3, axis] ** 2).sum()
    return affine[:3, :3] @ mean + affine[:3, 3], variance


def nonzero(mask):
    return mask.with_data((mask.data != 0).astype(np.uint8))
