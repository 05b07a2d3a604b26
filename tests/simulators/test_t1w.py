"""Simulated heads: volumes two ways, warps that invert, effects of the stated size, the same bytes anywhere."""

import hashlib
import importlib.util
import pickle
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
import yaml
from scipy.ndimage import binary_dilation
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

import neuroloom
from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.seeds import generator
from neuroloom.simulators.t1w import EFFECTS, simulate_t1w
from neuroloom.simulators.t1w_people import age_variance, ageing, ceiling, disease_of, natural_variance
from neuroloom.simulators.t1w_regions import ELSEWHERE, brain, coordinates, mask
from neuroloom.simulators.t1w_response import amplitudes_for, velocity_of
from neuroloom.simulators.t1w_scanner import draw_sites, received
from neuroloom.simulators.t1w_template import template_2mm
from neuroloom.simulators.t1w_warp import (
    displacement,
    jacobian,
    lattice,
    natural_velocity,
    volumes,
    warped,
)
from neuroloom.transforms.volume_align import Align
from neuroloom.transforms.volume_grid import box_grid, ras, resample_onto

PATIENT = {"hippocampus": -0.4, "ventricles": 0.9, "temporal": -0.2, "grey": -0.05}  # ill, log volume


def patient_velocity(number):
    return natural_velocity(generator(3, number)) + velocity_of(amplitudes_for(PATIENT))


# Warps and volumes


def test_warps_never_fold():
    for number in range(8):
        moved = displacement(patient_velocity(number))
        assert jacobian(moved).min() > 0.01
        fine = warped(lattice((-70.0, -100.0, -60.0), (71, 86, 71), 2.0), moved)  # where images are looked up
        slopes = torch.stack([torch.stack(torch.gradient(fine[..., a], spacing=2.0)) for a in range(3)])
        assert torch.linalg.det(slopes.permute(2, 3, 4, 0, 1)).min() > 0.0


def test_the_flow_backwards_undoes_the_flow():
    velocity = patient_velocity(0)
    points = lattice((-60.0, -90.0, -50.0), (25, 31, 25), 5.0)
    back = warped(warped(points, displacement(velocity)), displacement(-velocity))
    assert (back - points).norm(dim=-1).mean() < 0.1  # mm; the field is known on a 4 mm grid
    assert (back - points).norm(dim=-1).max() < 1.0


@pytest.mark.parametrize("name", ["hippocampus", "ventricles", "temporal"])
def test_the_volume_of_the_warped_mask_is_the_integral_of_the_jacobian(name):
    """Two ways to the same number: sum the mask where the head is, or stretch the template's voxels."""
    velocity = patient_velocity(1)
    summed = volumes(displacement(velocity), [name])[0]
    t1, _, _, affine = template_2mm()
    there = warped(lattice(affine[:3, 3], t1.shape, 2.0), displacement(-velocity))  # template -> head
    slopes = torch.stack([torch.stack(torch.gradient(there[..., a], spacing=2.0)) for a in range(3)])
    stretch = torch.linalg.det(slopes.permute(2, 3, 4, 0, 1)).numpy()
    assert summed == pytest.approx(float((stretch * mask(name)).sum() * 8), rel=0.03)


def test_regions_lie_where_anatomy_has_them():
    x, y, z = coordinates()
    for name, centre, litres in (
        ("hippocampus", (26, -20, -16), (2 * 3.5, 2 * 5.0)),  # cm3; MNI152 is larger than most heads
        ("ventricles", (None, -14, 14), (12, 25)),
    ):
        share = mask(name)
        assert litres[0] < share.sum() * 8 / 1000 < litres[1]
        for axis, place in ((np.abs(x), centre[0]), (y, centre[1]), (z, centre[2])):
            assert place is None or (share * axis).sum() / share.sum() == pytest.approx(place, abs=2)
        assert (share[~brain()] < 0.05).all()


# Natural differences, on the gauge of real people


def test_natural_spread_of_volumes_is_what_the_random_field_says():
    names = ["hippocampus", "temporal", "ventricles"]
    n = 60
    logs = np.log([volumes(displacement(natural_velocity(generator(5, i))), names) for i in range(n)])
    meant = np.sqrt(np.diag(natural_variance(names)) - np.array([0.04, 0.04, 0.30]) ** 2)  # less people's own parts
    error = 3 * meant / np.sqrt(2 * (n - 1))
    assert (abs(logs.std(axis=0, ddof=1) - meant) < error + 0.05 * meant).all()  # first order: within 5 %


@pytest.mark.slow
def test_people_resemble_each_other_as_real_people_do():
    """Real (12 people, one scanner, this alignment): .77 in the brain, .84 with its rim (studies/t1w_realism.py)."""
    shape, affine = box_grid((-96, -132, -72), (96, 92, 120), 4.0)
    t1, _, _, own = template_2mm()
    inside = resample_onto(Scan(t1[None], "volume", {"affine": own}), shape, affine).data[0] > 0.2
    cohort = simulate_t1w(n_participants=7, n_sites=1, seed=1, diseased=0.0, ages=(23, 50))
    seen = [resample_onto(Align()(cohort.load("t1w", s)), shape, affine).data[0] for s in cohort.samples]
    for where, real in ((inside, 0.77), (binary_dilation(inside), 0.84)):
        pairs = np.corrcoef([volume[where] for volume in seen])[np.triu_indices(len(seen), 1)]
        assert np.median(pairs) == pytest.approx(real, abs=0.05)


# Disease and age


@pytest.mark.slow
@pytest.mark.parametrize("moved", [False, True])
def test_patients_differ_by_the_stated_cohens_d(moved):
    """The same 24 people once ill and once not: their mean factor has little sampling error."""
    told = {"n_participants": 24, "diseased": 1.0, "seed": 8, "moved": moved}
    ill, well = (simulate_t1w(**told, effect_scale=scale) for scale in (1.0, 0.0))
    for name, d in ill.planted["effects"].items():
        assert d == EFFECTS[next(k for k in EFFECTS if name in (k, ELSEWHERE[k]))]
        grows = name == "ventricles"
        change = np.log(region_volumes(ill, name) / region_volumes(well, name))
        assert (change > 0).all() if grows else (change < 0).all()
        factor = np.exp(change.mean())
        spread = np.sqrt(natural_variance([name])[0, 0] + age_variance(name, (55, 90)))
        cv = np.sqrt(np.expm1(spread**2))
        reached = abs(1 - factor) / (cv * np.sqrt((1 + factor**2) / 2))
        assert reached == pytest.approx(d, rel=0.1)
        seen = np.log(region_volumes(well, name)).std(ddof=1)
        assert seen == pytest.approx(spread, rel=3 / np.sqrt(2 * 23) + 0.05)  # sampling of 24, first order


def region_volumes(cohort, name):
    draw = cohort.inputs["t1w"].draw
    return np.array([volumes(draw.warp(sample), [name])[0] for sample in cohort.samples])


def test_nothing_planted_leaves_patients_and_controls_alike():
    none, healthy = simulate_t1w(n_participants=6, effect_scale=0.0), simulate_t1w(n_participants=6, diseased=0.0)
    assert set(none.table["diagnosis"]) == {"AD", "control"}
    for sample in none.samples:
        one, other = (c.inputs["t1w"].draw.heads[sample] for c in (none, healthy))
        assert (one.amplitudes, one.size) == (other.amplitudes, other.size)
    assert none.planted["ceiling"] == {"auc": 0.5}
    assert none.planted["maps"] == {}


def test_a_person_ages_at_the_stated_rates_and_patients_faster():
    cohort = simulate_t1w(
        n_participants=4, visits=2, visit_interval=8.0, ages=(62, 80), seed=2, effects={"temporal": 1.0}
    )
    table, truth = cohort.table, cohort.truth
    assert table.index[:2].to_list() == ["sub-001_ses-1", "sub-001_ses-2"]
    for person, rows in table.groupby("participant_id"):
        change = np.log(truth.loc[rows.index[1]] / truth.loc[rows.index[0]])
        extra = -0.015 * 8 if rows["diagnosis"].iloc[0] == "AD" else 0.0
        for name in ("hippocampus", "ventricles", "temporal", "grey"):
            first, second = ageing(name, rows["age"])
            meant = second - first + (extra if name == "temporal" else 0.0)
            assert change[name] == pytest.approx(meant, abs=0.02), (person, name)


def test_the_ceiling_is_what_a_linear_discriminant_reaches_on_the_true_volumes():
    planted, ages = {"hippocampus": 1.0, "temporal": 0.8}, (55, 90)
    disease = disease_of(planted, ages)
    names, n = list(planted), 40_000
    rng = np.random.default_rng(0)
    logs = rng.multivariate_normal(np.zeros(2), natural_variance(names), size=n)
    ill = np.arange(n) % 2 == 1
    logs[ill] += [disease.shift[name] for name in names]
    fitted = LinearDiscriminantAnalysis().fit(logs, ill)
    reached = roc_auc_score(ill, fitted.decision_function(logs))
    assert ceiling(planted, disease.shift, ages, 0.5)["auc"] == pytest.approx(reached, abs=0.01)


def test_age_cannot_be_told_better_than_nature_allows():
    errors = {
        ages: simulate_t1w(n_participants=1, diseased=0.0, ages=ages).planted["ceiling"]["mae"]
        for ages in ((20, 90), (55, 90))
    }
    assert 2 < errors[55, 90] < errors[20, 90] < 70 / 4  # the middle of the range is wrong by a quarter of it


def test_the_other_places_are_other_places_inside_the_box_of_the_recipe():
    recipe = yaml.safe_load((Path(neuroloom.__file__).parent / "recipes" / "alzheimers-mri.yaml").read_text())
    box = next(step for step in recipe["inputs"]["t1w"] if step["name"] == "crop_box")
    inside = np.ones(mask("insula").shape, dtype=bool)
    for axis, low, high in zip(coordinates(), box["lower"], box["upper"], strict=True):
        inside = inside & (axis > low) & (axis < high)
    right = coordinates()[0] > 0
    for name, other in ELSEWHERE.items():
        assert (mask(other) * inside).sum() > 0.95 * mask(other).sum()
        assert (mask(name) * inside).sum() > 0.75 * mask(name).sum()  # the lobe goes on below and outside
        assert (np.minimum(mask(name), mask(other)) > 0.1).sum() == 0
        assert np.linalg.norm(centre(mask(name) * right) - centre(mask(other) * right)) > 25  # mm


def centre(share):
    return np.array([(share * axis).sum() / share.sum() for axis in coordinates()])


# Scanners


def test_sites_differ_in_grid_axes_and_contrast_but_not_in_where_the_head_is():
    cohort = simulate_t1w(n_participants=8, n_sites=4, voxel_size=3.0, seed=1)
    scans = [cohort.load("t1w", cohort.table.index[cohort.table["site"] == f"site-{k}"][0]) for k in (1, 2, 3, 4)]
    axes = ["".join(nibabel.aff2axcodes(scan.geometry["affine"])) for scan in scans]
    assert axes == ["RAS", "LAS", "ASL", "LPS"]
    slices = [np.linalg.norm(scan.geometry["affine"][:3, 2]) for scan in scans]
    assert slices == pytest.approx([3.0, 3.0, 3.75, 4.5])
    gains = [np.median(scan.data[scan.data > 0]) for scan in scans]
    assert len({round(float(g)) for g in gains}) == 4
    for scan in scans:
        straight = ras(scan)
        where = np.argwhere(straight.data[0] > 0).mean(axis=0)
        middle = straight.geometry["affine"][:3, :3] @ where + straight.geometry["affine"][:3, 3]
        assert middle == pytest.approx([0, -20, 8], abs=8)  # mm, the middle of the MNI brain


def test_noise_is_rician():
    """Without signal it is Rayleigh: mean s (pi/2)^(1/2), variance s^2 (2 - pi/2), s being the site's noise."""
    site = draw_sites(1, seed=0)[0]
    nowhere = np.zeros(200_000)
    seen = received(nowhere, [nowhere] * 3, site, generator(0, "noise")) / site.gain
    assert seen.mean() == pytest.approx(site.noise * np.sqrt(np.pi / 2), rel=0.01)
    assert seen.std() == pytest.approx(site.noise * np.sqrt(2 - np.pi / 2), rel=0.01)


# The same bytes anywhere


def digest(scan):
    return hashlib.blake2b(scan.data.tobytes() + scan.geometry["affine"].tobytes()).hexdigest()


@pytest.mark.slow
def test_a_sample_is_the_same_alone_with_others_and_in_another_process():
    told = {"n_participants": 5, "seed": 3, "voxel_size": 4.0, "n_sites": 2}
    cohort = simulate_t1w(**told)
    here = digest(cohort.load("t1w", "sub-004"))
    assert digest(simulate_t1w(**{**told, "n_participants": 9}).load("t1w", "sub-004")) == here
    assert digest(pickle.loads(pickle.dumps(cohort.inputs["t1w"])).load("sub-004")) == here
    code = (
        "import torch; torch.set_num_threads(2)\n"
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from simulators.test_t1w import digest\n"
        "from neuroloom.simulators.t1w import simulate_t1w\n"
        f"print(digest(simulate_t1w(**{told!r}).load('t1w', 'sub-004')))"
    )
    there = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parents[1])], capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here
    assert digest(simulate_t1w(**{**told, "seed": 4}).load("t1w", "sub-004")) != here


def test_groups_are_even_over_sites():
    table = simulate_t1w(n_participants=80, n_sites=4).table
    assert (table.groupby(["site", "diagnosis"]).size() == 10).all()
    assert table["age"].between(55, 90).all()


# Wrong use


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"effects": {"hipocampus": 2.0}}, "Did you mean 'hippocampus'"),
        ({"effects": {"ventricles": 9.0}}, "No change of ventricles reaches this effect"),
        ({"effects": {"insula": 1.0}, "moved": True}, "knows no other place"),
        ({"ages": (90, 20)}, "ages must be two numbers"),
        ({"voxel_size": 0.2}, "voxel_size must be between"),
        ({"diseased": 1.5}, "diseased must be between"),
    ],
)
def test_wrong_arguments_are_told(told, message):
    with pytest.raises(NeuroloomError, match=message):
        simulate_t1w(n_participants=2, **told)


@pytest.mark.slow
def test_gains_in_use_are_those_that_the_study_measures():
    path = Path(__file__).parents[2] / "studies" / "t1w_realism.py"
    spec = importlib.util.spec_from_file_location("t1w_realism", path)
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    for name, told in study.gains(6).items():
        assert abs(told["gain"] - told["in_use"]) < 4 * told["standard_error"] + 0.01, (
            name
        )  # of d: a tenth of its error at n = 160
