"""ComBat: take away what sites add to each feature, learned on the people fitted on."""

import numpy as np
import pandas as pd

from neuroloom.errors import NeuroloomError, listed
from neuroloom.parts import check_known as check_name
from neuroloom.transforms.fitted_arrays import are_graphs, as_bytes, check_known, check_shape, from_bytes, labelled
from neuroloom.transforms.flatten import flatten, unflatten

UNSEEN = ("error", "mean")
MOST_STEPS, TOLERANCE = 1000, 1e-10  # of the empirical Bayes iteration


class Combat:
    r"""Harmonise sites by location and scale (Johnson et al. 2007, doi:10.1093/biostatistics/kxj037; for scans
    Fortin et al. 2018, doi:10.1016/j.neuroimage.2017.11.024).

    Feature :math:`g` of a person at site :math:`i` is modelled as
    :math:`\alpha_g + X\beta_g + \sigma_g(\gamma_{ig} + \delta_{ig}\varepsilon)`. Site effects :math:`\gamma,
    \delta` are shrunk towards those of the site's other features (empirical Bayes) and removed; what the
    covariates X explain stays. All is learned on the fit people; new people are changed by what was learned,
    with their own site and covariates. The target must never be a covariate: it is not known for new people.

    Parameters
    ----------
    site : str
        Column that names the site.
    keep : list of str
        Columns whose effect is kept: numbers as they are, words as classes.
    unseen : {"error", "mean"}
        What to do with people of a site that the fit people do not know. ``mean`` takes the site as the average
        of the known ones, which leaves its people as they are (leave-site-out needs this, and ComBat then
        helps only by making the fit people more alike).
    empirical_bayes : bool
        False takes each feature's own site effect, unshrunk.
    """

    def __init__(self, site="site", keep=("age", "sex"), unseen="error", empirical_bayes=True):
        check_name("policy of combat for unseen sites", unseen, UNSEEN)
        self.site = site
        self.keep = list(keep)
        self.unseen = unseen
        self.empirical_bayes = empirical_bayes
        self.warnings = []

    @property
    def columns(self):
        """The columns of the cohort's table that are read, also of new people."""
        return (self.site, *self.keep)

    def fit(self, x, rows, names=None):
        """Learn site effects.

        Parameters
        ----------
        x : ndarray of shape (n, *shape)
            Nothing missing.
        rows : DataFrame
            Site and covariates of the samples.
        names : list of str or None
            Of the regions or features.
        """
        self._learn_words(rows)
        self.shape, self.is_graph = x.shape[1:], are_graphs(x)
        y = self._features(x, rows)  # (n, feature)
        site = self._site_numbers(rows)  # (n,)
        member = np.eye(len(self.sites))[site]
        covariates = self._covariates(rows)
        design = np.hstack([member, covariates])
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise NeuroloomError(
                f"combat: among the people fitted on, site and {', '.join(self.keep)} cannot be told apart "
                "(one follows from the other). Leave a covariate out of keep."
            )
        weights = np.linalg.lstsq(design, y, rcond=None)[0]
        self.grand_mean = member.mean(axis=0) @ weights[: len(self.sites)]  # (feature,)
        self.slopes = weights[len(self.sites) :]  # (covariate, feature)
        residual = y - design @ weights
        self.deviation = np.sqrt((residual**2).mean(axis=0))
        self.constant = self.deviation <= 1e-7 * np.maximum(np.abs(y).max(axis=0), 1e-30)
        self._learn_sites(self._standardised(y, covariates), site)
        self.warnings = self._constant_warning(names, len(x))
        return self

    def transform(self, x, rows):
        """Return the samples without the effects of their sites, float32."""
        check_shape("combat", x, self.shape)
        absent = [column for column in self.columns if column not in rows]
        if absent:
            raise NeuroloomError(
                f"combat needs {', '.join(absent)} of each person, which is not known of {listed(rows.index)}. "
                "'neuroloom predict' knows of new people no more than their files: leave combat out of the input's "
                "chain for a model that is to answer there."
            )
        y = self._features(x, rows)
        site, covariates = self._site_numbers(rows), self._covariates(rows)
        # an unseen site has number -1: the last row, no shift and no scale
        shift = np.vstack([self.shift, np.zeros_like(self.grand_mean)])[site]
        scale = np.vstack([self.scale, np.ones_like(self.grand_mean)])[site]
        clean = (self._standardised(y, covariates) - shift) / scale
        clean = clean * self.deviation + self.grand_mean + covariates @ self.slopes
        clean = np.where(self.constant | (site < 0)[:, None], y, clean).astype(np.float32)
        return unflatten(clean, "graph", self.shape) if self.is_graph else clean.reshape(x.shape)

    def _features(self, x, rows):
        check_known("combat", x, rows, "Put {name: impute} before combat.")
        return flatten(x.astype(np.float64), "graph" if self.is_graph else "table")

    def _standardised(self, y, covariates):
        return (y - self.grand_mean - covariates @ self.slopes) / np.where(self.constant, 1.0, self.deviation)

    def _learn_words(self, rows):
        for column in self.columns:
            check_name("column that combat needs", column, rows.columns)
        people = rows[self.site].astype(str).value_counts()
        few = sorted(people.index[people < 2])
        if len(people) < 2 or few:
            raise NeuroloomError(
                f"combat needs at least 2 sites with 2 people each among the people fitted on; they are of "
                f"{len(people)} sites" + (f", with one person at {listed(few)}." if few else ".")
            )
        self.sites = sorted(people.index)
        self.words = {c: sorted(rows[c].astype(str).unique()) for c in self.keep if not is_number(rows[c])}
        self.means = {c: float(rows[c].mean()) for c in self.keep if c not in self.words}

    def _site_numbers(self, rows):
        """Return the number of each row's site, -1 where it was not among the fit people's."""
        known = {site: number for number, site in enumerate(self.sites)}
        numbers = rows[self.site].astype(str).map(lambda site: known.get(site, -1)).to_numpy()
        if (numbers < 0).any() and self.unseen == "error":
            new = sorted(set(rows[self.site].astype(str)[numbers < 0]))
            raise NeuroloomError(
                f"combat: no one of {listed(new)} is among the people fitted on (they are of {listed(self.sites)}). "
                "With unseen: mean, people of new sites are left as they are."
            )
        return numbers

    def _covariates(self, rows):
        """Return the covariates as columns (n, covariate): numbers centred, words as 0 or 1."""
        columns = [np.zeros((len(rows), 0))]
        for column in self.keep:
            values = rows[column]
            if values.isna().any():
                raise NeuroloomError(
                    f"combat: {column} is missing for {listed(rows.index[values.isna()])}. Leave it out of keep."
                )
            if column in self.means:
                columns.append(values.to_numpy(dtype=np.float64)[:, None] - self.means[column])
                continue
            for word in values.astype(str).unique():
                check_name(f"{column} in combat", word, self.words[column])
            columns.append(values.astype(str).to_numpy()[:, None] == np.array(self.words[column][1:], dtype=object))
        return np.hstack(columns).astype(np.float64)

    def _learn_sites(self, z, site):
        """Learn shift and scale of each site, shape (site, feature), in units of the features' deviation."""
        self.shift, self.scale = np.zeros((len(self.sites), z.shape[1])), np.ones((len(self.sites), z.shape[1]))
        varies = ~self.constant
        for number in range(len(self.sites)):
            own = z[site == number][:, varies]
            estimate = shrunken_effects if self.empirical_bayes else plain_effects
            self.shift[number, varies], variance = estimate(own)
            self.scale[number, varies] = np.sqrt(variance)

    def _constant_warning(self, names, n):
        if not self.constant.any():
            return []
        flat = self.constant.astype(float)[None]
        mask = (unflatten(flat, "graph", self.shape)[0] if self.is_graph else flat.reshape(self.shape)) > 0
        return [
            f"combat: {self.constant.sum()} features do not vary within the sites of the {n} people fitted on and are "
            f"left as they are: {listed(labelled(mask, names))}."
        ]

    def state(self):
        """Return what was fitted: mean, slopes and spread of each feature, shift and scale of each site, and their names."""
        told = {"sites": self.sites, "words": self.words, "means": self.means, "shape": list(self.shape)}
        return {
            "grand_mean": self.grand_mean,
            "slopes": self.slopes,
            "deviation": self.deviation,
            "constant": self.constant.astype(np.uint8),
            "shift": self.shift,
            "scale": self.scale,
            "told": as_bytes({**told, "is_graph": self.is_graph}),
        }

    def load_state(self, state):
        """Take up what `state` returned."""
        told = from_bytes(state["told"])
        self.sites, self.words, self.means = told["sites"], told["words"], told["means"]
        self.shape, self.is_graph = tuple(told["shape"]), told["is_graph"]
        self.grand_mean, self.slopes, self.deviation = state["grand_mean"], state["slopes"], state["deviation"]
        self.constant, self.shift, self.scale = state["constant"].astype(bool), state["shift"], state["scale"]
        return self


def is_number(values):
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def plain_effects(z):
    """Return mean and variance of each feature at one site, z (n, feature)."""
    variance = z.var(axis=0, ddof=1)
    return z.mean(axis=0), np.where(variance > 0, variance, 1.0)


def shrunken_effects(z):
    """Return shift and variance of each feature at one site, shrunk towards the site's other features.

    The shift's prior is normal, the variance's inverse gamma, both with moments taken over features; the
    posterior is found by turns (section 3.2 of Johnson et al.).

    Parameters
    ----------
    z : ndarray of shape (n, feature)
        Standardised over all sites.
    """
    n = len(z)
    mean, variance = plain_effects(z)
    if z.shape[1] < 2:
        return mean, variance  # one feature has no others to learn a prior from
    prior_mean, prior_variance = mean.mean(), mean.var(ddof=1)
    centre, spread = variance.mean(), variance.var(ddof=1)
    if not (prior_variance > 0 and spread > 0):
        return mean, variance  # all features agree already
    shape, rate = centre**2 / spread + 2, centre**3 / spread + centre
    squares, total = (z**2).sum(axis=0), z.sum(axis=0)
    shift, scale = mean, variance
    for _ in range(MOST_STEPS):
        new_shift = (n * prior_variance * mean + scale * prior_mean) / (n * prior_variance + scale)
        residual = squares - 2 * new_shift * total + n * new_shift**2
        new_scale = (rate + residual / 2) / (n / 2 + shape - 1)
        change = max(np.abs(new_shift - shift).max(), np.abs(new_scale - scale).max())
        shift, scale = new_shift, new_scale
        if change < TOLERANCE:
            break
    return shift, scale
