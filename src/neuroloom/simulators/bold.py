"""Resting-state BOLD series of brain regions: networks, sites, motion, and planted differences of known size."""

import json
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from neuroloom.cohort.cohort import Cohort, DrawnSource
from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.seeds import generator
from neuroloom.simulators.bold_population import NETWORKS, Place, population

# by site, in turn; motion, noise and age are near those of the ABIDE sites with these protocols
AGES = (28.0, 26.0, 12.0, 33.0)  # mean, years
AGE_SPREAD = 6.0
LOG_MOTION = (-2.8, -1.6, -2.6, -1.9)  # mean of log(mean framewise displacement in mm)
LOG_MOTION_SPREAD = 0.45
NOISE = (0.15, 0.05, 0.10, 0.05)  # variance of the scanner's noise, in units of the signal's
MALE = 0.85

SPIKES = 0.3  # per volume and mm of mean framewise displacement
SPIKE_SIZE, SPIKE_DECAY = 1.5, 0.5  # in standard deviations of the signal; left after one volume
SIGNAL = 0.6  # typical standard deviation of a region, percent signal change
CUT_MORE = 0.15  # chance that a cut field of view ends after each further region


@dataclass(frozen=True)
class Person:
    """What a person's series depend on beside the population."""

    site: int
    autism: bool
    motion: float  # mean framewise displacement, mm
    n_dead: int  # regions outside the field of view


@dataclass(frozen=True)
class BoldDraw:
    """Draws the series of one person, the same ones at each call.

    Parameters
    ----------
    place : Place
        The population, and what is planted.
    people : dict of str to Person
    repetition_times : tuple of float
        By site, s.
    n_timepoints : tuple of int
        By site.
    correlation_time : float
        Time in which the autocorrelation falls to 1/e, s.
    """

    place: Place
    people: dict[str, Person] = field(hash=False)
    repetition_times: tuple[float, ...]
    n_timepoints: tuple[int, ...]
    correlation_time: float

    def __call__(self, sample):
        person = self.people[sample]
        period = turn(self.repetition_times, person.site)
        rng = generator(self.place.seed, "simulated_bold", sample, "series")
        data = series(
            self.connectome(sample), turn(self.n_timepoints, person.site), period / self.correlation_time, rng
        )
        n_regions, n_timepoints = data.shape
        data += np.sqrt(turn(NOISE, person.site)) * rng.standard_normal(data.shape)
        data += motion_artefact(person.motion, n_regions, n_timepoints, rng)
        data *= SIGNAL * np.exp(0.3 * rng.standard_normal((n_regions, 1)))
        data[self.cut_order()[: person.n_dead]] = 0.0
        whole = population(self.place)
        geometry = {"sampling_rate": 1 / period, "unit": "percent signal change", "names": whole.names}
        return Scan(data.astype(np.float32), "series", geometry)

    def connectome(self, sample):
        """Return a person's true correlations, shape (region, region)."""
        rng = generator(self.place.seed, "simulated_bold", sample, "connectome")
        return population(self.place).person(rng, self.people[sample].autism)

    def cut_order(self):
        """Return the regions in the order in which a field of view that is too small loses them."""
        limbic = population(self.place).network == NETWORKS.index("limbic")
        order = generator(self.place.seed, "simulated_bold", "field of view").permutation(len(limbic))
        return np.concatenate([order[limbic[order]], order[~limbic[order]]])


def simulate_bold(
    *,
    n_participants=160,
    n_sites=4,
    n_regions=100,
    seed=0,
    effect=0.7,
    networks=("default", "ventral attention"),
    motion_follows_diagnosis=0.0,
    dead_regions=0.0,
    repetition_times=(2.0, 2.5, 2.2, 2.0),
    n_timepoints=(150, 80, 200, 240),
    correlation_time=2.0,
):
    r"""Simulate resting-state series of people with autism and controls from several sites.

    Each person has an own connectome, a Wishart draw around the population's (a global signal, 7 networks,
    further shared signals). Series are drawn from it with a first-order memory, so that the lag-k
    covariance is :math:`\phi^{k}\Sigma`, :math:`\phi = e^{-TR / \tau}` (Luetkepohl 2005, ch. 2); to them come the
    scanner's noise and brief motion artefacts in all regions. Diagnosis is balanced in each site and, unless
    asked for, independent of age, sex, motion and protocol.

    Parameters
    ----------
    n_participants, n_sites : int
        One scan a person; sites of equal size.
    n_regions : int
        Over 7 networks.
    seed : int
    effect : float
        Cohen's d of each planted edge: mean difference of its true Fisher z between the groups, in standard
        deviations within a group. 0 plants nothing. Published single edges differ by 0.2 to 0.4.
    networks : sequence of one or two str
        Where the edges lie. Two networks: a module of the first and one of the second are more coupled in
        autism, two other modules of the first less. One network: two pairs of its modules are less coupled.
    motion_follows_diagnosis : float
        Cohen's d of log motion, autism minus control, at each site.
    dead_regions : float
        Share of people whose field of view cuts regions off, which are then constant (some 7 regions a
        person, limbic ones first).
    repetition_times : sequence of float
        By site in turn, s.
    n_timepoints : sequence of int
        By site in turn.
    correlation_time : float
        :math:`\tau`, s.

    Returns
    -------
    Cohort
        Input ``bold`` (region, time) in percent signal change; columns site, age (years), sex, motion (mean
        framewise displacement, mm), diagnosis. ``truth`` holds for each person the planted edges' true z
        (``z A - B``), their mean signed score, the best linear score and the mean connectivity. ``planted``
        holds the edges by name, the sign of each, their d, and two best scores: ``ceiling`` of a linear
        rule that knew the planted edges' true values, ``bound`` of one that knew the whole true connectome
        (other edges tell what of a planted edge is the person and what the diagnosis). Scans show both through
        noise.
    """
    place = Place(int(n_regions), tuple(networks), float(effect), int(seed))
    _check(n_participants, n_sites, dead_regions, repetition_times, n_timepoints, correlation_time)
    table, people = participants(n_participants, n_sites, motion_follows_diagnosis, dead_regions, n_regions, int(seed))
    draw = BoldDraw(place, people, tuple(repetition_times), tuple(n_timepoints), float(correlation_time))
    whole = population(place)
    told = asdict(draw) | {"people": None, "n": [n_participants, n_sites, motion_follows_diagnosis, dead_regions]}
    recipe = f"simulated_bold|{json.dumps(told, sort_keys=True)}"
    pairs = [(whole.names[a], whole.names[b]) for a, b in whole.edges]
    planted = {
        "edges": pairs,
        "sign": planted_sign(whole),
        "d": place.effect,
        "ceiling": dict(whole.ceiling),
        "bound": dict(whole.bound),
    }
    inputs = {"bold": DrawnSource("series", frozenset(people), draw, recipe)}
    name = f"simulated BOLD (d = {place.effect:g} on {len(pairs)} edges)"
    return Cohort(table, inputs, name=name, known_truth=truth(draw, pairs), planted=planted, simulated=True)


def _check(n_participants, n_sites, dead_regions, repetition_times, n_timepoints, correlation_time):
    if n_sites < 1 or n_participants < 2 * n_sites:
        raise NeuroloomError(f"simulated_bold: {n_participants} people cannot fill {n_sites} sites with both groups.")
    if not 0 <= dead_regions <= 1:
        raise NeuroloomError(f"simulated_bold: dead_regions is a share of the people, 0 to 1, not {dead_regions}.")
    if not repetition_times or min(*repetition_times, correlation_time) <= 0:
        raise NeuroloomError("simulated_bold: repetition_times and correlation_time are seconds above 0.")
    if not n_timepoints or min(n_timepoints) < 10:
        raise NeuroloomError(
            f"simulated_bold: n_timepoints is {list(n_timepoints)}; 10 or more are needed at each site."
        )


def participants(n_participants, n_sites, motion_follows_diagnosis, dead_regions, n_regions, seed):
    """Return the table of people, and what their series depend on."""
    rng = generator(seed, "simulated_bold", "participants")
    names = [f"sub-{number:03d}" for number in range(1, n_participants + 1)]
    site = np.arange(n_participants) * n_sites // n_participants
    autism = np.zeros(n_participants, dtype=bool)
    for number in range(n_sites):
        own = rng.permutation(np.flatnonzero(site == number))
        autism[own[: (len(own) + number % 2) // 2]] = True  # of an odd number one more, by turns
    age = np.clip(turn(AGES, site) + AGE_SPREAD * rng.standard_normal(n_participants), 6.0, 65.0)
    male = rng.random(n_participants) < MALE
    shift = motion_follows_diagnosis * (autism - 0.5)
    motion = np.exp(turn(LOG_MOTION, site) + LOG_MOTION_SPREAD * (rng.standard_normal(n_participants) + shift))
    cut = rng.random(n_participants) < dead_regions
    n_dead = np.minimum(np.where(cut, rng.geometric(CUT_MORE, n_participants), 0), n_regions - 2)
    table = pd.DataFrame(
        {
            "participant_id": names,
            "site": [f"site-{number + 1}" for number in site],
            "age": age.round(1),
            "sex": np.where(male, "M", "F"),
            "motion": motion.round(4),
            "diagnosis": np.where(autism, "autism", "control"),
        },
        index=pd.Index(names, name="sample_id"),
    )
    drawn = zip(names, site, autism, motion, n_dead, strict=True)
    return table, {name: Person(int(s), bool(a), float(m), int(d)) for name, s, a, m, d in drawn}


def planted_sign(whole):
    """Return 1 for edges that are stronger in autism and -1 for weaker ones; 0 where nothing is planted."""
    return np.sign(whole.difference)


def truth(draw, pairs):
    """Return the planted quantities, a row a person."""
    whole = population(draw.place)
    first, second = whole.edges.T
    upper = np.triu_indices(len(whole.names), 1)
    rows = {}
    for sample in draw.people:
        correlation = draw.connectome(sample)
        z = np.arctanh(correlation[first, second])
        told = {
            "edge_score": float(np.mean(planted_sign(whole) * z)),
            "best_score": float(whole.weights @ z),
            "mean_connectivity": float(np.arctanh(correlation[upper]).mean()),
        }
        rows[sample] = told | {f"z {a} - {b}": value for (a, b), value in zip(pairs, z, strict=True)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("sample_id")


def series(correlation, n_timepoints, step, rng):
    r"""Draw series whose lag-k covariance is :math:`e^{-k\,step}` times ``correlation``.

    Parameters
    ----------
    correlation : ndarray of shape (region, region)
        Positive definite.
    n_timepoints : int
    step : float
        Sampling period over correlation time.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (region, time)
        Variance 1 in each region.
    """
    phi = np.exp(-step)
    shocks = np.linalg.cholesky(correlation) @ rng.standard_normal((len(correlation), n_timepoints))
    shocks[:, 1:] *= np.sqrt(1 - phi**2)  # the first sample is in the stationary state already: no burn-in
    return lfilter([1.0], [1.0, -phi], shocks, axis=1)


def motion_artefact(motion, n_regions, n_timepoints, rng):
    """Return spikes that reach all regions and fade over some volumes, shape (region, time)."""
    weight = 1 + 0.5 * rng.standard_normal(n_regions)
    trace = np.zeros(n_timepoints)
    n_spikes = rng.poisson(SPIKES * motion * n_timepoints)
    np.add.at(trace, rng.integers(0, n_timepoints, n_spikes), SPIKE_SIZE * rng.standard_normal(n_spikes))
    return np.outer(weight, lfilter([1.0], [1.0, -SPIKE_DECAY], trace))


def turn(values, site):
    """Return each site's value; sites beyond the last value start again at the first."""
    return np.asarray(values)[np.asarray(site) % len(values)]
