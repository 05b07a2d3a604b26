"""Events on the page: the numbers of metrics.json, by learner and by person, and what was drawn."""

from pathlib import Path

from neuroloom.report.event_section import events_section
from neuroloom.report.run_record import RunRecord

SCORE = {"value": 0.5, "interval": [0.2, 0.8], "n_units": 6, "estimand": "x"}
ENTRY = {
    "sensitivity": SCORE,
    "precision": SCORE | {"value": 0.25},
    "f1": SCORE | {"value": None, "interval": [None, None]},
    "false_per_day": {"value": 7.5, "interval": [1.25, 45.7], "n_units": 6},
    "rates": {"spearman": SCORE, "icc": SCORE | {"value": None, "interval": [None, None]}},
    "latency": {"value": -3.4, "n": 4, "quartiles": [-5.0, 2.0]},
    "seconds": {"sensitivity": 0.4, "precision": 0.6, "f1": 0.48},
    "thresholds": [0.31, 2.0],
    "chance": {"sensitivity": 0.1, "precision": 0.1, "f1": 0.1, "false_per_day": 30.0, "f1_95": 0.2, "p": 0.005, "n": 200},
    "people": [
        {"person": "anna", "recordings": 1, "hours": 2.0, "true": 2, "hits": 1, "false": 3, "sensitivity": 0.5,
         "false_per_day": 36.0, "latency": -3.4, "alarms": 4},
        {"person": "ben", "recordings": 1, "hours": 2.0, "true": 0, "hits": 0, "false": 0, "sensitivity": None,
         "false_per_day": 0.0, "latency": None, "alarms": 0},
    ],
}  # fmt: skip
TIMELINE = {
    "kind": "worst", "recording": "anna_1", "person": "anna", "seconds": 7200.0, "threshold": 2.0,
    "truth": [[100.0, 160.0]], "alarms": [], "step": 5.0, "probability": [0.1] * 1439 + [None],
}  # fmt: skip
ASKED = {"threshold": "tune", "false_per_day": 5.0, "smooth": 10.0, "least": 0.0, "causal": True, "moment": None, "merge": 90.0,
         "before": 30.0, "after": 60.0}  # fmt: skip


def record(events):
    metrics = {"deep": "net", "learners": {"net": {"role": "deep", "label": "EEGNet"}}, "events": events}
    return RunRecord(Path("run"), metrics, {"validation": {"events": ASKED}})


def test_the_numbers_of_a_run_are_shown_as_they_are():
    told = {"label": "seizure", "n_events": 4, "n_recordings": 2, "hours": 4.0, "learners": {"net": ENTRY}}
    told |= {"per": "day", "step": 1.0}
    shown = events_section(record(told | {"timelines": [TIMELINE]}))
    [row] = shown["rows"]
    assert [cell["value"] for cell in row["cells"]] == ["0.50", "0.25", "–", "7.50", "−3", "0.48"]
    assert [cell["interval"] for cell in row["cells"]] == [
        "0.20 to 0.80", "0.20 to 0.80", "", "1.25 to 45.7", "−5 to 2", ""
    ]  # fmt: skip
    assert row["chance"] == ["0.10", "0.10", "0.10", "30.0"]
    assert [one["cells"][0] for one in shown["people"]] == ["1 of 2", "no events"]
    assert shown["thresholds"] == "Threshold of EEGNet, fold by fold: 0.310, none is low enough."
    assert "at 5 false alarms a day or fewer" in shown["about"]
    assert "only windows that were over by then" in shown["about"]
    [drawn] = shown["figures"]
    assert drawn["title"] == "The worst recording: anna_1"
    assert "which no probability reaches" in drawn["caption"]


def test_short_events_are_told_by_the_hour_and_finer_than_seconds():
    told = {"label": "spike", "n_events": 4, "n_recordings": 2, "hours": 4.0, "learners": {"net": ENTRY}}
    shown = events_section(record(told | {"per": "hour", "step": 0.25, "timelines": []}))
    [row] = shown["rows"]
    assert [cell["value"] for cell in row["cells"]][3:5] == ["0.312", "−3.40"]  # 7.5 a day
    assert row["cells"][3]["interval"] == "0.0521 to 1.90"
    assert row["chance"][3] == "1.25"  # 30 a day
    assert shown["over_time"] == "F1 of steps of 0.25 s"
    assert shown["people"][0]["cells"][2:] == [
        "1.50",
        "−3.40",
        "1.00",
        "2.00",
    ]  # 36 a day; 2 events, 4 alarms in 2 hours
    assert [cell["value"] for cell in shown["rates"][0]["cells"]] == ["0.50", "–"]


def test_a_run_without_events_has_no_such_section():
    assert events_section(record(None)) is None
