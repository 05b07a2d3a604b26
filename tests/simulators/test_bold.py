import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import signal
from sklearn.metrics import roc_auc_score

from neuroloom.errors import NeuroloomError
from neuroloom.simulators.bold import (
    LOG_MOTION_SPREAD,
    NOISE,
    SPIKE_DECAY,
    SPIKE_SIZE,
    SPIKES,
    BoldDraw,
    Person,
    motion_artefact,
    participants,
    series,
    simulate_bold,
)
from neuroloom.simulators.bold_population import OWN, Place, population


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_lagged_covariance_is_phi_to_the_lag_sigma(lag):
    sigma, step, n = np.array([[1.0, 0.6], [0.6, 1.0]]), 0.5, 50_000
    phi = np.exp(-step)
    bold = series(sigma, n, step, np.random.default_rng(0))
    measured = bold[:, lag:] @ bold[:, : n - lag].T / (n - lag)
    error = np.sqrt((1 + sigma**2) * (1 + phi**2) / (1 - phi**2) / n)  # Bartlett's formula; largest at lag 0
    assert np.all(np.abs(measured - phi**lag * sigma) < 4 * error)


def test_the_first_sample_is_in_the_steady_state_already():
    starts = np.array([series(np.eye(50), 2, 0.1, np.random.default_rng(seed)) for seed in range(200)])
    np.testing.assert_allclose(starts.var(axis=(0, 1)), 1, atol=4 * np.sqrt(2 / 10_000))


@pytest.fixture(scope="module")
def many():
    """Return 800 people in whom the edges within the visual network and to the limbic one differ by d = 0.8."""
    return simulate_bold(n_participants=800, n_sites=1, n_regions=56, effect=0.8, networks=("visual", "limbic"), seed=3)


def cohens_d(values, autism):
    """Return Cohen's d of each column, and its standard error."""
    a, b = values[autism], values[~autism]
    spread = np.sqrt((a.var(axis=0, ddof=1) + b.var(axis=0, ddof=1)) / 2)
    d = (a.mean(axis=0) - b.mean(axis=0)) / spread
    return d, np.sqrt(1 / len(a) + 1 / len(b) + d**2 / (2 * len(values)))


def test_planted_edges_differ_by_the_stated_d(many):
    autism = (many.table["diagnosis"] == "autism").to_numpy()
    d, error = cohens_d(many.truth.filter(like="z ").to_numpy(), autism)
    assert np.all(np.abs(d - many.planted["d"] * many.planted["sign"]) < 4 * error)


def test_no_other_edge_differs(many):
    """An edge's distribution depends on its own two regions' covariance alone (Wishart), and that is the same."""
    whole = population(many.inputs["bold"].draw.place)
    control, autism = (root @ root.T for root in whole.roots)
    change = autism - control
    planted = np.zeros_like(change, dtype=bool)
    planted[tuple(whole.edges.T)] = planted[tuple(whole.edges.T[::-1])] = True
    assert np.abs(change[~planted]).max() < 1e-12
    np.testing.assert_array_equal(np.sign(change[tuple(whole.edges.T)]), many.planted["sign"])


def test_ceiling_is_what_the_best_rule_on_the_true_edges_reaches(many):
    autism = many.table["diagnosis"] == "autism"
    reached = roc_auc_score(autism, many.truth["best_score"])
    ceiling = many.planted["ceiling"]["auc"]
    error = np.sqrt(ceiling * (1 - ceiling) / (len(many) / 4))  # not less than Hanley and McNeil's
    assert reached == pytest.approx(ceiling, abs=3 * error)
    assert roc_auc_score(autism, many.truth["edge_score"]) <= reached + error
    assert many.planted["bound"]["auc"] > ceiling


def test_at_effect_zero_nothing_is_planted():
    cohort = simulate_bold(n_participants=20, n_regions=56, effect=0)
    assert cohort.planted["ceiling"] == {"auc": 0.5, "accuracy": 0.5, "balanced_accuracy": 0.5}
    assert not cohort.planted["sign"].any()
    control, autism = population(cohort.inputs["bold"].draw.place).roots
    np.testing.assert_array_equal(control, autism)


def test_the_place_can_be_moved():
    here, there = (
        simulate_bold(n_participants=8, n_regions=56, networks=networks).planted["edges"]
        for networks in (("default", "ventral attention"), ["somatomotor"])
    )
    assert {name.rsplit(" ", 1)[0] for edge in here for name in edge} == {"default", "ventral attention"}
    assert {name.rsplit(" ", 1)[0] for edge in there for name in edge} == {"somatomotor"}


def test_connectomes_are_correlations(many):
    draw = many.inputs["bold"].draw
    for sample in many.samples[:20]:
        connectome = draw.connectome(sample)
        np.testing.assert_array_equal(np.diag(connectome), 1)
        assert np.linalg.eigvalsh(connectome)[0] >= OWN - 1e-9


def test_series_measure_the_true_connectome():
    """In a long scan without motion the correlations are the true ones, lowered by the scanner's noise alone."""
    place = Place(n_regions=56, networks=("default",), effect=0.5, seed=0)
    draw = BoldDraw(place, {"sub-001": Person(0, True, 0.0, 0)}, (10.0,), (20_000,), 2.0)
    measured, off = np.corrcoef(draw("sub-001").data), ~np.eye(56, dtype=bool)
    expected = draw.connectome("sub-001")[off] / (1 + NOISE[0])
    np.testing.assert_allclose(measured[off], expected, atol=5 / np.sqrt(20_000))


def test_draws_are_lazy_keyed_and_picklable():
    cohort = simulate_bold(n_participants=12, n_regions=56, seed=5)
    source = cohort.inputs["bold"]
    late, early = source.load("sub-012"), source.load("sub-001")
    again = pickle.loads(pickle.dumps(source))
    assert again.load("sub-001").data.tobytes() == early.data.tobytes()
    assert again.load("sub-012").data.tobytes() == late.data.tobytes()
    same, other = (simulate_bold(n_participants=12, n_regions=56, seed=seed) for seed in (5, 6))
    assert same.fingerprint() == cohort.fingerprint() != other.fingerprint()
    assert other.load("bold", "sub-001").data.tobytes() != early.data.tobytes()


def test_sites_have_their_protocols_and_both_groups():
    cohort = simulate_bold(n_participants=41, n_sites=5, n_regions=56)
    told = {}
    for sample, row in cohort.table.iterrows():
        scan = cohort.load("bold", sample)
        assert scan.data.dtype == np.float32
        assert np.isfinite(scan.data).all()
        told.setdefault(row["site"], set()).add((round(1 / scan.geometry["sampling_rate"], 3), scan.data.shape[1]))
    assert told == {
        "site-1": {(2.0, 150)}, "site-2": {(2.5, 80)}, "site-3": {(2.2, 200)}, "site-4": {(2.0, 240)},
        "site-5": {(2.0, 150)},
    }  # fmt: skip
    counts = pd.crosstab(cohort.table["site"], cohort.table["diagnosis"])
    assert (counts["autism"] - counts["control"]).abs().max() <= 1
    assert cohort.simulated


@pytest.mark.parametrize("d", [0.0, 0.8])
def test_motion_follows_diagnosis_when_asked(d):
    table, _ = participants(4000, 1, d, 0.0, 100, seed=0)
    autism = (table["diagnosis"] == "autism").to_numpy()
    measured, error = cohens_d(np.log(table[["motion"]].to_numpy()), autism)
    assert np.abs(measured[0] - d) < 4 * error[0]
    assert np.log(table["motion"])[~autism].std() == pytest.approx(LOG_MOTION_SPREAD, rel=4 / np.sqrt(2 * 2000))


def test_motion_artefacts_have_the_power_that_motion_asks_for():
    """Spikes at a Poisson rate, each fading by a factor: variance = rate size^2 / (1 - decay^2), times the weights'."""
    motion, rng = 0.3, np.random.default_rng(1)
    power = np.array([motion_artefact(motion, 40, 400, rng)[:, 50:].var() for _ in range(300)])
    expected = 1.25 * SPIKES * motion * SPIKE_SIZE**2 / (1 - SPIKE_DECAY**2)
    assert power.mean() == pytest.approx(expected, abs=4 * power.std() / np.sqrt(len(power)) + 0.02 * expected)
    assert not motion_artefact(0.0, 5, 50, rng).any()


def test_dead_regions_are_constant_in_the_share_of_people_asked_for():
    cohort = simulate_bold(n_participants=120, n_regions=56, dead_regions=0.25, n_timepoints=[30])
    dead = {sample: ~cohort.load("bold", sample).data.any(axis=1) for sample in cohort.samples}
    share = np.mean([mask.any() for mask in dead.values()])
    assert share == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 120))
    names = np.array(cohort.load("bold", "sub-001").geometry["names"])
    one = next(mask for mask in dead.values() if mask.sum() == 1)
    assert names[one][0].startswith("limbic")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_participants": 6, "n_sites": 4}, "cannot fill 4 sites"),
        ({"n_regions": 20}, "28 or more"),
        ({"effect": 5.0}, "Lower effect"),
        ({"networks": ["defualt"]}, "Did you mean 'default'"),
        ({"networks": ["default", "default"]}, "two different"),
        ({"dead_regions": 5}, "share"),
        ({"n_timepoints": [5]}, "10 or more"),
        ({"repetition_times": [0.0]}, "above 0"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        simulate_bold(**arguments)


def gauges(scans, site, motion):
    """Return what describes a sample of scans (list of (region, time), constant regions left out as NaN)."""
    centre = [signal.detrend(scan, axis=1) for scan in scans]
    lame = [np.where(np.ptp(scan, axis=1, keepdims=True) > 1e-3, scan, np.nan) for scan in centre]

    def fisher_z(scan):
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = np.corrcoef(scan)[np.triu_indices(len(scan), 1)]
        return np.arctanh(np.clip(correlation, -0.999, 0.999))

    z = np.array([fisher_z(scan) for scan in lame])
    halves = [np.array([fisher_z(np.array_split(scan, 2, axis=1)[half]) for scan in lame]) for half in (0, 1)]
    kept = np.isfinite(z).mean(axis=0) > 0.9
    mean = np.nanmean(z[:, kept], axis=1)
    own, first, second = (within_site(values[:, kept], site) for values in (z, *halves))
    whole = own[np.isfinite(own).all(axis=1)]
    components = np.linalg.svd(whole, compute_uv=False) ** 2
    freedom = len(site) / (len(site) - len(np.unique(site)))
    return {
        "mean edge": np.nanmean(z[:, kept]),
        "spread of mean edges": np.nanstd(np.nanmean(z[:, kept], axis=0)),
        "spread between people": np.sqrt(np.nanmean(own**2) * freedom),
        "spread that both halves share": np.sqrt(np.nanmean(first * second) * freedom),
        "spread of a person's mean edge": np.sqrt(np.nanmean(own, axis=1).var() * freedom),
        "first component": components[0] / components.sum(),
        "correlation of motion and mean edge": np.mean(
            [np.corrcoef(np.log(motion[site == s]), mean[site == s])[0, 1] for s in np.unique(site)]
        ),
    }


def within_site(values, site):
    centred = values.copy()
    for one in np.unique(site):
        centred[site == one] -= np.nanmean(centred[site == one], axis=0)
    return centred


@pytest.mark.real_data
@pytest.mark.slow
def test_simulated_people_vary_like_those_of_abide(real_data):
    folder = real_data / "abide_cc200"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    table = pd.read_csv(folder / "phenotypes.csv")
    scans = [np.loadtxt(folder / f"{name}_rois_cc200.1D").T for name in table["FILE_ID"]]
    real = gauges(scans, table["SITE_ID"].to_numpy(), table["func_mean_fd"].to_numpy())
    cohort = simulate_bold(
        n_participants=120, effect=0, repetition_times=[2.0, 2.0, 2.5, 2.2], n_timepoints=[146, 260, 78, 196]
    )
    drawn = [cohort.load("bold", sample).data.astype(np.float64) for sample in cohort.samples]
    ours = gauges(drawn, cohort.table["site"].to_numpy(), cohort.table["motion"].to_numpy())
    assert {gauge: ours[gauge] / real[gauge] for gauge in real if not gauge.startswith("correlation")} == pytest.approx(
        dict.fromkeys([gauge for gauge in real if not gauge.startswith("correlation")], 1.0), abs=0.2
    )
    apart = ours["correlation of motion and mean edge"] - real["correlation of motion and mean edge"]
    assert abs(apart) < 3 * np.sqrt(2 / (120 - 3 * 4))  # Fisher z over 4 sites of 30
