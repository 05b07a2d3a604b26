"""What chance alone would score: predictions permuted inside fold and site, or learners refitted on shuffled labels."""

from dataclasses import dataclass

import numpy as np

from neuroloom.cohort.exchange import Exchange
from neuroloom.seeds import generator
from neuroloom.validation.scores import score


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


def permutation_null(metric, outcomes, exchanged, n, seed=0):
    """Return the `Null` of a fixed learner: who got which prediction is drawn anew, inside fold and stratum.

    Stratum (site, or what `exchangeable` says) and fold keep their predictions and their truths, so a score that comes from
    telling strata apart is in the null too. All samples of a block move together, and one draw holds in every repeat (repeats share their people:
    drawn one by one they would average to a null that is too narrow). Folds are those of the first repeat.

    Permuting fixed predictions leaves out that cross-validation counts each pair of people twice (see
    ``validation/intervals.py``): taken as they are, such draws call 10 % of null cohorts significant at 5 %
    (``studies/null_cohorts.py``). So their distances from their mean are stretched by the root of 1 + the share of
    pairs that is counted both ways.

    Parameters
    ----------
    exchanged : Exchangeable
        By the number in ``outcomes.sample``.
    n : int
        Number of draws.
    """
    block, stratum, within, time = exchanged
    truth = np.zeros(len(block), dtype=outcomes.truth.dtype)
    truth[outcomes.sample] = outcomes.truth
    first = outcomes.repeat == outcomes.repeat.min()
    exchange = Exchange(truth, block, stratum, outcomes.sample[first], outcomes.fold[first], time)
    how = "permuted" if time is None else "moved on in time"
    method = f"predictions {how} within fold and {within}"
    if not exchange.strata:
        whom = "people" if within == "site" else "samples"
        note = f"no fold and {within} holds two {whom} of different truth to exchange"
        return Null(metric.name, method, np.empty(0), float("nan"), note)
    scores = np.empty(n)
    for draw in range(n):
        drawn = exchange.draw(generator(seed, "permutation", draw))
        scores[draw] = score(metric, outcomes.with_truth(drawn[outcomes.sample]))
    centre = np.nanmean(scores)
    scores = centre + np.sqrt(1 + outcomes.mutual) * (scores - centre)
    return Null(metric.name, method, scores, add_one_p(metric, score(metric, outcomes), scores))


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
