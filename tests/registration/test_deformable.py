"""Deformable registration: planted warps are found, nothing is where nothing was planted, and no voxel folds."""

import numpy as np
import pytest
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.registration.affine import affine_between, head_points
from neuroloom.registration.deformable import field_between, jacobian
from neuroloom.scan import Scan
from neuroloom.simulators.label_maps import template_labels
from neuroloom.simulators.t1w import simulate_t1w
from neuroloom.simulators.t1w_warp import warped
from neuroloom.transforms.volume_grid import affine_of, resample_onto

pytest.importorskip("SimpleITK")


class Head:
    """A simulated scan, where each of its points lies in the template, and its label map."""

    def __init__(self, cohort, sample):
        draw = cohort.inputs["t1w"].draw
        self.scan, self.warp = cohort.load("t1w", sample), draw.warp(sample)
        self.unturned = np.linalg.inv(draw.pose(sample))

    def in_template(self, points):
        """Return where points (3, n) of the scan lie in the template, mm."""
        at = (self.unturned[:3, :3] @ points + self.unturned[:3, 3:]).T.astype(np.float32)
        return warped(torch.from_numpy(at)[:, None, None], self.warp)[:, 0, 0].numpy().T

    def labels(self):
        labels, affine = template_labels()
        points = grid_points(self.scan.data.shape[1:], affine_of(self.scan))
        at = np.rint((self.in_template(points) - affine[:3, 3:]) / 2.0).astype(int)
        at = np.clip(at, 0, np.array(labels.shape)[:, None] - 1)
        numbers = labels[tuple(at)].reshape(self.scan.data.shape[1:])
        return Scan(np.where(numbers < 500, numbers, 0).astype(np.uint16), "labels", self.scan.geometry)


def grid_points(shape, affine):
    return affine[:3, :3] @ np.indices(shape).reshape(3, -1) + affine[:3, 3:]


def at_points(field, points):
    """Return a field's displacements at the voxels nearest to points (3, n) in mm."""
    where = np.linalg.inv(affine_of(field)) @ np.vstack([points, np.ones(points.shape[1])])
    at = np.clip(np.rint(where[:3]).astype(int), 0, np.array(field.data.shape[1:])[:, None] - 1)
    return field.data[:, *at]


def error(fixed, moving, matrix, field=None):
    """Mean distance in mm, in the template, between a point of the fixed head and the moving one's at its place."""
    points = head_points(fixed.scan)
    moved = points if field is None else points + at_points(field, points)
    there = matrix[:3, :3] @ moved + matrix[:3, 3:]
    return np.linalg.norm(fixed.in_template(points) - moving.in_template(there), axis=0).mean()


def dice(one, other):
    """Mean Dice of the labels with more than 50 voxels."""
    names = [n for n in np.unique(one.data) if n and (one.data == n).sum() > 50]
    both = [((one.data == n) & (other.data == n)).sum() for n in names]
    return np.mean(
        [2 * b / ((one.data == n).sum() + (other.data == n).sum()) for b, n in zip(both, names, strict=True)]
    )


@pytest.fixture(scope="module")
def people():
    """Two heads of two scanners (contrast, shading, slices of 3 and 3 mm) and the affine map between them."""
    cohort = simulate_t1w(n_participants=2, n_sites=2, seed=3, voxel_size=3.0, native=True, diseased=0.0)
    fixed, moving = (Head(cohort, sample) for sample in cohort.samples)
    return fixed, moving, affine_between(moving.scan, fixed.scan, degrees="affine")


@pytest.mark.slow
def test_a_planted_warp_is_found_and_labels_follow_it(people):
    fixed, moving, matrix = people
    field = field_between(moving.scan, fixed.scan, matrix)
    before, after = error(fixed, moving, matrix), error(fixed, moving, matrix, field)
    assert after < 0.85 * before  # 3.8 and 3.0 mm were seen
    labels = moving.labels()
    labels = labels.with_data(labels.data, affine=np.linalg.inv(matrix) @ affine_of(labels))
    grid = fixed.scan.data.shape[1:], affine_of(fixed.scan)
    overlaps = [dice(fixed.labels(), resample_onto(labels, *grid, u)) for u in (None, resample_onto(field, *grid).data)]
    assert overlaps[1] > overlaps[0] + 0.04
    assert jacobian(field).min() > 0
    assert field_between(moving.scan, fixed.scan, matrix).data.tobytes() == field.data.tobytes()


@pytest.mark.slow
def test_scans_of_other_contrasts_are_refused(people):
    fixed, moving, matrix = people
    data, top = moving.scan.data, np.quantile(moving.scan.data, 0.999)
    inverted = np.where(data > 0.15 * top, np.maximum(1.2 * top - data, 0), data).astype(np.float32)
    with pytest.raises(NeuroloomError, match="two scans of one contrast"):
        field_between(moving.scan.with_data(inverted), fixed.scan, matrix)


@pytest.mark.slow
def test_where_nothing_was_planted_little_is_found():
    """One head scanned twice at once: what differs is pose, noise and shading."""
    cohort = simulate_t1w(
        n_participants=1, seed=3, voxel_size=3.0, native=True, visits=2, visit_interval=0.0, diseased=0.0
    )
    fixed, moving = (Head(cohort, sample) for sample in cohort.samples)
    matrix = affine_between(moving.scan, fixed.scan)
    field = field_between(moving.scan, fixed.scan, matrix)
    size = np.linalg.norm(at_points(field, head_points(fixed.scan)), axis=0)
    assert size.mean() < 0.5  # mm, a sixth of a voxel; noise alone leaves about 0.4
    assert abs(np.log(jacobian(field))).max() < np.log(1.6)


def test_the_jacobian_of_a_linear_field_is_its_determinant():
    affine = np.array([[0, -2.0, 0.3, 5], [1.5, 0, 0, -4], [0, 0.2, 3.0, 7], [0, 0, 0, 1]])  # oblique, unequal axes
    linear = np.array([[0.1, 0.05, 0.0], [-0.02, -0.2, 0.1], [0.0, 0.03, 0.15]])
    points = grid_points((6, 7, 5), affine)
    field = Scan((linear @ points).reshape(3, 6, 7, 5), "volume", {"affine": affine})
    assert jacobian(field) == pytest.approx(np.linalg.det(np.eye(3) + linear), abs=1e-9)
    folded = Scan((np.diag([-1.5, 0, 0]) @ points).reshape(3, 6, 7, 5), "volume", {"affine": affine})
    assert jacobian(folded) == pytest.approx(-0.5, abs=1e-9)
