import numpy as np
import pandas as pd
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.fitted_drop_regions import DropRegions


@pytest.fixture
def graphs():
    """Return 40 connectomes of 5 regions: b is missing in 2 people (5 %), d in 3."""
    x = np.random.default_rng(0).standard_normal((40, 5, 5)).astype(np.float32)
    x = x + x.swapaxes(1, 2)
    for region, people in ((1, [0, 7]), (3, [0, 3, 9])):
        x[people, region], x[people, :, region] = np.nan, np.nan
    return x


ROWS = pd.DataFrame(index=[f"sub-{n}" for n in range(40)])
NAMES = list("abcde")


def test_only_regions_missing_in_more_than_the_share_go_by_name(graphs):
    drop = DropRegions(share=0.05).fit(graphs, ROWS, NAMES)
    kept = drop.transform(graphs, ROWS)
    np.testing.assert_array_equal(kept, graphs[:, [0, 1, 2, 4]][:, :, [0, 1, 2, 4]])
    assert drop.feature_names(NAMES) == ["a", "b", "c", "e"]
    assert "1 of 5 regions" in drop.warnings[0]
    assert "d (3 people)" in drop.warnings[0]
    assert DropRegions(share=0.1).fit(graphs, ROWS, NAMES).warnings == []


def test_test_people_have_no_say(graphs):
    drop = DropRegions().fit(graphs[10:], ROWS[10:], NAMES)
    assert drop.transform(graphs[:10], ROWS[:10]).shape == (10, 5, 5)


def test_of_series_constant_and_nan_regions_go():
    x = np.random.default_rng(1).standard_normal((20, 4, 30)).astype(np.float32)
    x[:2, 1], x[5:7, 2, 3] = 7.0, np.nan
    drop = DropRegions().fit(x, ROWS[:20])
    np.testing.assert_array_equal(drop.transform(x, ROWS[:20]), x[:, [0, 3]])
    assert "region 2 (2 people), region 3 (2 people)" in drop.warnings[0]


def test_what_cannot_be_dropped_is_said(graphs):
    with pytest.raises(NeuroloomError, match="each of the 5 regions is missing in more than 5%"):
        DropRegions().fit(np.full_like(graphs, np.nan), ROWS)
    with pytest.raises(NeuroloomError, match="works on graphs and series"):
        DropRegions().fit(np.zeros((3, 4)), ROWS[:3])
    with pytest.raises(NeuroloomError, match="share is 5"):
        DropRegions(share=5)
    with pytest.raises(NeuroloomError, match=r"fitted on samples of shape"):
        DropRegions().fit(graphs, ROWS).transform(graphs[:, :4, :4], ROWS)
