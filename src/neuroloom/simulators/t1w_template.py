"""The real anatomy that simulated heads are made of: the MNI152 average T1, grey and white matter maps.

They ship with nilearn (ICBM 2009a nonlinear symmetric, Fonov et al. 2011, doi:10.1016/j.neuroimage.2010.07.033;
copyright notice in NOTICE). The T1 is brain only.
"""

import functools

import numpy as np
import torch
from nilearn import datasets
from scipy.ndimage import gaussian_filter

BRAIN_VOXELS = ((22, 23, 0), (175, 212, 159))  # of the 1 mm template: the brain and 4 mm around it
BLUR = 2.0  # mm, standard deviation of the Gaussian for unsharp masking
SHARPENING = 1.5  # how much of what it takes away is added


@functools.cache
def template():
    """Return T1, grey and white maps (each ndarray (197, 233, 189), float32, 0 to 1) and their affine (1 mm)."""
    images = [
        datasets.load_mni152_template(resolution=1),
        datasets.load_mni152_gm_template(resolution=1),
        datasets.load_mni152_wm_template(resolution=1),
    ]
    maps = [np.ascontiguousarray(image.get_fdata(dtype=np.float32)) for image in images]
    return *maps, images[0].affine


@functools.cache
def template_2mm():
    """Return T1, grey and white maps at every second voxel, each shape (99, 117, 95), and their affine (2 mm)."""
    *maps, affine = template()
    affine = affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    return *(every_second(array) for array in maps), affine


def every_second(array):
    """Return the array at every second voxel along each axis, each the (1/4, 1/2, 1/4) mean around it."""
    for axis in range(3):
        padded = np.moveaxis(np.pad(array, [(int(axis == a),) * 2 for a in range(3)]), axis, 0)
        n = array.shape[axis]
        mean = 0.25 * padded[0:n:2] + 0.5 * padded[1 : n + 1 : 2] + 0.25 * padded[2 : n + 2 : 2]
        array = np.moveaxis(mean, 0, axis)
    return np.ascontiguousarray(array)


@functools.cache
def sharpened_t1():
    """Return the T1 with its folds made as sharp as one person's, cut to the brain, and its origin (mm).

    The template is a mean of 152 people, whose folds are blurred; unsharp masking within the brain brings
    the spread of intensities inside it nearer to that of real people (studies/t1w_realism.py).
    """
    t1, _, _, affine = template()
    low, high = (np.array(edge) for edge in BRAIN_VOXELS)
    cut = t1[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    brain = cut > 0.1
    weight = gaussian_filter(brain.astype(np.float32), BLUR)
    local_mean = gaussian_filter(cut * brain, BLUR) / np.maximum(weight, 1e-3)
    sharp = np.clip(cut + SHARPENING * (cut - local_mean), 0.1, 1.1)
    return np.where(brain, sharp, 0.0).astype(np.float32), affine[:3, 3] + low


@functools.cache
def blurred_t1(spacing):
    """Return the T1 as seen with voxels of this spacing (three numbers, mm), cut to the brain, and its origin (mm).

    The blur is a Gaussian whose full width at half maximum is the voxel's edge.
    """
    t1, origin = sharpened_t1()
    extra = np.sqrt(np.maximum(np.square(spacing) - 1.0, 0.0)) / 2.3548
    return torch.from_numpy(gaussian_filter(t1, extra, mode="constant")), origin
