"""The table of a scan's structures: its files say what the JSON says, the page says it in three digits."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from small_volumes import NAME, NORMS, percentile, structure, told

from neuroloom.report.volumes_record import VolumesRecord
from neuroloom.report.volumes_table import strip, volumes_rows, write_volumes_tables

STRUCTURES = [
    structure("hippocampus", 3.8123456789, 3.9234567891, percentile=percentile(37.2, 30.1, 45.0), repeatability_percent=1.8),
    structure("lateral_ventricle", 12.25, 10.125, flag="=its borders are unsure"),
    structure("brain_stem", total=21.512345678),
]  # fmt: skip


@pytest.fixture
def record():
    return VolumesRecord.model_validate(told(STRUCTURES, norms=NORMS))


@pytest.mark.parametrize(("ending", "delimiter"), [("tsv", "\t"), ("csv", ",")])
def test_the_table_holds_the_numbers_of_the_json(tmp_path, record, ending, delimiter):
    write_volumes_tables(tmp_path, NAME, record)
    table = pd.read_csv(tmp_path / f"{NAME}_volumes.{ending}", sep=delimiter, na_values="n/a", index_col="structure")
    content = json.loads(json.dumps(told(STRUCTURES)))
    assert list(table.index) == [one["name"] for one in content["structures"]]
    for one in content["structures"]:
        for key in ("left_ml", "right_ml", "total_ml", "asymmetry_percent", "percent_of_icv", "quality"):
            expected = np.nan if one[key] is None else one[key]
            np.testing.assert_equal(table.loc[one["name"], key], expected)
    held = content["structures"][0]["percentile"]
    found = table.loc["hippocampus", ["percentile", "percentile_low", "percentile_high"]]
    assert list(found.astype(float)) == [held["value"], held["low"], held["high"]]
    assert table.loc["lateral_ventricle", "flag"] == "'=its borders are unsure"  # a spreadsheet runs no formula


def test_rows_of_the_page_are_the_numbers_in_three_digits(record):
    rows = {row["name"]: row for row in volumes_rows(record)}
    assert rows["Hippocampus"]["left"] == "3.81"
    assert rows["Hippocampus"]["total"] == "7.74"
    assert rows["Hippocampus"]["asymmetry"] == "−2.9"  # 200 (3.812 - 3.923) / 7.736
    assert rows["Hippocampus"]["icv"] == "0.52"  # 7.736 of 1500
    assert rows["Hippocampus"]["percentile"] == "37"
    assert rows["Lateral ventricle"]["asymmetry"] == "+19.0"
    assert rows["Brain stem"]["left"] == "–"
    assert rows["Brain stem"]["total"] == "21.5"


@pytest.mark.parametrize(("value", "share"), [(0.0, 0.0), (37.2, 0.372), (100.0, 1.0)])
def test_the_point_lies_on_the_strip_where_its_percentile_is(value, share):
    record = VolumesRecord.model_validate(
        told([structure("hippocampus", 3.8, 3.9, percentile=percentile(value, 1, 99))])
    )
    drawn = str(strip(record.structures[0]))
    band = re.search(r'<rect x="([\d.]+)" y="2" width="([\d.]+)"', drawn)  # the first: percentile 0 to 100
    place = float(re.search(r'cx="([\d.]+)"', drawn)[1])
    assert (place - float(band[1])) / float(band[2]) == pytest.approx(share, abs=0.001)


@pytest.mark.parametrize(("passed", "marked"), [(True, True), (False, False)])
def test_what_is_marked_is_what_is_told_and_nothing_of_a_poor_scan(passed, marked):
    held = structure("hippocampus", 3.0, 4.0, percentile=percentile(1.0), repeatability_percent=1.0)
    change = {"name": "hippocampus", "before_ml": 8.0, "after_ml": 7.0, "percent_per_year": -6.0, "changed": True}
    prior = {"scan": "before", "years": 2.0, "changes": [change]}
    content = told([held, {**held, "name": "thalamus", "flag": "cut"}], prior=prior, quality={"passed": passed})
    first, flagged = volumes_rows(VolumesRecord.model_validate(content))
    assert [first[mark] for mark in ("outside", "asymmetric", "changed")] == [marked] * 3
    assert [flagged[mark] for mark in ("outside", "asymmetric", "changed")] == [False] * 3
