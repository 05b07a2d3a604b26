"""Sentences on a scan's volumes: planted cases, each with its value."""

import numpy as np
import pytest
from small_volumes import NORMS, percentile, structure, told

from neuroloom.report.volumes_findings import NO_REFERENCE, asymmetry_limit, findings
from neuroloom.report.volumes_record import VolumesRecord


def said(structures=None, **changes):
    """Return (kind, text) of the findings of a scan."""
    record = VolumesRecord.model_validate(told(structures, **changes))
    return [(one.kind, one.text) for one in findings(record)]


def texts(*arguments, **changes):
    return " ".join(text for _, text in said(*arguments, **changes))


def test_without_a_reference_nothing_is_said_about_normal():
    found = said()
    assert ("unknown", NO_REFERENCE) in found
    assert "percentile" not in texts()
    assert "notable" not in texts().lower()


@pytest.mark.parametrize(("value", "words"), [(2.1, "Below the 5th"), (4.9, "Below the 5th"), (97.4, "Above the 95th")])
def test_a_volume_beyond_the_limits_is_told_with_the_name_of_the_reference(value, words):
    found = said([structure("hippocampus", 3.8, 3.9, percentile=percentile(value))], norms=NORMS)
    told_of = "percentile of Healthy adults, by share of the intracranial volume: hippocampus (percentile"
    assert [text for kind, text in found if kind == "notable"] == [f"{words} {told_of} {value})."]


def test_the_furthest_comes_first():
    held = [
        structure(name, 3.0, 3.0, percentile=percentile(v))
        for name, v in [("amygdala", 4.0), ("thalamus", 98.0), ("hippocampus", 0.6)]
    ]
    notable = [text for kind, text in said(held, norms=NORMS) if kind == "notable"]
    assert notable[0].endswith("hippocampus (percentile 0.6); amygdala (percentile 4.0).")
    assert notable[1].endswith("thalamus (percentile 98.0).")


@pytest.mark.parametrize("value", [5.0, 50.0, 95.0])
def test_a_volume_within_the_limits_is_not_told(value):
    found = said([structure("hippocampus", 3.8, 3.9, percentile=percentile(value))], norms=NORMS)
    assert found[0] == (
        "plain",
        "Nothing notable was found: the one structure compared lies between the 5th and the 95th percentile of Healthy adults.",
    )


@pytest.mark.parametrize(("low", "high", "reaches"), [(0.5, 4.2, False), (0.5, 6.3, True)])
def test_an_interval_that_reaches_the_limit_is_said(low, high, reaches):
    text = texts([structure("hippocampus", 3.8, 3.9, percentile=percentile(2.1, low, high))], norms=NORMS)
    assert f"interval {low} to {high}" in text
    assert ("reaches the limit" in text) == reaches


def test_how_many_lie_outside_by_chance_is_said():
    held = [structure(f"region_{n}", 3.0, 3.0, percentile=percentile(1.0 if n == 0 else 50.0)) for n in range(20)]
    assert (
        "The other 19 structures compared lie between the 5th and the 95th percentile of Healthy adults; in a person of the "
        "reference about 2.0 of 20 lie outside by chance." in texts(held, norms=NORMS)
    )


def test_why_there_is_no_percentile_is_said():
    reason = "the age of 93 is beyond the reference's 20 to 86"
    assert f"No percentile of Healthy adults is given: {reason}." in texts(norms={**NORMS, "reason": reason})
    assert NO_REFERENCE not in texts(norms={**NORMS, "reason": reason})


@pytest.mark.parametrize(("together", "least"), [(0.0, 0.05), (0.5, 0.0)])
def test_the_limit_of_asymmetry_is_passed_by_1_in_20_symmetric_brains_at_most(together, least):
    rng, error, n = np.random.default_rng(0), 2.0, 40_000
    errors = rng.multivariate_normal([0, 0], [[1, together], [together, 1]], n).T * error / 100
    left, right = 4.0 * (1 + errors)
    both = 100 * np.std(left + right) / np.mean(left + right)  # what is known of a structure: both sides together
    share = np.mean(np.abs(200 * (left - right) / (left + right)) > asymmetry_limit(both))
    spread = 4 * np.sqrt(0.05 * 0.95 / n)
    assert least - spread - 0.001 < share < 0.05 + spread + 0.001  # 0.001: the mean of both sides varies too


def test_the_limit_allows_for_the_number_of_structures():
    rng, n = np.random.default_rng(1), 14
    asymmetries = rng.normal(0, 2 * 1.5, (20_000, n))  # in percent, of symmetric brains measured with 1.5 %
    share = np.mean(np.any(np.abs(asymmetries) > asymmetry_limit(1.5, n), axis=1))
    assert share == pytest.approx(0.05, abs=0.007)


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [(3.0, 4.0, "hippocampus left smaller by 28.6 % (7.8 %)"), (4.0, 3.0, "hippocampus right smaller by 28.6 % (7.8 %)"),
     (3.9, 4.0, None)],
)  # fmt: skip
def test_an_asymmetry_beyond_the_error_of_measuring_is_told_with_its_side(left, right, words):
    text = texts([structure("hippocampus", left, right, repeatability_percent=2.0)])
    if words is None:
        assert "No asymmetry is beyond the error of measuring." in text
    else:
        assert words in text


def test_asymmetries_are_not_judged_without_the_error_of_measuring():
    assert "asymmetries are not judged" in texts([structure("hippocampus", 3.0, 4.0)])


PRIOR = {
    "scan": "sub-001_ses-1_T1w", "years": 2.0, "warnings": ["another scanner"],
    "changes": [
        {"name": "hippocampus", "before_ml": 8.2, "after_ml": 7.7, "percent_per_year": -3.1, "least_percent_per_year": 1.4,
         "changed": True},
        {"name": "brain_stem", "before_ml": 21.6, "after_ml": 21.5, "percent_per_year": -0.2, "least_percent_per_year": 0.9,
         "changed": False},
    ],
}  # fmt: skip


def test_a_change_beyond_the_error_is_told_and_one_within_it_is_not():
    text = texts(prior=PRIOR)
    assert (
        "Changed since the earlier scan (sub-001_ses-1_T1w, 2.0 years before), beyond the error of measuring: hippocampus "
        "smaller by 3.1 % a year (8.20 ml then, 7.70 ml now; the least that can be told is 1.4 %)." in text
    )
    assert "rain stem" not in text
    assert "No other structure changed by more than the error of measuring" in text
    assert "Read changes with care: another scanner." in text


def test_no_change_is_said_plainly():
    still = {**PRIOR, "changes": [{**PRIOR["changes"][0], "changed": False}]}
    assert "No structure changed by more than the error of measuring since the earlier scan" in texts(prior=still)


def test_poor_quality_comes_first_and_nothing_else_is_said():
    low = structure("hippocampus", 2.0, 4.0, percentile=percentile(0.5), repeatability_percent=1.0)
    poor = {"score": 0.41, "passed": False, "reasons": ["voxels are 6.0 mm long"]}
    found = said([low], norms=NORMS, prior=PRIOR, quality=poor)
    assert [kind for kind, _ in found] == ["poor", "poor"]
    assert found[0][1] == "The quality of this segmentation is poor (score 0.41): voxels are 6.0 mm long."
    assert "percentile" not in found[1][1]
    assert "Asymmetr" not in found[1][1]


def test_a_structure_of_poor_quality_is_named_first_and_not_judged():
    low = structure(
        "hippocampus",
        2.0,
        4.0,
        percentile=percentile(0.5),
        repeatability_percent=1.0,
        flag="the field of view ends within it",
    )
    other = structure("thalamus", 7.0, 7.1, percentile=percentile(50.0), repeatability_percent=1.0)
    found = said([low, other], norms=NORMS, prior=PRIOR)
    assert found[0] == (
        "poor", "Not judged, as quality is poor: hippocampus (the field of view ends within it)."
    )  # fmt: skip
    assert not any("ippocampus" in text for _, text in found[1:])


def test_all_that_is_calm_stands_in_one_sentence():
    calm = structure("hippocampus", 3.9, 3.9, percentile=percentile(40.0), repeatability_percent=2.0)
    still = {**PRIOR, "changes": [{**PRIOR["changes"][0], "changed": False}], "warnings": []}
    found = said([calm, {**calm, "name": "amygdala"}], norms=NORMS, prior=still)
    assert len(found) == 1
    assert found[0][1] == (
        "Nothing notable was found: all 2 structures compared lie between the 5th and the 95th percentile of Healthy adults; "
        "no asymmetry is beyond the error of measuring; no structure changed by more than the error of measuring since the "
        "earlier scan (sub-001_ses-1_T1w, 2.0 years before)."
    )


def test_a_reason_of_many_structures_is_said_once():
    unsure, cut = "its borders are unsure", "the field of view ends within it"
    held = [
        structure(name, 3.0, 3.1, flag=flag)
        for name, flag in [("lateral_ventricle", unsure), ("thalamus", cut), ("caudate", unsure)]
    ]
    reasons = ["voxels are 6.0 mm long", f"lateral ventricle: {unsure}", f"thalamus: {cut}", f"caudate: {unsure}"]
    found = said(held, quality={"score": 0.41, "passed": False, "reasons": reasons})
    assert found[0][1] == (
        "The quality of this segmentation is poor (score 0.41): voxels are 6.0 mm long; lateral ventricle and caudate (its "
        "borders are unsure); thalamus (the field of view ends within it)."
    )


@pytest.mark.parametrize("pairs", [4, 16])
def test_the_limit_of_asymmetry_allows_for_an_error_that_is_known_from_few_pairs(pairs):
    rng, n = np.random.default_rng(2), 40_000
    true = 1.5  # % of both sides together
    known = true * np.sqrt(rng.chisquare(pairs, n) / pairs)  # a coefficient of variation from pairs of scans
    asymmetry = rng.normal(0, 2 * true, n)
    limits = np.array([asymmetry_limit(1.0, pairs=pairs)]) * known
    assert np.mean(np.abs(asymmetry) > limits) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / n))
    assert np.mean(np.abs(asymmetry) > asymmetry_limit(1.0) * known) > 0.06  # the normal law tells too many


def test_the_record_says_from_how_many_pairs_the_error_is():
    held = [structure("hippocampus", 3.7, 4.0, repeatability_percent=1.7)]  # asymmetry 7.8 %, limits 6.7 and 9.4 %
    assert "hippocampus left smaller by 7.8 % (6.7 %)" in texts(held)
    assert "No asymmetry is beyond" in texts(held, repeatability_pairs=4)


def test_nothing_is_said_of_the_asymmetry_of_a_structure_whose_error_is_unknown():
    held = [
        structure("hippocampus", 3.0, 4.0, repeatability_percent=2.0),
        structure("accumbens_area", 0.1, 0.4, repeatability_percent=None),
    ]
    text = texts(held)
    assert "hippocampus left smaller by 28.6 % (7.8 %)" in text  # of one structure that is judged, not of two
    assert "ccumbens" not in text
