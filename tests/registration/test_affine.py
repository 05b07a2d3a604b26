"""Registration of two scans: planted maps come back, both ways, from any grid, contrast and header."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.ndimage import zoom
from scipy.spatial.transform import Rotation

from neuroloom.errors import NeuroloomError
from neuroloom.formats import read
from neuroloom.registration.affine import affine_between, distance
from neuroloom.registration.itk import LPS
from neuroloom.scan import Scan
from neuroloom.simulators.t1w import simulate_t1w
from neuroloom.transforms.volume_grid import affine_of, resample_onto

sitk = pytest.importorskip("SimpleITK")


def rigid(angles, shift):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = shift
    return matrix


@pytest.fixture(scope="module")
def visits():
    """Two scans of one head by one scanner in two poses, 4 mm, and the map from the first's mm to the second's."""
    cohort = simulate_t1w(n_participants=1, native=True, seed=4, voxel_size=4.0, visits=2)
    draw = cohort.inputs["t1w"].draw
    one, other = (draw.pose(sample) for sample in cohort.samples)
    return *(cohort.load("t1w", sample) for sample in cohort.samples), other @ np.linalg.inv(one)


def damaged(scan, matrix, sizes, seed, *, noise=0.03, bias=0.25):
    """The scan moved by a matrix, seen by another scanner: own voxel sizes, Rician noise, a bias field up to 25%."""
    draw = np.random.default_rng(seed)
    scan = scan.with_data(scan.data, affine=matrix @ affine_of(scan))
    shape = tuple(int(n) for n in np.array([190, 230, 190]) // np.array(sizes))
    middle = affine_of(scan) @ [*((np.array(scan.data.shape[1:]) - 1) / 2), 1.0]
    grid = np.diag([*sizes, 1.0])
    grid[:3, 3] = middle[:3] - np.array(sizes) * (np.array(shape) - 1) / 2
    seen = resample_onto(scan, shape, grid).data[0]
    field = zoom(draw.normal(size=(4, 4, 4)), np.array(shape) / 4, order=3)
    seen = seen * np.exp(bias * field / np.abs(field).max())
    level = noise * np.quantile(seen, 0.99)
    seen = np.hypot(seen + level * draw.standard_normal(shape), level * draw.standard_normal(shape))
    return Scan(seen[None].astype(np.float32), "volume", {"affine": grid})


@pytest.mark.slow
@pytest.mark.parametrize(("angles", "shift"), [((0, 0, 0), (0, 0, 0)), ((30, -10, 8), (40, -20, 30))])
def test_two_visits_are_registered_within_a_tenth_of_a_voxel(visits, angles, shift):
    """4 mm voxels, noise of a scanner, atrophy between the visits, and a header that is off by 30 degrees and 54 mm."""
    first, second, true = visits
    off = rigid(angles, shift)
    second = second.with_data(second.data, affine=off @ affine_of(second))
    found = affine_between(second, first)
    assert distance(found, off @ true, first) < 0.4
    np.testing.assert_allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3), atol=1e-9)  # rigid


@pytest.mark.slow
def test_the_other_order_gives_the_inverse_and_another_call_the_same_bytes(visits):
    first, second, _ = visits
    found = affine_between(second, first)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(4)
    assert affine_between(second, first).tobytes() == found.tobytes()
    assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 4  # others' setting stays
    np.testing.assert_allclose(affine_between(first, second), np.linalg.inv(found), atol=1e-9)


@pytest.mark.slow
def test_axes_of_a_file_do_not_matter_and_contrast_may_be_inverted(visits):
    """The second scan with its axes flipped and permuted, and dark where it was bright (as T2 is)."""
    first, second, true = visits
    affine = affine_of(second).copy()
    affine[:3, 3] += affine[:3, 0] * (second.data.shape[1] - 1)
    affine[:3, 0] *= -1
    turned = second.data[:, ::-1].transpose(0, 3, 1, 2)
    top = np.quantile(turned, 0.999)
    inverted = np.where(turned > 0.15 * top, np.maximum(1.2 * top - turned, 0), turned).astype(np.float32)
    found = affine_between(Scan(inverted, "volume", {"affine": affine[:, [2, 0, 1, 3]]}), first)
    assert distance(found, true, first) < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("degrees", ["similarity", "affine"])
def test_a_planted_change_of_size_and_shape_comes_back(visits, degrees):
    first, _, _ = visits
    stretch = np.diag([1.12, 1.12, 1.12, 1.0])
    if degrees == "affine":
        stretch[:3, :3] = [[1.15, 0.06, 0.0], [0.0, 0.92, -0.05], [0.0, 0.04, 1.05]]
    true = rigid((12, -6, 8), (15, -10, 5)) @ stretch
    moved = damaged(first, true, (3.5, 3.0, 4.0), seed=1)
    assert distance(affine_between(moved, first, degrees=degrees), true, first) < 0.8


@pytest.mark.slow
def test_noise_is_not_registered_to_noise():
    grid = {"affine": np.diag([4.0, 4.0, 4.0, 1.0])}
    draws = [np.random.default_rng(k).normal(size=(1, 40, 48, 40)).astype(np.float32) for k in (0, 1)]
    scans = [Scan(draw, "volume", grid) for draw in draws]
    with pytest.raises(NeuroloomError, match="The registration failed"):
        affine_between(*scans)


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (np.ones((1, 9, 9, 9), np.float32), "volume", "The moving scan has one value everywhere"),
        (np.ones((2, 9, 9, 9), np.float32), "volume", "The moving scan has 2 channels"),
        (np.full((1, 9, 9, 9), np.nan, np.float32), "volume", "The moving scan has NaN"),
        (np.ones((9, 9, 9), np.uint16), "labels", "The moving scan is a label map"),
    ],
)
def test_what_cannot_be_registered_is_named(visits, data, kind, says):
    with pytest.raises(NeuroloomError, match=says):
        affine_between(Scan(data, kind, {"affine": np.eye(4)}), visits[0])


def test_unknown_degrees_are_refused(visits):
    with pytest.raises(NeuroloomError, match="Did you mean 'rigid'"):
        affine_between(visits[0], visits[1], degrees="rigit")


def test_without_simpleitk_the_extra_is_named():
    script = (
        "import sys; sys.modules['SimpleITK'] = None\n"
        "from neuroloom.errors import NeuroloomError\n"
        "from neuroloom.registration.itk import simpleitk\n"
        "try: simpleitk()\nexcept NeuroloomError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "registration needs SimpleITK: pip install 'neuroloom[register]'."


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["bids_depression_t1w/sub-01/anat/sub-01_T1w.nii.gz", "t1w_with_labels/freesurfer_subject/norm.mgz"]
)
def test_a_real_head_comes_back_within_a_quarter_of_a_voxel_of_1_mm(real_data, name):
    """Turned by 30 degrees, shifted by 54 mm, seen in slices of 3 mm with noise and a bias field."""
    scan = read(real_data / name)
    true = rigid((30, -10, 8), (40, -20, 30))
    moved = damaged(scan, true, (1.2, 0.9, 3.0), seed=1)
    assert distance(affine_between(moved, scan), true, scan) < 0.25


@pytest.mark.real_data
@pytest.mark.slow
def test_two_visits_of_a_real_patient_agree_with_the_published_transforms(real_data):
    """Two FLAIR visits: the authors give the (affine) map from a common space to each."""
    folder = real_data / "lesions/multiple_sclerosis/patient01"
    first, second = (read(folder / f"study{n}_FLAIR.nii.gz") for n in (1, 2))
    one, other = (published(folder / f"study{n}_FLAIR_to_common_space.txt") for n in (1, 2))
    found = affine_between(second, first)
    assert distance(found, other @ np.linalg.inv(one), first) < 0.5  # of slices of 4 mm


def published(path):
    """Return the matrix in RAS mm of a transform file of ITK's (LPS)."""
    transform = sitk.ReadTransform(str(path))
    matrix = np.eye(4)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    for axis, unit in enumerate(np.eye(3)):
        matrix[:3, axis] = np.array(transform.TransformPoint(unit.tolist())) - matrix[:3, 3]
    return LPS @ matrix @ LPS
