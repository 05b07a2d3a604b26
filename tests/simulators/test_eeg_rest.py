"""Resting EEG: what differs between people, by how much, what electrodes show of it, and nothing at effect 0."""

import numpy as np
import pytest
from scipy.signal import welch
from scipy.stats import norm, ttest_ind
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from neuroloom.errors import NeuroloomError
from neuroloom.simulators.eeg_rest import DISORDERS, QUANTITIES, simulate_resting_eeg

MANY = {"n_participants": 3000, "n_sites": 3, "minutes": 0.5}
SMALL = {"n_participants": 4, "minutes": 0.5, "bad_channels": 0.0}


def standing(cohort):
    """Return each quantity of each person as a standard score at that age, by the published spread; and who is ill."""
    truth = cohort.truth
    scores = {}
    for name, told in QUANTITIES.items():
        value = truth[name] if name in ("alpha_frequency", "asymmetry") else np.log(truth[name])
        scores[name] = (value - told.at_25 - told.by_year * (truth["age"] - 25)) / told.spread
    return scores, (truth["diagnosis"] != "control").to_numpy()


@pytest.mark.parametrize("disorder", DISORDERS)
@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_groups_differ_by_the_stated_d(disorder, effect):
    cohort = simulate_resting_eeg(**MANY, disorder=disorder, effect=effect)
    scores, ill = standing(cohort)
    error = np.sqrt(4 / 3000)  # of a difference of means of two halves, spread 1
    for name, values in scores.items():
        expected = effect * DISORDERS[disorder].differences.get(name, 0.0)
        tolerance = 4 * error + 0.02 * (
            name == "alpha_frequency"
        )  # frequencies below 5.5 and above 12.5 Hz are cut off
        assert values[ill].mean() - values[~ill].mean() == pytest.approx(expected, abs=tolerance)
        assert values[~ill].std() == pytest.approx(1.0, abs=0.06)


def test_the_ceiling_is_what_a_linear_rule_reaches_on_the_quantities():
    cohort = simulate_resting_eeg(**MANY)
    scores, ill = standing(cohort)
    features = np.column_stack(list(scores.values()))
    order = np.random.default_rng(0).permutation(3000)
    learnt = LinearDiscriminantAnalysis().fit(features[order[:1500]], ill[order[:1500]])
    reached = roc_auc_score(ill[order[1500:]], learnt.decision_function(features[order[1500:]]))
    assert reached == pytest.approx(cohort.planted["ceiling"]["auc"], abs=0.04)
    d = np.sqrt(1.0**2 + 0.8**2 + 0.5**2 + 0.5**2)
    assert cohort.planted["ceiling"]["accuracy"] == pytest.approx(norm.cdf(d / 2))
    assert simulate_resting_eeg(**SMALL, effect=0.0).planted["ceiling"]["auc"] == 0.5


def test_age_and_site_are_matched_unless_asked_for():
    matched, apart = (simulate_resting_eeg(**MANY, age_gap=gap, site_gap=gap / 10) for gap in (0.0, 8.0))
    for cohort, years, share in ((matched, 0.0, 0.0), (apart, 8.0, 0.8)):
        ill = cohort.table["diagnosis"] == "dementia"
        ages = cohort.table["age"]
        assert ages[ill].mean() - ages[~ill].mean() == pytest.approx(years, abs=4 * 7 * np.sqrt(4 / 3000) + 0.1)
        first = cohort.table["site"] == "site-1"
        assert first[ill].mean() - first[~ill].mean() == pytest.approx(share, abs=4 * np.sqrt(0.25 * 4 / 3000))
    assert ill.mean() == 0.5


def spectrum_of(scan):
    data = scan.data.astype(float)
    return welch(data - data.mean(axis=0), scan.geometry["sampling_rate"], nperseg=512)


@pytest.mark.parametrize("effect", [0.0, 1.5])
def test_electrodes_show_slowing_and_theta(effect):
    """Log of alpha above 9.5 Hz over what is below, behind; with 30 and 30 people d of 1.5 is seen, and none is not."""
    cohort = simulate_resting_eeg(n_participants=60, minutes=1.0, effect=effect, bad_channels=0.0, seed=4)
    slow = []
    for sample in cohort.samples:
        scan = cohort.load("eeg", sample)
        f, density = spectrum_of(scan)
        behind = density[[scan.geometry["names"].index(name) for name in ("O1", "O2", "P3", "P4")]].mean(axis=0)
        slow.append(np.log(behind[(f >= 4) & (f < 8.5)].sum() / behind[(f >= 9) & (f < 13)].sum()))
    ill = (cohort.table["diagnosis"] == "dementia").to_numpy()
    t, p = ttest_ind(np.array(slow)[ill], np.array(slow)[~ill])
    if effect:
        assert t > 0
        assert p < 1e-4
    else:
        assert p > 0.001


def test_frontal_alpha_leans_as_the_person_s_asymmetry():
    """Over people, F4 minus F3 (log alpha) goes up with the planted asymmetry; without it in the mixture it would not."""
    cohort = simulate_resting_eeg(
        disorder="depression", n_participants=80, minutes=1.0, bad_channels=0.0, artefacts=0.0
    )
    leans = []
    for sample in cohort.samples:
        scan = cohort.load("eeg", sample)
        f, density = spectrum_of(scan)
        band = np.abs(f - cohort.truth.loc[sample, "alpha_frequency"]) < 1.5
        left, right = (density[scan.geometry["names"].index(name)][band].sum() for name in ("F3", "F4"))
        leans.append(np.log(right / left))
    correlation = np.corrcoef(leans, cohort.truth["asymmetry"])[0, 1]
    assert np.arctanh(correlation) * np.sqrt(77) > 3  # Fisher's z in its standard errors


def test_open_eyes_blink_and_take_alpha_away():
    cohort = simulate_resting_eeg(**SMALL | {"minutes": 2.0, "artefacts": 2.0}, eyes=("closed", "open"), effect=0.0)
    assert cohort.table["eyes"].tolist() == ["closed", "open"] * 4
    lost, blinks = [], []
    for _, rows in cohort.table.groupby("participant_id"):
        powers, peaks = [], []
        for sample in rows.index:
            scan = cohort.load("eeg", sample)
            f, density = spectrum_of(scan)
            band = np.abs(f - cohort.truth.loc[sample, "alpha_frequency"]) < 1
            powers.append(density[scan.geometry["names"].index("O1")][band].sum())
            peaks.append(np.quantile(scan.data[0], 0.995))
            assert scan.geometry["events"] == [[0.0, 120.0, f"eyes {cohort.table.loc[sample, 'eyes']}"]]
        lost.append(np.log(powers[1] / powers[0]))
        blinks.append(peaks[1] / peaks[0])
        assert len({cohort.truth.loc[sample, "alpha_frequency"] for sample in rows.index}) == 1
    assert -1.6 < np.mean(lost) < -0.4  # 1.4 in alpha itself; the background stays
    assert np.median(blinks) > 1.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"disorder": "dementa"}, "Did you mean 'dementia'"),
        ({"eyes": "closed"}, "list of closed, open or both"),
        ({"eyes": ["shut"]}, "Unknown eyes"),
        ({"minutes": 0}, "0.5 to 60"),
        ({"age_gap": 50}, "age_gap is 0 to 20"),
        ({"site_gap": -1}, "site_gap a share"),
        ({"effect": 4}, "effect is a factor"),
        ({"n_participants": 0}, "n_participants must be a whole number"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        simulate_resting_eeg(**SMALL | arguments)
