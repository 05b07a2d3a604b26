"""Smooth invertible warps of the MNI152 brain: natural differences between people, and planned changes.

A warp is the flow of a stationary velocity field on a 4 mm grid (scaling and squaring, Arsigny et al. 2006,
doi:10.1007/11866565_113). It takes points of the person's head to points of the template, so the person's
image is the template looked up at the warped points.
"""

import functools

import numpy as np
import scipy.fft
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter

from neuroloom.simulators.t1w_regions import REGIONS, brain, coordinates, csf, half, mask

ORIGIN = np.array([-96.0, -132.0, -80.0])  # mm, centre of the first voxel of the velocity grid
SHAPE = (49, 60, 50)
SPACING = 4.0  # mm
SQUARINGS = 5
WIDE = ("grey", "brain")  # regions whose volume is measured on the velocity grid, the others at 2 mm
MARGIN = 6  # voxels of 2 mm around a region, within which it may move

# Natural differences: a Gaussian random velocity field. The first two are set on the realism gauge, the
# third on the spread of hippocampal volume between people (studies/t1w_realism.py shows all three).
SCALE = 9.0  # mm, standard deviation of the Gaussian that smooths it
AMPLITUDE = 1.6  # mm, root mean square of each of its components
SWELLING = 0.7  # its curl-free part is shrunk by this factor: people differ more in place than in volume
MIRROR = 0.6  # how much of the other side's field is added: left and right volumes then correlate by .88


def natural_velocity(rng):
    """Draw the velocity field that makes one person differ from the template, mm, shape (3, *SHAPE)."""
    white = rng.standard_normal((3, *SHAPE), dtype=np.float32)
    return smoothed(white).astype(np.float32)


def smoothed(field):
    """Return the field (3, *SHAPE) made smooth, little swelling and partly left-right symmetric."""
    spectrum = scipy.fft.rfftn(field, axes=(1, 2, 3))
    low_pass, waves, inverse_square = _transfer()
    swelling = sum(k * s for k, s in zip(waves, spectrum, strict=True)) * inverse_square
    kept = 1.0 - SWELLING
    spectrum = np.stack([low_pass * (s - kept * k * swelling) for k, s in zip(waves, spectrum, strict=True)])
    field = scipy.fft.irfftn(spectrum, s=SHAPE, axes=(1, 2, 3))
    mirrored = field[:, ::-1] * np.array([-1.0, 1.0, 1.0], dtype=np.float32)[:, None, None, None]
    return (field + MIRROR * mirrored) / np.sqrt(1.0 + MIRROR**2)


@functools.cache
def _waves():
    """Return the wave number along each axis (cycles per mm, open arrays), and 1 / their squared length."""
    k = [np.fft.fftfreq(n, SPACING) for n in SHAPE[:2]] + [np.fft.rfftfreq(SHAPE[2], SPACING)]
    k = [a.astype(np.float32).reshape(shape) for a, shape in zip(k, ((-1, 1, 1), (1, -1, 1), (1, 1, -1)), strict=True)]
    square = k[0] ** 2 + k[1] ** 2 + k[2] ** 2
    square[0, 0, 0] = 1.0
    return k, (1.0 / square).astype(np.float32)


@functools.cache
def _transfer():
    """Return the low-pass filter scaled to AMPLITUDE, the wave numbers and 1 / their squared length."""
    k, inverse_square = _waves()
    low_pass = np.exp(-2.0 * (np.pi * SCALE) ** 2 * (k[0] ** 2 + k[1] ** 2 + k[2] ** 2))
    kept = 1.0 - (1.0 - SWELLING**2) / 3.0  # share of the power that the shrunk curl-free part leaves
    whole = np.fft.irfftn(low_pass**2, s=SHAPE)[0, 0, 0]  # variance of unit white noise, low-passed
    return (AMPLITUDE / np.sqrt(whole * kept) * low_pass).astype(np.float32), k, inverse_square


@functools.cache
def mode(name):
    """Return the velocity field, mm, that makes a region grow by about 1 in log volume, shape (3, *SHAPE).

    It is the gradient field whose divergence is -1 in the region (the warp runs from person to template)
    and balanced by its surroundings: fluid and the outside give way first.
    """
    region = REGIONS[name]
    reach = region.reach / SPACING
    inside = np.clip(gaussian_filter(on_grid(mask(name)), reach) * 4.0 * reach, 0.0, 1.0)
    yielding = 0.1 + on_grid(csf()) + (1.0 - on_grid(brain().astype(np.float32)))
    if region.tissue == "csf":
        yielding = 0.1 + on_grid(brain() - csf())
    around = gaussian_filter(inside, region.ripple / SPACING) * (1.0 - inside) ** 2 * yielding
    divergence = around * (inside.sum() / around.sum()) - inside
    k, inverse_square = _waves()
    spectrum = scipy.fft.rfftn(divergence) * inverse_square / (2.0 * np.pi)
    field = np.stack([scipy.fft.irfftn(-1j * a * spectrum, s=SHAPE) for a in k])
    return field.astype(np.float32)


def on_grid(array):
    """Return an array on the 2 mm template grid as means on the velocity grid."""
    blurred = gaussian_filter(array.astype(np.float32), 0.8)[1::2, 1::2, 0::2]
    return np.pad(blurred, ((0, 0), (0, 2), (2, 0)))


def displacement(velocity):
    """Return the flow of a velocity field: where each point goes, minus the point, mm, shape (3, *SHAPE).

    Parameters
    ----------
    velocity : ndarray of shape (3, *SHAPE)
        In mm per unit of time; the flow lasts one.

    Returns
    -------
    Tensor of shape (3, *SHAPE)
    """
    half_extent = _half_extent()[:, None, None, None]
    moved = torch.from_numpy(np.asarray(velocity, dtype=np.float32)) / 2**SQUARINGS / half_extent
    grid = torch.stack(torch.meshgrid(*[torch.linspace(-1, 1, n) for n in SHAPE], indexing="ij"))
    for _ in range(SQUARINGS):
        where = (grid + moved).permute(1, 2, 3, 0).flip(-1)[None]
        moved = moved + F.grid_sample(moved[None], where, padding_mode="border", align_corners=True)[0]
    return moved * half_extent


def _half_extent():
    return torch.tensor([(n - 1) / 2 * SPACING for n in SHAPE])


def warped(points, moved):
    """Return points (i, j, k, 3), in mm, after a displacement (3, *SHAPE) on the velocity grid."""
    where = (points - torch.tensor(ORIGIN, dtype=torch.float32)) / _half_extent() - 1.0
    step = F.grid_sample(moved[None], where.flip(-1)[None], padding_mode="border", align_corners=True)[0]
    return points + step.permute(1, 2, 3, 0)


def looked_up(volumes, origin, spacing, points):
    """Return volumes (n, i, j, k) at points (a, b, c, 3) in mm, linearly, 0 outside; shape (n, a, b, c)."""
    extent = torch.tensor([(n - 1) / 2 * spacing for n in volumes.shape[1:]])
    where = (points - torch.as_tensor(np.asarray(origin, dtype=np.float32))) / extent - 1.0
    return F.grid_sample(volumes[None], where.flip(-1)[None], align_corners=True)[0]


def lattice(lower, shape, spacing):
    """Return the points of a regular grid, shape (*shape, 3), mm; ``spacing`` is one number or three."""
    steps = np.broadcast_to(spacing, 3)
    places = [low + s * np.arange(n) for low, s, n in zip(lower, steps, shape, strict=True)]
    axes = [torch.from_numpy(place.astype(np.float32)) for place in places]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def jacobian(moved):
    """Return the determinant of the warp's derivative at each voxel of the velocity grid, shape SHAPE."""
    slopes = torch.stack([torch.stack(torch.gradient(component, spacing=SPACING)) for component in moved])
    return torch.linalg.det(slopes.permute(2, 3, 4, 0, 1) + torch.eye(3))


def volumes(moved, names):
    """Return the volume of each named region in a warped head, by summing its warped mask, mm3.

    Names are those of `REGIONS`, with ``_left`` or ``_right`` for one side, and ``brain``. Small regions are
    summed on points 2 mm apart, grey matter and the brain on the velocity grid.
    """
    return np.array([sum(_volume(moved, part) for part in _parts(name)) for name in names])


def _parts(name):
    """Return the pieces that are summed one by one, so that each needs a small box only."""
    paired = name in REGIONS and REGIONS[name].tissue == "grey" and name not in WIDE
    return (f"{name}_left", f"{name}_right") if paired else (name,)


def _volume(moved, name):
    mask, origin, spacing, points = _box_of(name)
    return float(looked_up(mask, origin, spacing, warped(points, moved)).numpy().sum(dtype=np.float64) * spacing**3)


@functools.cache
def _box_of(name):
    """Return a region's mask (1, i, j, k) cut to its surroundings, its origin and spacing (mm), and its points."""
    if name in WIDE:
        grid = on_grid(region_mask(name))
        return torch.from_numpy(grid[None]), ORIGIN, SPACING, lattice(ORIGIN, SHAPE, SPACING)
    mask = region_mask(name)
    where = np.argwhere(mask > 0.01)
    low = np.maximum(where.min(axis=0) - MARGIN, 0)
    high = where.max(axis=0) + MARGIN + 1
    cut = np.ascontiguousarray(mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))])
    origin = np.array([c.reshape(-1)[a] for c, a in zip(coordinates(), low, strict=True)])
    return torch.from_numpy(cut[None]), origin, 2.0, lattice(origin, cut.shape, 2.0)


def region_mask(name):
    """Return a region's mask on the 2 mm template grid; ``brain`` and halves such as ``hippocampus_left`` too."""
    if name == "brain":
        return brain().astype(np.float32)
    if name in REGIONS:
        return mask(name)
    whole, side = name.rsplit("_", 1)
    return half(whole, side)


def natural_covariance(names):
    """Return the covariance of log volumes between people that the natural field gives, to first order.

    The volume of a warped mask changes by the integral of velocity times the mask's slope; this is the
    variance of that integral over the random field.
    """
    weights = []
    for name in names:
        grid = on_grid(region_mask(name))
        weights.append(smoothed(np.stack(np.gradient(grid, SPACING)).astype(np.float32)) / grid.sum())
    return np.array([[np.sum(a * b, dtype=np.float64) for a in weights] for b in weights])
