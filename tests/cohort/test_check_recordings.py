"""Findings about recordings: each fault planted in one of several sound ones."""

import made_recordings as made
import numpy as np
import pytest
import yaml

from neuroloom.cohort.check_recordings import measure_recording
from neuroloom.cohort.checks import check_data
from neuroloom.scan import Scan


def findings_of(folder, odd, *, unit=None, **told):
    """Return the findings about three sound recordings and an odd one, written with what ``odd`` changes."""
    for number, who in enumerate("abc"):
        made.write_edf(folder / f"{who}.edf", made.microvolts(seed=number + 5), span=500)
    made.write_edf(folder / "odd.edf", **{"data": made.microvolts(seed=9), "span": 500, **odd})
    eeg = {"kind": "series", "files": "{person}.edf", **told}
    (folder / "cohort.yaml").write_text(yaml.safe_dump({"participant_id": "person", "inputs": {"eeg": eeg}}))
    return {one.what: one for one in check_data(folder) if one.what not in ("age unknown", "sex unknown")}


def test_nothing_is_found_in_sound_recordings(tmp_path):
    assert findings_of(tmp_path, {}) == {}


def test_two_sampling_rates_name_who_has_the_other(tmp_path):
    found = findings_of(tmp_path, {"rate": 100})["mixed sampling period"]
    assert found.who == ("odd",)
    assert "0.005 s in 3 of 4, but 0.01 s: odd" in found.text


def test_a_flat_and_a_clipped_channel_are_named(tmp_path):
    data = made.microvolts(seed=9)
    data[3] = 0
    data[5] = np.clip(data[5] * 3, -40, 40)
    found = findings_of(tmp_path, {"data": data})
    assert found["flat channels"].who == ("odd",)
    assert "odd (1: Cz)" in found["flat channels"].text
    assert "odd (1: O1)" in found["clipped channels"].text
    assert set(found) == {"flat channels", "clipped channels"}


@pytest.mark.parametrize(
    ("unit", "range_", "says"), [("V", 500, "say unit: uV"), ("uV", 5e-4, "say unit: V instead of uV")]
)
def test_a_wrong_unit_is_seen_by_the_amplitude(tmp_path, unit, range_, says):
    data = made.microvolts(seed=9) * (1 if unit == "V" else 1e-6)
    found = findings_of(tmp_path, {"data": data, "unit": unit, "span": range_})["impossible amplitude"]
    assert found.level == "error"
    assert found.who == ("odd",)
    assert says in found.way_out


def test_events_outside_and_overlapping(tmp_path):
    events = [(1.0, 2.0, "left"), (2.5, 1.0, "right"), (9.5, 2.0, "late")]  # the recording is 10 s long
    found = findings_of(tmp_path, {"events": events})
    assert "odd (1: late at 9.5 s for 2 s)" in found["events outside the recording"].text
    assert "odd (1: left and right at 2.5 s)" in found["overlapping events"].text


def test_other_channels_are_an_error_with_a_way_out(tmp_path):
    found = findings_of(tmp_path, {"data": made.microvolts(5), "names": made.NAMES[:5]})["mixed regions"]
    assert found.who == ("odd",)
    assert "channels: [...]" in found.way_out


def test_a_series_in_percent_is_no_recording():
    bold = Scan(np.zeros((2, 10), np.float32), "series", {"sampling_rate": 0.5})
    assert measure_recording(bold, np.zeros(2, bool), np.zeros(2, bool)) is None
