"""Who may have whose truth: inside a site, blocks whole."""

import itertools

import numpy as np
import pandas as pd

from neuroloom.cohort.exchange import Exchange, exchangeable
from neuroloom.seeds import generator


def draws(n=300, **of):
    exchange = Exchange(**of)
    return {tuple(exchange.draw(generator(0, draw)).tolist()) for draw in range(n)}


def test_all_orders_inside_a_site_are_drawn_and_no_other():
    truth, site = np.array([0, 0, 1, 5, 6]), np.array(["a", "a", "a", "b", "b"])
    expected = {(*one, *two) for one in itertools.permutations(truth[:3]) for two in itertools.permutations(truth[3:])}
    assert draws(truth=truth, block=np.arange(5), site=site) == expected


def test_a_block_whose_truth_changes_keeps_its_row():
    truth, person = np.array([20, 21, 40, 41, 60]), np.array([0, 0, 1, 1, 2])
    assert draws(truth=truth, block=person, site=np.zeros(5)) == {(20, 21, 40, 41, 60), (40, 41, 20, 21, 60)}


def test_nothing_moves_between_folds():
    truth, fold = np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1])
    of = {"truth": truth, "block": np.arange(4), "site": np.zeros(4), "sample": np.arange(4), "fold": fold}
    assert draws(**of) == {(0, 1, 2, 3), (1, 0, 2, 3), (0, 1, 3, 2), (1, 0, 3, 2)}


def trials(truth, recording, person):
    return pd.DataFrame({"participant_id": person, "recording_id": recording}), np.array(truth), np.array(person)


def test_trials_change_places_inside_their_recording():
    table, truth, unit = trials([0, 1, 0, 1, 1, 0], list("aabbcc"), list("ppppqq"))
    block, stratum, words, _ = exchangeable(table, truth, unit)
    assert (block.tolist(), stratum.tolist(), words) == ([0, 1, 2, 3, 4, 5], list("aabbcc"), "recording")


def test_recordings_of_one_truth_change_places_inside_their_person():
    table, truth, unit = trials([0, 0, 1, 1, 1, 0], list("aabbcd"), list("ppppqq"))
    block, stratum, words, _ = exchangeable(table, truth, unit)
    assert (block.tolist(), stratum.tolist(), words) == (list("aabbcd"), list("ppppqq"), "person")


def test_people_of_one_truth_each_change_places_with_all_their_trials():
    table, truth, unit = trials([0, 0, 0, 1, 1, 1], list("aabccc"), list("pppqqq"))
    block, _, words, _ = exchangeable(table, truth, unit)
    assert (block.tolist(), words) == (list("pppqqq"), "site")


def test_samples_change_places_inside_people_who_all_have_each_truth():
    table = pd.DataFrame({"participant_id": list("ppqq")})
    block, stratum, words, _ = exchangeable(table, np.array([0, 1, 0, 1]), np.array([7, 7, 8, 8]))
    assert (block.tolist(), stratum.tolist(), words) == ([0, 1, 2, 3], [7, 7, 8, 8], "person")
    block, _, words, _ = exchangeable(table, np.array([0, 1, 0, 0]), np.array([7, 7, 8, 8]))
    assert (block.tolist(), words) == ([7, 7, 8, 8], "site")


def test_truths_of_windows_are_moved_on_in_time_whatever_their_order():
    table = pd.DataFrame(
        {"participant_id": "p", "recording_id": list("aaaab"), "onset": [4.0, 0.0, 8.0, 2.0, 0.0], "partly": False}
    )
    truth = np.array([1, 0, 0, 0, 5])  # of a in time: 0 0 1 0
    found = exchangeable(table, truth, np.zeros(5))
    assert found.within == "recording"
    drawn = draws(truth=truth, block=found.block, site=found.stratum, time=found.time)
    in_time = {tuple(np.array(one)[[1, 3, 0, 2]]) for one in drawn}
    assert in_time == {(0, 0, 1, 0), (0, 0, 0, 1), (1, 0, 0, 0), (0, 1, 0, 0)}
    assert {one[4] for one in drawn} == {5}


def test_windows_that_drift_are_found_no_oftener_than_by_chance():
    """Slow drifts in answers and truths alike: dealt one by one, such windows would be called found most of the time."""
    below = {"moved": 0, "dealt": 0}
    for cohort in range(60):
        rng = generator(cohort, "drift")
        drift = np.cumsum(rng.standard_normal((6, 120)), axis=1).ravel()
        state = (np.cumsum(rng.standard_normal((6, 120)), axis=1) > 0).astype(int).ravel()
        recording, time = np.repeat(np.arange(6), 120), np.tile(np.arange(120.0), 6)
        seen = np.corrcoef(drift, state)[0, 1]
        for how, moment in (("moved", time), ("dealt", None)):
            exchange = Exchange(state, np.arange(720), recording, time=moment)
            null = [np.corrcoef(drift, exchange.draw(generator(cohort, n)))[0, 1] for n in range(39)]
            below[how] += (1 + sum(one >= seen for one in null)) / 40 <= 0.05
    assert below["moved"] <= 8  # 3 are expected of 60; 9 and more have a chance of .004
    assert below["dealt"] >= 12
