"""Time before events: a recording of 3 h with three seizures, worked by hand."""

import numpy as np
import pandas as pd
import pytest

from neuroloom.cohort.before_events import Before
from neuroloom.cohort.cut_windows import find_windows
from neuroloom.cohort.trials import Recorded
from neuroloom.errors import NeuroloomError

MINUTE = 60.0
BEFORE = Before("preictal", "seizure", horizon=5 * MINUTE, occurrence=30 * MINUTE, after=20 * MINUTE)
SEIZURES = np.array([[50.0, 51.0], [90.0, 91.0], [160.0, 161.0]]) * MINUTE
# in minutes: time before 15-45, 71-85 (what is left of 55-85 after the first), 125-155; closed 45-71, 85-111, 155-180
RATE = 2.0


def windows(events, n_people=1, before=BEFORE, new=False, **how):
    table = pd.DataFrame(
        {"participant_id": [f"p{n}" for n in range(n_people)]}, index=[f"p{n}_rec" for n in range(n_people)]
    )
    told = [(onset, stop - onset, "sz") for onset, stop in events]
    recorded = {sample: Recorded(told, RATE, int(180 * MINUTE * RATE)) for sample in table.index}
    how = {"every": MINUTE, "length": MINUTE, "classes": {"seizure": "sz"}, "otherwise": "interictal"} | how
    return find_windows(table, recorded, before=before, new=new, **how)


def minutes(trials, named):
    table = trials.table
    return [round(one / MINUTE) for one in table["onset"][table["event"] == named]]


def test_windows_before_events_are_named_and_what_nothing_is_asked_of_is_left_out():
    trials = windows(SEIZURES)
    assert minutes(trials, "preictal") == [*range(15, 45), *range(125, 155)]
    assert minutes(trials, "interictal") == [*range(15), *range(111, 125)]
    assert "seizure" not in set(trials.table["event"])
    assert trials.notes == (
        "p0_rec: 1 of 3 events (seizure) are not asked for: less than 50% of the 1800 s in which a warning could come are "
        "recorded and clear of the event before",
    )


def test_a_lower_share_asks_for_the_event_in_between():
    trials = windows(SEIZURES, before=Before(**{**BEFORE.__dict__, "least": 0.4}))
    assert minutes(trials, "preictal") == [*range(15, 45), *range(71, 85), *range(125, 155)]
    assert trials.notes == ()


def test_each_window_is_of_the_block_of_its_event_and_blocks_are_numbered_over_a_persons_recordings():
    trials = windows(SEIZURES, n_people=2)
    table = trials.table
    first = table[table["participant_id"] == "p0"]
    # the first and the third are asked for: 111 to 125 is divided at 118
    onsets = first["onset"] / MINUTE
    assert (first["block"][onsets < 118] == 1).all()
    assert (first["block"][onsets >= 118] == 2).all()
    assert sorted(table["block"][table["participant_id"] == "p1"].unique()) == [1, 2]


def test_windows_near_to_the_time_before_are_tested_but_not_learned_from():
    table = windows(SEIZURES, before=Before(**{**BEFORE.__dict__, "apart": 3 * MINUTE})).table
    near = (table["onset"][table["partly"]] / MINUTE).round().astype(int).tolist()
    assert near == [12, 13, 14, 111, 112, 113, 122, 123, 124]


def test_windows_of_the_event_itself_may_be_a_class():
    trials = windows(SEIZURES, before=Before(**{**BEFORE.__dict__, "during": True}))
    assert minutes(trials, "seizure") == [50, 90, 160]
    assert minutes(trials, "preictal") == [*range(15, 45), *range(125, 155)]


def test_of_new_recordings_nothing_is_left_out():
    trials = windows(SEIZURES, new=True)
    assert minutes(trials, "interictal") == [*range(180)]
    assert "block" not in trials.table


def test_a_recording_without_events_is_one_block():
    trials = windows(np.array([[50.0, 51.0]]) * MINUTE, before=BEFORE)
    quiet = BEFORE.foretold(np.empty((0, 2)), 3600.0)
    assert quiet.episodes().tolist() == []
    assert set(trials.table["block"]) == {1}


def test_events_with_too_little_before_them_are_an_error_that_names_the_way_out():
    with pytest.raises(NeuroloomError, match=r"no window of preictal.*50% of 1800 s.*trials\.before\.least"):
        windows(np.array([[10.0, 11.0]]) * MINUTE)


def test_a_class_is_named_once():
    with pytest.raises(NeuroloomError, match="'preictal' is named twice"):
        windows(SEIZURES, otherwise="preictal")
