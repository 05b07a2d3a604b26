"""The red team: nothing is claimed from shuffled labels, and a wrong split is shown to claim much."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small import small

from neuroloom.cohort.cohort import ArraySource, Cohort
from neuroloom.errors import NeuroloomError
from neuroloom.experiment import evaluated, learn
from neuroloom.preparation import prepare, read_cohort
from neuroloom.recipe import read_recipe, resolved
from neuroloom.redteam import (
    ScannedTwice,
    _attack,
    attack_table,
    red_team,
    rows_as_people,
    with_rows_as_people,
    with_wrong_split,
)
from neuroloom.run_folder import Run
from neuroloom.sampling.data import with_shuffled_target
from neuroloom.transforms.cache import Cache
from neuroloom.transforms.store import ArrayStore


@pytest.fixture
def recipe():
    changes = {"cohort.n_participants": 150, "cohort.n_sites": 2, "baselines": [{"name": "gaussian_process"}]}
    return read_recipe("brain-age-table", None, small("brain-age-table", **changes))


def test_labels_are_dealt_within_site(recipe, tmp_path):
    data = prepare(recipe, read_cohort(recipe), Cache(tmp_path)).data
    shuffled = with_shuffled_target(data, "participant", seed=4)
    site = data.cohort.table["site"].to_numpy()
    for name in np.unique(site):
        assert sorted(shuffled.target.values[site == name]) == sorted(data.target.values[site == name])
    assert (shuffled.target.values != data.target.values).mean() > 0.9


def with_table(data, values, **columns):
    table = data.cohort.table.assign(**columns)
    return replace(data, cohort=replace(data.cohort, table=table), target=replace(data.target, values=values))


@pytest.mark.parametrize("unit", ["participant", "site"])
def test_visits_of_a_person_take_anothers_visits_whole(recipe, tmp_path, unit):
    data = prepare(recipe, read_cohort(recipe), Cache(tmp_path)).data
    person, site = np.arange(150) // 2, np.where(np.arange(150) < 100, "A", "B")
    ages = person + 0.5 * (np.arange(150) % 2)  # the second visit half a year later
    data = with_table(data, ages, participant_id=person.astype(str), site=site)
    drawn = with_shuffled_target(data, unit, seed=1).target.values
    assert (drawn[1::2] - drawn[::2] == 0.5).all()
    assert sorted(drawn[:100]) == sorted(ages[:100])
    assert (drawn != ages).mean() > 0.9


def test_the_unit_that_is_dealt_is_the_unit_of_claim(recipe, tmp_path):
    data = prepare(recipe, read_cohort(recipe), Cache(tmp_path)).data
    family = np.arange(150) // 3
    data = with_table(data, family.astype(float), family_id=family.astype(str), site="A")
    drawn = with_shuffled_target(data, "family", seed=1).target.values.reshape(50, 3)
    assert (drawn == drawn[:, :1]).all()
    by_sample = with_shuffled_target(data, "sample", seed=1).target.values.reshape(50, 3)
    assert (np.ptp(by_sample, axis=1) > 0).mean() > 0.9


def test_a_target_that_nobody_can_exchange_is_refused(recipe, tmp_path):
    data = prepare(recipe, read_cohort(recipe), Cache(tmp_path)).data
    one_age_a_site = with_table(data, np.arange(150) % 2.0, site=np.where(np.arange(150) % 2, "A", "B"))
    with pytest.raises(NeuroloomError, match="'age' cannot be shuffled"):
        with_shuffled_target(one_age_a_site, "participant")


def told(p, n_learners=1, interval=(0.4, 0.6), chance=0.5):
    learner = {
        "scores": {"auc": {"value": 0.5, "interval": list(interval)}},
        "null": {"p": p, "note": "no people", "method": "permuted"},
    }
    return {"primary": "auc", "chance": {"auc": chance}, "learners": {str(n): learner for n in range(n_learners)}}


@pytest.mark.parametrize(("p", "n_learners", "passed"), [
    (0.04, 1, False), (0.04, 2, True), (0.02, 2, False), (None, 1, None),
])  # fmt: skip
def test_shuffled_labels_are_judged_by_the_null_within_site(p, n_learners, passed):
    assert _attack("shuffled labels", "0", told(p, n_learners, interval=(0.55, 0.65))).passed is passed


def test_an_undefined_interval_is_told():
    attack = _attack("wrong split", "0", told(0.5, interval=(None, None)))
    assert "(undefined to undefined)" in attack.text
    assert attack_table([attack]).row_count == 1


@pytest.mark.parametrize("unit", ["participant", "site", "family"])
def test_a_wrong_split_can_be_scored_whatever_the_unit_of_claim(recipe, tmp_path, unit):
    cohort = read_cohort(recipe)
    table = cohort.table.assign(family_id=[f"family-{row // 2}" for row in range(150)])
    settings = recipe.validation.model_copy(update={"unit": unit, "folds": 2})
    recipe = recipe.model_copy(update={"validation": settings})
    wrong = with_wrong_split(prepare(recipe, replace(cohort, table=table), Cache(tmp_path)))
    only = next(plan for plan in wrong.plans if plan.name == "confounds")
    wrong = replace(wrong, plans=[only], roles={only.name: "deep"})
    run = Run(tmp_path / "run")
    learn(run, wrong, None)
    metrics = evaluated(run, wrong)
    assert metrics["unit"]["name"] == "participant"
    assert metrics["unit"]["n"] == 300


def test_a_second_scan_is_the_first_with_a_tenth_of_its_spread_as_noise():
    first = np.random.default_rng(0).normal(3, 2, (4, 1000)).astype(np.float32)
    store = ArrayStore("series", tuple("abcd"), {0: first[:2], 2: first[2:]}, ["x", "y"])
    twice = ScannedTwice(store, tuple("abcdefgh"), (0, "wrong split", "s"))
    assert twice.present.tolist() == [True, False, True, False] * 2
    assert np.array_equal(twice[2], first[2:])
    assert np.array_equal(twice[6], twice[6])
    assert (twice[6] - twice[2]).std() == pytest.approx(0.1 * first[2:].std(), rel=0.06)  # 2000 draws: SE 1.6 %
    assert twice.stack([0, 4]).shape == (2, 2, 1000)


@pytest.mark.slow
def test_what_each_attack_finds(recipe, tmp_path):
    attacks = {(one.name, one.learner): one for one in red_team(recipe, cache=Cache(tmp_path))}
    honest, leaking = attacks["shuffled labels", "gaussian_process"], attacks["wrong split", "gaussian_process"]
    assert honest.passed
    assert honest.interval[0] < honest.chance < honest.interval[1] + 1.5
    assert leaking.interval[1] < 0.75 * leaking.chance  # from the same shuffled ages
    assert attacks["confounds", "confounds"].passed is None


N_PEOPLE, N_ROWS, RATE = 24, 10, 64


def recordings_of_people(windows):
    """Return a cohort whose people each have a spectrum and a label of their own, which have nothing to do with each other.

    A row is a stretch of 2 s, or, for ``windows``, all stretches of a person in one recording.
    """
    rng = np.random.default_rng(5)
    tone, t = rng.uniform(2, 30, (N_PEOPLE, 6)), np.arange(2 * RATE) / RATE
    stretches = rng.standard_normal((N_PEOPLE, N_ROWS, 6, len(t)))
    stretches += 2 * np.sin(2 * np.pi * (tone[:, None, :, None] * t + rng.random((N_PEOPLE, N_ROWS, 6, 1))))
    person = np.arange(N_PEOPLE) if windows else np.repeat(np.arange(N_PEOPLE), N_ROWS)
    data = stretches.transpose(0, 2, 1, 3).reshape(N_PEOPLE, 6, -1) if windows else stretches.reshape(-1, 6, len(t))
    label = rng.permutation(np.arange(N_PEOPLE) % 2)
    index = pd.Index([f"row-{row:03d}" for row in range(len(person))], name="sample_id")
    table = pd.DataFrame({"participant_id": person.astype(str), "state": np.array(["a", "b"])[label[person]]}, index)
    source = ArraySource("series", tuple(index), data.astype(np.float32), {"sampling_rate": RATE})
    return Cohort(table, {"eeg": source}, name="people")


def prepared_states(windows, folder, **validation):
    content = {
        "id": "states", "title": "", "source": "", "cohort": {"name": "user"}, "inputs": {"eeg": []},
        "target": {"column": "state"}, "task": {"name": "classify"},
        "model": {"name": "band_power", "bands": [[low, low + 4] for low in range(1, 29, 4)]},
        "validation": {"folds": 4, "permutations": 20, **validation},
    }  # fmt: skip
    content |= {"sampling": {"name": "windows", "length": 2 * RATE}} if windows else {}
    return prepare(resolved(content), recordings_of_people(windows), Cache(folder))


@pytest.mark.parametrize("windows", [False, True])
def test_rows_dealt_as_people_claim_what_only_knowing_the_person_gives(tmp_path, windows):
    found = {one.name: one for one in rows_as_people(prepared_states(windows, tmp_path), None, 1, None)}
    honest, leaking = found["people kept apart"], found["rows as people"]
    assert honest.interval[0] < 0.5 < honest.interval[1]
    assert leaking.value > 0.95
    assert leaking.passed is None
    assert f"{leaking.value - honest.value:.2g} of it comes from rows of the same person on both sides" in leaking.text


def test_both_splits_have_the_same_rows_and_the_honest_one_keeps_its_folds(tmp_path):
    prepared = prepared_states(True, tmp_path)
    apart, dealt = with_rows_as_people(prepared)
    assert [len(one.data) for one in (apart, dealt)] == [N_PEOPLE * N_ROWS] * 2
    for whole, cut in zip(prepared.folds, apart.folds, strict=True):
        who = prepared.data.people[whole.test]
        assert sorted(set(apart.data.people[cut.test])) == sorted(set(who))
        assert len(cut.test) == N_ROWS * len(whole.test)
    row = apart.data.cohort.samples.index("row-002_w0004")
    whole = prepared.data.stores["eeg"][2]
    assert np.array_equal(apart.data.stores["eeg"][row], whole[:, 3 * 2 * RATE : 4 * 2 * RATE])
    assert np.array_equal(dealt.data.stores["eeg"].stretch(row, 5, 9), whole[:, 6 * RATE + 5 : 6 * RATE + 9])


@pytest.mark.parametrize(("windows", "unit"), [(False, "sample"), (True, "sample")])
def test_nothing_is_dealt_where_nothing_is_claimed_for_new_people(tmp_path, windows, unit):
    assert with_rows_as_people(prepared_states(windows, tmp_path, unit=unit)) is None


def test_nothing_is_dealt_where_each_row_is_a_person(recipe, tmp_path):
    assert with_rows_as_people(prepare(recipe, read_cohort(recipe), Cache(tmp_path))) is None


@pytest.mark.slow
@pytest.mark.parametrize(("name", "more"), [("eeg-decode", {"baselines": [{"name": "csp_lda"}]}), ("workload", {})])
def test_trials_are_attacked_in_their_units(name, more, tmp_path):
    """Runs inside each person, and windows of trials of people: each attack can be made, and none claims from nothing."""
    content = small(
        name, **{"model": {"name": "eegnet", "dropout": 0.25}, "explanation": [], "training.epochs": 1, **more}
    )
    attacks = red_team(read_recipe(name, None, content), cache=Cache(tmp_path))
    found = {one.name for one in attacks}
    of_people = {"people kept apart", "rows as people"} if name == "workload" else set()
    assert found == {"shuffled labels", "wrong split", "confounds"} | of_people
    assert not [one for one in attacks if one.passed is False]
