"""A real recording, cleaned: blinks go, the back of the head stays."""

import mne
import numpy as np
import pytest

from neuroloom.parts import Part
from neuroloom.scan import Scan
from neuroloom.transforms.chain import ScanChain


@pytest.fixture
def scan(real_data):
    raw = mne.io.read_raw_eeglab(real_data / "eeg" / "eeglab_sample" / "eeglab_data.set", preload=True, verbose="error")
    geometry = {"names": raw.ch_names, "types": ["eog" if "EOG" in name else "eeg" for name in raw.ch_names]}
    geometry["positions"] = [channel["loc"][:3].tolist() for channel in raw.info["chs"]]
    return Scan(raw.get_data().astype(np.float32), "series", {**geometry, "sampling_rate": 128.0, "unit": "V"})


def cleaned(scan, *parts):
    return ScanChain([Part(**part) for part in parts])(scan)


BAND = {"name": "filter", "high_pass": 1.0, "low_pass": 40.0}


@pytest.mark.real_data
@pytest.mark.parametrize("eog", [None, "FPz"])
def test_blinks_of_a_real_recording_go_and_the_back_of_the_head_stays(scan, eog):
    band = cleaned(scan, BAND)
    out = cleaned(band, {"name": "ica_clean", "eog": eog})
    at = scan.geometry["names"].index
    blinks = np.abs(band.data[at("FPz")]) > 6 * np.abs(np.median(np.abs(band.data[at("FPz")])))
    spread = [np.std(one.data[at("FPz")][blinks]) for one in (band, out)]
    assert spread[1] < 0.4 * spread[0]
    for name in ("Oz", "O1", "PO8", "P3"):
        assert np.corrcoef(out.data[at(name)], band.data[at(name)])[0, 1] > 0.95
    assert out.geometry["ica_at_rest"]
    assert out.geometry["rank"] == 29


@pytest.mark.real_data
def test_a_channel_left_out_comes_back_by_its_neighbours(scan):
    band = cleaned(scan, BAND)
    others = [name for name in scan.geometry["names"] if name != "Cz"]
    out = cleaned(band, {"name": "pick", "names": others}, {"name": "pick", "names": ["Cz"], "missing": "interpolate"})
    assert np.corrcoef(out.data[0], band.data[scan.geometry["names"].index("Cz")])[0, 1] > 0.9


@pytest.mark.real_data
def test_planted_faults_are_found_in_a_real_recording_and_nothing_else(scan):
    data = scan.data.copy()
    names = scan.geometry["names"]
    data[names.index("C3")] *= 8
    data[names.index("P4")] = 20e-6 * np.random.default_rng(0).standard_normal(data.shape[1])
    found = cleaned(scan.with_data(data), {"name": "bad_channels"}).geometry["bad"]
    assert sorted(found) == ["C3", "P4"]
