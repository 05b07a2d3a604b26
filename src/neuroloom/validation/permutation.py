"""What chance alone would score: predictions permuted inside fold and site, or learners refitted on shuffled labels."""

from dataclasses import dataclass

import numpy as np

from neuroloom.seeds import generator
from neuroloom.validation.scores import score

METHOD = "predictions permuted within fold and site"


@dataclass(frozen=True)
class Null:
    """Scores where nothing is there.

    Parameters
    ----------
    metric : str
    method : str
        What was permuted, in words.
    scores : ndarray of shape (n_draws,)
    p : float
        Share of draws at least as good as the score seen, that score counted among them (Phipson and Smyth 2010,
        doi:10.2202/1544-6115.1585); NaN where nothing could be permuted.
    note : str
        Why there is no p, or how coarse it is.
    """

    metric: str
    method: str
    scores: np.ndarray
    p: float
    note: str = ""

    def as_dict(self):
        """Return the entry of ``metrics.json``."""
        defined = self.scores[~np.isnan(self.scores)]
        told = {q: float(np.quantile(defined, float(q))) for q in ("0.05", "0.5", "0.95")} if len(defined) else {}
        entry = {"metric": self.metric, "method": self.method, "n": len(defined), "p": self.p}
        return entry | {"quantiles": told, "note": self.note}


def permutation_null(metric, outcomes, block, site, n, seed=0):
    """Return the `Null` of a fixed learner: who got which prediction is drawn anew, inside fold and site.

    Site and fold keep their predictions and their truths, so a score that comes from telling sites apart is in the
    null too. All samples of a block move together, and one draw holds in every repeat (repeats share their people:
    drawn one by one they would average to a null that is too narrow). Folds are those of the first repeat.

    Permuting fixed predictions leaves out that cross-validation counts each pair of people twice (see
    ``validation/intervals.py``): taken as they are, such draws call 10 % of null cohorts significant at 5 %
    (``studies/null_cohorts.py``). So their distances from their mean are stretched by the root of 1 + the share of
    pairs that is counted both ways.

    Parameters
    ----------
    block, site : ndarray of shape (n_samples,)
        By the number in ``outcomes.sample``: the exchangeable person (or family, session, block), and its site.
    n : int
        Number of draws.
    """
    exchange = _Exchange(outcomes, block, site)
    if not exchange.strata:
        note = "no fold and site holds two people of different truth to exchange"
        return Null(metric.name, METHOD, np.empty(0), float("nan"), note)
    scores = np.empty(n)
    for draw in range(n):
        truth = exchange.draw(generator(seed, "permutation", draw))
        scores[draw] = score(metric, outcomes.with_truth(truth[outcomes.sample]))
    centre = np.nanmean(scores)
    scores = centre + np.sqrt(1 + outcomes.mutual) * (scores - centre)
    return Null(metric.name, METHOD, scores, add_one_p(metric, score(metric, outcomes), scores))


def refit_null(metric, observed, refit, n, seed=0):
    """Return the `Null` of a learner that is fitted again on shuffled labels.

    Parameters
    ----------
    observed : float
        The score of the learner on the true labels.
    refit : callable
        ``refit(seed) -> Outcomes``: shuffles the labels with that seed, fits in every fold, predicts the test part;
        its ``truth`` are the shuffled labels.
    """
    scores = np.array([score(metric, refit(seed + draw)) for draw in range(n)])
    return Null(metric.name, "learner refitted on shuffled labels", scores, add_one_p(metric, observed, scores))


def add_one_p(metric, observed, scores):
    """Return the share of null scores at least as good as the observed one, the observed counted in."""
    scores = scores[~np.isnan(scores)]
    if np.isnan(observed) or len(scores) == 0:
        return float("nan")
    slack = 1e-12 * max(1.0, abs(observed))  # the same sum in another order is a tie
    better = scores >= observed - slack if metric.higher_is_better else scores <= observed + slack
    return float((1 + better.sum()) / (1 + len(scores)))


class _Stratum:
    """Blocks of one fold and site that may change places.

    ``blocks`` lists the samples of each block; where ``alike``, each block has one truth and blocks of any size
    exchange it, else blocks of equal size exchange their whole rows of truths.
    """

    def __init__(self, blocks, alike):
        self.alike = alike
        self.samples = np.concatenate(blocks)
        self.sizes = np.array([len(rows) for rows in blocks])
        self.firsts = np.array([rows[0] for rows in blocks])
        self.rows = None if alike else np.stack(blocks)

    def movable(self, truth):
        given = truth[self.firsts][:, None] if self.alike else truth[self.rows]
        return len(np.unique(given, axis=0)) > 1

    def exchange(self, truth, drawn, rng):
        """Write into ``drawn`` the truths of these blocks in another order."""
        order = rng.permutation(len(self.sizes))
        if self.alike:
            drawn[self.samples] = np.repeat(truth[self.firsts][order], self.sizes)
        else:
            drawn[self.rows] = truth[self.rows[order]]


class _Exchange:
    """The strata of a set of outcomes, and the truth of each sample."""

    def __init__(self, outcomes, block, site):
        self.truth = np.zeros(len(block), dtype=outcomes.truth.dtype)
        self.truth[outcomes.sample] = outcomes.truth
        first = outcomes.repeat == outcomes.repeat.min()
        found = _strata(outcomes.sample[first], outcomes.fold[first], block, site, self.truth)
        self.strata = [stratum for stratum in found if stratum.movable(self.truth)]

    def draw(self, rng):
        """Return the truth of every sample after one exchange in each stratum."""
        drawn = self.truth.copy()
        for stratum in self.strata:
            stratum.exchange(self.truth, drawn, rng)
        return drawn


def _strata(sample, fold, block, site, truth):
    blocks = {}
    for number, place in sorted(zip(sample.tolist(), fold.tolist(), strict=True)):
        blocks.setdefault((place, block[number]), []).append(number)
    groups = {}
    for (place, _), rows in blocks.items():
        sites = tuple(sorted({str(site[number]) for number in rows}))
        groups.setdefault((place, sites), []).append(np.array(rows))
    strata = []
    for members in groups.values():
        if all(np.ptp(truth[rows]) == 0 for rows in members):
            strata.append(_Stratum(members, alike=True))
            continue
        for size in sorted({len(rows) for rows in members}):
            strata.append(_Stratum([rows for rows in members if len(rows) == size], alike=False))
    return strata
