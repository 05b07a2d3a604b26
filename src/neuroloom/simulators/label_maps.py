"""Label maps of simulated heads: the template's structures after a smooth invertible warp, a map a person."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import torch
from scipy.linalg import expm
from scipy.ndimage import binary_dilation, binary_fill_holes

from neuroloom.cohort.cohort import Cohort, DrawnSource
from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.seeds import generator
from neuroloom.simulators.t1w_regions import coordinates, csf, half, mask
from neuroloom.simulators.t1w_template import template_2mm
from neuroloom.simulators.t1w_warp import displacement, natural_velocity, warped

SKULL, SKIN = 3, 6  # voxels of 2 mm about the brain
BONE, FAT = 515, 511
TURN, SHIFT = 6.0, 8.0  # standard deviations: degrees about each axis, mm


def simulate_label_maps(*, n_participants=12, seed=0):
    """Return a cohort of label maps of whole heads at 2 mm, to learn segmentation from.

    Each is the MNI152 brain (grey, white and fluid; hippocampi and lateral ventricles as in `simulate_t1w`;
    cerebellum and brain stem by place) with a skull and skin about it, after a warp as large as people differ, turned and
    shifted by about 6 degrees and 8 mm as heads lie in scanners.

    Parameters
    ----------
    n_participants : int
    seed : int
        A map's draw depends on the seed and on the person's name only.

    Returns
    -------
    Cohort
        Input ``labels`` (FreeSurfer's numbers, see `neuroloom.atlases.anatomy`); column participant_id.
    """
    if not 1 <= n_participants <= 100_000:
        raise NeuroloomError(f"simulated_label_maps: n_participants must be 1 to 100000, but is {n_participants}.")
    samples = [f"sub-{number:03d}" for number in range(1, n_participants + 1)]
    table = pd.DataFrame({"participant_id": samples}, index=pd.Index(samples, name="sample_id"))
    source = DrawnSource("labels", frozenset(samples), LabelMapDraw(seed), f"simulated_label_maps|{seed}")
    return Cohort(table, {"labels": source}, name="simulated label maps", simulated=True)


@dataclass(frozen=True)
class LabelMapDraw:
    """Draw the label map of a sample; the same one at each call and in every process."""

    seed: int

    def __call__(self, sample):
        labels, affine = template_labels()
        moved = displacement(natural_velocity(generator(self.seed, "anatomy", sample)))
        voxels = torch.from_numpy(np.stack(np.meshgrid(*map(np.arange, labels.shape), indexing="ij"), axis=-1))
        points = voxels.float() * 2.0 + torch.from_numpy(affine[:3, 3]).float()
        matrix, shift = pose(generator(self.seed, "pose", sample))
        points = (points - shift) @ matrix.T
        where = (warped(points, moved) - torch.from_numpy(affine[:3, 3]).float()) / 2.0
        where = where.round().long().clamp_(min=0).numpy()
        at = tuple(np.minimum(where[..., axis], labels.shape[axis] - 1) for axis in range(3))
        return Scan(labels[at], "labels", {"affine": affine})


def pose(rng):
    """Return a drawn turn (3, 3) about MNI's origin and a shift (3,) in mm."""
    x, y, z = np.deg2rad(TURN) * rng.standard_normal(3)
    turn = expm(np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]))
    return torch.from_numpy(turn).float(), torch.from_numpy(SHIFT * rng.standard_normal(3)).float()


@cache
def template_labels():
    """Return the label map of the template, uint16 at 2 mm with room for a head, and its affine."""
    _, grey, white, affine = template_2mm()
    x, y, z = coordinates()
    right = np.broadcast_to(x > 0, grey.shape)
    below = np.broadcast_to((y < -34) & (z < -14 - 0.25 * (y + 34)), grey.shape)  # under the tent
    stem = (np.abs(x) < 14) & (y > -46) & (y < -12) & (z < -14) & (white + grey > 0.5)
    labels = np.zeros(grey.shape, dtype=np.uint16)

    def put(where, left, to_right=None):
        labels[where & ~right] = left
        labels[where & right] = left if to_right is None else to_right

    put(csf() > 0.5, 24)
    put(white > 0.5, 2, 41)
    put((grey > 0.4) & (grey >= white), 3, 42)
    put((white > 0.5) & below, 7, 46)
    put((grey > 0.4) & (grey >= white) & below, 8, 47)
    put(stem, 16)
    put(mask("ventricles") > 0.3, 4, 43)
    put(half("hippocampus", "left") > 0.4, 17)
    put(half("hippocampus", "right") > 0.4, 53)
    room = SKULL + SKIN + 8  # turned heads too
    labels = np.pad(labels, room)
    inside = binary_fill_holes(labels > 0)
    labels[inside & (labels == 0)] = 24
    skull = binary_dilation(inside, iterations=SKULL)
    skin = binary_dilation(skull, iterations=SKIN)
    labels[skin & ~skull], labels[skull & ~inside] = FAT, BONE
    affine = affine.copy()
    affine[:3, 3] -= room * 2.0
    return labels, affine
