"""The same scan under two names is found whatever was done to it; two scans of one person are not taken for one."""

import gzip
import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from neuroloom.cohort import check_same_series, check_same_volume
from neuroloom.cohort.check_same_rows import same_rows
from neuroloom.cohort.duplicates import find_duplicates, fingerprint
from neuroloom.formats import read
from neuroloom.formats.nifti import write_nifti
from neuroloom.scan import Scan

SHAPE = (26, 31, 22)  # unequal axes, so that a wrong one is seen
AFFINE = np.array([[-2.0, 0, 0, 25], [0, 2.5, 0, -40], [0, 0, 3.0, -30], [0, 0, 0, 1]])  # LAS, as many scans are


def anatomy(person, shape=SHAPE):
    """Return a smooth head of one person, values around 100 inside and 0 outside."""
    draw = np.random.default_rng([7, person])
    structure = ndimage.gaussian_filter(draw.standard_normal(shape), 1.5)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij"))
    head = (grid**2).sum(axis=0) < 0.9
    return head * (100 + 25 * structure / structure.std())


def measured(person, visit=0, noise=3.0, shape=SHAPE):
    """Return one measurement of a person, as float32 (i, j, k); another visit has other noise, in the same place."""
    draw = np.random.default_rng([8, person, visit])
    return (anatomy(person, shape) + noise * draw.standard_normal(shape)).astype(np.float32)


def volume(values, affine=AFFINE):
    return Scan(np.asarray(values, dtype=np.float32)[None], "volume", {"affine": affine})


def found(scans, kind="volume"):
    """Return the pairs of names that hold the same measurement, and what was done to them."""
    prints = {name: fingerprint(scan) for name, scan in scans.items()}
    duplicates, left_out = find_duplicates(kind, prints, scans.__getitem__)
    assert left_out == 0
    return {duplicate.samples: duplicate for duplicate in duplicates}


def zero_filled_shift(values, axis=0):
    moved = np.roll(values, 1, axis)
    moved[(slice(None),) * axis + (0,)] = 0
    return moved


def to_uint8(values):
    return np.round((values - values.min()) / np.ptp(values) * 255)


# ---- volumes ---------------------------------------------------------------------------------------------

COPIES = {
    "the same again": lambda v: v,
    "rescaled": lambda v: 3.7 * v + 100,
    "inverted": lambda v: 500 - v,
    "int16": np.round,
    "uint8": to_uint8,
    "mirrored left to right": lambda v: v[::-1],
    "mirrored front to back": lambda v: v[:, ::-1],
    "upside down": lambda v: v[:, :, ::-1],
    "shifted along i": lambda v: zero_filled_shift(v, 0),
    "shifted along j": lambda v: zero_filled_shift(v, 1),
    "shifted along k": lambda v: zero_filled_shift(v, 2),
    "rolled along all": lambda v: np.roll(v, (1, -1, 1), (0, 1, 2)),
    "cropped": lambda v: v[1:, 2:-1, :-1],
    "padded": lambda v: np.pad(v, ((2, 0), (0, 3), (1, 1))),
    "mirrored, shifted, rescaled, rounded": lambda v: np.round(9 * np.roll(v[::-1], 1, 1) + 4),
}


@pytest.mark.parametrize("person", range(3))
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_found_whatever_was_done_to_it(name, person):
    scans = {f"p{n}": volume(measured(n)) for n in range(6)}
    scans["copy"] = volume(COPIES[name](measured(person)))
    assert set(found(scans)) == {(f"p{person}", "copy")}


def test_what_was_done_is_said():
    scans = {f"p{n}": volume(measured(n)) for n in range(4)}
    for name, person in (("mirrored left to right", 0), ("shifted along j", 1), ("rescaled", 2), ("cropped", 3)):
        scans[name] = volume(COPIES[name](measured(person)))
    scans |= {"p4": volume(measured(4)), "again": volume(measured(4))}
    told = {pair[1]: duplicate.how for pair, duplicate in found(scans).items()}
    assert told["again"] == "every voxel the same"
    assert told["mirrored left to right"] == "mirrored left to right"
    assert told["shifted along j"] == "shifted by (0, -1, 0) voxels"
    assert told["rescaled"] == f"intensities times {1 / 3.7:.3g}"
    assert told["cropped"] == "cropped or padded"


@pytest.mark.parametrize("codes", ["LPS", "RAS", "AIR", "SLP"])
def test_a_copy_with_other_axes_is_found(codes):
    image = nib.Nifti1Image(measured(1), AFFINE)
    turn = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(AFFINE), nib.orientations.axcodes2ornt(tuple(codes))
    )
    turned = image.as_reoriented(turn)
    scans = {f"p{n}": volume(measured(n)) for n in range(4)}
    scans["turned"] = volume(turned.get_fdata(), turned.affine)
    duplicates = found(scans)
    assert set(duplicates) == {("p1", "turned")}
    assert duplicates["p1", "turned"].how == "every voxel the same"


def test_a_copy_on_disk_is_found(tmp_path):
    write_nifti(tmp_path / "one.nii.gz", volume(measured(0)))
    with gzip.open(tmp_path / "one.nii.gz") as packed, gzip.open(tmp_path / "slow.nii.gz", "wb", 9) as other:
        shutil.copyfileobj(packed, other)
    nib.save(nib.Nifti1Image(np.round(measured(0)).astype(np.int16), AFFINE), tmp_path / "int16.nii")
    nib.save(nib.MGHImage(measured(0), AFFINE), tmp_path / "other.mgz")
    write_nifti(tmp_path / "two.nii.gz", volume(measured(1)))
    scans = {path.name: read(path) for path in sorted(tmp_path.iterdir())}
    copies = {name for pair in found(scans) for name in pair}
    assert copies == {"one.nii.gz", "slow.nii.gz", "int16.nii", "other.mgz"}


@pytest.mark.parametrize("noise", [1.0, 3.0, 8.0])
def test_two_visits_in_one_place_are_two_scans(noise):
    scans = {f"p{person}-{visit}": volume(measured(person, visit, noise)) for person in range(5) for visit in range(2)}
    assert found(scans) == {}


def test_many_people_are_no_copies_of_each_other():
    assert found({f"p{n}": volume(measured(n)) for n in range(60)}) == {}


def test_copies_without_noise_are_told_from_people_without_noise():
    scans = {f"p{n}": volume(measured(n, noise=0)) for n in range(6)}
    scans["rounded"] = volume(to_uint8(measured(2, noise=0)))
    assert set(found(scans)) == {("p2", "rounded")}


def test_the_unusable_is_passed_over():
    broken = measured(0)
    broken[3:5, 4:6] = np.nan
    scans = {"zeros": volume(np.zeros(SHAPE)), "ones": volume(np.ones(SHAPE)), "NaN": volume(np.full(SHAPE, np.nan))}
    scans |= {"holes": volume(broken), "one": volume(measured(0)), "slice": volume(measured(1)[:, :, :1])}
    assert set(found(scans)) == {("holes", "one")}


def test_many_copies_of_one_scan_are_connected_by_few_comparisons():
    scans = {f"copy{n}": volume(measured(0) * (n + 1)) for n in range(16)} | {"other": volume(measured(1))}
    loaded = []

    def load(name):
        loaded.append(name)
        return scans[name]

    prints = {name: fingerprint(scan) for name, scan in scans.items()}
    duplicates, _ = find_duplicates("volume", prints, load)
    assert {name for duplicate in duplicates for name in duplicate.samples} == set(scans) - {"other"}
    assert len(duplicates) == 15
    assert len(loaded) == 2 * 15


def test_fingerprints_are_small_and_mirror_with_their_scan():
    print_ = fingerprint(volume(measured(0)))
    assert print_.nbytes < 40_000
    for axis in range(3):
        other = fingerprint(volume(np.flip(measured(0), axis))).astype(np.float32)
        mirrored = check_same_volume._mirrored(other[None], 0 if axis == 0 else axis)[0]
        assert (mirrored * print_).sum() == pytest.approx(1, abs=0.02)


@pytest.mark.real_data
@pytest.mark.slow
def test_real_people_are_not_taken_for_copies_and_copies_are_found(real_data):
    """12 people: fingerprints of different people correlate below .19 (65 pairs, 4 mirrorings), of copies above .95."""
    paths = sorted((real_data / "bids_depression_t1w").glob("sub-*/anat/*.nii.gz"))
    scans = {path.name[:6]: read(path) for path in paths[:4]}
    prints = {name: fingerprint(scan) for name, scan in scans.items()}
    prints |= {path.name[:6]: fingerprint(read(path)) for path in paths[4:]}
    stack = np.stack(list(prints.values())).astype(np.float32)
    scores = [
        np.tensordot(stack, check_same_volume._mirrored(stack, axis), axes=([1, 2, 3], [1, 2, 3]))
        for axis in check_same_volume.MIRRORS
    ]
    between = np.stack(scores)[:, *np.triu_indices(len(prints), 1)]
    assert between.max() < 0.2 < check_same_volume.ALIKE
    one = next(iter(scans.values()))
    values, affine = one.data[0], one.geometry["affine"]
    copies = {
        "mirrored": np.flip(values, 0),
        "shifted": np.roll(values, 1, 1),
        "8 bits": np.clip(np.round(values / np.quantile(values, 0.999) * 255), 0, 255),
    }
    for name, copy in copies.items():
        other = volume(copy, affine)
        pairs = check_same_volume.candidates(np.stack([*prints.values(), fingerprint(other)]))
        assert [(i, j) for _, i, j, _ in pairs] == [(0, 12)], name
        assert pairs[0][0] > 0.95
        match = check_same_volume.compare(one, other, pairs[0][3])
        assert match is not None, name
        assert match.score > 0.98


@pytest.mark.real_data
def test_two_real_visits_are_two_scans_even_in_one_space(real_data):
    """Two visits with multiple sclerosis, in one space: their noise correlates below .4, of copies above .96."""
    folder = real_data / "lesions" / "multiple_sclerosis" / "patient01"
    space = nib.load(folder / "gt.nii.gz")
    native = {f"visit{v}-{c}": read(folder / f"study{v}_{c}.nii.gz") for v in (1, 2) for c in ("FLAIR", "T1W", "T2W")}
    assert found(native) == {}
    common = [
        _in_space(folder / f"study{v}_FLAIR.nii.gz", folder / f"study{v}_FLAIR_to_common_space.txt", space)
        for v in (1, 2)
    ]
    assert np.corrcoef(common[0].data.ravel(), common[1].data.ravel())[0, 1] > 0.9  # they do lie on each other
    assert check_same_volume.compare(*common, None) is None
    prints = [fingerprint(scan).astype(np.float32) for scan in common]
    assert (prints[0] * prints[1]).sum() > 0.5  # one person, seen from afar
    assert found({"one": common[0], "two": common[1]}) == {}
    assert set(found({"one": common[0], "copy": volume(common[0].data[0] * 2, space.affine)})) == {("one", "copy")}


def _in_space(path, transform, space):
    """Return a scan on the grid of another image, through an ITK transform (LPS, output point -> input point)."""
    lines = transform.read_text().splitlines()
    told, centre = (np.array(line.split(":")[1].split(), dtype=float) for line in lines[3:5])
    matrix = told[:9].reshape(3, 3)
    moved = nib.affines.from_matvec(matrix, told[9:] + centre - matrix @ centre)
    lps = np.diag([-1.0, -1, 1, 1])
    image = nib.load(path)
    to_image = np.linalg.inv(image.affine) @ lps @ moved @ lps @ space.affine
    values = ndimage.affine_transform(
        np.asarray(image.dataobj, dtype=np.float32),
        to_image[:3, :3],
        to_image[:3, 3],
        output_shape=space.shape,
        order=1,
    )
    return volume(values, space.affine)


@pytest.mark.real_data
def test_neighbouring_volumes_of_one_run_are_two_scans(real_data):
    """The hardest case: one head, one place, one second apart; their noise correlates .6."""
    image = nib.load(real_data / "fmri" / "bold.nii.gz")
    values = np.asarray(image.dataobj, dtype=np.float32)
    scans = {f"t{t}": volume(values[..., t], image.affine) for t in (3, 4, 12)}
    assert found(scans) == {}
    scans["copy"] = volume(np.round(values[::-1, :, :, 4] / 4), image.affine)
    assert set(found(scans)) == {("t4", "copy")}


# ---- series ----------------------------------------------------------------------------------------------


def recording(person, n_regions=20, n_times=120):
    """Return one recording of correlated regions with memory, (region, time) float32."""
    draw = np.random.default_rng([9, person])
    mix = draw.standard_normal((n_regions, n_regions)) / np.sqrt(n_regions)
    series = mix @ ndimage.gaussian_filter1d(draw.standard_normal((n_regions, n_times)), 1.0, axis=1)
    return (100 + series).astype(np.float32)


def series(values):
    return Scan(np.ascontiguousarray(values, dtype=np.float32), "series", {"sampling_rate": 0.5})


ORDER = np.random.default_rng(3).permutation(20)
SERIES_COPIES = {
    "the same again": lambda x: x,
    "rescaled": lambda x: 0.01 * x - 4,
    "each region rescaled": lambda x: x * np.linspace(-2, 3, len(x))[:, None],
    "rounded": lambda x: np.round(x, 2),
    "shifted by one": lambda x: np.roll(x, 1, axis=1),
    "cut at the start": lambda x: x[:, 5:],
    "cut at the end": lambda x: x[:, :-7],
    "cut at both, rescaled": lambda x: 7 * x[:, 3:-4],
    "regions reordered": lambda x: x[ORDER],
    "reordered, cut, rescaled": lambda x: -3 * x[ORDER][:, 2:],
    "some regions": lambda x: x[3:15],
    "a region lost": lambda x: np.where(np.arange(len(x))[:, None] == 4, 0, x),
}


@pytest.mark.parametrize("name", SERIES_COPIES)
def test_a_copied_series_is_found_whatever_was_done_to_it(name):
    scans = {f"p{n}": series(recording(n)) for n in range(12)}
    scans["copy"] = series(SERIES_COPIES[name](recording(5)))
    assert set(found(scans, "series")) == {("p5", "copy")}


def test_what_was_done_to_a_series_is_said():
    def told(name):
        scans = {"one": series(recording(0)), "copy": series(SERIES_COPIES[name](recording(0)))}
        return found(scans, "series")["one", "copy"].how

    assert told("the same again") == "every sample the same"
    assert told("cut at the start") == "shifted by 5 samples, 5 samples shorter"
    assert told("regions reordered") == "its regions in another order"
    assert told("some regions") == "12 of 20 regions of it"


def test_two_runs_with_one_connectivity_are_two_recordings():
    mix = np.random.default_rng(0).standard_normal((20, 20))
    runs = {f"run{n}": series(mix @ np.random.default_rng(n).standard_normal((20, 150))) for n in range(10)}
    assert found(runs, "series") == {}


def test_single_and_constant_and_short_series_do_no_harm():
    scans = {f"p{n}": series(recording(n, n_regions=1)) for n in range(10)}
    scans |= {
        "flat": series(np.ones((3, 50))),
        "short": series(recording(0)[:, :8]),
        "NaN": series(np.full((2, 50), np.nan)),
    }
    scans["copy"] = series(recording(3, n_regions=1)[:, 2:])
    assert set(found(scans, "series")) == {("p3", "copy")}


def test_lag_scores_are_pearson_correlations():
    draw = np.random.default_rng(0)
    one = draw.standard_normal(90) + 50
    other = 2 * one[12:82] + 0.3 * draw.standard_normal(70)
    ((score, i, j, lag),) = check_same_series.candidates([one, other])
    assert (i, j, lag) == (0, 1, 12)
    assert score == pytest.approx(np.corrcoef(one[12:82], other)[0, 1], abs=1e-10)


@pytest.mark.real_data
@pytest.mark.slow
def test_real_recordings_are_not_taken_for_copies_and_copies_are_found(real_data):
    """120 people: traces correlate below .7 at the best of all lags (7140 pairs), of copies above .98."""
    paths = sorted((real_data / "abide_cc200").glob("*.1D"))
    scans = {path.name[:-14]: read(path, axes=["time", "region"], sampling_period=2.0) for path in paths}
    prints = {name: fingerprint(scan) for name, scan in scans.items()}
    assert len(prints) == 120
    assert check_same_series.candidates(list(prints.values())) == []
    names = list(scans)
    order = np.random.default_rng(0).permutation(200)
    scans |= {
        "rescaled": series(scans[names[3]].data * 3.5 + 10),
        "cut": series(scans[names[40]].data[:, 4:-3]),
        "reordered": series(scans[names[80]].data[order]),
        "rounded": series(np.round(scans[names[119]].data, 1)),
    }
    pairs = {(names[3], "rescaled"), (names[40], "cut"), (names[80], "reordered"), (names[119], "rounded")}
    duplicates = found(scans, "series")
    assert set(duplicates) == pairs
    assert min(duplicate.score for duplicate in duplicates.values()) > 0.99


# ---- rows of numbers -------------------------------------------------------------------------------------


def thickness(n=60, p=12, seed=0):
    """Return correlated measurements of n people."""
    draw = np.random.default_rng(seed)
    return 2.5 + 0.15 * (draw.standard_normal((n, 1)) + draw.standard_normal((n, p)))


def test_rows_that_are_the_same_or_rounded_are_found():
    values = thickness()
    values = np.vstack([values, values[7], np.round(values[9], 2), values[11] + 0.1])
    pairs = {(i, j): match.how for i, j, match in same_rows(values)}
    assert pairs == {(7, 60): "every number the same", (9, 61): "the same but for rounding"}


def test_missing_values_are_not_held_against_a_copy():
    values = thickness()
    copy = values[3].copy()
    copy[[1, 5]] = np.nan
    assert [(i, j) for i, j, _ in same_rows(np.vstack([values, copy, np.full(12, np.nan)]))] == [(3, 60)]


def test_rows_of_yes_and_no_agree_by_chance():
    answers = np.random.default_rng(0).random((200, 10)) < 0.1
    assert len(np.unique(answers, axis=0)) < 150  # many rows are alike
    assert same_rows(answers) == []


def test_visits_of_one_person_are_other_numbers():
    first = thickness(100, 30)
    second = first + 0.05 * np.random.default_rng(1).standard_normal(first.shape)
    assert same_rows(np.vstack([first, second])) == []


@pytest.mark.parametrize("values", [np.zeros((0, 3)), np.ones((5, 3)), np.full((4, 2), np.nan), np.zeros((1, 8))])
def test_rows_that_say_nothing(values):
    assert same_rows(values) == []


def test_tables_and_graphs_are_compared_as_rows():
    rows = thickness().astype(np.float32)
    scans = {f"p{n}": Scan(row, "table", {}) for n, row in enumerate(rows)}
    scans["copy"] = Scan(rows[4], "table", {})
    scans["longer"] = Scan(np.append(rows[4], 1).astype(np.float32), "table", {})
    assert set(found(scans, "table")) == {("p4", "copy")}
    graphs = {f"p{n}": Scan(np.corrcoef(recording(n)).astype(np.float32), "graph", {}) for n in range(15)}
    graphs["copy"] = Scan(graphs["p2"].data.copy(), "graph", {})
    assert set(found(graphs, "graph")) == {("p2", "copy")}


def test_other_kinds_are_compared_value_by_value():
    labels = {f"p{n}": Scan((measured(n) > 100).astype(np.uint16), "labels", {}) for n in range(3)}
    labels |= {"copy": Scan(labels["p1"].data.copy(), "labels", {})}
    labels |= {f"empty{n}": Scan(np.zeros(SHAPE, np.uint16), "labels", {}) for n in range(2)}
    assert set(found(labels, "labels")) == {("p1", "copy")}


@pytest.mark.real_data
def test_real_tables_hold_no_copies_but_planted_ones(real_data):
    folder = real_data / "tables"
    people = pd.read_csv(folder / "ixi_thickness" / "aparc_thickness.csv").iloc[:, 1:].to_numpy()
    assert same_rows(people) == []
    assert [(i, j) for i, j, _ in same_rows(np.vstack([people, np.round(people[3], 2)]))] == [(3, len(people))]
    visits = [
        pd.read_csv(folder / "nimh_two_visits" / f"NIMH_controls_v{v}.csv").iloc[:, 5:].to_numpy() for v in (1, 2)
    ]
    assert same_rows(np.vstack(visits)) == []  # 67 people, each twice
    mutations = pd.read_csv(folder / "glioma_grade" / "TCGA_InfoWithGrade.csv").drop(columns="Age_at_diagnosis")
    assert mutations.duplicated().any()
    assert same_rows(mutations.to_numpy(dtype=float)) == []  # yes and no: alike by chance
