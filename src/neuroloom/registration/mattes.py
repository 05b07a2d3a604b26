"""Climbing the mutual information of two scans with SimpleITK, by Mattes' histograms, in one order of sums."""

import numpy as np

from neuroloom.registration.itk import set_matrix, simpleitk, to_image, to_matrix
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
LAST_STEP = 1e-4  # of the first step, whose length is a voxel


class Pair:
    """Two scans at one level, and how alike they are under a map.

    Parameters
    ----------
    moving, fixed : Scan
        Volumes of one channel.
    masks : tuple of SimpleITK image or None
        Where the fixed and where the moving scan is looked at.
    """

    def __init__(self, moving, fixed, masks=(None, None)):
        self.moving, self.fixed = (to_image(scan.data[0], affine_of(scan)) for scan in (moving, fixed))
        self.centre = centre_of_mass(fixed)
        self.masks = masks

    def information(self, matrix):
        """Return the mutual information under a map, in nats; 0 where the scans do not meet."""
        method = self._method(self._transform("affine", matrix))
        try:
            return -method.MetricEvaluate(self.fixed, self.moving)
        except RuntimeError:  # SimpleITK's only word for "all points lie outside"
            return 0.0

    def climb(self, matrix, degrees):
        """Return the map, of stated degrees of freedom, to which the information rises from a first one."""
        transform = self._transform(degrees, matrix)
        method = self._method(transform)
        voxel = min(self.fixed.GetSpacing())
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=voxel,
            minStep=LAST_STEP * voxel,
            numberOfIterations=STEPS,
            relaxationFactor=0.5,
            gradientMagnitudeTolerance=1e-9,
        )
        method.SetOptimizerScalesFromPhysicalShift()
        method.Execute(self.fixed, self.moving)
        return to_matrix(transform)

    def _method(self, transform):
        method = simpleitk().ImageRegistrationMethod()
        method.SetNumberOfThreads(1)  # the sums of several threads come in any order
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
        """Return SimpleITK's transform about the fixed head's centre, with a matrix that has no more degrees."""
        transform = getattr(simpleitk(), TRANSFORMS[degrees])(*([3] if degrees == "affine" else []))
        transform.SetCenter((self.centre * [-1, -1, 1]).tolist())
        return set_matrix(transform, matrix)


def centre_of_mass(scan):
    """Return where the head's centre lies, in mm: the mean place, weighted by what exceeds the median."""
    weight = np.maximum(scan.data[0] - np.median(scan.data), 0.0).astype(np.float64)
    where = [np.arange(n) @ weight.sum(axis=tuple({0, 1, 2} - {axis})) for axis, n in enumerate(weight.shape)]
    affine = affine_of(scan)
    return affine[:3, :3] @ (np.array(where) / weight.sum()) + affine[:3, 3]
