"""Windows of whole recordings: where they lie, and of which class they are."""

import numpy as np
import pandas as pd
import pytest

from neuroloom.cohort.cut_windows import events_of, find_windows
from neuroloom.cohort.trials import Recorded
from neuroloom.errors import NeuroloomError

TABLE = pd.DataFrame(
    {"participant_id": ["anna", "ben"], "age": [30, 40]}, index=pd.Index(["anna_1", "ben_1"], name="sample_id")
)
HOW = {"every": 2.0, "length": 4.0, "classes": {"seizure": "sz*"}, "otherwise": "background"}


def windows(events, n_times=2000, rate=100.0, **how):
    return find_windows(TABLE, {"ben_1": Recorded(events, rate, n_times)}, **{**HOW, **how})


def test_windows_follow_on_each_other_and_their_class_is_what_fills_them():
    found = windows([(5.0, 5.0, "sz_focal"), (12.0, 1.0, "blink"), (15.0, 1.9, "sz")])  # recording of 20 s
    assert found.first.tolist() == [0, 200, 400, 600, 800, 1000, 1200, 1400, 1600]  # the last ends with the recording
    assert found.n_times.tolist() == [400] * 9
    assert found.recording.tolist() == [1] * 9
    # seconds of 5-10 and 15-16.9 in [0,4) [2,6) [4,8) [6,10) [8,12) [10,14) [12,16) [14,18) [16,20): 0 1 3 4 2 0 1 1.9 .9
    assert np.flatnonzero(found.table["event"] == "seizure").tolist() == [2, 3, 4]
    assert np.flatnonzero(found.table["partly"]).tolist() == [1, 6, 7, 8]
    assert found.table["onset"].tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16]
    assert found.table.index[0] == "ben_1_w00001"
    assert found.table["age"].tolist() == [40] * 9


def test_the_share_that_makes_a_class_is_set_by_overlap():
    found = windows([(5.0, 5.0, "sz_focal"), (15.0, 1.9, "sz")], overlap=0.25)
    assert np.flatnonzero(found.table["event"] == "seizure").tolist() == [1, 2, 3, 4, 6, 7]
    assert np.flatnonzero(found.table["partly"]).tolist() == [8]  # 0.9 of 4 s


def test_of_two_classes_the_one_that_covers_more_is_taken():
    found = windows(
        [(0.0, 2.2, "sz"), (2.2, 4.0, "rem")], classes={"seizure": "sz", "rem": "rem"}, overlap=0.25, n_times=800
    )
    assert found.table["event"].tolist() == ["seizure", "rem", "rem"]  # 2.2 and 1.8 s; 0.2 and 3.8; 0 and 2.2


def test_events_that_overlap_are_counted_once():
    twice = Recorded([(5.0, 3.0, "sz"), (6.0, 4.0, "sz"), (6.5, 0.5, "sz"), (10.0, 1.0, "sz")], 100.0, 2000)
    assert events_of("ben_1", twice, {"seizure": "sz"})[0]["seizure"].tolist() == [[5.0, 11.0]]
    assert (
        find_windows(TABLE, {"ben_1": twice}, **{**HOW, "overlap": 1.0}).table["event"].tolist().count("seizure") == 1
    )


def test_an_event_that_outlasts_the_recording_ends_with_it_and_is_said():
    found = windows([(15.0, 60.0, "sz")])
    assert found.table["event"].tolist()[-2:] == ["seizure", "seizure"]
    assert found.notes == ("ben_1: 1 events go on after the end of the recording; they end with it",)


def test_rates_that_are_no_whole_number_do_not_drift():
    rate, n_times = 128.5, round(3600 * 128.5)
    first = windows([(100.0, 60.0, "sz")], n_times=n_times, rate=rate).first
    assert np.abs(first / rate - 2.0 * np.arange(len(first))).max() <= 0.5 / rate
    assert len(first) == 1799
    assert first[-1] + round(4 * rate) <= n_times


@pytest.mark.parametrize(
    ("events", "how", "words"),
    [
        ([(5.0, 0.0, "sz")], {}, "at 5 s lasts 0 s"),
        ([(25.0, 1.0, "sz")], {}, "at 25 s lasts 1 s, in a recording of 20 s"),
        ([(5.0, 1.0, "fit")], {}, "no window of seizure in 1 recordings; labels of events that are there: fit"),
        ([(5.0, 5.0, "sz")], {"length": 30.0}, "ben_1 lasts 20 s, less than a window of 30 s"),
        ([(5.0, 5.0, "sz")], {"otherwise": "seizure"}, "'seizure' is named twice"),
        ([(5.0, 5.0, "sz")], {"column": "age"}, "the column 'age', which the cohort's table has already"),
    ],
)
def test_what_cannot_be_cut_is_said(events, how, words):
    with pytest.raises(NeuroloomError, match=words):
        windows(events, **how)


def test_windows_of_a_new_recording_need_no_events():
    windows = find_windows(TABLE, {"ben_1": Recorded([], 100.0, 1000)}, **HOW, new=True)
    known = find_windows(TABLE, {"ben_1": Recorded([(1.0, 4.0, "sz")], 100.0, 1000)}, **HOW)
    assert windows.first.tolist() == known.first.tolist()
    assert windows.table["event"].unique().tolist() == [HOW["otherwise"]]
    with pytest.raises(NeuroloomError, match=r"ben_1 lasts 0.1 s, less than a window of 4 s"):
        find_windows(TABLE, {"ben_1": Recorded([], 100.0, 10)}, **HOW, new=True)
