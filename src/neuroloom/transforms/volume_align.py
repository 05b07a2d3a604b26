"""Affine registration to the MNI152 brain, so that scans in their own space meet a box or grid given in mm."""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm
from scipy.ndimage import binary_dilation, map_coordinates

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.simulators.t1w_template import template
from neuroloom.transforms.volume_grid import affine_of, voxel_sizes

STARTS = (-25.0, 0.0, 25.0)  # degrees of pitch that are tried first
LEVELS = ((8.0, 7, 25), (8.0, 12, 15), (4.0, 12, 15))  # voxel size (mm), degrees of freedom, most steps
RIM = 8.0  # mm around the template's brain that count as background


@dataclass(frozen=True)
class Align:
    """Bring a brain scan to MNI space by changing its affine; no voxel is touched.

    Gauss-Newton in the inverse compositional form (Baker & Matthews 2004,
    doi:10.1023/B:VISI.0000011205.11775.fd), 7 and then 12 degrees of freedom, at 8 and 4 mm. A cubic in the
    scan's intensity is refitted to the template at each step, so that other contrasts than T1 may do.

    Parameters
    ----------
    least_correlation : float
        A scan whose fitted intensities correlate less than this with the template is an error: it is no head,
        has its skull, holds a part of one, or is turned by more than the starts reach. Stripped brains of real
        people reached 0.88 to 0.92; heads with their skulls, whose fit was wrong, 0.53 to 0.80.

    Notes
    -----
    Meant for skull-stripped brains. ``geometry["aligned"]`` of the result holds the correlation reached and
    the matrix from the scan's own mm to MNI mm.
    """

    least_correlation: float = 0.85

    def __call__(self, scan: Scan) -> Scan:
        affine = affine_of(scan)
        matrix, correlation = mni_to_scan(scan.data.mean(axis=0) if scan.kind == "volume" else scan.data, affine)
        if correlation < self.least_correlation:
            raise NeuroloomError(
                f"The scan could not be aligned to the MNI brain: correlation {correlation:.2f}, "
                f"{self.least_correlation:.2f} is needed. Is it a whole, skull-stripped head, with a sane affine? "
                "Leave out {name: align} if it is in MNI space already."
            )
        to_mni = np.linalg.inv(matrix)
        aligned = {"correlation": round(float(correlation), 4), "to_mni": to_mni}
        return scan.with_data(scan.data, affine=to_mni @ affine, aligned=aligned)


def mni_to_scan(data, affine):
    """Return the affine matrix from MNI mm to the scan's mm, and the correlation that it reaches.

    Parameters
    ----------
    data : ndarray of shape (i, j, k)
    affine : ndarray of shape (4, 4)
        Voxel numbers to mm.
    """
    coarse = {size: reduced(data, affine, size) for size in {size for size, _, _ in LEVELS}}
    size, freedom, steps = LEVELS[0]
    starts = [start(*coarse[size], pitch) for pitch in STARTS]
    matrix, _ = max((fit(*coarse[size], size, freedom, steps, s) for s in starts), key=lambda fitted: fitted[1])
    for size, freedom, steps in LEVELS[1:]:
        matrix, correlation = fit(*coarse[size], size, freedom, steps, matrix)
    return matrix, correlation


def reduced(data, affine, size):
    """Return the scan by block means, with voxels of about ``size`` mm, and its affine."""
    factors = np.maximum(1, np.round(size / voxel_sizes(affine))).astype(int)
    shape = np.array(data.shape) // factors
    kept = data[tuple(slice(0, n * f) for n, f in zip(shape, factors, strict=True))].astype(np.float32)
    for axis, factor in enumerate(factors):
        kept = np.add.reduceat(kept, np.arange(0, kept.shape[axis], factor), axis=axis) / factor
    blocks = np.diag([*factors, 1.0]).astype(float)
    blocks[:3, 3] = (factors - 1) / 2
    return kept, affine @ blocks


def start(data, affine, pitch):
    """Return a first guess: centres of mass on each other, the head turned by ``pitch`` degrees."""
    points, values, _ = fixed(LEVELS[0][0])
    centre = (points * values).sum(axis=1) / values.sum()
    where = np.indices(data.shape).reshape(3, -1)
    weight = np.maximum(data.reshape(-1) - np.median(data), 0.0)
    own = affine[:3, :3] @ ((where * weight).sum(axis=1) / max(weight.sum(), 1e-12)) + affine[:3, 3]
    turn = expm(np.deg2rad(pitch) * generators()[3])
    return shift(own) @ turn @ shift(-centre)


def fit(data, affine, size, freedom, steps, matrix):
    """Return the matrix improved by Gauss-Newton steps, and the correlation that it reaches."""
    points, values, inverse = fixed(size)
    basis, projection = generators()[:freedom], inverse[freedom]
    to_voxel = np.linalg.inv(affine)
    best, best_correlation = matrix, -1.0
    for _ in range(steps):
        to_data = to_voxel @ matrix
        where = to_data[:3, :3] @ points + to_data[:3, 3:]
        seen = map_coordinates(data, where, order=1, mode="constant", output=np.float64)
        likened = likeness(seen, values)
        correlation = np.corrcoef(likened, values)[0, 1]
        if not np.isfinite(correlation):
            return best, best_correlation
        if correlation > best_correlation:
            best, best_correlation = matrix, correlation
        step = np.einsum("pn,n->p", projection, likened - values)
        matrix = matrix @ np.linalg.inv(expm(np.einsum("p,pij->ij", step, basis)))
        if np.abs(step).max() < 1e-4:
            break
    return best, best_correlation


def likeness(seen, values):
    """Return the cubic in the scan's intensities that comes closest to the template's."""
    scale = np.abs(seen).max() or 1.0
    powers = (seen / scale) ** np.arange(4)[:, None]  # (4, n_points)
    normal = np.einsum("an,bn->ab", powers, powers) + 1e-9 * len(values) * np.eye(4)
    return np.linalg.solve(normal, np.einsum("an,n->a", powers, values)) @ powers


@functools.cache
def fixed(size):
    """Return the template at ``size`` mm: points (3, n) in mm, intensities (n,), and for 7 and 12 degrees of
    freedom the matrix (freedom, n) that takes differences of intensity to a step along the generators.
    """
    t1, _, _, affine = template()
    data, affine = reduced(t1, affine, size)
    brain = binary_dilation(data > 0.05, iterations=int(np.ceil(RIM / size)))
    where = np.argwhere(brain).T.astype(float)
    points = affine[:3, :3] @ where + affine[:3, 3:]
    gradient = np.stack([g[brain] for g in np.gradient(data.astype(float), *voxel_sizes(affine))])  # (3, n) per mm
    slopes = np.stack([np.einsum("cn,cn->n", gradient, g[:3, :3] @ points + g[:3, 3:]) for g in generators()])
    inverse = {}
    for freedom in (7, 12):
        normal = np.einsum("an,bn->ab", slopes[:freedom], slopes[:freedom])
        inverse[freedom] = np.linalg.solve(normal, slopes[:freedom])
    return points, data[brain].astype(float), inverse


@functools.cache
def generators():
    """Return the 12 directions of an affine change, shape (12, 4, 4), per mm, radian or unit of log scale.

    In turn: three shifts, three turns, the common scale; two more scales, three shears.
    """
    basis = np.zeros((12, 4, 4))
    for axis in range(3):
        basis[axis, axis, 3] = 1.0
        first, second = (axis + 1) % 3, (axis + 2) % 3
        basis[3 + axis, second, first], basis[3 + axis, first, second] = 1.0, -1.0
        basis[9 + axis, second, first], basis[9 + axis, first, second] = 1.0, 1.0
        basis[6, axis, axis] = 1.0
    basis[7, 0, 0], basis[7, 1, 1] = 1.0, -1.0
    basis[8, 0, 0], basis[8, 1, 1], basis[8, 2, 2] = 1.0, 1.0, -2.0
    return basis


def shift(by):
    matrix = np.eye(4)
    matrix[:3, 3] = by
    return matrix
