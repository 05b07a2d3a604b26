"""References: the same numbers as mne, a planted potential against infinity, and the rank."""

import mne
import numpy as np
import pytest
from made_eeg import as_raw, made_recording, with_channel

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.series_bad_channels import BadChannels
from neuroloom.transforms.series_reference import Reference
from neuroloom.transforms.series_splines import info_of


@pytest.mark.parametrize("to", ["average", ["T7", "T8"], "Cz"])
def test_same_numbers_as_mne(to):
    scan = made_recording(seconds=5)
    scan = with_channel(scan, np.arange(1280), "EOG", "eog")
    scan = scan.with_data(scan.data, bad={"F3": "loose"})
    raw = as_raw(scan).set_eeg_reference(to if to == "average" else list(np.atleast_1d(to)), verbose="error")
    out = Reference(to)(scan)
    good = [place for place, name in enumerate(scan.geometry["names"]) if name != "F3"]
    np.testing.assert_allclose(out.data[good], raw.get_data()[good], atol=1e-7 * np.abs(scan.data[:32]).max())
    assert out.geometry["reference"] == (to if isinstance(to, str) else "T7, T8")


def test_the_good_channels_average_to_nothing_and_lose_one_rank():
    scan = made_recording(seconds=20)
    out = Reference()(scan)
    assert np.abs(out.data.mean(axis=0)).max() < 1e-11
    assert out.geometry["rank"] == 31
    assert Reference()(out).geometry["rank"] == 31
    filled = BadChannels(rules=[], do="interpolate")(scan.with_data(scan.data, bad=["F3", "P4"]))
    assert Reference()(filled).geometry["rank"] == 29


def test_a_bad_channel_has_no_part_in_the_average():
    scan = made_recording(seconds=5, bad=["F3"])
    ruined = scan.data.copy()
    ruined[6] = np.nan
    one, other = Reference()(scan), Reference()(scan.with_data(ruined))
    np.testing.assert_array_equal(np.delete(one.data, 6, axis=0), np.delete(other.data, 6, axis=0))


def test_rest_comes_near_the_potential_against_infinity():
    """Dipoles in a sphere have a potential against infinity (mne's); the average reference is far from it."""
    scan = made_recording(seconds=1)
    info = info_of(scan.geometry["names"], np.array(scan.geometry["positions"]))
    sphere = mne.make_sphere_model("auto", "auto", info, verbose="error")
    sources = mne.setup_volume_source_space(sphere=sphere, pos=21.0, exclude=20.0, verbose="error")  # not the grid used
    forward = mne.make_forward_solution(info, None, sources, sphere, meg=False, verbose="error")
    moments = np.random.default_rng(0).standard_normal((forward["sol"]["data"].shape[1], 200))
    truth = (1e-8 * forward["sol"]["data"] @ moments).astype(np.float32)
    measured = scan.with_data(truth - truth[[0]])  # against Fp1
    error = {
        to: np.linalg.norm(Reference(to)(measured).data - truth) / np.linalg.norm(truth) for to in ("rest", "average")
    }
    assert error["rest"] < 0.5 * error["average"]
    assert np.linalg.norm(measured.data - truth) / np.linalg.norm(truth) > 2 * error["rest"]


@pytest.mark.parametrize(
    ("to", "geometry", "match"),
    [
        ("M1", {}, r"no channel 'M1'.*Fp1 \(eeg\), Fpz"),
        ("F3", {"bad": {"F3": "flat"}}, r"channels of the reference are bad \(F3: flat\)"),
        ("rest", {"positions": None}, "needs the places of the electrodes"),
        ("average", {"types": ["misc"] * 32}, "no channel of type eeg: Fp1"),
    ],
)
def test_what_cannot_be_is_told(to, geometry, match):
    with pytest.raises(NeuroloomError, match=match):
        Reference(to)(made_recording(seconds=2, **geometry))
