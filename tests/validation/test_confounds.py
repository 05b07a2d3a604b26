import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from neuroloom.validation.confounds import association_of, associations, beyond, is_quantity


@pytest.fixture
def cohort(outcomes_of):
    """Ages predicted with an error that follows motion, in folds of a level of their own."""
    rng = np.random.default_rng(0)
    n = 120
    people = pd.DataFrame(
        {
            "age": rng.uniform(20, 80, n),
            "motion": rng.gamma(2, 0.2, n),
            "site": rng.choice(["a", "b", "c"], n),
            "fold": np.arange(n) % 5,
        }
    )
    predicted = people["age"] + 12 * people["motion"] + 3 * people["fold"] + 4 * rng.standard_normal(n)
    outcomes = outcomes_of(people["age"].to_numpy(), predicted.to_numpy(), people["fold"].to_numpy(), classes=())
    return outcomes, people.assign(predicted=predicted)


@pytest.mark.parametrize("column", ["motion", "site"])
def test_partial_association_is_the_f_test_of_linear_models(cohort, column):
    outcomes, people = cohort
    term = column if column == "motion" else f"C({column})"
    base = smf.ols("predicted ~ age + C(fold)", people).fit()
    full = smf.ols(f"predicted ~ age + C(fold) + {term}", people).fit()
    _, p, _ = full.compare_f_test(base)
    told = associations(outcomes, people, [column])[column]
    assert told["p"] == pytest.approx(p, rel=1e-6)
    assert told["partial_r2"] == pytest.approx(1 - full.ssr / base.ssr, rel=1e-8)
    assert told["n"] == 120
    if column == "motion":
        assert told["partial_r"] == pytest.approx(np.sqrt(told["partial_r2"]))
        assert told["p"] < 1e-6


def test_missing_confounds_are_left_out_and_counted(cohort):
    outcomes, people = cohort
    people.loc[:19, "motion"] = np.nan
    assert associations(outcomes, people, ["motion"])["motion"]["n"] == 100


def test_a_confound_that_is_the_fold_is_not_tested(cohort):
    outcomes, people = cohort
    told = associations(outcomes, people.assign(where=people["fold"].astype(str)), ["where"])["where"]
    assert np.isnan(told["p"])
    assert told["note"] == "cannot be told apart from fold and truth"


def test_a_confound_that_never_varies_is_said_to_be_so(cohort):
    outcomes, people = cohort
    for value in ("site-1", 3.0):
        told = associations(outcomes, people.assign(where=value), ["where"])["where"]
        assert told["note"] == "the same for everybody"
        assert told["n"] == 120


def test_beyond_is_the_partial_correlation_given_the_confounds(outcomes_of):
    rng = np.random.default_rng(1)
    n = 200
    truth, fold = rng.uniform(20, 80, n), np.arange(n) % 4
    alone = truth + 15 * rng.standard_normal(n)
    net = truth + 10 * rng.standard_normal(n)
    table = pd.DataFrame({"truth": truth, "alone": alone, "net": net, "fold": fold})
    residual = {name: smf.ols(f"{name} ~ alone + C(fold)", table).fit().resid for name in ("truth", "net")}
    told = beyond(*(outcomes_of(truth, x, fold, classes=()) for x in (net, alone)))
    assert told["partial_r"] == pytest.approx(stats.pearsonr(residual["truth"], residual["net"]).statistic)


def test_a_copy_of_the_confounds_adds_nothing(outcomes_of):
    rng = np.random.default_rng(2)
    outcomes = outcomes_of(rng.uniform(20, 80, 50), rng.uniform(20, 80, 50), classes=())
    assert np.isnan(beyond(outcomes, outcomes)["p"])


def test_association_of_columns_is_scipys():
    rng = np.random.default_rng(3)
    a, b, group = rng.random(40), rng.random(40), rng.choice(["x", "y"], 40)
    other = rng.choice(["u", "v", "w"], 40)
    assert association_of(a, b)[0] == pytest.approx(stats.spearmanr(a, b).pvalue)
    assert association_of(group, a)[0] == pytest.approx(stats.kruskal(a[group == "x"], a[group == "y"]).pvalue)
    counts = pd.crosstab(group, other)
    assert association_of(group, other)[0] == pytest.approx(stats.chi2_contingency(counts, correction=False).pvalue)
    assert np.isnan(association_of(np.ones(40), b)[0])


def test_shared_variance_of_columns():
    rng = np.random.default_rng(4)
    a, b = rng.random(40), rng.random(40)
    group, other = np.repeat(["x", "y"], 20), np.repeat(["u", "v"], [10, 30])
    assert association_of(a, b)[2] == pytest.approx(stats.spearmanr(a, b).statistic ** 2)
    squares = smf.ols("r ~ g", pd.DataFrame({"r": stats.rankdata(a), "g": group})).fit().rsquared
    assert association_of(group, a)[2] == pytest.approx(squares)
    chi2 = stats.chi2_contingency(pd.crosstab(group, other), correction=False).statistic
    assert association_of(group, other)[2] == pytest.approx(chi2 / 40)  # of 2 x 2: phi squared
    assert association_of(group, np.where(group == "x", "in", "out"))[2] == pytest.approx(1.0)


def test_a_few_numbers_are_groups_and_many_a_quantity():
    assert not is_quantity([1, 2, 1, 2])
    assert is_quantity(np.arange(20))
    assert not is_quantity([True, False] * 10)
    assert not is_quantity(list("abcdefghij"))
