"""Resting EEG of people with a disorder and of people without, whose rhythms differ as much as is published."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import ALPHA_WIDTH, Rhythm, alpha, recorded, topographies
from neuroloom.simulators.eeg_draw import Draw, cap_of, check_counts, check_factor, drawn_cohort, recordings, which_of
from neuroloom.simulators.eeg_rhythms import peak

NAME = "simulated_resting_eeg"
CONTROL = "control"
EYES = ("closed", "open")  # run-01, run-02


@dataclass(frozen=True)
class Disorder:
    """Who has it, and what it changes."""

    age: tuple[float, float]  # years: mean and spread, of both groups
    ages: tuple[float, float]  # years: youngest, oldest
    differences: dict[str, float]  # quantity -> Cohen's d, people of one age and site


@dataclass(frozen=True)
class Quantity:
    """How something of a rhythm is spread over people without a disorder; sizes and asymmetry as logarithms."""

    at_25: float  # mean at 25 years
    spread: float  # between people
    by_year: float = 0.0  # of age


DISORDERS = {
    # Alzheimer's disease: a posterior rhythm slower by 1 Hz, more theta, less alpha and beta (Jeong 2004,
    # doi:10.1016/j.clinph.2004.01.001; Musaeus et al. 2018, doi:10.3233/JAD-180300). Together they allow an accuracy of
    # .77; of 117 patients and 138 controls .73 were told apart by their power (Musaeus et al. 2018).
    "dementia": Disorder(
        age=(70.0, 7.0),
        ages=(50.0, 92.0),
        differences={"alpha_frequency": -1.0, "theta": 0.8, "alpha": -0.5, "beta": -0.5},
    ),
    # Major depression: alpha of the left forehead above that of the right, d = -.01 (-.09 to .08) in one meta-analysis
    # (van der Vinne et al. 2017, doi:10.1016/j.nicl.2017.07.006), small in another (2025, doi:10.1038/s44184-025-00117-x),
    # none in five studies (Kolodziej et al. 2021, doi:10.7554/eLife.60595). Theta 27 % more in power: what differs in
    # disorders at rest mostly differs by 20 to 30 % (Newson and Thiagarajan 2019, doi:10.3389/fnhum.2018.00521). Both sizes
    # are on the kind side.
    "depression": Disorder(age=(38.0, 12.0), ages=(18.0, 75.0), differences={"asymmetry": -0.15, "theta": 0.3}),
}
# alpha slows with age by 0.6 Hz from 25 to 70 years, and weakens (Grandy et al. 2013, doi:10.1111/psyp.12043)
QUANTITIES = {
    "alpha_frequency": Quantity(10.0, 1.0, -0.013),  # Hz
    "alpha": Quantity(np.log(14e-6), 0.5, -0.004),  # V, eyes closed, at the electrode of the largest
    "theta": Quantity(np.log(5e-6), 0.4),
    "beta": Quantity(np.log(2.5e-6), 0.35),
    "asymmetry": Quantity(0.0, 0.25),  # log power of frontal alpha, right minus left
}
PLACES = {  # mm, fsaverage's surface RAS
    "theta": ((-10.0, 30.0, 50.0), (10.0, 30.0, 50.0), (-54.0, -36.0, 4.0), (54.0, -36.0, 4.0)),
    "beta": ((-38.0, -10.0, 56.0), (38.0, -10.0, 56.0), (-30.0, 34.0, 40.0), (30.0, 34.0, 40.0)),
    "frontal alpha": ((-36.0, 36.0, 32.0), (36.0, 36.0, 32.0)),  # left, right
}
SPECTRA = {"theta": (6.0, 0.8), "beta": (19.0, 3.0)}  # Hz: centre and width
FRONTAL = 0.5  # size of frontal alpha, relative to posterior alpha
OPENED = -1.4  # log power that alpha loses when eyes open (Barry et al. 2007, doi:10.1016/j.clinph.2007.07.028)
WANING, OFTEN = 0.5, 2.0  # spread of log power within a recording; s from one knot to the next
AMPLIFIERS = {"gain": 0.06, "noise": 0.4, "hum": 0.6}  # spread of logarithms between sites


@dataclass(frozen=True)
class Sitter:
    """Who somebody is, and the rhythms."""

    diagnosis: str
    age: float  # years
    sex: str
    site: str
    alpha_frequency: float  # Hz
    alpha: float  # V, eyes closed
    theta: float  # V
    beta: float  # V
    asymmetry: float  # log power of frontal alpha, right minus left


@dataclass(frozen=True, kw_only=True)
class RestDraw(Draw):
    """Draws minutes of rest."""

    simulator, keyed_by = NAME, "rest"
    disorder: str
    n_sites: int
    seconds: float
    effect: float
    age_gap: float
    site_gap: float

    def own_traits(self, name, rng, resting):
        number, known = int(name.removeprefix("sub-")), DISORDERS[self.disorder]
        ill = number % 2 == 0
        mean, spread = known.age
        age = rng.normal(mean + (0.5 if ill else -0.5) * self.age_gap, spread)
        age = round(float(np.clip(age, *known.ages)), 1)
        place = (number - 1) // 2 % self.n_sites
        if rng.random() < self.site_gap:
            place = 0 if ill else self.n_sites - 1
        sex = str(rng.choice(["F", "M"]))
        drawn = {}
        for quantity, told in QUANTITIES.items():
            difference = self.effect * known.differences.get(quantity, 0.0) * ill
            drawn[quantity] = (
                told.at_25 + told.by_year * (age - 25) + told.spread * (rng.standard_normal() + difference)
            )
        sizes = {quantity: float(np.exp(drawn[quantity])) for quantity in ("alpha", "theta", "beta")}
        frequency = float(np.clip(drawn["alpha_frequency"], 5.5, 12.5))
        diagnosis = self.disorder if ill else CONTROL
        return Sitter(diagnosis, age, sex, f"site-{place + 1}", frequency, asymmetry=float(drawn["asymmetry"]), **sizes)

    def amplifier(self, site):
        """Return what a site's amplifier does, name -> factor."""
        rng = generator(self.seed, NAME, site, "amplifier")
        return {name: float(np.exp(spread * rng.standard_normal())) for name, spread in AMPLIFIERS.items()}

    def eyes(self, sample):
        return EYES[int(self.which[sample][2].removeprefix("run-")) - 1]

    def person(self, name):
        """Return what is in all recordings of a person, as the site's amplifier has it, and the rhythms."""
        resting, sitter = super().person(name)
        site = self.amplifier(sitter.site)
        resting = replace(
            resting,
            alpha_frequency=sitter.alpha_frequency,
            alpha=sitter.alpha,
            noise=resting.noise * site["noise"],
            hum=resting.hum * site["hum"],
        )
        return resting, sitter

    def person_of(self, sample):
        """Return the same of the person that a recording is of: closed eyes neither blink nor look about."""
        resting, sitter = super().person_of(sample)
        if self.eyes(sample) == "closed":
            resting = replace(resting, blinks=0.0, glances=0.0)
        return resting, sitter

    def rhythms(self, sample):
        """Return the rhythms of a recording, name -> `Rhythm`; each patch waxes and wanes on its own."""
        key, (resting, sitter) = self.key(sample), self.person_of(sample)
        rng, knots = generator(*key, "waning"), np.arange(0.0, self.seconds + 2 * OFTEN, OFTEN)
        opened = np.exp(OPENED / 2) if self.eyes(sample) == "open" else 1.0

        def waning(n_patches):
            return np.exp(WANING / 2 * rng.standard_normal((n_patches, len(knots))))

        out = {"alpha": alpha(resting, self.cap, key, opened * waning(4), knots)}
        maps = {name: self.patches(sample, name) for name in PLACES}
        for name, spectrum in SPECTRA.items():
            size = getattr(sitter, name) / np.sqrt(len(maps[name]))
            out[name] = Rhythm(peak(*spectrum), size * maps[name], knots, waning(len(maps[name])))
        sides = np.exp(sitter.asymmetry / 4 * np.array([-1.0, 1.0]))[:, None]
        sizes = opened * FRONTAL * sitter.alpha * sides * maps["frontal alpha"]
        out["frontal alpha"] = Rhythm(peak(sitter.alpha_frequency, ALPHA_WIDTH), sizes, knots, waning(2))
        return out

    def patches(self, sample, name):
        """Return the maps of a rhythm's patches, each going its own way, shape (patch, channel)."""
        key = self.key(sample)
        return topographies(PLACES[name], self.cap, generator(*key[:3], name), generator(*key[:4], name))

    def __call__(self, sample):
        key, cap = self.key(sample), self.cap
        streams = self.awake(sample, self.seconds)
        streams += [rhythm.steps(cap.rate, generator(*key, name)) for name, rhythm in self.rhythms(sample).items()]
        gain = np.float32(self.amplifier(self.person_of(sample)[1].site)["gain"])
        amplified = [(gain * step for step in stream) for stream in streams]
        events = [[0.0, self.seconds, f"eyes {self.eyes(sample)}"]]
        return recorded(amplified, cap, self.seconds, key, events)


def best_separation(disorder, effect):
    """Return how many standard deviations apart the groups are on the best linear rule, people of one age and site.

    The quantities are independent between people, so that Cohen's d of each add up as squares (Mahalanobis distance).
    """
    return effect * float(np.sqrt(sum(d**2 for d in DISORDERS[disorder].differences.values())))


def simulate_resting_eeg(
    *,
    disorder="dementia",
    n_participants=60,
    n_sites=2,
    minutes=4.0,
    eyes=("closed",),
    age_gap=0.0,
    site_gap=0.0,
    n_channels=19,
    sampling_rate=128.0,
    effect=1.0,
    mains=50.0,
    artefacts=1.0,
    bad_channels=0.02,
    seed=0,
):
    """Simulate minutes of rest of people with a disorder and of as many without.

    Every second person has it. In dementia alpha is slower and weaker, theta stronger and beta weaker; in depression alpha of
    the left forehead is above that of the right by little, and theta is stronger by little (`DISORDERS` has sizes and
    sources). Alpha slows with age; sites differ in the amplifier.

    Parameters
    ----------
    disorder : str
        ``dementia`` or ``depression``.
    n_participants, n_sites : int
        People are dealt to sites in turn, half of each site's with the disorder.
    minutes : float
        Of a recording, 0.5 to 60.
    eyes : sequence of str
        ``closed``, ``open`` or both: a recording each.
    age_gap : float
        Years by which those with the disorder are older on average, 0 to 20: a confound.
    site_gap : float
        Share of people, 0 to 1, of whom those with the disorder come from the first site and the others from the last: a
        confound.
    n_channels, sampling_rate, mains, artefacts, bad_channels : int and float
        As `neuroloom.simulators.eeg.Cap` has them; against linked mastoids.
    effect : float
        Multiplies the differences between groups; 0 plants none.
    seed : int

    Returns
    -------
    Cohort
        Input ``eeg`` (channel, time) in V, a row a recording, with the columns ``diagnosis`` (the disorder or ``control``),
        ``age`` (years), ``sex``, ``site``, ``eyes``. ``truth``: those of the person and ``alpha_frequency`` (Hz), ``alpha``
        (eyes closed), ``theta``, ``beta`` (V), ``asymmetry`` (log power), ``bad_channel``. ``planted``: ``differences``
        (Cohen's d at one age), ``places`` (mm), ``ceiling``: what the best linear rule on these quantities reaches.
    """
    check_counts(NAME, n_participants=n_participants, n_sites=n_sites)
    cap = cap_of(NAME, n_channels, sampling_rate, mains, artefacts, bad_channels)
    _check(disorder, minutes, eyes, age_gap, site_gap, effect)
    table = recordings(n_participants, 1, len(EYES))
    of_run = dict(zip(("run-01", "run-02"), EYES, strict=True))
    table = table[table["run_id"].map(of_run).isin(list(eyes))]
    draw = RestDraw(
        seed=int(seed),
        cap=cap,
        which=which_of(table),
        disorder=disorder,
        n_sites=int(n_sites),
        seconds=60.0 * float(minutes),
        effect=float(effect),
        age_gap=float(age_gap),
        site_gap=float(site_gap),
    )
    truth = draw.truth(lambda sample: {"eyes": draw.eyes(sample), "bad_channel": draw.bad_channel(sample)})
    table = table.join(truth[["diagnosis", "age", "sex", "site", "eyes"]])
    apart = best_separation(disorder, draw.effect)
    accuracy, auc = float(norm.cdf(apart / 2)), float(norm.cdf(apart / np.sqrt(2)))
    planted = {
        "differences": DISORDERS[disorder].differences,
        "places": PLACES,
        "task": "rest",
        "ceiling": {"accuracy": accuracy, "balanced_accuracy": accuracy, "auc": auc},
    }
    told = f"simulated resting EEG, {disorder} (effect {effect:g})"
    return drawn_cohort(draw, table, told=told, truth=truth, planted=planted)


def _check(disorder, minutes, eyes, age_gap, site_gap, effect):
    check_known(f"disorder of {NAME}", disorder, DISORDERS)
    if isinstance(eyes, str) or not eyes or len(set(eyes)) != len(eyes):
        raise NeuroloomError(f"{NAME}: eyes is a list of closed, open or both, not {eyes!r}.")
    for name in eyes:
        check_known(f"eyes of {NAME}", name, EYES)
    if not 0.5 <= minutes <= 60:
        raise NeuroloomError(f"{NAME}: minutes of a recording must be 0.5 to 60, but is {minutes}.")
    if not 0 <= age_gap <= 20 or not 0 <= site_gap <= 1:
        raise NeuroloomError(
            f"{NAME}: age_gap is 0 to 20 years and site_gap a share, 0 to 1, not {age_gap} and {site_gap}."
        )
    check_factor(NAME, effect=effect)
