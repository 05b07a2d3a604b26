import numpy as np
import pandas as pd
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.fitted_combat import Combat

# First rows of the outputs that the authors publish for their check table (R; batches of the first and last 5
# people, people 1, 3, 5, 7 and 9 of group 1): github.com/Jfortin1/ComBatHarmonization, Testing/outputData.
ADJUSTED = [
    [8.04849315463151, 6.23753510546647, 7.95061215071845, 4.12699808773747, 5.91171181108774, 4.02180807690358,
     9.0106435997365, 3.06684927077394, 9.1734892818672, 2.6656326463088],
    [6.35430283314011, 3.99288756640324, 8.0337284479484, 3.51878142702405, 7.22159104103335, 4.16359196941691,
     4.97782265882041, 3.57561162250716, 8.51935194975851, 4.2475684467643],
]  # fmt: skip
UNADJUSTED = [
    [7.80968794138241, 5.5918357765391, 7.68890475565826, 2.98747564128257, 5.17294283710874, 5.00097221336329,
     8.9658109891665, 4.11105432897649, 9.11756547741571, 3.73716401315028],
    [6.17428607480872, 3.42415659015145, 7.68611029841454, 2.99736475146943, 6.95502164891175, 4.82818006318876,
     4.98268130523373, 4.24201197705534, 8.51329496836916, 4.91189770998709],
]  # fmt: skip


@pytest.mark.real_data
@pytest.mark.parametrize(("keep", "published"), [(["group"], ADJUSTED), ([], UNADJUSTED)])
def test_published_check_table(real_data, keep, published):
    table = real_data / "tables" / "combat" / "testdata.csv"
    if not table.exists():
        pytest.skip(f"no {table}")
    x = pd.read_csv(table).to_numpy().T  # (person, feature)
    rows = pd.DataFrame({"site": [1] * 5 + [2] * 5, "group": ["b", "a"] * 5}, index=[f"s{n}" for n in range(10)])
    clean = Combat(keep=keep).fit(x, rows).transform(x, rows)
    np.testing.assert_allclose(clean.T[:2], published, atol=2e-4)  # theirs stops at changes below 1e-4


def people(n, n_sites, seed=0, shift=0.0, scale=1.0, n_features=300):
    """Return features that depend on age and sex, those of all sites but the first shifted and scaled."""
    rng = np.random.default_rng(seed)
    site = np.arange(n) % n_sites
    rows = pd.DataFrame(
        {"site": [f"site-{s}" for s in site], "age": rng.uniform(20, 60, n) + 3.0 * site,
         "sex": rng.choice(["M", "F"], n)}, index=[f"sub-{number}" for number in range(n)],
    )  # fmt: skip
    slope, male = rng.standard_normal((2, n_features))
    biology = np.outer(rows["age"] - 40, slope / 10) + np.outer(rows["sex"] == "M", male)
    noise = rng.standard_normal((n, n_features))
    by_site = shift * rng.standard_normal((n_sites, n_features)) + shift
    by_site[0] = 0
    clean = 10 + biology + noise
    return clean, 10 + biology + by_site[site] + np.where(site > 0, scale, 1.0)[:, None] * noise, rows


def test_site_effects_go_and_age_and_sex_stay():
    clean, seen, rows = people(300, 3, shift=1.0, scale=1.5)
    harmonised = Combat().fit(seen, rows).transform(seen, rows)
    site, design = rows["site"].to_numpy(), np.column_stack([np.ones(300), rows["age"], rows["sex"] == "M"])
    slopes = [np.linalg.lstsq(design, x, rcond=None)[0][1:] for x in (clean, harmonised)]
    assert np.corrcoef(slopes[0].ravel(), slopes[1].ravel())[0, 1] > 0.99

    def site_gap(x):
        left = x - design @ np.linalg.lstsq(design, x, rcond=None)[0]
        means = np.array([left[site == s].mean(axis=0) for s in np.unique(site)])
        return means.std(axis=0).mean(), np.array([left[site == s].std(axis=0).mean() for s in np.unique(site)])

    assert site_gap(seen)[0] > 0.5
    assert site_gap(harmonised)[0] < site_gap(clean)[0]
    np.testing.assert_allclose(site_gap(harmonised)[1], site_gap(harmonised)[1].mean(), rtol=0.02)


def test_new_people_are_harmonised_by_what_was_learned():
    """Their shift is the site's, so new and fitted people of one distribution come out alike."""
    clean, seen, rows = people(600, 2, shift=2.0)
    combat = Combat().fit(seen[:400], rows[:400])
    new = combat.transform(seen[400:], rows[400:])
    gap = (new - clean[400:]).mean(axis=0) - (combat.transform(seen[:400], rows[:400]) - clean[:400]).mean(axis=0)
    assert np.abs(gap).max() < 5 * np.sqrt(2 / 200)


def test_without_site_effects_shrinkage_leaves_the_features_nearly_alone():
    clean, seen, rows = people(200, 4)
    change = [
        np.std(Combat(empirical_bayes=bayes).fit(seen, rows).transform(seen, rows) - clean) for bayes in (True, False)
    ]
    assert change[0] < 0.5 * change[1]


def test_unseen_sites_follow_the_stated_policy():
    _, seen, rows = people(90, 3, shift=1.0)
    old = (rows["site"] != "site-2").to_numpy()
    with pytest.raises(NeuroloomError, match="no one of site-2 is among the people fitted on"):
        Combat().fit(seen[old], rows[old]).transform(seen, rows)
    left = Combat(unseen="mean").fit(seen[old], rows[old]).transform(seen, rows)
    np.testing.assert_array_equal(left[~old], seen[~old].astype(np.float32))


def test_graphs_keep_their_shape_and_constant_edges_their_value():
    _, seen, rows = people(60, 2, shift=1.0, n_features=6)
    graphs = np.ones((60, 4, 4))
    first, second = np.triu_indices(4, 1)
    graphs[:, first, second] = graphs[:, second, first] = seen
    combat = Combat().fit(graphs, rows, list("abcd"))
    clean = combat.transform(graphs, rows)
    np.testing.assert_array_equal(clean, clean.swapaxes(1, 2))
    np.testing.assert_array_equal(np.einsum("nii->ni", clean), 1)
    assert "4 features do not vary" in combat.warnings[0]
    assert "a, b, c, d" in combat.warnings[0]
    by_row = Combat().fit(seen, rows).transform(seen, rows)
    np.testing.assert_allclose(clean[:, first, second], by_row, atol=1e-4)


def test_what_combat_cannot_do_is_said():
    _, seen, rows = people(40, 2)
    with pytest.raises(NeuroloomError, match="2 sites with 2 people"):
        Combat().fit(seen, rows.assign(site=["a"] * 39 + ["b"]))
    with pytest.raises(NeuroloomError, match="cannot be told apart"):
        Combat(keep=["sex"]).fit(seen, rows.assign(sex=np.where(rows["site"] == "site-0", "M", "F")))
    with pytest.raises(NeuroloomError, match="Unknown column that combat needs: 'scanner'"):
        Combat(site="scanner").fit(seen, rows)
    with pytest.raises(NeuroloomError, match="age is missing for sub-3"):
        Combat().fit(seen, rows.assign(age=rows["age"].where(rows.index != "sub-3")))
    broken = seen.copy()
    broken[5, 0] = np.nan
    with pytest.raises(NeuroloomError, match=r"1 of 40 samples: sub-5\. Put \{name: impute\}"):
        Combat().fit(broken, rows)


def test_people_of_whom_the_columns_are_not_known_are_refused():
    _, seen, rows = people(30, 2)
    fitted = Combat().fit(seen, rows)
    with pytest.raises(NeuroloomError, match="combat needs site, age of each person"):
        fitted.transform(seen, rows[["sex"]])
