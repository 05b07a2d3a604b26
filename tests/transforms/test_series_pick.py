"""Picking: order and names, what stays in step, and channels that are given by splines as mne gives them."""

import numpy as np
import pytest
from made_eeg import NAMES, as_raw, made_recording, with_channel
from scipy.spatial.transform import Rotation

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.series_pick import Pick


def test_names_come_in_the_order_asked_with_all_that_goes_with_them():
    scan = with_channel(made_recording(seconds=2, bad={"Cz": "loose", "O1": "flat"}), np.ones(512), "EOG", "eog")
    out = Pick(names=["EOG", "CZ", "T3", "Fp1"])(scan)
    places = [32, NAMES.index("Cz"), NAMES.index("T7"), 0]
    np.testing.assert_array_equal(out.data, scan.data[places])
    assert out.geometry["names"] == ["EOG", "CZ", "T3", "Fp1"]
    assert out.geometry["types"] == ["eog", "eeg", "eeg", "eeg"]
    assert out.geometry["positions"] == [scan.geometry["positions"][place] for place in places]
    assert out.geometry["bad"] == {"CZ": "loose"}


def test_types_come_in_the_files_order():
    scan = with_channel(made_recording(seconds=2), np.ones(512), "EOG", "eog")
    assert Pick(types="eog")(scan).geometry["names"] == ["EOG"]
    assert Pick(types=["eog", "eeg"])(scan).geometry["names"] == [*NAMES, "EOG"]
    with pytest.raises(NeuroloomError, match="no channel is of type ecg"):
        Pick(types="ecg")(scan)


def test_missing_channels_are_those_that_mne_interpolates():
    scan = made_recording(seconds=4)
    kept = [name for name in NAMES if name not in ("Cz", "P4")]
    out = Pick(names=NAMES, missing="interpolate")(Pick(names=kept)(scan))
    raw = as_raw(scan.with_data(scan.data, bad=["Cz", "P4"])).interpolate_bads(verbose="error").get_data()
    places = [NAMES.index("Cz"), NAMES.index("P4")]
    np.testing.assert_array_equal(np.delete(out.data, places, axis=0), np.delete(scan.data, places, axis=0))
    for place in places:  # the standard head is no sphere, so that the places differ by some millimetres
        assert np.corrcoef(out.data[place], raw[place])[0, 1] > 0.99
        assert np.corrcoef(out.data[place], scan.data[place])[0, 1] > 0.85
    assert list(out.geometry["interpolated"]) == ["Cz", "P4"]


def test_a_turned_and_shrunk_head_gives_the_same_channels():
    scan = Pick(names=[name for name in NAMES if name != "Pz"])(made_recording(seconds=2))
    turn = Rotation.from_euler("xyz", [10, -20, 40], degrees=True).as_matrix()
    moved = (0.9 * np.array(scan.geometry["positions"]) @ turn.T + [0.01, -0.02, 0.03]).tolist()
    step = Pick(names=["Pz"], missing="interpolate")
    out, same = step(scan), step(scan.with_data(scan.data, positions=moved))
    np.testing.assert_allclose(same.data, out.data, atol=0.03 * out.data.std())  # mne fits its sphere step by step


@pytest.mark.parametrize(
    ("arguments", "geometry", "match"),
    [
        ({"names": ["Cz", "Fp3"]}, {}, r"no channel 'Fp3'. Did you mean 'F3'\?.*Fp1 \(eeg\)"),
        ({"names": ["Cz", "POz"], "missing": "interpolate"}, {"positions": None}, "places of the electrodes"),
        ({"names": ["Cz", "X99"], "missing": "interpolate"}, {}, "X99 cannot be interpolated"),
        ({"names": ["Cz"], "types": "eeg"}, {}, "one of the two"),
        ({"names": ["Cz", "cz"]}, {}, "each once"),
        ({"types": "meg"}, {}, "Unknown type of channels"),
    ],
)
def test_what_cannot_be_is_told(arguments, geometry, match):
    with pytest.raises(NeuroloomError, match=match):
        Pick(**arguments)(made_recording(seconds=2, **geometry))


def test_places_in_another_unit_are_told():
    scan = made_recording(seconds=2)
    millimetres = (1000 * np.array(scan.geometry["positions"])).tolist()
    with pytest.raises(NeuroloomError, match="mm from those of the 10-05 system"):
        Pick(names=["POz"], missing="interpolate")(scan.with_data(scan.data, positions=millimetres))
