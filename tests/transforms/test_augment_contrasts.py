"""Simulated scans of label maps: what moves, what each label looks like, and what the truth says."""

import numpy as np
import pytest
import torch

from neuroloom.atlases.anatomy import generation_table, structures
from neuroloom.batch import Batch
from neuroloom.errors import NeuroloomError
from neuroloom.transforms.augment_contrasts import SimulatedContrasts, between_0_and_1, positions, profile

SHAPE = (36, 44, 40)
LEFT, RIGHT = 2, 41  # cerebral white matter
STILL = {"rotation": 0.0, "scale": 0.0, "shear": 0.0, "elastic": 0.0, "flip": 0.0}
CLEAN = {"stripped": 0.0, "thick": 0.0, "bias": 0.0, "gamma": 0.0, "noise": 0.0, "ghosts": 0.0, "cut": 0.0}


def head():
    """Return a head (i, j, k): soft tissue, cortex, white matter of two sides, fluid in the middle, a hippocampus."""
    place = np.moveaxis(np.indices(SHAPE), 0, -1) - (np.array(SHAPE) - 1) / 2
    radius = np.sqrt(((place / (np.array(SHAPE) / 2)) ** 2).sum(axis=-1))
    left = place[..., 0] < 0
    labels = np.zeros(SHAPE, dtype=np.uint16)
    for limit, on_left, on_right in ((0.95, 507, 507), (0.8, 3, 42), (0.6, LEFT, RIGHT), (0.25, 4, 43)):
        inside = radius < limit
        labels[inside & left], labels[inside & ~left] = on_left, on_right
    labels[8:12, 20:24, 18:22] = 17  # on the left alone
    return torch.from_numpy(labels.astype(np.int32))[None]


def simulated(seed=0, labels=None, **arguments):
    made = SimulatedContrasts(table=generation_table(), **{**STILL, **CLEAN, **arguments})
    batch = made(Batch({"labels": head() if labels is None else labels}), torch.Generator().manual_seed(seed))
    return batch.inputs["scan"], batch.target["labels"]


def output_of(number):
    return 1 + [one.number for one in structures()].index(number)


def test_the_table_names_the_32_structures_and_their_partners():
    table = generation_table()
    names = {one.number: one.name for one in structures()}
    assert len(names) == 32
    assert names[17] == "left_hippocampus"
    assert names[53] == "right_hippocampus"
    assert names[16] == "brain_stem"
    mirror = np.array(table["partner"])
    assert (mirror[mirror] == np.arange(len(mirror))).all()
    told = dict(zip(table["label"], table["output"], strict=True))
    assert told[136] == told[4]  # the choroid plexus lies in the ventricle
    assert told[511] == told[0] == 0


def test_nothing_moved_the_truth_is_the_label_map():
    _, truth = simulated()
    numbers = np.array([0] + [one.number for one in structures()])
    back = torch.from_numpy(numbers)[truth[0].argmax(dim=0)]
    labels = head()[0]
    assert torch.equal(back[labels < 500], labels[labels < 500].long())
    assert (back[labels == 507] == 0).all()


def test_coarser_truth_is_the_share_of_each_structure():
    _, fine = simulated()
    _, coarse = simulated(coarser=2)
    expected = torch.nn.functional.avg_pool3d(fine, 2)
    assert coarse.shape == (1, 33, 18, 22, 20)
    torch.testing.assert_close(coarse, expected)
    torch.testing.assert_close(coarse.sum(dim=1), torch.ones(1, 18, 22, 20))


def test_a_flip_swaps_left_and_right():
    _, truth = simulated()
    _, flipped = simulated(flip=1.0)
    left, right = output_of(17), output_of(53)
    assert truth[0, left].sum() == 64
    assert truth[0, right].sum() == 0
    assert flipped[0, left].sum() == 0
    torch.testing.assert_close(flipped[0, right], truth[0, left].flip(0))
    torch.testing.assert_close(flipped[0, output_of(LEFT)], truth[0, output_of(RIGHT)].flip(0))


@pytest.mark.parametrize(
    ("contrast", "order"),
    [("t1", (4, 3, 2)), ("t2", (2, 3, 4)), ("flair", (4, 2, 3))],
)
def test_a_known_contrast_orders_the_tissues(contrast, order):
    labels = head()[0]
    for seed in range(5):
        scan, _ = simulated(seed, contrast=contrast)
        middle = [float(scan[0, 0][labels == number].median()) for number in order]
        assert middle == sorted(middle), (seed, middle)


def test_free_contrasts_have_no_order():
    labels, brighter = head()[0], []
    for seed in range(60):
        scan, _ = simulated(seed, known_contrast=0.0)
        brighter.append(float(scan[0, 0][labels == 2].median() > scan[0, 0][labels == 3].median()))
    assert 0.3 < np.mean(brighter) < 0.7


def test_left_and_right_look_alike():
    labels = head()[0]
    for seed in range(5):
        scan, _ = simulated(seed, known_contrast=0.0)
        sides = [float(scan[0, 0][labels == number].mean()) for number in (3, 42)]
        assert abs(sides[0] - sides[1]) < 0.02


def test_stripping_takes_away_all_but_the_brain():
    labels, inside = head()[0], []
    for seed in range(4):
        scan, _ = simulated(seed, stripped=1.0, contrast="t1")
        outside = scan[0, 0][labels == 507]
        assert outside.quantile(0.3) < 1e-3  # the rest lies beside the brain, in slices that hold both
        inside.append(float(scan[0, 0][labels == 2].median()))
    assert min(inside) > 0.4


def steepness(scan):
    """Return the mean step between neighbours along the smoothest axis, against that along the roughest."""
    steps = sorted(float(scan.diff(dim=axis).abs().mean()) for axis in (2, 3, 4))
    return steps[0] / steps[2]


def test_thick_slices_blur_along_one_axis():
    even = [steepness(simulated(seed, contrast="t1")[0]) for seed in range(12)]
    thick = [steepness(simulated(seed, contrast="t1", thick=1.0, thickest=8.0)[0]) for seed in range(12)]
    assert np.median(thick) < np.median(even) - 0.1


def test_slices_and_interpolation_keep_a_constant_and_a_ramp():
    weights = profile(40, 1.0, 4.0)
    assert weights.shape == (10, 40)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(10))
    back = positions(10, 40)
    ramp = (torch.arange(10) + 0.5) * 4
    expected = (torch.arange(40) + 0.5).clamp(2, 38)
    torch.testing.assert_close(back @ ramp, expected)


def test_intensities_end_between_0_and_1_whatever_their_unit():
    values = torch.randn(30, 30, 30, generator=torch.Generator().manual_seed(0))
    one, other = between_0_and_1(values), between_0_and_1(700 * values - 40)
    torch.testing.assert_close(one, other, atol=1e-4, rtol=0)
    assert one.min() == 0
    assert one.max() == 1
    assert ((one > 0) & (one < 1)).float().mean() > 0.98


def test_the_same_draw_gives_the_same_bytes_and_another_another_scan():
    first, second = simulated(5, elastic=3.0, rotation=10.0), simulated(5, elastic=3.0, rotation=10.0)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], simulated(6, elastic=3.0, rotation=10.0)[0])


def test_an_unknown_label_is_named():
    labels = head()
    labels[0, :3] = 77
    with pytest.raises(NeuroloomError, match=r"\[77\] are no labels"):
        simulated(labels=labels)


def test_an_unknown_contrast_is_refused():
    with pytest.raises(NeuroloomError, match="contrast is 't3'"):
        SimulatedContrasts(table=generation_table(), contrast="t3")
