import numpy as np
import pandas as pd
import pytest

from neuroloom.cohort.cohort import Cohort
from neuroloom.cohort.folds import Fold, check_folds, make_folds, unit_groups
from neuroloom.cohort.target import Target
from neuroloom.errors import LeakError, NeuroloomError


def people(n=60, visits=2, sites=("A", "B", "C"), **columns):
    """A cohort of people with several visits each; diagnosis alternates, site goes round."""
    person = np.repeat(np.arange(n), visits)
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{p:02d}" for p in person],
            "site": [sites[p % len(sites)] for p in person],
            "diagnosis": np.where(person % 2 == 0, "AD", "control"),
            **{name: np.asarray(values)[person] for name, values in columns.items()},
        },
        index=pd.Index([f"sub-{p:02d}_{v}" for v, p in enumerate(person)], name="sample_id"),
    )
    return Cohort(table, {})


def two_classes(cohort):
    values = (cohort.table["diagnosis"] == "AD").to_numpy().astype(int)
    return Target("diagnosis", "class", values, ("control", "AD"))


def test_parts_never_share_a_participant_and_test_parts_cover_everyone_once():
    cohort = people()
    folds = make_folds(cohort, two_classes(cohort), n_folds=5, repeats=2, seed=3)
    person = cohort.table["participant_id"].to_numpy()
    for fold in folds:
        fit, tune, test = (set(person[rows]) for rows in (fold.fit, fold.tune, fold.test))
        assert not fit & tune
        assert not (fit | tune) & test
        assert len(fit | tune | test) == 60
    for repeat in range(2):
        tests = np.concatenate([fold.test for fold in folds if fold.repeat == repeat])
        assert sorted(tests) == list(range(len(cohort)))


def test_folds_are_balanced_in_class_and_site():
    cohort = people(n=120, visits=1)
    target = two_classes(cohort)
    for fold in make_folds(cohort, target, n_folds=5, seed=1):
        assert abs(target.values[fold.test].mean() - 0.5) <= 1 / 24
        assert cohort.table["site"].iloc[fold.test].value_counts().between(7, 9).all()


def test_people_of_an_unknown_site_are_balanced_in_class_too():
    cohort = people(n=60, visits=1, sites=(None,))
    target = two_classes(cohort)
    for fold in make_folds(cohort, target, n_folds=5, seed=1):
        assert target.values[fold.test].sum() == 6


def test_folds_of_a_number_hold_the_same_ages():
    cohort = people(n=200, visits=1, age=np.linspace(20, 90, 200))
    target = Target("age", "number", cohort.table["age"].to_numpy())
    means = [target.values[fold.test].mean() for fold in make_folds(cohort, target, n_folds=4, seed=0)]
    assert max(means) - min(means) < 3.0  # 50 of 200 people: the standard error of a random part would be 2.9


def test_a_family_is_never_divided():
    cohort = people(n=60, family_id=[f"family-{p // 3}" for p in range(60)])
    family = cohort.table["family_id"].to_numpy()
    for fold in make_folds(cohort, two_classes(cohort), n_folds=4, seed=0):
        assert not set(family[fold.test]) & (set(family[fold.fit]) | set(family[fold.tune]))


def test_people_without_a_family_stand_alone():
    cohort = people(n=4, visits=1, family_id=["x", "x", None, None])
    assert len(np.unique(unit_groups(cohort, "participant"))) == 3


def test_who_has_no_family_or_session_is_a_unit_of_their_own():
    cohort = people(n=4, visits=2, family_id=["x", "x", None, None])
    assert unit_groups(cohort, "family").tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    cohort.table["session_id"] = ["1", "1", None, None, "1", "2", "2", None]
    assert len(np.unique(unit_groups(cohort, "session"))) == 7


@pytest.mark.parametrize("told", [{"split": "leave_site_out"}, {"unit": "site", "n_folds": 2}])
def test_who_has_no_site_is_named(told):
    cohort = people(visits=1)
    cohort.table.iloc[[3, 7], cohort.table.columns.get_loc("site")] = None
    with pytest.raises(NeuroloomError, match=r"2 of 60 samples have no site: sub-03_3, sub-07_7. .*known\(site\)"):
        make_folds(cohort, two_classes(cohort), **told)


def test_leave_site_out_tests_each_site_on_the_others():
    cohort = people(visits=1)
    folds = make_folds(cohort, two_classes(cohort), split="leave_site_out")
    site = cohort.table["site"].to_numpy()
    assert [fold.name for fold in folds] == ["A", "B", "C"]
    for fold in folds:
        assert set(site[fold.test]) == {fold.name}
        assert fold.name not in set(site[fold.fit]) | set(site[fold.tune])


def test_a_person_at_two_sites_is_a_leak_that_is_named():
    cohort = people(visits=2)
    cohort.table.iloc[1, cohort.table.columns.get_loc("site")] = "B"
    with pytest.raises(LeakError, match="sub-00"):
        make_folds(cohort, two_classes(cohort), split="leave_site_out")


def test_a_split_by_scan_is_refused_and_names_who():
    cohort = people(n=10)
    rows = np.arange(20)
    fold = Fold(0, 0, rows[::2], rows[:0], rows[1::2], "participant")
    with pytest.raises(LeakError, match=r"10 of the 10 units .* sub-00, sub-01"):
        check_folds([fold], cohort)


def test_the_same_seed_gives_the_same_folds_and_another_seed_others():
    cohort = people()
    one, same, other = (make_folds(cohort, two_classes(cohort), seed=seed) for seed in (0, 0, 1))
    assert all(
        np.array_equal(a.test, b.test) and np.array_equal(a.tune, b.tune) for a, b in zip(one, same, strict=True)
    )
    assert any(not np.array_equal(a.test, b.test) for a, b in zip(one, other, strict=True))


def test_too_small_a_class_is_refused_with_a_way_out():
    cohort = people(n=20, visits=1)
    cohort.table["diagnosis"] = ["AD"] * 3 + ["control"] * 17
    with pytest.raises(NeuroloomError, match=r"'AD' .* has 3 units, fewer than the 5 folds.*folds=3"):
        make_folds(cohort, two_classes(cohort), n_folds=5)


def test_the_unit_needs_its_column():
    cohort = people()
    with pytest.raises(NeuroloomError, match="session_id"):
        make_folds(cohort, two_classes(cohort), unit="session")
