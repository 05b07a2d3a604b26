"""Whom simulated BOLD series come from: a population of connectomes, and a planted difference of two groups."""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.seeds import generator

NETWORKS = (
    "visual", "somatomotor", "dorsal attention", "ventral attention", "limbic", "frontoparietal", "default",
)  # fmt: skip
MODULES = 4  # in each network

# Set so that 120 simulated people look like the 120 of the ABIDE sample (Craddock 200 regions, no band pass) in
# mean and spread of the mean edges, spread between people, the part of it that both halves of a scan share,
# spread of a person's mean edge, and first principal component (see tests/simulators/test_bold.py).
GLOBAL, GLOBAL_SPREAD = 0.34, 0.12  # variance that a region shares with all others
NETWORK, NETWORK_SPREAD = 0.18, 0.15  # that it shares with its network
MODULE = 0.25  # that it shares with its module
N_PATHS, PATHS = 3, 0.36  # further signals that all regions share in part: edges get their own strength
LEAST_OWN = 0.2
FREEDOM = 18  # degrees of freedom of a person's connectome around the population's (Wishart)
GLOBAL_PERSON = 0.22  # spread of the log of a person's loading on the global signal
OWN = 0.2  # part of each region's variance that it shares with no other in anyone

N_REFERENCE = 4000  # people drawn to know the spread of planted edges, to about 1 %
STEPS = 12  # in which the planted strengths are found


@dataclass(frozen=True)
class Place:
    """What is planted where: all that the population depends on.

    Parameters
    ----------
    n_regions : int
    networks : tuple of str
        Two networks: a module of the first and one of the second are more coupled in autism, and two other
        modules of the first less. One network: two pairs of its modules are less coupled.
    effect : float
        Cohen's d of each planted edge's true Fisher z.
    seed : int
    """

    n_regions: int
    networks: tuple[str, ...]
    effect: float
    seed: int


@dataclass(frozen=True)
class Population:
    """Connectomes of two groups.

    Parameters
    ----------
    names : list of str
        Of the regions.
    network : ndarray of shape (region,)
        Number of each region's network.
    loading : ndarray of shape (region,)
        On the global signal.
    roots : ndarray of shape (2, region, region)
        Of controls and of people with autism: Cholesky root of what the regions share beyond the global signal.
    edges : ndarray of shape (edge, 2)
        Planted edges, as region numbers.
    difference : ndarray of shape (edge,)
        Autism minus control in mean true Fisher z.
    spread : ndarray of shape (edge, edge)
        Covariance of the true Fisher z within a group.
    ceiling, bound : dict of str to float
        Best scores of a linear rule on the true values of the planted edges; and of any rule on the whole true
        connectome (to first order in the difference).
    """

    names: list[str]
    network: np.ndarray
    loading: np.ndarray
    roots: np.ndarray
    edges: np.ndarray
    difference: np.ndarray
    spread: np.ndarray
    ceiling: dict[str, float]
    bound: dict[str, float]

    def person(self, rng, autism):
        """Return one person's true correlations, shape (region, region), positive definite."""
        n_regions = len(self.loading)
        strength = np.exp(GLOBAL_PERSON * rng.standard_normal())
        signals = strength * np.outer(self.loading, rng.standard_normal(FREEDOM))
        signals += self.roots[int(autism)] @ rng.standard_normal((n_regions, FREEDOM))  # (region, freedom)
        return correlations(signals)

    @property
    def weights(self):
        """Weights of the best linear score of the planted edges, shape (edge,)."""
        return np.linalg.solve(self.spread, self.difference)


def correlations(signals):
    """Return correlations of signals (..., region, freedom) of which each region shares all but `OWN`."""
    shared = signals @ signals.swapaxes(-1, -2)
    deviation = np.sqrt(np.diagonal(shared, axis1=-2, axis2=-1))
    shared *= (1 - OWN) / (deviation[..., :, None] * deviation[..., None, :])
    n_regions = shared.shape[-1]
    shared[..., np.arange(n_regions), np.arange(n_regions)] = 1.0
    return shared


@functools.lru_cache(maxsize=4)
def population(place):
    """Return the `Population` of a `Place`; kept for the next person of the same cohort."""
    least = MODULES * len(NETWORKS)  # a region a module
    if place.n_regions < least:
        raise NeuroloomError(f"simulated_bold: n_regions is {place.n_regions}; {least} or more are needed.")
    network = np.arange(place.n_regions) * len(NETWORKS) // place.n_regions
    module = np.arange(place.n_regions) * len(NETWORKS) * MODULES // place.n_regions
    loading, covariance = shared_signals(network, module, generator(place.seed, "simulated_bold", "population"))
    edges, sign = planted_edges(place, module)
    change, difference, spread = planted_change(place, edges, sign, loading, covariance)
    roots = [root_of(place, covariance + half * change) for half in (-0.5, 0.5)]
    whole = np.outer(loading, loading) + covariance
    relative = np.linalg.solve(whole, change)
    return Population(
        region_names(network), network, loading, np.array(roots), edges, difference, spread,
        ceiling=best_scores(difference @ np.linalg.solve(spread, difference)),
        bound=best_scores(FREEDOM / 2 * np.sum(relative * relative.T)),
    )  # fmt: skip


def region_names(network):
    """Return a name for each region: its network, and its number within it."""
    number = [1 + int((network[:region] == of).sum()) for region, of in enumerate(network)]
    return [f"{NETWORKS[of]} {at}" for of, at in zip(network, number, strict=True)]


def shared_signals(network, module, rng):
    """Return loadings on the global signal (region,), and the covariance of all else (region, region)."""
    n_regions = len(network)
    overall = np.clip(GLOBAL + GLOBAL_SPREAD * rng.standard_normal(n_regions), 0.02, 0.7)
    of_network = np.sqrt(np.clip(NETWORK + NETWORK_SPREAD * rng.standard_normal(n_regions), 0.01, 0.5))
    covariance = np.outer(of_network, of_network) * (network[:, None] == network)
    covariance += MODULE * (module[:, None] == module)
    common = rng.standard_normal((len(NETWORKS), N_PATHS))[network]
    paths = 0.6 * common + 0.8 * rng.standard_normal((n_regions, N_PATHS))  # (region, path), variance 1
    covariance += PATHS / N_PATHS * paths @ paths.T
    covariance += np.diag(np.clip(1 - overall - np.diag(covariance), LEAST_OWN, None))
    variance = overall + np.diag(covariance)
    return np.sqrt(overall / variance), covariance / np.sqrt(np.outer(variance, variance))


def planted_edges(place, module):
    """Return planted edges (edge, 2), and the sign of autism minus control of each."""
    for name in place.networks:
        check_known("network of simulated_bold", name, NETWORKS)
    if len(set(place.networks)) != len(place.networks) or len(place.networks) not in (1, 2):
        raise NeuroloomError(f"simulated_bold: networks names one network or two different ones, not {place.networks}.")
    first, *other = (MODULES * NETWORKS.index(name) for name in place.networks)
    pairs = [(first, other[0], 1.0), (first + 1, first + 2, -1.0)] if other else [
        (first, first + 1, -1.0), (first + 2, first + 3, -1.0)
    ]  # fmt: skip
    edges, signs = [], []
    for one, two, sign in pairs:
        found = [sorted((a, b)) for a in np.flatnonzero(module == one) for b in np.flatnonzero(module == two)]
        edges += found
        signs += [sign] * len(found)
    return np.array(edges), np.array(signs)


def planted_change(place, edges, sign, loading, covariance):
    """Find the change of covariance that gives each planted edge its Cohen's d.

    The same reference people are drawn with and without it, and its strength at each edge is corrected until
    their d is the one asked for.

    Returns
    -------
    change : ndarray of shape (region, region)
        Autism minus control.
    difference : ndarray of shape (edge,)
        In mean true Fisher z.
    spread : ndarray of shape (edge, edge)
        Covariance of the true Fisher z within a group.
    """
    regions, where = np.unique(edges, return_inverse=True)
    where = where.reshape(edges.shape)
    measure = reference_people(place, regions, where, loading[regions])
    part = covariance[np.ix_(regions, regions)]
    strength = 0.2 * place.effect * sign
    for _ in range(STEPS):
        change = np.zeros_like(part)
        change[where[:, 0], where[:, 1]] = change[where[:, 1], where[:, 0]] = strength
        control, autism = (measure(root_of(place, part + half * change)) for half in (-0.5, 0.5))
        deviation = np.sqrt((control.var(axis=0) + autism.var(axis=0)) / 2)
        difference = autism.mean(axis=0) - control.mean(axis=0)
        if place.effect == 0:
            break
        strength = strength * place.effect * sign * deviation / difference
    whole = np.zeros_like(covariance)
    whole[np.ix_(regions, regions)] = change
    return whole, difference, (np.cov(control.T) + np.cov(autism.T)) / 2


def reference_people(place, regions, where, loading):
    """Return a function from a root (region, region) to the planted edges' true z of reference people.

    Of a Wishart draw each part is a Wishart draw: only the regions of planted edges are drawn.
    """
    rng = generator(place.seed, "simulated_bold", "reference people")
    strength = np.exp(GLOBAL_PERSON * rng.standard_normal((N_REFERENCE, 1, 1)))
    overall = strength * loading[:, None] * rng.standard_normal((N_REFERENCE, 1, FREEDOM))
    shocks = rng.standard_normal((N_REFERENCE, len(regions), FREEDOM))

    def measure(root):
        matrices = correlations(overall + root @ shocks)
        return np.arctanh(matrices[:, where[:, 0], where[:, 1]])  # (person, edge)

    return measure


def root_of(place, covariance):
    """Return the Cholesky root, or raise an error that says what to lower."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise NeuroloomError(
            f"simulated_bold: with effect {place.effect:g} in {' and '.join(place.networks)} no covariance of a "
            "whole group exists. Lower effect."
        ) from None


def best_scores(squared_distance):
    """Return AUC and accuracies of the best rule between two normal groups of one covariance.

    Parameters
    ----------
    squared_distance : float
        Mahalanobis, between the groups' means.
    """
    distance = np.sqrt(max(float(squared_distance), 0.0))
    right = float(norm.cdf(distance / 2))
    return {"auc": float(norm.cdf(distance / np.sqrt(2))), "accuracy": right, "balanced_accuracy": right}
