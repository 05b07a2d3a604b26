"""Flows of velocity fields against closed forms and the simulator's own, their inverses, and that nothing folds."""

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from scipy.ndimage import gaussian_filter

from neuroloom.errors import NeuroloomError
from neuroloom.registration.deformable import jacobian
from neuroloom.registration.velocity import flow, moved, roughness
from neuroloom.scan import Scan
from neuroloom.simulators import t1w_warp

SHAPE = (18, 22, 20)
INSIDE = (slice(None), slice(None), *[slice(5, -5)] * 3)


def smooth(size, seed=0, std=2.5):
    """Return a smooth field (1, 3, i, j, k) with components of this root mean square, in voxels."""
    field = np.random.default_rng(seed).normal(size=(3, *SHAPE))
    field = np.stack([gaussian_filter(one, std, mode="nearest") for one in field])
    return torch.from_numpy(field / field.std() * size).float()[None]


def places():
    return torch.from_numpy(np.indices(SHAPE)).float()[None]


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (2.0, -3.0, 0.5)])
def test_a_constant_velocity_flows_into_a_translation(shift):
    velocity = torch.tensor(shift).reshape(1, 3, 1, 1, 1).expand(1, 3, *SHAPE)
    torch.testing.assert_close(flow(velocity), velocity, atol=1e-5, rtol=0)


def test_a_whole_shift_moves_voxels_as_they_are():
    x = torch.rand(1, 2, *SHAPE)
    displacement = torch.tensor([2.0, -1.0, 0.0]).reshape(1, 3, 1, 1, 1).expand(1, 3, *SHAPE)
    torch.testing.assert_close(moved(x, displacement)[:, :, :-2, 1:], x[:, :, 2:, :-1], atol=1e-4, rtol=0)


def test_a_linear_velocity_flows_as_the_exponential_of_its_matrix():
    """A turn with a contraction, so that nothing comes from beyond the grid: dx/dt = A x, x(1) = expm(A) x(0)."""
    matrix = np.array([[-0.4, -0.5, 0.0], [0.5, -0.3, 0.1], [0.0, -0.1, -0.5]])
    centred = places() - torch.tensor([(n - 1) / 2 for n in SHAPE]).reshape(1, 3, 1, 1, 1)
    linear = lambda m: torch.einsum("ab,nbijk->naijk", torch.from_numpy(m).float(), centred)  # noqa: E731
    expected, found = linear(expm(matrix) - np.eye(3)), flow(linear(matrix))
    error = float((found - expected)[INSIDE].abs().max())
    assert float(expected[INSIDE].abs().max()) > 2
    assert error < 0.02 * float(
        expected[INSIDE].abs().max()
    )  # first order: |A|^2 / 2 / 2^7 = .4 %, and half a voxel's steps
    coarse = float((flow(linear(matrix), squarings=3) - expected)[INSIDE].abs().max())
    assert coarse == pytest.approx(16 * error, rel=0.3)  # the error of a first step of 1 / 2^n falls with 2^n


def test_it_is_the_flow_of_the_simulators_warps():
    velocity = t1w_warp.natural_velocity(np.random.default_rng(0))
    ours = flow(torch.from_numpy(velocity)[None] / t1w_warp.SPACING, t1w_warp.SQUARINGS)[0] * t1w_warp.SPACING
    torch.testing.assert_close(ours, t1w_warp.displacement(velocity), atol=1e-3, rtol=0)


def test_there_and_back_is_where_it_was():
    """But for what is lost between voxels, where fields are linear: at most 1/8 of the second difference of each axis."""
    velocity = smooth(1.4)
    there, back = flow(velocity), flow(-velocity)
    around = (back + moved(there, back))[INSIDE].abs()  # x -> x + back -> ... + there
    lost = sum(there.diff(n=2, dim=axis)[INSIDE].abs().max() for axis in (2, 3, 4)) / 8
    assert float(there[INSIDE].abs().max()) > 1.5
    assert float(around.max()) < float(lost)
    assert float(around.mean()) < 0.05


def test_a_flow_does_not_fold_where_the_same_field_as_a_displacement_does():
    velocity = smooth(1.4)
    grown = [jacobian(Scan(u[0].numpy(), "volume", {"affine": np.eye(4)})) for u in (flow(velocity), velocity)]
    assert grown[1].min() < -1
    assert grown[0].min() > 0


def test_the_flow_tells_the_velocity_how_to_change():
    velocity = smooth(0.5).double()[:, :, :6, :5, :7].requires_grad_()
    assert torch.autograd.gradcheck(lambda v: flow(v, squarings=2), (velocity,), eps=1e-6, atol=1e-4)


def test_roughness_of_a_slope():
    field = torch.zeros(1, 3, *SHAPE)
    assert float(roughness(field + 3)) == 0
    assert float(roughness(field + 0.5 * places()[:, :1])) == pytest.approx(0.25 / 3)  # one of three axes


def test_volumes_of_another_grid_are_refused():
    with pytest.raises(NeuroloomError, match=r"on one grid, with at least 2 voxels an axis"):
        moved(torch.zeros(1, 1, 4, 4, 4), torch.zeros(1, 3, 4, 4, 5))
