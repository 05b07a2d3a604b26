"""The page of a segmentation run: the structures, a row each."""

from pathlib import Path

from neuroloom.report.methods_text import methods_text
from neuroloom.report.run_record import RunRecord
from neuroloom.report.structures import structures_section
from neuroloom.report.study_page import render

METRICS = {
    "task": "segment", "primary": "dice", "deep": "unet3d", "sentence": "U-Net finds them; this is better.",
    "target": {"name": "labels", "classes": []}, "unit": {"name": "participant", "n": 4},
    "learners": {
        "average_map": {"role": "baseline", "label": "average map", "scores": {"dice": {"value": 0.4, "interval": [0.3, 0.5]}}},
        "unet3d": {
            "role": "deep", "label": "U-Net", "scores": {"dice": {"value": 0.8, "interval": [0.7, 0.9]}},
            "scans": {"t1": 0.84, "ct": 0.6},
        },
    },
    "structures": [
        {"name": "left hippocampus", "truth_ml": 4.21, "learners": {
            "unet3d": {"dice": 0.71, "interval": [0.6, 0.8], "ml": 3.9}, "average_map": {"dice": None, "interval": None, "ml": 0.0}}},
        {"name": "csf", "truth_ml": 0.0, "learners": {}},
        {"name": "left cerebral cortex", "truth_ml": 251.3, "learners": {
            "unet3d": {"dice": 0.8, "interval": None, "ml": 240.0}, "average_map": {"dice": 0.5, "interval": None, "ml": 260.0}}},
    ],
}  # fmt: skip


def test_structures_come_largest_first_and_those_that_are_nowhere_are_left_out():
    section = structures_section(RunRecord(Path("run"), METRICS))
    assert section["learners"] == ["U-Net", "average map"]
    assert [row["name"] for row in section["rows"]] == ["left cerebral cortex", "left hippocampus"]
    assert [row["truth"] for row in section["rows"]] == ["251", "4.21"]
    first, second = section["rows"][1]["cells"]
    assert first == {"value": "0.71", "interval": "0.60 to 0.80", "ml": "3.90"}
    assert second["value"] == "–"
    assert section["scans"] == [("U-Net", [("T1", "0.84"), ("CT", "0.60")])]


def test_other_runs_have_no_such_table():
    assert structures_section(RunRecord(Path("run"), {"task": "classify"})) is None


def test_the_page_shows_them_and_says_how_its_intervals_were_made():
    record = RunRecord(Path("run"), METRICS)
    page = render(record)
    assert "Left hippocampus" in page
    assert "U-Net, by contrast of the scan: T1 0.84, CT 0.60." in page
    assert any("each participant counts once" in text for text in methods_text(record)["paragraphs"])
    assert not any("jackknife" in text for text in methods_text(record)["paragraphs"])
