import numpy as np
import pytest

from neuroloom.scan import Scan
from neuroloom.transforms.facts import facts


def test_facts_of_a_series():
    data = np.random.default_rng(0).standard_normal((5, 80)).astype(np.float32)
    data[1], data[3] = 0.0, 712.25  # constant, whatever the level
    data[4, 7] = np.nan
    told = facts(Scan(data, "series", {"sampling_rate": 0.4}))
    assert told == pytest.approx(
        {"n_timepoints": 80, "sampling_period": 2.5, "length_s": 200, "n_constant": 2, "n_nan": 1}
    )
    assert "length_s" not in facts(Scan(data, "series", {}))


def test_facts_of_a_volume():
    data = np.zeros((1, 2, 3, 4), dtype=np.float32)
    data[0, 0, 0, :2] = np.nan, 7.0
    affine = np.diag([0.0, 0.0, 3.0, 1.0])
    affine[:2, :2] = [[0.6, -0.8], [0.8, 0.6]]  # turned by a rotation: edges of 1 mm
    told = facts(Scan(data, "volume", {"affine": affine}))
    assert told == pytest.approx({"voxel_i": 1, "voxel_j": 1, "voxel_k": 3, "n_nan": 1, "lowest": 0, "highest": 7})


def test_facts_of_tables_and_graphs_count_what_is_missing_once():
    assert facts(Scan(np.array([1.0, np.nan, np.nan]), "table")) == {"n_missing": 2}
    graph = np.ones((4, 4))
    graph[1], graph[:, 1] = np.nan, np.nan
    assert facts(Scan(graph, "graph")) == {"n_missing": 4}
    assert facts(Scan(np.zeros(3, dtype=np.int64), "text")) == {}
