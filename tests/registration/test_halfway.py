"""The space half-way: the root of a map, and two visits that are treated alike."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from neuroloom.errors import NeuroloomError
from neuroloom.registration.halfway import halfway, to_halfway
from neuroloom.simulators.t1w import simulate_t1w
from neuroloom.transforms.volume_grid import resample_onto


def rigid(angles, shift):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = shift
    return matrix


def test_half_of_a_screw_turns_and_rises_by_half():
    """A turn about the vertical axis through (10, 20, 0) with a rise along it: the half is known in closed form."""

    def screw(angle, rise):
        matrix = rigid((0, 0, angle), (0, 0, rise))
        matrix[:2, 3] = [10, 20] - matrix[:2, :2] @ [10, 20]
        return matrix

    np.testing.assert_allclose(halfway(screw(50, 8)), screw(25, 4), atol=1e-9)


def test_the_root_of_any_affine_map_near_the_identity_is_that_of_its_generator():
    generator = np.zeros((4, 4))
    generator[:3] = np.random.default_rng(0).normal(scale=0.3, size=(3, 4)) * [1, 1, 1, 100]
    np.testing.assert_allclose(halfway(expm(generator)), expm(generator / 2), atol=1e-8)


@pytest.mark.parametrize(
    "matrix",
    [np.diag([-1.0, 1, 1, 1]), rigid((180, 0, 0), (0, 5, 0)), np.diag([0.0, 1, 1, 1]), np.diag([-1.0, -2, 1, 1])],
)
def test_a_map_without_a_half_is_refused(matrix):
    with pytest.raises(NeuroloomError, match="no half of it"):
        halfway(matrix)


@pytest.mark.parametrize("matrix", [np.eye(3), np.full((4, 4), np.nan), np.ones((4, 4))])
def test_what_is_no_affine_map_is_refused(matrix):
    with pytest.raises(NeuroloomError, match=r"finite \(4, 4\) matrix"):
        halfway(matrix)


def two_visits(voxel_size=3.0):
    cohort = simulate_t1w(n_participants=1, native=True, seed=4, voxel_size=voxel_size, visits=2)
    first, second = (cohort.load("t1w", sample) for sample in cohort.samples)
    draw = cohort.inputs["t1w"].draw
    return first, second, *(draw.pose(sample) for sample in cohort.samples)


def test_two_visits_in_the_other_order_give_the_same_two_scans():
    first, second, one, other = two_visits()
    matrix = other @ np.linalg.inv(one)
    a, b, affine = to_halfway(first, second, matrix, voxel_size=2.0)
    b_again, a_again, affine_again = to_halfway(second, first, np.linalg.inv(matrix), voxel_size=2.0)
    np.testing.assert_allclose(affine_again, affine, atol=1e-6)
    top = first.data.max()
    np.testing.assert_allclose(a_again.data, a.data, atol=1e-3 * top)
    np.testing.assert_allclose(b_again.data, b.data, atol=1e-3 * top)


def roughness(scan):
    """How much neighbours differ within the head, relative to the head: less where a scan was blurred."""
    inside = scan.data[0] > scan.data.mean()
    steps = [np.abs(np.diff(scan.data[0], axis=axis, append=0))[inside].mean() for axis in range(3)]
    return np.mean(steps) / scan.data[0][inside].mean()


def test_half_way_the_visits_lie_on_each_other_and_neither_lost_more_sharpness():
    first, second, one, other = two_visits()
    matrix = other @ np.linalg.inv(one)
    before = roughness(second) / roughness(first)
    a, b, _ = to_halfway(first, second, matrix, voxel_size=3.0)
    inside = (a.data > a.data.mean()) | (b.data > b.data.mean())
    assert np.corrcoef(a.data[inside], b.data[inside])[0, 1] > 0.9
    assert roughness(b) / roughness(a) == pytest.approx(before, rel=0.03)
    moved = second.with_data(second.data, affine=np.linalg.inv(matrix) @ second.geometry["affine"])
    onto_first = resample_onto(moved, first.data.shape[1:], first.geometry["affine"])
    assert roughness(onto_first) / roughness(first) < 0.9 * before  # what treating one visit only would do
