"""Trials of recordings: which, where in time, in which block."""

import pandas as pd
import pytest

from neuroloom.cohort.trials import Recorded, class_of, find_trials
from neuroloom.errors import NeuroloomError

TABLE = pd.DataFrame(
    {"participant_id": ["anna", "anna", "ben"], "age": [30, 30, 40]},
    index=pd.Index(["anna_1", "anna_2", "ben_1"], name="sample_id"),
)
EVENTS = [(1.0, 0.5, "left"), (3.0, 0.5, "right"), (5.0, 0.5, "rest"), (7.0, 0.5, "left"), (9.5, 0.5, "right")]
RECORDED = {name: Recorded(EVENTS, 100.0, 1000) for name in TABLE.index}
HANDS = {"left": "left", "right": "right"}


def test_trials_lie_where_their_events_say():
    trials = find_trials(TABLE, {"ben_1": Recorded(EVENTS, 128.0, 1280)}, start=-0.25, stop=0.5, classes=HANDS)
    assert trials.first.tolist() == [96, 352, 864, 1184]
    assert trials.n_times.tolist() == [96] * 4
    assert trials.recording.tolist() == [2] * 4
    assert trials.table.index.tolist() == ["ben_1_t0001", "ben_1_t0002", "ben_1_t0003", "ben_1_t0004"]
    assert trials.table["event"].tolist() == ["left", "right", "left", "right"]
    assert trials.table["onset"].tolist() == [1.0, 3.0, 7.0, 9.5]
    assert trials.table["age"].tolist() == [40] * 4


def test_trials_that_the_recording_cuts_are_left_out_and_said():
    trials = find_trials(TABLE, RECORDED, start=0.0, stop=1.0, classes=HANDS)
    assert len(trials.table) == 9
    assert trials.notes[0] == "anna_1: 1 trials that begin before the recording or end after it are left out"


def test_blocks_are_contiguous_over_a_persons_recordings():
    table = find_trials(TABLE, RECORDED, start=0.0, stop=0.5, blocks=3).table
    anna = table[table["participant_id"] == "anna"]
    assert anna["block"].tolist() == [1, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert table.loc[table["participant_id"] == "ben", "block"].tolist() == [1, 1, 2, 2, 3]
    assert anna["run_id"].unique().tolist() == ["anna_1", "anna_2"]


def test_fields_of_a_label_become_columns():
    events = [(0.0, 0.1, "target|row 3|K"), (1.0, 0.1, "nontarget|column 1|K")]
    classes = {"yes": "target|*", "no": "nontarget|*"}
    how = {"start": 0, "stop": 0.5, "classes": classes, "fields": ("kind", "flash", "letter"), "column": "target"}
    table = find_trials(TABLE, {"ben_1": Recorded(events, 100.0, 1000)}, **how).table
    assert table[["target", "flash", "letter"]].to_numpy().tolist() == [["yes", "row 3", "K"], ["no", "column 1", "K"]]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"classes": {"left": "lift"}}, "labels that are there: left, rest, right"),
        ({"classes": {"left": "left", "right": "rihgt"}}, "no trials of right in 3 recordings"),
        ({"stop": -1.0}, "must come after start"),
        ({"blocks": 6}, "ben has 5 trials, too few for 6 blocks"),
        ({"fields": ("a", "b")}, "has 1 parts between '|', but trials.fields names 2"),
        ({"column": "age"}, "the column 'age', which the cohort's table has already"),
    ],
)
def test_what_cannot_be_cut_is_said(how, words):
    with pytest.raises(NeuroloomError, match=words.replace("|", r"\|")):
        find_trials(TABLE, RECORDED, **{"start": 0.0, "stop": 0.5, **how})


def test_a_label_of_two_classes_is_refused():
    with pytest.raises(NeuroloomError, match="fits the classes a, b"):
        class_of("left hand", {"a": "left*", "b": "*hand"})
