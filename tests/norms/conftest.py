"""References with a known law."""

import numpy as np
import pandas as pd
import pytest

from neuroloom.norms import fit_norms


def draw_people(n, seed=0):
    """Return a table of people whose ``thickness`` (mm) has the median 3 - age / 100 and a known spread, and others."""
    rng = np.random.default_rng(seed)
    age, man = np.round(rng.uniform(20, 80, n), 2), rng.random(n) < 0.5
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{i:04d}" for i in range(n)],
            "age": age,
            "sex": np.where(man, "M", "F"),
            "thickness": np.round(3 - age / 100 + (0.1 + 0.001 * age) * rng.standard_normal(n), 6),
            "ventricles": np.round(np.exp(2.5 + age / 50 + 0.3 * man + 0.35 * rng.standard_normal(n)), 6),
            "asymmetry": np.round(0.02 * rng.standard_t(6, n) - 0.005 * man, 7),
        }
    )


@pytest.fixture(scope="session")
def people():
    return draw_people(300)


@pytest.fixture(scope="session")
def norms(people):
    return fit_norms(people, name="Simulated people")
