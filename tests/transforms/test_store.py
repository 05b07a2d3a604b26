"""Stores of prepared samples: what may be stacked, and what only looks as if it might."""

import numpy as np
import pandas as pd
import pytest

from neuroloom.cohort.cohort import ArraySource, Cohort, FileSource
from neuroloom.errors import NeuroloomError
from neuroloom.transforms.cache import Cache
from neuroloom.transforms.store import check_names, first_difference


class Named:
    """A store of which only the names are known."""

    kind, samples = "series", ("a", "b", "c")

    def __init__(self, *names):
        self.names, self.present = names, np.array([True] * len(names))

    def geometry(self, row):
        return {} if self.names[row] is None else {"names": self.names[row]}


def test_files_with_their_columns_in_another_order_are_not_stacked(tmp_path):
    paths = {}
    for sample, names in {"sub-1": "left,right", "sub-2": "left,right", "sub-3": "right,left"}.items():
        paths[sample] = tmp_path / f"{sample}.csv"
        rows = [f"{time}.5,{time * time}.25" for time in range(30)]
        paths[sample].write_text("\n".join([names, *rows]) + "\n")
    table = pd.DataFrame({"participant_id": list(paths)}, index=pd.Index(list(paths), name="sample_id"))
    source = FileSource(
        "series", paths, {sample: {"sampling_period": 2.0, "axes": ["time", "region"]} for sample in paths}
    )
    cohort = Cohort(table, {"bold": source})
    assert Cache(tmp_path / "cache").store(cohort.subset([0, 1]), "bold", ()).names == ["left", "right"]
    with pytest.raises(NeuroloomError, match=r"number 1 is 'left' in sub-1, but 'right' in sub-3; .* are sub-3\."):
        Cache(tmp_path / "cache").store(cohort, "bold", ())


def test_files_that_name_nothing_stand_beside_those_that_do():
    check_names(Named(["x", "y"], None, ["x", "y"]))
    with pytest.raises(NeuroloomError, match=r"number 2 is 'y' in a, but None in c"):
        check_names(Named(["x", "y"], None, ["x"]))


def test_where_names_differ_first():
    assert first_difference(["a", "b", "c"], ["a", "c", "b"]) == (2, "b", "c")
    assert first_difference(["a"], ["a", "b"]) == (2, None, "b")


def test_a_cache_that_cannot_be_made_names_the_way_out(tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    people = ("sub-1",)
    table = pd.DataFrame({"participant_id": people}, index=pd.Index(people, name="sample_id"))
    cohort = Cohort(table, {"x": ArraySource("table", people, np.ones((1, 3), dtype=np.float32))})
    with pytest.raises(NeuroloomError, match=r"a file/cache: cannot be made .*NEUROLOOM_CACHE"):
        Cache(blocked / "cache").store(cohort, "x", ())
