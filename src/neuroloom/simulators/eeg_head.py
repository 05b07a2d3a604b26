"""A head for simulated EEG: electrodes, cortex and what a current in one gives at the other."""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nibabel
import nilearn.datasets
import numpy as np
from scipy.optimize import least_squares
from scipy.spatial import cKDTree

from neuroloom.errors import NeuroloomError
from neuroloom.formats.signals_extra import mne

N_VERTICES = 2562  # of a hemisphere: the first of fsaverage5 are those of fsaverage4, some 7 mm apart
SHELLS = (0.90, 0.92, 0.97, 1.0)  # radii of brain, fluid, skull and skin, in radii of the head
CONDUCTIVITIES = (0.33, 1.0, 0.004, 0.33)  # S/m, of the same
REFERENCE = ("M1", "M2")  # the mastoids
LAYOUTS = {  # number of channels -> electrodes of the 10-10 system
    19: "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2",
    22: "Fz FC3 FC1 FCz FC2 FC4 C5 C3 C1 Cz C2 C4 C6 CP3 CP1 CPz CP2 CP4 P1 Pz P2 POz",
    32: "Fp1 AF3 F7 F3 FC1 FC5 T7 C3 CP1 CP5 P7 P3 Pz PO3 O1 Oz O2 PO4 P4 P8 CP6 CP2 C4 T8 FC6 FC2 F4 F8 AF4 Fp2 Fz Cz",
    64: "Fp1 AF7 AF3 F1 F3 F5 F7 FT7 FC5 FC3 FC1 C1 C3 C5 T7 TP7 CP5 CP3 CP1 P1 P3 P5 P7 P9 PO7 PO3 O1 Iz Oz POz Pz CPz "
    "Fpz Fp2 AF8 AF4 AFz Fz F2 F4 F6 F8 FT8 FC6 FC4 FC2 FCz Cz C2 C4 C6 T8 TP8 CP6 CP4 CP2 P2 P4 P6 P8 P10 PO8 PO4 O2",
}  # fmt: skip


def layout(n_channels):
    """Return the electrodes of a cap: 19 (10-20 system), 22 (BCI competition IV 2a), 32 or 64 (BioSemi)."""
    if n_channels not in LAYOUTS:
        known = ", ".join(str(number) for number in LAYOUTS)
        raise NeuroloomError(f"n_channels is {n_channels!r}; the simulated caps have {known} electrodes.")
    return LAYOUTS[n_channels].split()


@dataclass(frozen=True)
class Head:
    """One head, the same for all simulated people.

    Parameters
    ----------
    names : list of str
        All electrodes: those of the largest cap, and the mastoids.
    positions : ndarray of shape (electrode, 3)
        In m, MNE's head frame (x to the right ear, y to the nose).
    sources : ndarray of shape (source, 3)
        Places on the cortex between white matter and pia, in mm, fsaverage's surface RAS (near MNI's).
    leadfield : ndarray of shape (electrode, source)
        Potential against the mean of both mastoids, in V, of 1 A m along the cortex's normal.
    """

    names: list[str]
    positions: np.ndarray
    sources: np.ndarray
    leadfield: np.ndarray

    def rows(self, names):
        """Return the numbers of electrodes."""
        return [self.names.index(name) for name in names]

    def patch(self, centre, extent):
        """Return the topography of a patch of cortex that is active together, shape (electrode,).

        Parameters
        ----------
        centre : sequence of float
            In mm, fsaverage's surface RAS; the nearest source of that side is taken.
        extent : float
            Standard deviation of the activity over distance, in mm.

        Returns
        -------
        ndarray
            Its largest value over all electrodes is 1 or -1.
        """
        same_side = (self.sources[:, 0] < 0) == (centre[0] < 0)
        distance = np.linalg.norm(self.sources - np.asarray(centre, dtype=float), axis=1)
        weight = np.where(same_side, np.exp(-0.5 * (distance / extent) ** 2), 0.0)
        topography = self.leadfield @ weight
        return topography / np.abs(topography).max()

    def smooth_covariance(self, extent):
        """Return the covariance of electrodes when cortex is active at random, alike over ``extent`` mm.

        Mean variance over electrodes 1, shape (electrode, electrode).
        """
        sources = (self.sources / extent).astype(np.float32)
        lengths, leadfield, weighted = (sources**2).sum(axis=1), self.leadfield.astype(np.float32), []
        for some in np.array_split(np.arange(len(sources)), 16):  # (source, some): how much of each goes with some
            half_square = 0.5 * (lengths[:, None] + lengths[some]) - sources @ sources[some].T
            weighted.append(leadfield @ np.exp(-half_square))
        weighted = np.concatenate(weighted, axis=1).astype(float)
        covariance = weighted @ weighted.T
        return covariance / np.diag(covariance).mean()


@lru_cache(maxsize=1)
def head():
    """Return the head: fsaverage's cortex in a sphere of four shells (MNE-Python), under a 10-10 montage.

    Each source keeps its direction from the sphere's centre and its depth as a share of the way to the inner skull,
    so that all lie within the sphere's brain as deep as they are; electrodes are moved onto the sphere's skin.
    The normals are those of the folded surface. Meshes ship with nilearn, frames and inner skull with MNE-Python:
    nothing is fetched. Sphere: Berg and Scherg 1994 (doi:10.1016/0013-4694(94)90113-9).

    Returns
    -------
    Head
    """
    names = [*LAYOUTS[64].split(), *REFERENCE]
    info = _montaged(names)
    positions = np.array([channel["loc"][:3] for channel in info["chs"]], dtype=float)
    places, normals = _cortex()
    to_head = _mri_to_head()
    skull = _moved(_inner_skull(), to_head)
    centre, radius = _fitted_sphere(skull[skull[:, 2] > 0.0])
    radius = radius / SHELLS[0]
    inside = _as_deep(_moved(places / 1000.0, to_head), skull, centre, radius)
    potentials = _potentials(info, inside, normals @ to_head[:3, :3].T, centre, radius)
    mastoids = [names.index(name) for name in REFERENCE]
    return Head(names, positions, places, potentials - potentials[mastoids].mean(axis=0))


def _montaged(names):
    """Return MNE's description of electrodes placed by the 10-10 system."""
    library = mne()
    montages = library.channels
    known = "colin27_1005" if "colin27_1005" in montages.get_builtin_montages() else "standard_1005"  # before MNE 1.13
    info = library.create_info(names, 250.0, "eeg", verbose="error")
    info.set_montage(montages.make_standard_montage(known), verbose="error")
    return info


def _cortex():
    """Return places between white matter and pia and their outward normals, (source, 3), mm and unit length."""
    files = nilearn.datasets.fetch_surf_fsaverage("fsaverage5")  # within nilearn
    places, normals = [], []
    for side in ("left", "right"):
        white, pia = (_surface(files[f"{name}_{side}"]) for name in ("white", "pial"))
        middle = (white[0] + pia[0]) / 2
        places.append(middle[:N_VERTICES])
        normals.append(_normals(middle, pia[1])[:N_VERTICES])
    return np.concatenate(places), np.concatenate(normals)


def _surface(path):
    points, triangles = (array.data for array in nibabel.load(path).darrays)
    return points.astype(float), triangles


def _normals(points, triangles):
    """Return the normal of each vertex, the mean of its triangles' weighted by their area, shape (vertex, 3)."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    of_triangle = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for corner in range(3):
        np.add.at(total, triangles[:, corner], of_triangle)
    return total / np.linalg.norm(total, axis=1, keepdims=True)


def _shipped(name):
    return Path(mne().__file__).parent / "data" / "fsaverage" / name


def _mri_to_head():
    """Return the matrix from fsaverage's surface RAS to MNE's head frame, in m, shape (4, 4)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.linalg.inv(mne().read_trans(_shipped("fsaverage-trans.fif"), verbose="error")["trans"])


def _inner_skull():
    return mne().read_bem_surfaces(_shipped("fsaverage-inner_skull-bem.fif"), verbose="error")[0]["rr"]


def _moved(points, matrix):
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _fitted_sphere(points):
    """Return centre and radius of the sphere nearest to points, in their unit."""
    start = [*points.mean(axis=0), 0.08]
    fitted = least_squares(lambda sphere: np.linalg.norm(points - sphere[:3], axis=1) - sphere[3], start).x
    return fitted[:3], fitted[3]


def _as_deep(points, skull, centre, radius):
    """Return points in the sphere whose depth, as a share of the way from centre to inner skull, is kept."""
    skull_away = np.linalg.norm(skull - centre, axis=1)
    away = np.linalg.norm(points - centre, axis=1)
    direction = (points - centre) / away[:, None]
    _, near = cKDTree((skull - centre) / skull_away[:, None]).query(direction, k=4)
    share = away / skull_away[near].mean(axis=1)
    return centre + direction * (np.minimum(share, 0.99) * SHELLS[0] * radius)[:, None]


def _potentials(info, places, normals, centre, radius):
    """Return potentials of dipoles along normals at the electrodes of ``info``, V of 1 A m, (electrode, source)."""
    library = mne()
    sphere = library.make_sphere_model(centre, radius, None, SHELLS, CONDUCTIVITIES, verbose="error")
    n = len(places)
    on_skin = info.copy()
    for channel in on_skin["chs"]:
        away = channel["loc"][:3] - centre
        channel["loc"][:3] = centre + away * radius / np.linalg.norm(away)
    dipoles = library.Dipole(np.arange(n) / 1000.0, places, np.ones(n), normals, np.full(n, 100.0), verbose="error")
    forward, _ = library.make_forward_dipole(dipoles, sphere, on_skin, trans=None, verbose="error")
    forwards = forward if isinstance(forward, list) else [forward]
    return np.concatenate([one["sol"]["data"] for one in forwards], axis=1)
