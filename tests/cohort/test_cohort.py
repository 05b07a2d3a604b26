"""Where a cohort's data lie, and when they count as changed."""

import numpy as np
import pandas as pd
import pytest

from neuroloom.cohort.cohort import ArraySource, Cohort, DrawnSource, FileSource
from neuroloom.transforms.cache import Cache

PEOPLE = ("sub-1", "sub-2")


def cohort(source):
    table = pd.DataFrame({"participant_id": PEOPLE}, index=pd.Index(PEOPLE, name="sample_id"))
    return Cohort(table, {"x": source})


def square(kind, **geometry):
    return ArraySource(kind, PEOPLE, np.ones((2, 3, 3), dtype=np.float32), geometry)


def test_the_same_numbers_taken_for_another_kind_are_prepared_anew(tmp_path):
    kept = Cache(tmp_path / "cache")
    assert [kept.store(cohort(square(kind)), "x", ()).kind for kind in ("graph", "series")] == ["graph", "series"]


def test_another_sampling_rate_is_not_that_of_the_cache(tmp_path):
    kept = Cache(tmp_path / "cache")
    rates = [
        kept.store(cohort(square("series", sampling_rate=rate)), "x", ()).geometry(0)["sampling_rate"]
        for rate in (0.5, 1.0)
    ]
    assert rates == [0.5, 1.0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"sampling_rate": 0.5, "names": ["a"]}, {"names": ["a"], "sampling_rate": 0.5}, True),
        ({"affine": np.eye(4)}, {"affine": np.eye(4)}, True),
        ({"affine": np.eye(4)}, {"affine": 2 * np.eye(4)}, False),
    ],
)
def test_a_fingerprint_tells_geometries_apart(one, other, same):
    prints = {cohort(square("series", **geometry)).fingerprint() for geometry in (one, other)}
    assert len(prints) == (1 if same else 2)


def test_every_source_tells_its_kind(tmp_path):
    file = tmp_path / "one.npy"
    np.save(file, np.ones((3, 3), dtype=np.float32))
    for source in (
        lambda kind: FileSource(kind, {"sub-1": file}),
        lambda kind: DrawnSource(kind, frozenset(PEOPLE), None, "drawn alike"),
        square,
    ):
        assert source("graph").identity("sub-1") != source("table").identity("sub-1")
