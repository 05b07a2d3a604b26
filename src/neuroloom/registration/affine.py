"""Rigid, similarity and affine maps between two scans of any grid, orientation and contrast."""

import itertools

import numpy as np
from scipy.spatial.transform import Rotation

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.registration.halfway import halfway, outer_corners
from neuroloom.registration.mattes import TRANSFORMS, Pair, centre_of_mass
from neuroloom.transforms.volume_grid import affine_of, voxel_sizes
from neuroloom.transforms.volume_resample import Resample

COARSEST = 32  # voxels along the longer scan at the first level; each further level has twice as many
LEVELS = 4
TURNS = (-30.0, 0.0, 30.0)  # degrees about each axis that are tried first
FOLLOWED = 4  # of the starts, at the first level
CLIPPED = (0.001, 0.999)  # quantiles at which intensities are cut off, so that a vessel does not fill the histogram
LEAST_OVERLAP = 0.5  # of the fixed head, within the moving scan's field of view
LENGTHS = (0.6, 1.7)  # of the moving head relative to the fixed one, along any axis
MOST_APART = 0.02  # of the longer scan: mean distance over the fixed head between what the two ways found


def affine_between(moving, fixed, *, degrees="rigid", mask=None):
    """Return the map from the points of one scan to the same points of the head in another.

    Each scan is registered to the other, from its own starts and from coarse to fine, by mutual information with
    Mattes' histograms (Mattes et al. 2003, doi:10.1109/TMI.2003.809072). The mean of the two is returned, so that
    the order of the scans does not matter; how far apart they are is one of the checks.

    Parameters
    ----------
    moving, fixed : Scan
        Volumes of one channel.
    degrees : {"rigid", "similarity", "affine"}
        Rigid for scans of one head, similarity to let its size differ, affine for two heads.
    mask : Scan or None
        Labels in the fixed scan's space, on any grid: only points with a label other than 0 are compared.

    Returns
    -------
    ndarray of shape (4, 4), float64
        Fixed world mm (RAS) to moving world mm. Two calls give the same bytes.

    Raises
    ------
    NeuroloomError
        Where a scan cannot be looked at, or what was found is implausible.
    """
    check_known("degrees of freedom", degrees, TRANSFORMS)
    check_scan(moving, "moving")
    check_scan(fixed, "fixed")
    there = one_way(moving, fixed, degrees, (mask, None))
    back = one_way(fixed, moving, degrees, (None, mask))
    check_plausible(there, moving, fixed)
    check_agreement(there, back, moving, fixed)
    return there @ halfway(np.linalg.inv(there) @ np.linalg.inv(back))


def check_scan(scan, name):
    """Raise where a scan is nothing to be registered."""
    affine_of(scan)
    if scan.kind != "volume":
        raise NeuroloomError(f"The {name} scan is a label map. Register the scans, and move the label map along.")
    if len(scan.data) != 1:
        raise NeuroloomError(
            f"The {name} scan has {len(scan.data)} channels, but registration looks at one. Choose it."
        )
    if not np.isfinite(scan.data).all():
        raise NeuroloomError(f"The {name} scan has NaN or infinite voxels. Mend it before it is registered.")
    if scan.data.min() == scan.data.max():
        raise NeuroloomError(f"The {name} scan has one value everywhere, so there is nothing to register.")


def one_way(moving, fixed, degrees, masks=(None, None)):
    """Return the map from fixed to moving mm, (4, 4), that is found at points of the fixed scan."""
    levels = [Pair(reduced(moving, size), reduced(fixed, size), masks) for size in level_sizes(moving, fixed)]
    starts = sorted(first_guesses(moving, fixed), key=levels[0].information, reverse=True)
    followed = [levels[0].climb(start, "rigid") for start in starts[:FOLLOWED]]
    matrix = max(followed, key=levels[0].information)
    for level in levels if degrees != "rigid" else levels[1:]:
        matrix = level.climb(matrix, degrees)
    return matrix


def level_sizes(moving, fixed):
    """Return the edges of the cubes (mm) that both scans are seen in, from coarse to fine."""
    sizes = [voxel_sizes(affine_of(scan)) for scan in (moving, fixed)]
    longest = max((size * scan.data.shape[1:]).max() for size, scan in zip(sizes, (moving, fixed), strict=True))
    finest = max(size.min() for size in sizes)
    return [longest / COARSEST / 2**n for n in range(LEVELS) if n == 0 or longest / COARSEST / 2**n > 0.7 * finest]


def reduced(scan, size):
    """Return the scan on cubes of an edge in mm, with its outliers cut off."""
    scan = Resample(voxel_size=size)(scan)
    low, high = np.quantile(scan.data, CLIPPED)
    return scan.with_data(np.clip(scan.data, low, high).astype(np.float32)) if high > low else scan


def first_guesses(moving, fixed):
    """Return maps to start from: 27 turns, with the headers as they are, the grids' or the heads' centres together."""
    centre = centre_of_mass(fixed)
    middle = [outer_corners(scan).mean(axis=1) for scan in (moving, fixed)]
    places = [centre, centre + middle[0] - middle[1], centre_of_mass(moving)]  # where the fixed head's centre may go
    return [turned_about(centre, angles, to) for to in places for angles in itertools.product(TURNS, repeat=3)]


def turned_about(centre, angles, to):
    """Return the map that turns by angles (degrees) about a centre, and brings the centre to a place (mm)."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = to - matrix[:3, :3] @ centre
    return matrix


def check_plausible(matrix, moving, fixed):
    """Raise where a map mirrors, stretches as no head does, or leaves the moving scan."""
    lengths = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    if np.linalg.det(matrix[:3, :3]) <= 0 or lengths.min() < LENGTHS[0] or lengths.max() > LENGTHS[1]:
        raise NeuroloomError(
            f"The registration failed: it would make the fixed head {lengths.min():.2f} to {lengths.max():.2f} times as "
            f"long ({LENGTHS[0]} to {LENGTHS[1]} is plausible). Do both scans show a whole head, in mm?"
        )
    overlap = overlap_of(matrix, moving, fixed)
    if overlap < LEAST_OVERLAP:
        raise NeuroloomError(
            f"The registration failed: {overlap:.0%} of the fixed head lies in the moving scan, "
            f"{LEAST_OVERLAP:.0%} is needed. Do both scans show the same part of the head?"
        )


def overlap_of(matrix, moving, fixed):
    """Return the share of the fixed head that lies in the moving scan's field of view."""
    points = head_points(fixed)
    to_voxel = np.linalg.inv(affine_of(moving)) @ matrix
    where = to_voxel[:3, :3] @ points + to_voxel[:3, 3:]
    last = np.array(moving.data.shape[1:])[:, None] - 0.5
    return float(((where >= -0.5) & (where <= last)).all(axis=0).mean())


def check_agreement(there, back, moving, fixed):
    """Raise where the two ways found maps that are far apart, as they do when one of them or both failed."""
    apart = distance(there, np.linalg.inv(back), fixed)
    longest = max((voxel_sizes(affine_of(scan)) * scan.data.shape[1:]).max() for scan in (moving, fixed))
    if apart > MOST_APART * longest:
        raise NeuroloomError(
            f"The registration failed: from one scan to the other and back the head comes {apart:.1f} mm away from where "
            f"it was ({MOST_APART * longest:.1f} mm is the most). Do both scans show the same part of a head? "
            "Two heads need affine degrees; a slab of one head and the whole of another were seen to fail."
        )


def distance(one, other, scan):
    """Return the mean distance in mm, over a scan's head, between where two maps put a point."""
    points = head_points(scan)
    difference = one - other
    return float(np.linalg.norm(difference[:3, :3] @ points + difference[:3, 3:], axis=0).mean())


def head_points(scan):
    """Return points within the head of a scan, in mm, shape (3, n): cubes brighter than the mean."""
    size = (voxel_sizes(affine_of(scan)) * scan.data.shape[1:]).max() / COARSEST
    seen = Resample(voxel_size=size)(scan)
    where = np.argwhere(seen.data[0] > seen.data.mean()).T
    return seen.geometry["affine"][:3, :3] @ where + seen.geometry["affine"][:3, 3:]
