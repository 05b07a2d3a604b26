"""From a scan to posteriors and back to its own grid: axes, sides, islands, and what is no head."""

import itertools

import numpy as np
import pytest
from nibabel.orientations import apply_orientation, inv_ornt_aff
from phantom import BRAIN, HIPPOCAMPUS, LUMP, LUMP_AT, LUMP_MM, WHITE, grid, head, intensity, threshold_weights

from neuroloom.anatomy import answer as answer_module
from neuroloom.anatomy.answer import Answerer, mirrored_outputs, names_of_outputs, tidied
from neuroloom.anatomy.measures import structure_ml
from neuroloom.anatomy.scan_outputs import Segmented
from neuroloom.errors import NeuroloomError
from neuroloom.metrics.overlap import dice, overlap
from neuroloom.models.voxel_plan import VoxelPlan
from neuroloom.scan import Scan

ALL_48 = [
    np.stack([axes, signs], axis=1)
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


@pytest.fixture(scope="module")
def answerer():
    return Answerer(threshold_weights())


def turned(scan, way):
    """Return a scan with its axes stored another way round."""
    data = apply_orientation(scan.data[0], way)
    return Scan(
        np.ascontiguousarray(data)[None],
        scan.kind,
        {"affine": scan.geometry["affine"] @ inv_ornt_aff(way, scan.data.shape[1:])},
    )


def truth_of(scan):
    """Return the outputs' numbers that the phantom's points have."""
    names, x = names_of_outputs(), scan.data[0]
    affine = scan.geometry["affine"]
    across = np.einsum("b,b...->...", affine[0, :3], np.indices(x.shape)) + affine[0, 3]
    found = np.zeros(x.shape, dtype=np.int64)
    for side, there in (("left", across < 0), ("right", across >= 0)):
        found[(x == np.float32(BRAIN)) & there] = names.index(f"{side}_{WHITE}")
        found[(x == np.float32(LUMP)) & there] = names.index(f"{side}_{HIPPOCAMPUS}")
    return found


@pytest.mark.slow
def test_each_of_the_48_axis_orders_gets_the_same_answer_at_the_same_place(answerer):
    scan = head(*grid())
    plain = Segmented.of(scan, answerer(scan)).classes
    overlaps = dice(overlap(truth_of(scan), plain, 33))
    assert (
        overlaps[[0, *(names_of_outputs().index(f"{side}_{WHITE}") for side in ("left", "right"))]].min() > 0.92
    )  # the window's middle is oblique
    assert overlaps[names_of_outputs().index(f"left_{HIPPOCAMPUS}")] > 0.9
    for way in ALL_48:
        other = turned(scan, way)
        found = Segmented.of(other, answerer(other)).classes
        assert (found == apply_orientation(plain, way)).mean() > 0.9999, way.tolist()


@pytest.mark.parametrize(
    ("voxel_mm", "shape", "degrees"),
    [
        ((1.0, 1.0, 5.0), (170, 200, 40), 0.0),
        ((0.9, 6.0, 1.1), (180, 34, 170), 15.0),
        ((3.0, 3.0, 3.0), (64, 70, 60), -20.0),
    ],
)
def test_thick_slices_and_oblique_fields_of_view(answerer, voxel_mm, shape, degrees):
    scan = head(*grid(voxel_mm, shape, degrees))
    answer = answerer(scan)
    found = Segmented.of(scan, answer)
    lump = names_of_outputs().index(f"left_{HIPPOCAMPUS}")
    where = np.argwhere(found.classes == lump).mean(axis=0)
    at = scan.geometry["affine"] @ [*where, 1]
    np.testing.assert_allclose(at[:3], LUMP_AT, atol=2)
    sphere = 4 / 3 * np.pi * LUMP_MM**3 / 1000
    assert structure_ml(answer)[f"left_{HIPPOCAMPUS}"] == pytest.approx(sphere, rel=0.15)
    assert structure_ml(answer)[f"right_{HIPPOCAMPUS}"] < 0.05 * sphere
    assert found.classes.shape == shape


def test_the_mirror_exchanges_sides_and_keeps_the_midline():
    partner, names = mirrored_outputs(), names_of_outputs()
    assert names[partner[names.index("left_thalamus")]] == "right_thalamus"
    assert partner[names.index("brain_stem")] == names.index("brain_stem")
    assert [partner[n] for n in partner] == list(range(33))


def test_an_island_far_from_its_structure_is_given_back():
    p = np.full((33, 20, 20, 20), 1e-4, dtype=np.float32)
    p[0] = 1
    thalamus = names_of_outputs().index("left_thalamus")
    for box in ((slice(2, 8),) * 3, (slice(15, 17),) * 3):
        p[(thalamus, *box)], p[(0, *box)] = 0.9, 0.1
    fluid = names_of_outputs().index("csf")
    p[fluid, 8:10, 4, 4], p[0, 8:10, 4, 4] = 0.9, 0.1  # beside the thalamus
    p[fluid, 18, 2:4, 4], p[0, 18, 2:4, 4] = 0.9, 0.1  # far from everything
    p /= p.sum(axis=0)
    found = tidied(p)
    assert found[fluid, 9, 4, 4] == pytest.approx(0.9, abs=0.01)
    assert found[fluid, 18, 3, 4] == 0
    assert found[thalamus, 15, 15, 15] == 0
    assert found[0, 15, 15, 15] == pytest.approx(1)
    assert found[thalamus, 4, 4, 4] == pytest.approx(0.9, abs=0.01)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)


def test_a_head_seen_in_windows_gets_the_same_answer_and_it_is_told(answerer, monkeypatch):
    """The network tells voxel by voxel, and sides by the middle of the first axis, which is not cut."""
    scan = head(*grid())
    whole = answerer(scan)
    monkeypatch.setattr(answer_module, "plan_answer", lambda model, shape, **more: VoxelPlan((shape[1], 24, 20), 0))
    found = answerer(scan)
    assert (whole.seen, found.seen) == ("whole", [44, 24, 20])
    np.testing.assert_allclose(found.posteriors.data, whole.posteriors.data, atol=1e-5)


def test_what_is_no_head(answerer):
    affine, shape = grid()
    small = head(affine, shape, lambda points: intensity(points * 3.5))  # 40 mm across
    with pytest.raises(NeuroloomError, match="too small for a head"):
        answerer(small)
    draw = np.random.default_rng(0)
    bottle = head(affine, shape, lambda points: np.where((points**2).sum(axis=0) < 80**2, 1.0, 0.0).astype(np.float32))
    noisy = bottle.with_data(
        bottle.data * 0.4 + draw.normal(0, 0.01, bottle.data.shape).astype(np.float32) * (bottle.data > 0)
    )
    dark = noisy.with_data(np.clip(noisy.data, 0, None) + 0.0)
    dark.data[0, 0, 0, :40] = 1.0
    with pytest.raises(NeuroloomError, match=r"expected a volume of one channel"):
        answerer(Scan(np.concatenate([dark.data] * 2), "volume", dark.geometry))
    with pytest.raises(NeuroloomError, match="one value everywhere"):
        answerer(dark.with_data(np.zeros_like(dark.data)))
