"""How often the lines of norms leave the stated share of new people below, and how often their intervals hold the truth.

    python studies/norms_coverage.py --tables 40 --data DIR --out studies/norms_coverage.json

Simulated references are drawn from laws whose centiles are a closed form: the LMS law of Cole and Green (1992,
doi:10.1002/sim.4780111005), which is not the law that norms are fitted with, and a heavy-tailed one of both signs. They
differ between sexes, fan out with age, and have few people in one end of the ages. ``below`` is the share of new people
below the fitted lines; ``lines`` how often the 95 % interval of a line holds the true centile, over ages from the 2nd
to the 98th percent of the reference's; ``percentiles`` how often the interval of a new person's percentile holds the true
one. With ``--data`` (a folder with the IXI thickness tables of the preset ``ixi-thickness``) norms are fitted on random
halves of real people, and the other half is placed on them.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats
from study_record import commit, write

from neuroloom.norms.fit import fit_measure
from neuroloom.norms.people_table import people_table
from neuroloom.norms.reference import read_reference
from neuroloom.seeds import generator

LINES = (5, 50, 95)  # percent
SIZES = (100, 200, 400, 600)
NEW = 4000  # people on whom the lines of a simulated reference are tried
Z95 = stats.norm.ppf(0.975)
YOUNGEST, OLDEST = 18.0, 88.0


@dataclass(frozen=True)
class Lms:
    """A law of Cole and Green: power L(t), median M(t, man), coefficient of variation S(t, man); t is 0 to 1 over age."""

    power: object
    median: object
    variation: object

    def quantile(self, z, t, man):
        power, spread = self.power(t), self.variation(t, man)
        if np.ndim(power) == 0 and power == 0:
            return self.median(t, man) * np.exp(spread * z)
        return self.median(t, man) * (1 + power * spread * z) ** (1 / power)

    def score(self, y, t, man):
        power, spread, ratio = self.power(t), self.variation(t, man), y / self.median(t, man)
        if np.ndim(power) == 0 and power == 0:
            return np.log(ratio) / spread
        return (ratio**power - 1) / (power * spread)


@dataclass(frozen=True)
class HeavyTails:
    """A t law of both signs around median M(t, man), with scale S(t, man)."""

    freedom: float
    median: object
    scale: object

    def quantile(self, z, t, man):
        return self.median(t, man) + self.scale(t, man) * stats.t.ppf(stats.norm.cdf(z), self.freedom)

    def score(self, y, t, man):
        return stats.norm.ppf(stats.t.cdf((y - self.median(t, man)) / self.scale(t, man), self.freedom))


LAWS = {
    "thickness: declines, skewed to the left, fans out": Lms(
        power=lambda t: 2.5 + 0 * t,
        median=lambda t, man: 3.3 - 0.25 * t - 0.25 * t**2 + 0.03 * man,
        variation=lambda t, man: 0.045 + 0.02 * t + 0.005 * man,
    ),
    "ventricles: grow, log-normal, sexes differ in both": Lms(
        power=lambda t: 0,
        median=lambda t, man: 12 * np.exp(0.3 * t + 0.9 * t**2 + 0.2 * man),
        variation=lambda t, man: 0.35 + 0.1 * t + 0.05 * man,
    ),
    "grey matter: rises and falls, skewness changes": Lms(
        power=lambda t: 2 - 1.8 * t,
        median=lambda t, man: 600 + 80 * np.sin(3.5 * t) - 90 * t + 60 * man * (1 - 0.3 * t),
        variation=lambda t, man: 0.09 + 0.03 * t,
    ),
    "asymmetry: both signs, heavy tails": HeavyTails(
        freedom=5,
        median=lambda t, man: 0.01 * np.sin(2 * t) - 0.004 * man,
        scale=lambda t, man: 0.02 * (1 + 0.8 * t),
    ),
}


def drawn(law, rng, n):
    """Return values, ages and sexes of n people, four in five of them in the younger half, women in the majority."""
    t, man = rng.beta(0.9, 2.0, n), rng.random(n) < 0.45
    values = law.quantile(rng.standard_normal(n), t, man)
    return values, YOUNGEST + (OLDEST - YOUNGEST) * t, np.where(man, "M", "F")


def as_law(ages, sexes):
    return (ages - YOUNGEST) / (OLDEST - YOUNGEST), sexes == "M"


def tried(law, rng, n):
    """Return what one reference of n people gives: shares below, and how often intervals hold the truth."""
    values, ages, sexes = drawn(law, rng, n)
    norm = fit_measure(values, ages, sexes)
    low, high = np.quantile(ages, [0.02, 0.98])
    return {
        "below": below(norm, *inside(norm, *drawn(law, rng, NEW))),
        "lines": lines_held(law, norm, np.linspace(low, high, 25)),
        "percentiles": percentiles_held(law, norm, *inside(norm, *drawn(law, rng, NEW))),
    }


def inside(norm, values, ages, sexes):
    """Return those within the reference's ages of their sex."""
    ends = np.array([(norm.people[code].youngest, norm.people[code].oldest) for code in sexes])
    kept = (ages >= ends[:, 0]) & (ages <= ends[:, 1])
    return values[kept], ages[kept], sexes[kept]


def below(norm, values, ages, sexes):
    """Return the share of people below each line: of all, and of each third by age, (1 + 3, line)."""
    under = values < norm.lines(LINES, ages, sexes)  # (line, person)
    third = np.searchsorted(np.quantile(ages, [1 / 3, 2 / 3]), ages)
    return [under.mean(axis=1), *(under[:, third == number].mean(axis=1) for number in range(3))]


def lines_held(law, norm, ages):
    """Return the share of ages and sexes where the interval of each line holds the true centile, (line,)."""
    held = []
    for code in ("F", "M"):
        low, high = (norm.lines(LINES, ages, code, half) for half in (-Z95, Z95))
        t, man = as_law(ages, np.repeat(code, len(ages)))
        truth = np.array([law.quantile(stats.norm.ppf(line / 100), t, man) for line in LINES])
        held.append((low < truth) & (truth < high))
    return np.mean(held, axis=(0, 2))


def percentiles_held(law, norm, values, ages, sexes):
    """Return the share of people whose percentile's interval holds the true percentile."""
    w, error = norm.scores(values, ages, sexes)
    truth = np.arcsinh(law.score(values, *as_law(ages, sexes)))
    return np.mean(np.abs(w - truth) < Z95 * error)


def simulated(name, n, tables, seed):
    """Return the mean over simulated references, and its standard error where it is a share of tables."""
    found = [tried(LAWS[name], generator(seed, name, n, table), n) for table in range(tables)]
    shares = np.array([one["below"] for one in found])  # (table, all and thirds, line)
    held = np.array([one["lines"] for one in found])
    percentiles = np.array([one["percentiles"] for one in found])
    return {
        "law": name,
        "n": n,
        "below": told(shares[:, 0].mean(axis=0)),
        "below_error": told(shares[:, 0].std(axis=0, ddof=1) / np.sqrt(tables)),
        "below_by_third": [told(third) for third in shares[:, 1:].mean(axis=0)],
        "lines": told(held.mean(axis=0)),
        "lines_error": told(held.std(axis=0, ddof=1) / np.sqrt(tables)),
        "percentiles": round(float(percentiles.mean()), 4),
        "percentiles_error": round(float(percentiles.std(ddof=1) / np.sqrt(tables)), 4),
    }


def real_halves(data, splits, seed):
    """Return the shares of one half of real people below lines fitted on the other, both ways, by measure."""
    table, _ = people_table(data, "ixi-thickness")
    reference = read_reference(table)
    n = len(reference.age)
    found = []
    for split in range(splits):
        first = np.isin(np.arange(n), generator(seed, "halves", split).permutation(n)[: n // 2])
        found += [[left_out(reference, name, half) for name in reference.values] for half in (first, ~first)]
    by_measure = np.mean(found, axis=0)  # (measure, all and thirds, line)
    return {
        "people": n,
        "measures": reference.values.shape[1],
        "splits": splits,
        "below": told(by_measure[:, 0].mean(axis=0)),
        "below_lowest_measure": told(by_measure[:, 0].min(axis=0)),
        "below_highest_measure": told(by_measure[:, 0].max(axis=0)),
        "below_by_third": [told(third) for third in by_measure[:, 1:].mean(axis=0)],
    }


def left_out(reference, name, fitted):
    """Return the shares below the lines of one measure among those who are not in ``fitted``."""
    people = (reference.values[name].to_numpy(), reference.age, reference.sex)
    norm = fit_measure(*(part[fitted] for part in people))
    return below(norm, *inside(norm, *(part[~fitted] for part in people)))


def told(shares):
    return {f"{line} %": round(float(share), 4) for line, share in zip(LINES, shares, strict=True)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--data", type=Path, help="folder of age_gender.csv and aparc_thickness.csv")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given, at = parser.parse_args(), commit()
    started, results = time.time(), []
    for name in LAWS:
        for n in SIZES:
            results.append(simulated(name, n, given.tables, given.seed))
            print(json.dumps(results[-1]), flush=True)
    whole = {
        "nominal": 0.95,
        "tables": given.tables,
        "new_people": NEW,
        "seed": given.seed,
        "commit": at,
    }
    whole |= {"simulated": results}
    if given.data:
        whole["ixi_thickness"] = real_halves(given.data, given.splits, given.seed)
        print(json.dumps(whole["ixi_thickness"]))
    whole["seconds"] = round(time.time() - started)
    write(given.out, whole)


if __name__ == "__main__":
    main()
