"""Common words of tables, and the values that are rewritten."""

import pandas as pd

from neuroloom.cohort.words import take_common_words


def test_a_site_or_family_that_is_a_number_is_a_name():
    raw = pd.DataFrame({"scanner": [1, 2, 10], "family": [7.0, None, 7.0], "motion": [1, 2, 3]})
    table, _ = take_common_words(raw)
    assert table["site"].tolist() == ["1", "2", "10"]
    assert table["family_id"].iloc[[0, 2]].tolist() == ["7", "7"]
    assert table["family_id"].isna().tolist() == [False, True, False]
    assert table["motion"].tolist() == [1, 2, 3]
