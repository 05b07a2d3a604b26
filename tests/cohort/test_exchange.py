"""Who may have whose truth: inside a site, blocks whole."""

import itertools

import numpy as np

from neuroloom.cohort.exchange import Exchange
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
