"""A small version of studies/norms_coverage.py, and real people: shares below the lines, and intervals."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from neuroloom.norms.fit import fit_measure
from neuroloom.seeds import generator

SCRIPT = Path(__file__).resolve().parents[2] / "studies" / "norms_coverage.py"
N, NEW = 400, 400
TABLES = 12


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("norms_coverage", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["norms_coverage"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("place", range(4))
def test_the_laws_of_the_study_undo_their_scores(study, place):
    law = list(study.LAWS.values())[place]
    z, t = np.linspace(-2.5, 2.5, 11), np.linspace(0, 1, 11)
    for man in (np.zeros(11, bool), np.ones(11, bool)):
        np.testing.assert_allclose(law.score(law.quantile(z, t, man), t, man), z, atol=1e-7)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("place", range(4))
def test_new_people_lie_below_the_lines_as_often_as_they_say(study, place, seed):
    """The share varies with the new people (binomial) and with the reference, whose own share varies as much at least."""
    name = list(study.LAWS)[place]
    rng = generator(seed, "test", name)
    norm = fit_measure(*study.drawn(study.LAWS[name], rng, N))
    new = study.inside(norm, *study.drawn(study.LAWS[name], rng, NEW))
    for share, found in zip((0.05, 0.5, 0.95), study.below(norm, *new)[0], strict=True):
        error = np.sqrt(share * (1 - share) * (1 / len(new[0]) + 1 / N))
        assert abs(found - share) < 3.3 * error  # once in a thousand beyond


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_intervals_hold_the_truth(study, seed):
    """Over all laws the study finds 0.94 of the lines; a table's ages go together, so tables are what is counted."""
    held = np.array(
        [
            study.lines_held(
                law, fit_measure(*study.drawn(law, generator(seed, name, table), N)), np.linspace(22, 70, 15)
            )
            for name, law in study.LAWS.items()
            for table in range(TABLES)
        ]
    )  # (law and table, line)
    error = held.mean(axis=1).std(ddof=1) / np.sqrt(len(held))
    assert held.mean() > 0.95 - 3.3 * error - 0.01
    assert held.mean() > 0.88


@pytest.mark.slow
def test_intervals_that_are_half_as_wide_would_be_seen(study, monkeypatch):
    monkeypatch.setattr(study, "Z95", stats.norm.ppf(0.975) / 2)
    name, law = next(iter(study.LAWS.items()))
    held = [
        study.lines_held(law, fit_measure(*study.drawn(law, generator(1, name, table), N)), np.linspace(22, 70, 15))
        for table in range(TABLES)
    ]
    assert np.mean(held) < 0.85


@pytest.mark.real_data
@pytest.mark.slow
def test_real_people_who_were_left_out_lie_below_the_lines(study, real_data, monkeypatch):
    """Half of 556 people fit the lines of a few measures, the other half lie below as often as the lines say."""
    whole = study.people_table

    def few(data, preset):
        table, notes = whole(data, preset)
        kept = ["participant_id", "age", "sex", "lh_insula_thickness", "rh_MeanThickness_thickness", "eTIV"]
        return table[kept], notes

    monkeypatch.setattr(study, "people_table", few)
    found = study.real_halves(real_data / "tables" / "ixi_thickness", splits=4, seed=3)
    error = np.sqrt(2 / (found["people"] / 2))  # of the fitted half and of the other; splits share their people
    for line, share in found["below"].items():
        p = int(line.removesuffix(" %")) / 100
        assert abs(share - p) < 3.3 * error * np.sqrt(p * (1 - p))
