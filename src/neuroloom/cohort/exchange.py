"""Exchange: who may have whose truth where nothing is there to be found."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from neuroloom.cohort.before_events import PARTLY


class Exchangeable(NamedTuple):
    """What may change places and within what.

    Parameters
    ----------
    block, stratum : ndarray of shape (n_samples,)
        Samples of one block move together; blocks change places within their stratum.
    within : str
        What the strata are, in a word.
    time : ndarray of shape (n_samples,) or None
        Where samples do not change places one by one, but all truths of a stratum are moved on in time by the same number.
    """

    block: np.ndarray
    stratum: np.ndarray
    within: str
    time: np.ndarray | None = None


def exchangeable(table, truth, unit):
    """Return the `Exchangeable` of a cohort.

    Units change places within their site, all samples of one together. But trials of a recording that holds several truths
    change places inside it, as they were drawn for it; so do whole recordings of one truth each inside their person, and the
    samples of people who all have every truth, whose differences nothing then hangs on. Windows of a recording are alike for
    as long as the brain is in one state, and so are their truths: theirs are moved on in time, round its end to its beginning.

    Parameters
    ----------
    table : DataFrame
        A row a sample: ``participant_id``, ``site``, for trials ``recording_id``, for windows ``onset`` are looked at.
    truth : ndarray of shape (n_samples,)
    unit : ndarray of shape (n_samples,)
        The exchangeable person (or family, session, block) of each sample.
    """
    person, own = table["participant_id"].astype(str).to_numpy(), np.arange(len(table))
    if "recording_id" in table:
        recording = table["recording_id"].astype(str).to_numpy()
        if _varies(truth, recording):
            time = table["onset"].to_numpy(dtype=np.float64) if PARTLY in table else None
            return Exchangeable(own, recording, "recording", time)
        if _varies(truth, person):
            return Exchangeable(recording, person, "person")
    elif _varies(truth, unit) and _all_have_all(truth, unit):
        words = "person" if (pd.Series(person).groupby(unit).nunique() == 1).all() else "unit"
        return Exchangeable(own, unit, words)
    site = table["site"].astype(str).to_numpy() if "site" in table else np.zeros(len(table))
    return Exchangeable(unit, site, "site")


def _varies(truth, group):
    return bool((pd.Series(truth).groupby(group).nunique() > 1).any())


def _all_have_all(truth, group):
    """Return whether every group holds every truth, and there is more than one group."""
    counts = pd.crosstab(pd.Series(group), pd.Series(truth)).to_numpy()
    return len(counts) > 1 and bool((counts > 0).all())


class Exchange:
    """Truths dealt anew between blocks of samples, inside each site (and fold).

    All samples of a block move together. Blocks of one truth each exchange it whatever their size; where truths
    change inside a block, blocks of equal size exchange their whole rows. Where times are given, the truths of a site are
    moved on in time instead.

    Parameters
    ----------
    truth : ndarray of shape (n_samples,)
    block, site : ndarray of shape (n_samples,)
        The exchangeable person (or family, session) of each sample, and its site.
    sample : ndarray of int, optional
        Numbers of the samples that may change; all unless said.
    fold : ndarray of int, optional
        The fold of each of those; one fold unless said.
    time : ndarray of shape (n_samples,), optional
        When each sample was recorded, see `Exchangeable`.
    """

    def __init__(self, truth, block, site, sample=None, fold=None, time=None):
        self.truth = truth
        sample = np.arange(len(truth)) if sample is None else sample
        fold = np.zeros(len(sample), dtype=int) if fold is None else fold
        found = _strata(sample, fold, block, site, truth) if time is None else _courses(sample, fold, site, time)
        self.strata = [stratum for stratum in found if stratum.movable(truth)]

    def draw(self, rng):
        """Return the truth of every sample after one exchange in each stratum."""
        drawn = self.truth.copy()
        for stratum in self.strata:
            stratum.exchange(self.truth, drawn, rng)
        return drawn


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


class _Course:
    """Samples of one fold and site in the order of time, whose truths are moved on together."""

    def __init__(self, samples):
        self.samples = samples

    def movable(self, truth):
        return len(np.unique(truth[self.samples])) > 1

    def exchange(self, truth, drawn, rng):
        """Write into ``drawn`` the truths of these samples, moved on by a number of samples drawn evenly."""
        drawn[self.samples] = np.roll(truth[self.samples], rng.integers(len(self.samples)))


def _courses(sample, fold, site, time):
    of = pd.DataFrame({"sample": sample, "fold": fold, "site": site[sample], "time": time[sample]})
    ordered = of.sort_values("time", kind="stable").groupby(["fold", "site"])["sample"]
    return [_Course(samples.to_numpy()) for _, samples in ordered]


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
