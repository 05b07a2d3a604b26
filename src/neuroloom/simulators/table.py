"""Regional cortical thickness with a known dependence on age."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from neuroloom.cohort.cohort import ArraySource, Cohort
from neuroloom.errors import NeuroloomError
from neuroloom.seeds import generator

LOBES = {  # Desikan-Killiany regions of one hemisphere, by lobe
    "frontal": (
        "caudalmiddlefrontal", "lateralorbitofrontal", "medialorbitofrontal", "paracentral", "parsopercularis",
        "parsorbitalis", "parstriangularis", "precentral", "rostralmiddlefrontal", "superiorfrontal", "frontalpole",
    ),
    "parietal": ("inferiorparietal", "postcentral", "precuneus", "superiorparietal", "supramarginal"),
    "temporal": (
        "bankssts", "entorhinal", "fusiform", "inferiortemporal", "middletemporal", "parahippocampal",
        "superiortemporal", "temporalpole", "transversetemporal",
    ),
    "occipital": ("cuneus", "lateraloccipital", "lingual", "pericalcarine"),
    "cingulate": ("caudalanteriorcingulate", "isthmuscingulate", "posteriorcingulate", "rostralanteriorcingulate"),
    "insula": ("insula",),
}  # fmt: skip

# Seen in 558 healthy people of IXI (68 Desikan-Killiany regions, FreeSurfer; age and sex regressed out):
SPREAD = 0.198  # mm, within-region standard deviation at a given age
SPREAD_OF_SPREADS = 0.045  # mm
SLOPE = -0.0286  # change a year, in within-region standard deviations: mean over regions
SPREAD_OF_SLOPES = 0.011  # standard deviation over left-right pairs, whose slopes agree (r = .97)
SHARED, LOBAR, HOMOTOPIC = 0.39, 0.09, 0.21  # shares of variance: all regions, a lobe, a left-right pair
MEAN, SPREAD_OF_MEANS = 2.63, 0.45  # mm


def simulate_table(*, n_participants=400, n_sites=1, ages=(20.0, 86.0), effect_scale=1.0, seed=0):
    """Draw people of known age with regional cortical thickness that depends on it.

    Thickness is normal at a given age: it falls linearly, by an amount that differs between regions, and
    varies between people with parts shared by all regions, by a lobe and by a left-right pair. Sizes are
    those seen in IXI (constants of this module).

    Parameters
    ----------
    n_participants : int
    n_sites : int
        Sites differ by a constant in all regions, of 0.3 within-region standard deviations.
    ages : tuple of float
        Youngest and oldest, in years; uniform between.
    effect_scale : float
        1 for the slopes seen in IXI; 0 plants nothing.
    seed : int

    Returns
    -------
    Cohort
        Input ``thickness`` (68 regions, in mm). ``truth``: the mean thickness that age alone would give.
        ``planted``: ``slopes`` (mm a year) by region, and ``ceiling``: the mean absolute error of the best
        predictor that knows the slopes and the covariance, in years.
    """
    for name, value in (("n_participants", n_participants), ("n_sites", n_sites)):
        if value < 1:
            raise NeuroloomError(f"simulated_table: {name} must be 1 or more, but is {value}.")
    names, lobes = _regions()
    draw = generator(seed, "table")
    spread = np.maximum(0.08, draw.normal(SPREAD, SPREAD_OF_SPREADS, len(names)))  # (n_regions,) mm
    a_year = np.tile(draw.normal(SLOPE, SPREAD_OF_SLOPES, len(names) // 2), 2)  # left and right alike
    slopes = effect_scale * a_year * spread  # mm a year
    means = np.maximum(1.5, draw.normal(MEAN, SPREAD_OF_MEANS, len(names)))
    age = draw.uniform(*ages, n_participants)
    site = draw.integers(n_sites, size=n_participants)
    offset = 0.3 * draw.standard_normal(n_sites) if n_sites > 1 else np.zeros(1)
    by_age = means + (age[:, None] - np.mean(ages)) * slopes  # (n_participants, n_regions)
    between = _between_people(lobes, n_participants, draw) + offset[site][:, None]
    thickness = (by_age + between * spread).astype(np.float32)
    sample = [f"sub-{number:04d}" for number in range(1, n_participants + 1)]
    index = pd.Index(sample, name="sample_id")
    table = pd.DataFrame(
        {
            "participant_id": sample,
            "site": [f"site-{number + 1}" for number in site],
            "age": age.round(2),
            "sex": np.where(draw.random(n_participants) < 0.5, "M", "F"),
        },
        index=index,
    )
    planted = {
        "slopes": dict(zip(names, slopes.tolist(), strict=True)),
        "ceiling": {"mae": best_mae(slopes / spread, _correlation(lobes), ages, seed)},
    }
    return Cohort(
        table,
        {"thickness": ArraySource("table", tuple(sample), thickness, {"names": names})},
        name="simulated cortical thickness",
        known_truth=pd.DataFrame({"mean_thickness_by_age": by_age.mean(axis=1)}, index=index),
        planted=planted,
        simulated=True,
    )


def _regions():
    names, lobes = [], []
    for side in ("lh", "rh"):
        for lobe, regions in LOBES.items():
            names += [f"{side}_{region}_thickness" for region in regions]
            lobes += [lobe] * len(regions)
    return names, np.array(lobes)


def _between_people(lobes, n_participants, draw):
    """Return differences between people, (n_participants, n_regions), each region with unit variance."""
    half = len(lobes) // 2
    alone = 1 - SHARED - LOBAR - HOMOTOPIC
    shared = draw.standard_normal((n_participants, 1))
    lobar = {lobe: draw.standard_normal(n_participants) for lobe in LOBES}
    pairs = np.tile(draw.standard_normal((n_participants, half)), 2)
    return (
        np.sqrt(SHARED) * shared
        + np.sqrt(LOBAR) * np.stack([lobar[lobe] for lobe in lobes], axis=1)
        + np.sqrt(HOMOTOPIC) * pairs
        + np.sqrt(alone) * draw.standard_normal((n_participants, len(lobes)))
    )


def _correlation(lobes):
    """Return the correlation of regions that `_between_people` draws with."""
    half = len(lobes) // 2
    pair = np.tile(np.arange(half), 2)
    correlation = SHARED + LOBAR * (lobes[:, None] == lobes) + HOMOTOPIC * (pair[:, None] == pair)
    return correlation + (1 - SHARED - LOBAR - HOMOTOPIC) * np.eye(len(lobes))


def best_mae(slopes, correlation, ages, seed=0, n_draws=20_000):
    """Return the least mean absolute error (years) that knowledge of slopes and covariance allows.

    All that thickness tells about age is one number, the generalised least-squares estimate of age, which
    is normal around it; the best guess is the median of a uniform age given that number.

    Parameters
    ----------
    slopes : ndarray of shape (n_regions,)
        Change a year, in within-region standard deviations.
    correlation : ndarray of shape (n_regions, n_regions)
    ages : tuple of float
    """
    youngest, oldest = ages
    precision = slopes @ np.linalg.solve(correlation, slopes)
    if precision < 1e-12:
        return (oldest - youngest) / 4
    error = 1 / np.sqrt(precision)  # years
    draw = generator(seed, "ceiling")
    age = draw.uniform(youngest, oldest, n_draws)
    estimate = age + error * draw.standard_normal(n_draws)
    low, high = norm.cdf((youngest - estimate) / error), norm.cdf((oldest - estimate) / error)
    middle = estimate + error * norm.ppf(np.clip((low + high) / 2, 1e-12, 1 - 1e-12))
    return float(np.mean(np.abs(age - np.clip(middle, youngest, oldest))))
