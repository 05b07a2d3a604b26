"""What holds for every fitted transform of connectomes: states, leaks, and people by themselves."""

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load, save

from neuroloom.transforms.fitted_arrays import as_bytes, from_bytes
from neuroloom.transforms.fitted_combat import Combat
from neuroloom.transforms.fitted_drop_regions import DropRegions
from neuroloom.transforms.fitted_impute import Impute
from neuroloom.transforms.fitted_standardize import Standardize
from neuroloom.transforms.fitted_tangent import Tangent

MAKERS = {
    "combat": lambda: Combat(unseen="mean"),
    "drop_regions": DropRegions,
    "impute_mean": Impute,
    "impute_median": lambda: Impute("median"),
    "impute_covariance": lambda: Impute("covariance"),
    "standardize": Standardize,
    "tangent": Tangent,
}
FIT, TEST = np.arange(30), np.arange(30, 40)


@pytest.fixture(params=MAKERS)
def case(request):
    """Return a maker, 40 covariances (some with missing regions where the transform takes them), and rows."""
    rng = np.random.default_rng(0)
    signals = (np.eye(8) + 0.3 * rng.standard_normal((40, 8, 8))) @ rng.standard_normal((40, 8, 60))
    x = (signals @ signals.swapaxes(1, 2) / 60).astype(np.float32)
    if request.param.startswith(("impute", "drop")):
        for person, region in ((0, 1), (3, 1), (4, 2), (33, 5)):
            x[person, region], x[person, :, region] = np.nan, np.nan
    rows = pd.DataFrame(
        {"site": np.resize(["a", "b", "c"], 40), "age": rng.uniform(20, 40, 40), "sex": rng.choice(["M", "F"], 40)},
        index=[f"sub-{n}" for n in range(40)],
    )
    return MAKERS[request.param], x, rows


def fitted(case, x=None):
    maker, own, rows = case
    return maker().fit((own if x is None else x)[FIT], rows.iloc[FIT])


def test_state_is_arrays_and_survives_safetensors(case):
    maker, x, rows = case
    transform = fitted(case)
    state = transform.state()
    loaded = maker().load_state(load(save(state)))
    assert (
        loaded.transform(x[TEST], rows.iloc[TEST]).tobytes() == transform.transform(x[TEST], rows.iloc[TEST]).tobytes()
    )
    again = loaded.state()
    assert set(again) == set(state)
    assert all(again[key].tobytes() == state[key].tobytes() for key in state)


def test_what_test_people_hold_changes_nothing(case):
    _, x, rows = case
    before = {key: array.tobytes() for key, array in fitted(case).state().items()}
    noise = x.copy()
    noise[TEST] = np.random.default_rng(9).standard_normal(noise[TEST].shape)
    assert {key: array.tobytes() for key, array in fitted(case, noise).state().items()} == before
    transform = fitted(case)
    transform.transform(x[TEST], rows.iloc[TEST])
    assert {key: array.tobytes() for key, array in transform.state().items()} == before


def test_each_person_by_themselves(case):
    _, x, rows = case
    transform = fitted(case)
    together = transform.transform(x[TEST], rows.iloc[TEST])
    assert together.dtype == np.float32
    for place, person in enumerate(TEST):
        alone = transform.transform(x[[person]], rows.iloc[[person]])
        np.testing.assert_allclose(alone[0], together[place], rtol=1e-6, atol=1e-7)


def test_the_input_is_left_as_it_was(case):
    _, x, rows = case
    before = x.tobytes()
    x.flags.writeable = False
    fitted(case).transform(x, rows)
    assert x.tobytes() == before


def test_words_come_back_from_bytes():
    told = {"names": ["Hippocampus é", "b"], "share": 0.05}
    assert from_bytes(load(save({"told": as_bytes(told)}))["told"]) == told
