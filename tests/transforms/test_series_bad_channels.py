"""Bad channels: what is planted is found with its reason, what is well is not, and how they are treated."""

import numpy as np
import pytest
from made_eeg import NAMES, as_raw, made_recording, pink

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.series_bad_channels import BadChannels


@pytest.fixture
def ruined():
    """Return a recording with nine channels ruined, and name -> the rule that must find each."""
    scan = made_recording(seed=1)
    data, rng = scan.data.copy(), np.random.default_rng(1)
    n = data.shape[1]
    t = np.arange(n) / 256.0
    data[2] = 3e-3
    data[5] *= 6
    data[8] = pink(rng, 1, n)[0] * data[8].std()  # an electrode in the air
    data[12] += 25e-6 * np.sin(2 * np.pi * 60 * t)
    data[15, 100] = np.nan
    data[20] *= 0.1
    data[25, t > 55] = 1e-7 * rng.standard_normal((t > 55).sum())  # loose for 5 s
    data[28] = 1e-3 + 1e-9 * rng.standard_normal(n)
    told = {2: "flat", 5: "deviation", 8: "correlation", 12: "noise", 15: "not a number", 20: "deviation",
            25: "correlation", 28: "flat"}  # fmt: skip
    return scan.with_data(data, bad=["O2"]), {"O2": "marked", **{NAMES[place]: why for place, why in told.items()}}


def test_each_planted_fault_is_found_by_its_rule_and_nothing_else_is(ruined):
    scan, planted = ruined
    found = BadChannels()(scan).geometry["bad"]
    assert sorted(found) == sorted(planted)
    assert all(why.startswith(planted[name]) for name, why in found.items())


def test_healthy_recordings_have_none():
    counts = [len(BadChannels()(made_recording(seconds=30, seed=seed)).geometry["bad"]) for seed in range(20)]
    assert sum(counts) <= 2  # of 640 channels


def test_drop_leaves_the_good_channels_to_the_byte(ruined):
    scan, planted = ruined
    out = BadChannels(do="drop")(scan)
    good = [place for place, name in enumerate(NAMES) if name not in planted]
    np.testing.assert_array_equal(out.data, scan.data[good])
    assert out.geometry["names"] == [NAMES[place] for place in good]
    assert sorted(out.geometry["dropped"]) == sorted(planted)
    assert out.geometry["bad"] == {}


def test_interpolated_channels_are_mnes():
    scan = made_recording(seconds=5, bad={"Cz": "loose", "P4": "flat"})
    lost = scan.data.copy()
    lost[NAMES.index("P4")] = np.nan
    out = BadChannels(rules=[], do="interpolate")(scan.with_data(lost))
    expected = as_raw(scan).interpolate_bads(verbose="error").get_data()
    np.testing.assert_allclose(out.data, expected, atol=2e-6 * np.abs(expected).max())
    assert out.geometry["bad"] == {}
    assert list(out.geometry["interpolated"]) == ["Cz", "P4"]


def test_a_low_sampling_rate_leaves_only_the_noise_rule_out():
    scan = made_recording(rate=100.0)
    data = scan.data.copy()
    data[4] *= 8
    assert list(BadChannels()(scan.with_data(data)).geometry["bad"]) == [NAMES[4]]


@pytest.mark.parametrize(
    ("arguments", "change", "match"),
    [
        (
            {},
            {"types": ["eeg"] * 4 + ["misc"] * 28},
            r"need 5 good EEG channels; this recording has 4.*rules: \[flat\]",
        ),
        ({"rules": ["loud"]}, {}, "Unknown rule of bad_channels"),
        ({"do": "repair"}, {}, "Unknown way to treat bad channels"),
        ({"do": "interpolate", "rules": []}, {"bad": NAMES[:20]}, "20 of 32 EEG channels are bad, too many"),
        ({"do": "interpolate", "rules": []}, {"bad": ["Cz"], "positions": None}, "places of the electrodes"),
        ({}, {"sampling_rate": None}, "needs the sampling rate"),
    ],
)
def test_what_cannot_be_is_told(arguments, change, match):
    with pytest.raises(NeuroloomError, match=match):
        BadChannels(**arguments)(made_recording(seconds=5, **change))


def test_a_headband_of_four_can_be_asked_for_flat_channels():
    scan = made_recording(seconds=5, names=["AF7", "AF8", "TP9", "TP10"])
    data = scan.data.copy()
    data[1] = 0
    assert list(BadChannels(rules=["flat"])(scan.with_data(data)).geometry["bad"]) == ["AF8"]
