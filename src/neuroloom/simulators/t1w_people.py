"""Who is in a simulated T1w study: ages, sexes, head sizes, and how large each region is meant to be."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.seeds import generator
from neuroloom.simulators.t1w_regions import ELSEWHERE, REGIONS
from neuroloom.simulators.t1w_warp import natural_covariance

TURNING_AGE = 60.0  # years; change is faster from here on

# Change of log volume a year, before and from TURNING_AGE. Hippocampus: 0.85 % a year, Fraser et al. 2015
# (28 studies), doi:10.1016/j.neuroimage.2015.03.035. Temporal and other cortex: about 0.5 % a year from 60,
# Fjell et al. 2009, doi:10.1523/JNEUROSCI.3252-09.2009. Ventricles: 20 % a decade, faster from the fifties,
# Kaye et al. 1992, doi:10.1111/j.1532-5415.1992.tb02073.x, but stable till 60 in Yamada et al. 2023,
# doi:10.1007/s00330-023-09632-x: we take less before and 2 % after. The rates before 60 are our choice.
YEARLY = {
    "hippocampus": (-0.0020, -0.0085),
    "ventricles": (0.0080, 0.0200),
    "temporal": (-0.0025, -0.0050),
    "grey": (-0.0025, -0.0050),
}
# Patients lose more a year after their first visit. Hippocampus: 4.66 % against 1.41 %, a difference of 3.33 %,
# Barnes et al. 2009, doi:10.1016/j.neurobiolaging.2008.01.010. The other two are our choice, in proportion.
YEARLY_DISEASE = {"hippocampus": -0.033, "ventricles": 0.06, "temporal": -0.015}

HEAD_SIZE = 1443.0  # cm3, mean intracranial volume of real people, Yamada et al. 2023, table 1
HEAD_SIZE_SEX = 0.05  # men above, women below the mean, in log volume (1538 against 1393 cm3, ibid.)
HEAD_SIZE_SPREAD = 0.078  # standard deviation of log volume within a sex (ibid.: 6.5 % and 8.9 %)

# Standard deviation of log volume between people of one age and head size, beside what the random warp gives.
# Ibid.: cortex 10.9 % with head size (8.9 %) and age in it; lateral ventricles 51 % with both, we take less.
SPREAD = {"ventricles": 0.30, "grey": 0.04}


@dataclass(frozen=True)
class Disease:
    """How patients differ from controls: a factor on the volume of each planted region."""

    factors: dict[str, float]

    @property
    def shift(self):
        return {name: float(np.log(factor)) for name, factor in self.factors.items()}


def planned(effects, effect_scale, moved):
    """Return region -> Cohen's d to plant; ``moved`` puts each effect into its other place."""
    for name in effects:
        check_known("region to plant an effect in", name, [r for r in REGIONS if r != "grey"])
    places = {name: (ELSEWHERE.get(name, name) if moved else name) for name in effects}
    if moved and any(place == name for name, place in places.items()):
        stay = [name for name, place in places.items() if place == name]
        raise NeuroloomError(f"moved=True knows no other place for {stay}; it knows those of {list(ELSEWHERE)}.")
    return {places[name]: abs(float(d)) * effect_scale for name, d in effects.items() if d * effect_scale != 0}


def disease_of(planted, ages):
    """Return the disease whose patients differ by Cohen's d, ``planted``, in head-size corrected volume (mm3).

    The yardstick is the pooled standard deviation within groups that nature (the random warp, the ventricles'
    own spread) and age, uniform over ``ages``, give together. Volumes are taken as log-normal, and patients'
    as the controls' times a factor f, so that d = |1 - f| / (cv sqrt((1 + f^2) / 2)).
    """
    factors = {}
    for name, d in planted.items():
        spread = np.sqrt(natural_variance([name])[0, 0] + age_variance(name, ages))
        factors[name] = factor_of(d * np.sqrt(np.expm1(spread**2)), REGIONS[name].sign, name)
    return Disease(factors)


def factor_of(d_cv, sign, name):
    """Return f with ``d_cv`` = |1 - f| / sqrt((1 + f^2) / 2), below or above 1 by ``sign``."""
    if d_cv >= np.sqrt(2.0):
        raise NeuroloomError(f"No change of {name} reaches this effect: it varies too much between people. Lower it.")
    rest = 1.0 - d_cv**2 / 2.0
    return float((1.0 + sign * np.sqrt(1.0 - rest**2)) / rest)


def natural_variance(names):
    """Return the covariance of log volume between people of one age and head size, (n, n).

    The random warp's own, the ventricles' own, and how much grey matter a person has all over.
    """
    grey = np.array([REGIONS[name].tissue == "grey" for name in names], dtype=float)
    ventricles = np.array([name == "ventricles" for name in names], dtype=float)
    own = SPREAD["grey"] ** 2 * np.outer(grey, grey) + SPREAD["ventricles"] ** 2 * np.outer(ventricles, ventricles)
    return natural_covariance(names) + own


def ageing(name, age):
    """Return how a region's log volume differs from that at 60 years."""
    before, after = YEARLY.get(name, YEARLY["grey"])
    years = np.asarray(age, dtype=float) - TURNING_AGE
    return np.where(years < 0, before * years, after * years)


def age_variance(name, ages):
    return float(np.var(ageing(name, np.linspace(*ages, 701))))


def ceiling(planted, shift, ages, diseased):
    """Return the best scores that the true volumes allow, for one who knows age, sex and head size.

    Area under the curve: log volumes are Gaussian with one covariance in both groups, so the best
    discriminant is linear and its area is Phi(D / sqrt 2), D being the Mahalanobis distance of the group means.
    Mean absolute error of age (healthy cohorts): of the posterior median, over a fine sample of people.
    """
    if diseased == 0:
        return {"mae": best_age_error(ages)}
    if not planted:
        return {"auc": 0.5}
    names = list(planted)
    step = np.array([shift[name] for name in names])
    distance = np.sqrt(step @ np.linalg.solve(natural_variance(names), step))
    return {"auc": float(norm.cdf(distance / np.sqrt(2.0)))}


def best_age_error(ages, n=4000):
    """Return the mean absolute error, in years, of the best guess of age from the true volumes."""
    names = list(YEARLY)
    covariance = natural_variance(names)
    rng = generator(0, "best age error")
    age = rng.uniform(*ages, size=n)
    trend = np.stack([ageing(name, age) for name in names], axis=1)
    seen = trend + rng.multivariate_normal(np.zeros(len(names)), covariance, size=n)
    grid = np.linspace(*ages, 281)
    root = np.linalg.cholesky(np.linalg.inv(covariance))
    expected = np.stack([ageing(name, grid) for name in names], axis=1) @ root
    distance = ((seen @ root)[:, None, :] - expected[None]) ** 2
    weight = np.exp(-0.5 * distance.sum(axis=2))
    total = np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)
    median = grid[(total < 0.5).sum(axis=1)]
    return float(np.abs(median - age).mean())


def draw_table(n_participants, sites, seed, ages, diseased, visits, interval, head_size):
    """Return the cohort's table, a row a visit: ``participant_id``, site, age, sex, head_size, diagnosis."""
    rows = []
    for number in range(n_participants):
        sick = np.floor((number + 1) * diseased) > np.floor(number * diseased)
        before = int(np.floor(number * diseased)) if sick else number - int(np.floor(number * diseased))
        person = f"sub-{number + 1:03d}"
        rng = generator(seed, "person", person)
        sex, age = ("M" if rng.random() < 0.5 else "F"), rng.uniform(*ages)
        offset = HEAD_SIZE_SEX if sex == "M" else -HEAD_SIZE_SEX
        head = head_size * np.exp(offset + HEAD_SIZE_SPREAD * rng.standard_normal())
        for visit in range(visits):
            rows.append(
                {
                    "sample_id": person if visits == 1 else f"{person}_ses-{visit + 1}",
                    "participant_id": person,
                    "session_id": f"ses-{visit + 1}",
                    "site": sites[before % len(sites)].name,
                    "age": round(float(age + visit * interval), 1),
                    "sex": sex,
                    "head_size": round(float(head), 1),
                    "diagnosis": "AD" if sick else "control",
                }
            )
    table = pd.DataFrame(rows).set_index("sample_id")
    return table if visits > 1 else table.drop(columns="session_id")


def meant_change(row, years_ill, disease, effect_scale, own):
    """Return region -> change of log volume that one visit is meant to show, for `amplitudes_for`.

    Parameters
    ----------
    row : Series
        Of the cohort's table.
    years_ill : float
        Since the first visit; patients change faster.
    disease : Disease
    effect_scale : float
        Also of the patients' faster change.
    own : dict of float
        The person's own part, one for each of SPREAD, in standard deviations.
    """
    sick = row["diagnosis"] == "AD"
    change = {}
    for name in dict.fromkeys([*YEARLY, *disease.factors]):
        spread = "grey" if REGIONS[name].tissue == "grey" else name
        change[name] = float(ageing(name, row["age"])) + SPREAD[spread] * own[spread]
        if sick and name in disease.factors:
            change[name] += disease.shift[name] + YEARLY_DISEASE.get(name, -0.02) * effect_scale * years_ill
    return change
