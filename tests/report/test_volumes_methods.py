"""What is told of how volumes were measured."""

import pytest
from small_volumes import NORMS, structure, told

from neuroloom.report.volumes_methods import limits_text, methods_rows
from neuroloom.report.volumes_record import VolumesRecord


def rows(**changes):
    return dict(methods_rows(VolumesRecord.model_validate(told(**changes))))


def test_the_weights_tell_what_they_reached():
    scores = {
        "dice": 0.791,
        "on": "3 heads",
        "by_contrast": {"t1": 0.81, "ct": 0.6},
        "by_structure": {str(n): n / 10 for n in range(9)},
    }
    weights = {
        "name": "anatomy",
        "sha256": "0123456789abcdef0000",
        "answer_mm": 2.0,
        "summary": "A U-Net.",
        "scores": scores,
    }
    assert rows(weights=weights)["Weights"] == (
        "anatomy, answers at 2.0 mm, SHA-256 0123456789abcdef. A U-Net. Reached: dice 0.79 on 3 heads; by contrast t1 0.81 and "
        "ct 0.60; by structure 0.00 to 0.80."
    )


@pytest.mark.parametrize(("known", "words"), [(1.25, "1.2 to 1.2 %"), (None, "not known for these weights")])
def test_the_error_of_measuring_is_told_or_said_to_be_unknown(known, words):
    assert (
        words
        in rows(structures=[structure("hippocampus", 3.0, 4.0, repeatability_percent=known)])["Error of measuring"]
    )


def test_limits_speak_of_what_was_used():
    alone = limits_text(VolumesRecord.model_validate(told()))
    with_norms = limits_text(VolumesRecord.model_validate(told(norms=NORMS)))
    assert not any("percentile" in text for text in alone)
    assert any("percentile" in text for text in with_norms)
    assert alone[0].startswith("For research; it does not replace clinical judgment.")


def test_the_error_of_measuring_is_said_to_be_of_simulated_scans():
    held = [structure("hippocampus", 3.0, 4.0, repeatability_percent=2.0)]
    text = rows(structures=held, repeatability_pairs=12)["Error of measuring"]
    assert "2.0 to 2.0 % by structure from 12 pairs of scans." in text
    assert "simulated T1-weighted scans at 1 mm without thick slices or ghosts: other scans err more" in text
    assert "pairs" not in rows(structures=held)["Error of measuring"]


def test_the_axes_of_the_scan_are_told_in_words():
    assert rows(orientation="PIL")["Scan"].endswith("axes to the back, bottom and left (PIL).")
    assert "axes" not in rows(orientation=None)["Scan"]
