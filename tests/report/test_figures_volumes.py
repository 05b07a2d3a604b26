"""Drawings of a scan's volumes: which structures are drawn, and where their points lie."""

import pytest
from small_volumes import NORMS, percentile, structure, told

from neuroloom.report.figures_centiles import centiles_figure, chosen, visits
from neuroloom.report.figures_changes import changes_figure
from neuroloom.report.volumes_record import VolumesRecord

CHANGES = [
    {"name": "hippocampus", "before_ml": 8.25, "after_ml": 7.7, "percent_per_year": -3.4, "changed": True},
    {"name": "thalamus", "before_ml": 14.0, "after_ml": 14.0, "percent_per_year": 0.0, "changed": False},
]
PRIOR = {"scan": "sub-001_ses-1_T1w", "years": 2.0, "changes": CHANGES}


def record(*held, **changes):
    return VolumesRecord.model_validate(told(list(held), norms=NORMS, **changes))


def test_what_is_notable_is_drawn_first_and_what_is_flagged_is_not():
    held = [structure(f"region_{n}", 3.0, 3.0, percentile=percentile(50.0)) for n in range(8)]
    held += [structure("hippocampus", 3.0, 3.0, percentile=percentile(50.0))]
    held += [structure("caudate", 3.0, 3.0, percentile=percentile(99.0))]
    held += [structure("thalamus", 3.0, 3.0, percentile=percentile(1.0), flag="cut")]
    names = [one.name for one in chosen(record(*held))]
    assert names == ["caudate", "hippocampus", "region_0", "region_1", "region_2", "region_3"]


@pytest.mark.parametrize(("of", "expected"), [("percent_of_icv", [0.55, 0.52]), ("total_ml", [8.25, 7.8])])
def test_points_lie_at_the_ages_of_the_visits_in_the_quantity_of_the_curve(of, expected):
    held = structure("hippocampus", 3.9, 3.9, percentile={**percentile(50.0), "of": of})
    found = record(held, prior=PRIOR)
    ages, values = visits(found, found.structures[0])
    assert list(ages) == [61.0, 63.0]
    assert list(values) == pytest.approx(expected)  # of 1500 ml


def test_nothing_is_drawn_without_an_age_a_curve_or_an_earlier_scan():
    held = structure("hippocampus", 3.9, 3.9, percentile=percentile(50.0))
    assert centiles_figure(record(held)) is not None
    assert centiles_figure(record(held, age=None)) is None
    assert centiles_figure(record({**held, "percentile": {"value": 50.0}})) is None
    assert changes_figure(record(held)) is None
    assert "Hippocampus" in changes_figure(record(held, prior=PRIOR))["svg"]
    assert changes_figure(record({**held, "flag": "cut"}, prior=PRIOR)) is None
