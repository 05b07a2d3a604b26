"""Affine alignment to the MNI brain: known matrices come back, real people come to lie on each other."""

import nibabel
import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from scipy.spatial.transform import Rotation

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.simulators.t1w import simulate_t1w
from neuroloom.simulators.t1w_template import template_2mm
from neuroloom.transforms.volume_align import Align, generators, mni_to_scan
from neuroloom.transforms.volume_grid import box_grid, ras, resample_onto


def moved(degrees, scale, shift):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", np.array([1, -0.5, 0.3]) * degrees, degrees=True).as_matrix() * scale
    matrix[:3, 3] = shift
    return matrix


def distance(found, true):
    """Mean distance in mm, over the brain, between where two matrices put a point."""
    t1, _, _, affine = template_2mm()
    points = affine @ np.c_[np.argwhere(t1 > 0.15)[::50], np.ones(len(np.argwhere(t1 > 0.15)[::50]))].T
    return np.sqrt((((found - true) @ points)[:3] ** 2).sum(axis=0)).mean()


@pytest.mark.parametrize(("degrees", "scale", "shift"), [(10, 0.9, (20, -10, 5)), (25, 0.85, (40, -20, 60))])
def test_a_known_matrix_comes_back(degrees, scale, shift):
    t1, _, _, affine = template_2mm()
    true = moved(degrees, scale, shift)
    aligned = Align()(Scan(t1[None], "volume", {"affine": true @ affine}))
    assert np.array_equal(aligned.data[0], t1)  # only the affine changes
    assert distance(np.linalg.inv(aligned.geometry["aligned"]["to_mni"]), true) < 0.5  # an eighth of the 4 mm voxels
    assert aligned.geometry["affine"] == pytest.approx(aligned.geometry["aligned"]["to_mni"] @ true @ affine)


def test_heads_in_their_own_space_come_back_within_a_quarter_voxel_of_4_mm_on_average():
    cohort = simulate_t1w(n_participants=6, native=True, seed=4, voxel_size=3.0)
    draw = cohort.inputs["t1w"].draw
    errors = []
    for sample in cohort.samples:
        scan = cohort.load("t1w", sample)
        found, _ = mni_to_scan(scan.data[0], scan.geometry["affine"])
        errors.append(distance(found, draw.pose(sample)))
    assert np.mean(errors) < 1.5  # the warp itself, 1.6 mm each way at a point, holds a little shift and scale
    assert max(errors) < 3.0


def test_the_order_of_axes_in_the_file_does_not_matter():
    scan = simulate_t1w(n_participants=1, voxel_size=3.0, native=True).load("t1w", "sub-001")
    turned = Scan(np.ascontiguousarray(scan.data[:, ::-1].transpose(0, 3, 1, 2)), "volume", {})
    affine = scan.geometry["affine"].copy()
    affine[:3, 3] += affine[:3, 0] * (scan.data.shape[1] - 1)
    affine[:3, 0] *= -1
    turned = turned.with_data(turned.data, affine=affine[:, [2, 0, 1, 3]])
    one, other = (Align()(s).geometry["aligned"]["to_mni"] for s in (scan, turned))
    assert distance(np.linalg.inv(one), np.linalg.inv(other)) < 0.5  # block means start at the other end
    assert ras(turned).data == pytest.approx(ras(scan).data)


def test_what_is_no_brain_is_refused():
    noise = np.random.default_rng(0).normal(size=(1, 40, 48, 40)).astype(np.float32)
    with pytest.raises(NeuroloomError, match=r"could not be aligned .* correlation 0\.\d+, 0\.85 is needed"):
        Align()(Scan(noise, "volume", {"affine": np.diag([4.0, 4.0, 4.0, 1.0])}))


def test_generators_are_twelve_independent_directions():
    basis = generators().reshape(12, 16)
    assert np.linalg.matrix_rank(basis) == 12
    turn = generators()[3:6, :3, :3]
    assert np.array_equal(turn, -turn.transpose(0, 2, 1))  # turns are skew-symmetric, so lengths stay


@pytest.mark.real_data
@pytest.mark.slow
def test_real_people_resemble_each_other_after_alignment(real_data):
    """Median correlation of pairs at 4 mm: .83 was seen with another registration (12 people, .71 to .87)."""
    shape, affine = box_grid((-96, -132, -72), (96, 92, 120), 4.0)
    t1, _, _, own = template_2mm()
    brain = resample_onto(Scan(t1[None], "volume", {"affine": own}), shape, affine).data[0] > 0.2
    near = binary_dilation(brain)  # with the rim, where brains end at different places
    seen = []
    for path in sorted((real_data / "bids_depression_t1w").glob("sub-*/anat/*_T1w.nii.gz"))[::2]:
        image = nibabel.load(path)
        scan = Scan(image.get_fdata(dtype=np.float32)[None], "volume", {"affine": image.affine})
        seen.append(resample_onto(Align()(scan), shape, affine).data[0][near])
    pairs = np.corrcoef(seen)[np.triu_indices(len(seen), 1)]
    assert np.median(pairs) == pytest.approx(0.83, abs=0.05)
