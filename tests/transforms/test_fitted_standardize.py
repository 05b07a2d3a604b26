import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from neuroloom.transforms.fitted_standardize import Standardize

ROWS = pd.DataFrame(index=[f"sub-{n}" for n in range(30)])


@pytest.mark.parametrize("with_std", [True, False])
def test_same_numbers_as_scikit_learn_also_with_missing_values(with_std):
    x = np.random.default_rng(0).lognormal(size=(30, 5)).astype(np.float32)
    x[3, 1], x[7:20, 4] = np.nan, np.nan
    expected = StandardScaler(with_std=with_std).fit(x[:20]).transform(x)
    scaled = Standardize(with_std=with_std).fit(x[:20], ROWS[:20]).transform(x, ROWS)
    np.testing.assert_allclose(scaled, expected, atol=1e-5)


def test_a_feature_that_is_the_same_in_all_becomes_zero_and_is_named():
    x = np.random.default_rng(1).standard_normal((30, 3)).astype(np.float32)
    x[:, 1] = 0.1  # its float32 mean is not exactly 0.1
    standardize = Standardize().fit(x, ROWS, ["a", "b", "c"])
    new = x + 1
    assert not standardize.transform(new, ROWS)[:, 1].any()
    assert standardize.warnings == ["standardize: 1 features are the same in all 30 people fitted on: b."]


def test_a_feature_that_no_one_has_stays_missing_and_an_edge_is_named_once():
    x = np.random.default_rng(2).standard_normal((30, 3, 3))
    x = x + x.swapaxes(1, 2)
    x[:, 0, 2] = x[:, 2, 0] = np.nan
    x[:, [0, 1, 2], [0, 1, 2]] = 1.0
    standardize = Standardize().fit(x, ROWS, ["a", "b", "c"])
    assert np.isnan(standardize.transform(x, ROWS)[:, 0, 2]).all()
    assert standardize.warnings == [
        "standardize: 3 features are the same in all 30 people fitted on: a, b, c.",
        "standardize: 1 features are missing in all 30 people fitted on: a - c.",
    ]
