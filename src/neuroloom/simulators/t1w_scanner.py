"""What a scanner makes of a head: contrast, bias field, Rician noise, slice thickness, axis order."""

from dataclasses import dataclass

import numpy as np
import torch
from nibabel.orientations import (
    apply_orientation,
    axcodes2ornt,
    inv_ornt_aff,
    io_orientation,
    ornt_transform,
)

from neuroloom.scan import Scan
from neuroloom.seeds import generator
from neuroloom.simulators.t1w_template import blurred_t1
from neuroloom.simulators.t1w_warp import lattice, looked_up, warped

FIELD_OF_VIEW = np.array([[-92.0, -130.0, -92.0], [92.0, 94.0, 104.0]])  # mm, outer edges
LEVELS = (0.0, 0.25, 0.66, 0.88, 1.10)  # template intensities: nothing, fluid, grey, white, brightest
AXES = ("RAS", "LAS", "ASL", "LPS", "PSR", "RIP")  # axis orders met in real files, one a site in turn
SLICES = (1.0, 1.0, 1.25, 1.5)  # slice thickness, as a multiple of the voxel size, one a site in turn


@dataclass(frozen=True)
class Site:
    """One scanner.

    Parameters
    ----------
    name : str
    gain : float
        Intensity of white matter.
    grey, fluid : float
        Intensity of grey matter and fluid, as a share of white.
    bias : tuple of float
        Smooth shading over the head, a coefficient for each term of `shading` (log intensity).
    noise : float
        Standard deviation of the noise in each of the two channels, as a share of white.
    thickness : float
        Slice thickness (third axis of the file), as a multiple of the voxel size.
    axes : str
        Directions in which the file's axes run.
    """

    name: str
    gain: float
    grey: float
    fluid: float
    bias: tuple[float, ...]
    noise: float
    thickness: float
    axes: str


def draw_sites(n_sites, seed):
    """Return the scanners of a simulated study.

    Contrast, shading (20 % from end to end) and noise (3 %) vary about the values that BrainWeb calls
    typical (Collins et al. 1998, doi:10.1109/42.712135).
    """
    sites = []
    for number in range(n_sites):
        rng = generator(seed, "site", number)
        sites.append(
            Site(
                name=f"site-{number + 1}",
                gain=float(np.exp(rng.normal(6.5, 0.5))),
                grey=float(rng.normal(0.78, 0.03)),
                fluid=float(rng.normal(0.22, 0.04)),
                bias=tuple(float(b) for b in rng.normal(0.0, 0.06, size=9)),
                noise=float(rng.uniform(0.02, 0.04)),
                thickness=SLICES[number % len(SLICES)],
                axes=AXES[number % len(AXES)],
            )
        )
    return sites


def scanned(moved, head, site, voxel_size, rng):
    """Return the image that a site's scanner takes of a head.

    Parameters
    ----------
    moved : Tensor of shape (3, i, j, k)
        The head's warp, see `neuroloom.simulators.t1w_warp.displacement`.
    head : ndarray of shape (4, 4)
        From the unscaled, unturned head to the scanner, mm.
    site : Site
    voxel_size : float
        In the slice, mm.
    rng : numpy.random.Generator
        For noise and for the part of the shading that differs from scan to scan.

    Returns
    -------
    Scan
        Volume (1, i, j, k), brain only, 0 outside; axes as the site stores them.
    """
    spacing, lower, shape = frame(site, voxel_size)
    points = lattice(lower, shape, spacing)  # scanner mm, (i, j, k, 3)
    back = torch.tensor(np.linalg.inv(head), dtype=torch.float32)
    in_template = warped(points @ back[:3, :3].T + back[:3, 3], moved)
    t1, origin = blurred_t1(tuple(spacing))
    clean = looked_up(t1[None], origin, 1.0, in_template)[0].numpy()
    image = np.zeros_like(clean)
    brain = np.nonzero(clean > 0.08)
    image[brain] = received(clean[brain], [p[i] for p, i in zip(_ends(shape), brain, strict=True)], site, rng)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = lower
    return stored(image, affine, site.axes)


def frame(site, voxel_size):
    """Return voxel spacing, centre of the first voxel (mm) and shape of a site's images, axes right-front-top."""
    slices = {"L": 0, "R": 0, "A": 1, "P": 1, "I": 2, "S": 2}[site.axes[2]]
    spacing = np.full(3, float(voxel_size))
    spacing[slices] *= site.thickness
    extent = FIELD_OF_VIEW[1] - FIELD_OF_VIEW[0]
    shape = np.floor(extent / spacing).astype(int)
    centre = FIELD_OF_VIEW.mean(axis=0)
    return spacing, centre - (shape - 1) / 2 * spacing, tuple(int(n) for n in shape)


def received(clean, at, site, rng):
    """Return the intensities that a site sees where the template has ``clean``, at positions -1 .. 1."""
    tones = (0.0, site.fluid, site.grey, 1.0, 1.15)
    own = np.array(site.bias) + rng.normal(0.0, 0.02, size=9)  # the head lies a little differently each time
    signal = np.interp(clean, LEVELS, tones) * np.exp(shading(own, *at))
    noise = rng.standard_normal((2, len(clean)), dtype=np.float32) * site.noise
    return site.gain * np.hypot(signal + noise[0], noise[1])  # Rician


def shading(terms, x, y, z):
    """Return a quadratic in the position: the slopes, the squares and the products, weighted by ``terms``."""
    parts = (x, y, z, x * x - 1 / 3, y * y - 1 / 3, z * z - 1 / 3, x * y, y * z, z * x)
    return sum(t * p for t, p in zip(terms, parts, strict=True))


def _ends(shape):
    return [np.linspace(-1.0, 1.0, n) for n in shape]


def stored(image, affine, axes):
    """Return the image as a scan whose axes run as ``axes`` says (for example LPS), with its affine."""
    turns = ornt_transform(io_orientation(affine), axcodes2ornt(axes))
    data = np.ascontiguousarray(apply_orientation(image, turns), dtype=np.float32)[None]
    return Scan(data, "volume", {"affine": affine @ inv_ornt_aff(turns, image.shape)})
