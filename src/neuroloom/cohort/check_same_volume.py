"""Is this the same picture under another name? A fingerprint for each volume, and a test of two volumes.

Two scans of one person share anatomy; only copies of one scan share its noise. So both steps look at the
finest detail of a volume alone, each voxel less the mean of the 27 around it, which brightness, offset
and head position leave as it is.
"""

from dataclasses import dataclass

import numpy as np
from nibabel.orientations import apply_orientation, io_orientation
from scipy import fft, ndimage

BLOCK = 64  # edge, in voxels, of the cube that the fingerprint is taken from
BAND = (3, 16)  # its spatial frequencies, in periods a block: coarser is shared anatomy, finer is lost by rounding
ALIKE = 0.5  # fingerprints of different people correlate below .18, of copies above .6
COMPARED = 96  # edge, in voxels, of the cube that is compared in full
FLAT = 0.3  # share of voxels, those with least structure around them, where noise rules
SAME = 0.96  # detail there: copies .977 and more, one person twice in one place and session .93, two visits .4
ROUNDING = 0.6  # half a step of rounding, and a little
MIRRORS = (None, 0, 1, 2)  # axis along which one of the two is mirrored
MIRROR_WORDS = {None: "", 0: "mirrored left to right", 1: "mirrored front to back", 2: "upside down"}


@dataclass(frozen=True)
class Match:
    """Two scans that hold the same measurement: how sure that is, and what was done to one of them."""

    score: float
    how: str


def upright(scan):
    """Return the first channel as (i, j, k), axes to the right, front and top; what is not finite counts as 0."""
    volume = scan.data[0]
    if not np.isfinite(volume).all():
        volume = np.nan_to_num(volume, nan=0.0, posinf=0.0, neginf=0.0)
    affine = scan.geometry.get("affine")
    return volume if affine is None else apply_orientation(volume, io_orientation(affine))


def fingerprint(scan):
    """Return what is particular to one measured volume, whatever its brightness and position.

    It is the logarithm of the amplitude spectrum of the finest detail in a cube around its middle, less its
    smooth trend. A shift changes phases only; a mirror image mirrors it.

    Parameters
    ----------
    scan : Scan
        Volume (channel, i, j, k).

    Returns
    -------
    ndarray of shape (33, 33, 17), float16, or None
        Unit length; None where there is no detail at all.
    """
    volume = upright(scan)
    detail = _detail(volume[_around(_middle(volume), volume.shape, BLOCK)])
    if not detail.any():
        return None
    amplitude = np.abs(fft.fftn(_tapered(detail), (BLOCK,) * 3))
    level = np.log(amplitude + 1e-3 * amplitude.mean())
    # one speckle of the spectrum is BLOCK / length wide: the trend is what is smoother than that
    width = [1.5 * BLOCK / length for length in detail.shape]
    level = fft.fftshift(level - ndimage.gaussian_filter(level, width, mode="wrap"))
    half, most = BLOCK // 2, BAND[1]
    sides = slice(half - most, half + most + 1)
    level = level[sides, sides, half : half + most + 1]  # the other half says the same
    inside = _band()
    level = np.where(inside, level - level[inside].mean(), 0)
    return (level / np.linalg.norm(level)).astype(np.float16)


def candidates(fingerprints):
    """Return the pairs that look alike: (score, first, second, mirrored axis), the most alike first.

    Parameters
    ----------
    fingerprints : ndarray of shape (n, 33, 33, 17)

    Returns
    -------
    list of (float, int, int, int or None)
    """
    n = len(fingerprints)
    flat = fingerprints.reshape(n, -1)
    found = []
    for start in range(0, n, 256):  # so many at once in float32
        rows = flat[start : start + 256].astype(np.float32)
        for other in range(start, n, 256):
            columns = fingerprints[other : other + 256].astype(np.float32)
            scores = np.stack([rows @ _mirrored(columns, axis).reshape(len(columns), -1).T for axis in MIRRORS])
            best = scores.max(axis=0)
            for i, j in np.argwhere(best >= ALIKE):
                if start + i < other + j:
                    axis = MIRRORS[int(scores[:, i, j].argmax())]
                    found.append((float(best[i, j]), int(start + i), int(other + j), axis))
    return sorted(found, key=lambda pair: (-pair[0], *pair[1:3]))


def compare(one, other, axis):
    """Return the `Match` of two volumes that hold the same measurement, else None.

    Parameters
    ----------
    one, other : Scan
        Volumes (channel, i, j, k).
    axis : int or None
        Axis along which ``other`` is mirrored.
    """
    volumes = [upright(one), upright(other)]
    if axis is not None:
        volumes[1] = np.flip(volumes[1], axis)
    offset, middle = _offset(*volumes)
    a, b = (volumes[n][where] for n, where in enumerate(_overlap(volumes[0].shape, volumes[1].shape, offset, middle)))
    if a.size < 100:
        return None
    gain = _gain(a, b)
    score = abs(_noise_correlation(_detail(a), _detail(b), gain))
    if score < SAME and not _equal_but_for_rounding(a, b, gain):
        return None
    return Match(score, _how(a, b, gain, axis, offset if volumes[0].shape == volumes[1].shape else None))


def _detail(volume):
    return volume - ndimage.uniform_filter(volume, 3, mode="nearest")


def _middle(volume):
    """Return the voxel in the middle of all edges, which a shift moves along and brightness leaves."""
    longest = int(np.argmax(volume.shape))
    weight = np.abs(np.diff(volume, axis=longest, prepend=volume.take([0], axis=longest)))
    middle = []
    for axis in range(3):
        along = weight.sum(axis=tuple(a for a in range(3) if a != axis), dtype=np.float64)
        middle.append(round(float(along @ np.arange(len(along)) / max(along.sum(), 1e-30))))
    return middle


def _around(middle, shape, edge):
    """Return the slices of the part of a cube around a voxel that lies inside the volume."""
    starts = [m - edge // 2 for m in middle]
    return tuple(slice(max(s, 0), min(s + edge, n)) for s, n in zip(starts, shape, strict=True))


def _tapered(cube):
    """Return the cube faded out towards its faces (Hann)."""
    for axis, length in enumerate(cube.shape):
        window = np.hanning(length + 2)[1:-1].astype(np.float32)
        cube = cube * window.reshape([-1 if a == axis else 1 for a in range(3)])
    return cube


def _band():
    lowest, highest = BAND
    side, half = np.arange(-highest, highest + 1), np.arange(highest + 1)
    radius = np.sqrt(side[:, None, None] ** 2 + side[None, :, None] ** 2 + half[None, None, :] ** 2)
    return (radius >= lowest) & (radius <= highest)


def _mirrored(fingerprints, axis):
    """Return the fingerprints of the mirror images; |F(x, y, -z)| is |F(-x, -y, z)| for real volumes."""
    flipped = {None: (), 0: (1,), 1: (2,), 2: (1, 2)}[axis]
    return np.flip(fingerprints, flipped)


def _offset(one, other):
    """Return how far the second is moved against the first, in voxels, and the middle of the first.

    Voxel v of the second lies at v + offset of the first: the peak of the cross-correlation of their details.
    """
    middle = _middle(one)
    places = [_around(m, v.shape, COMPARED) for m, v in ((middle, one), (_middle(other), other))]
    cubes = [_tapered(_detail(v[place])) for v, place in zip((one, other), places, strict=True)]
    spectra = [fft.rfftn(cube, (COMPARED,) * 3) for cube in cubes]
    product = np.abs(fft.irfftn(spectra[0] * np.conj(spectra[1]), (COMPARED,) * 3))
    peak = np.unravel_index(product.argmax(), product.shape)
    moved = [int(p) if p < COMPARED // 2 else int(p) - COMPARED for p in peak]
    return [p.start - q.start + move for p, q, move in zip(*places, moved, strict=True)], middle


def _overlap(shape, other_shape, offset, middle):
    """Return the same place in both volumes, as slices: at most ``COMPARED`` voxels along each axis."""
    place, other_place = [], []
    for n, m, move, centre in zip(shape, other_shape, offset, middle, strict=True):
        low = max(0, move, centre - COMPARED // 2)
        high = max(low, min(n, m + move, centre + COMPARED // 2))
        place.append(slice(low, high))
        other_place.append(slice(low - move, high - move))
    return tuple(place), tuple(other_place)


def _gain(a, b):
    """Return the factor of the straight line a = gain · b + offset."""
    b = b - b.mean(dtype=np.float64)
    return float((a * b).sum(dtype=np.float64) / max((b * b).sum(dtype=np.float64), 1e-30))


def _noise_correlation(x, y, gain):
    """Return the correlation of two details where there is least structure around, so that noise rules."""
    around = ndimage.uniform_filter(np.abs(x), 7) + abs(gain) * ndimage.uniform_filter(np.abs(y), 7)
    known = around > 1e-4 * np.quantile(around, 0.9)  # not the emptied outside of a stripped head
    if known.sum() < 100:
        return 0.0
    flat = known & (around <= np.quantile(around[known], FLAT))
    x, y = x[flat].astype(np.float64), y[flat].astype(np.float64)
    spread = x.std() * y.std()
    return float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 0 else 0.0


def _equal_but_for_rounding(a, b, gain):
    """Say whether 99 % of the voxels agree to the step that one of the two was rounded to."""
    step = max(_step(a), abs(gain) * _step(b))
    apart = a - gain * b
    return bool(step > 0 and np.quantile(np.abs(apart - np.median(apart)), 0.99) <= ROUNDING * step)


def _step(values):
    """Return the distance of the values that a volume was rounded to; 0 where it was not."""
    levels = np.unique(values)
    return float(np.diff(levels).min()) if 2 < len(levels) <= 4096 else 0.0


def _how(a, b, gain, axis, offset):
    """Say what was done to one of two copies; ``offset`` is None where their grids differ in size."""
    done = [MIRROR_WORDS[axis]] if axis is not None else []
    if offset is None:
        done.append("cropped or padded")
    elif any(offset):
        done.append(f"shifted by ({', '.join(map(str, offset))}) voxels")
    if np.abs(a - b).max() > 1e-4 * np.abs(a).max():
        done.append(f"intensities times {gain:.3g}" if abs(gain - 1) > 0.01 else "intensities changed slightly")
    return ", ".join(done) or "every voxel the same"
