"""EEG of people who imagine movements on cue: rhythms of the motor cortex fall, most on the other side."""

from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import Rhythm, recorded, together
from neuroloom.simulators.eeg_artefacts import GLANCE, Moments, eye_map
from neuroloom.simulators.eeg_ceiling import linear_accuracy
from neuroloom.simulators.eeg_draw import Draw, cap_of, check_counts, check_factor, drawn_cohort, recordings, which_of
from neuroloom.simulators.eeg_rhythms import degrees_of_freedom, peak

NAME = "simulated_motor_imagery"
AREAS = {  # patches that act as one; mm, fsaverage's surface RAS
    "left hand area": ((-38.0, -22.0, 56.0),),
    "right hand area": ((38.0, -22.0, 56.0),),
    "foot area": ((-6.0, -28.0, 70.0), (6.0, -28.0, 70.0)),
    "left tongue area": ((-56.0, -8.0, 30.0),),
    "right tongue area": ((56.0, -8.0, 30.0),),
}
IPSI = "ipsilateral"
# change of log power in each area, in units of what the person's contralateral hand area loses
PATTERNS = {
    "left_hand": {"right hand area": 1.0, "left hand area": IPSI, "foot area": 0.1},
    "right_hand": {"left hand area": 1.0, "right hand area": IPSI, "foot area": 0.1},
    "feet": {"foot area": 0.9, "left hand area": -0.3, "right hand area": -0.3},
    "tongue": {"left tongue area": 0.8, "right tongue area": 0.8, "left hand area": -0.2, "right hand area": -0.2},
}
SIZE = {"left hand area": 1.0, "right hand area": 1.0, "foot area": 0.6, "left tongue area": 0.6, "right tongue area": 0.6}  # fmt: skip
BANDS = {"mu": (1.0, 1.0), "beta": (2.0, 0.7)}  # width (Hz), share of mu's change of log power
TRIAL_BY_TRIAL = 0.35  # standard deviation of the change between trials, relative to the change
WAXING, WAXING_TOGETHER = 0.25, 0.35  # spread of log power between trials: of an area alone, of all together
FIRST, TRIAL, REST = 5.0, 7.5, 3.0  # s: before the first trial, a trial, after the last
CUE, IMAGERY = 2.0, 4.0  # s: cue after the trial's start, duration of the event
KNOTS = (0.3, 0.8, 4.0, 4.5)  # s after the cue: the change begins, is whole, ends, is over
WINDOW = 3.7  # s: from half-way down to half-way up


@dataclass(frozen=True)
class Mover:
    """How a person's motor cortex answers."""

    mu_frequency: float  # Hz
    beta_frequency: float  # Hz
    mu: float  # V at the electrode of the largest
    beta: float  # V
    erd: float  # share of the mu power that the contralateral hand area loses
    ipsilateral: float  # change of log power on the same side, relative to the other

    def frequency(self, band):
        return self.mu_frequency if band == "mu" else self.beta_frequency

    def size(self, band):
        return self.mu if band == "mu" else self.beta


def mover(rng, effect):
    """Draw a person: a loss of 47 % of mu power on average, near none in some, 80 % in few.

    The spread gives accuracies like those of the BCI competition IV 2a and of 99 untrained people, of whom a fifth stay
    near chance (Guger et al. 2003, doi:10.1109/TNSRE.2003.814481; Blankertz et al. 2010,
    doi:10.1016/j.neuroimage.2010.03.022). ``effect`` multiplies the change of log power.
    """
    strength = -np.log1p(-0.9 * rng.beta(2.0, 1.8))  # loss in log power
    return Mover(
        mu_frequency=float(np.clip(rng.normal(10.8, 1.0), 8.0, 13.0)),
        beta_frequency=float(np.clip(rng.normal(21.0, 2.5), 16.0, 28.0)),
        mu=float(6e-6 * np.exp(0.4 * rng.standard_normal())),
        beta=float(1.8e-6 * np.exp(0.3 * rng.standard_normal())),
        erd=float(-np.expm1(-effect * strength)),
        ipsilateral=float(np.clip(rng.normal(0.3, 0.2), 0.0, 0.9)),
    )


def changes(person, classes):
    """Return the mean change of log power, by class, band and area: shape (class, band, area)."""
    strength = np.log1p(-person.erd)  # below 0
    out = np.zeros((len(classes), len(BANDS), len(AREAS)))
    for c, name in enumerate(classes):
        for b, (_, share) in enumerate(BANDS.values()):
            for a, area in enumerate(AREAS):
                told = PATTERNS[name].get(area, 0.0)
                out[c, b, a] = strength * share * (person.ipsilateral if told == IPSI else told)
    return out


def best_accuracy(person, classes):
    """Return the accuracy of the best linear rule that saw the rhythms of all areas without noise.

    It sees the log power of each area and band from half-way down to half-way up (3.7 s). Log power of a Gaussian
    rhythm has variance psi'(nu / 2), nu its degrees of freedom; to it comes what differs between trials.
    """
    means = changes(person, classes).reshape(len(classes), -1)  # (class, band and area)
    own = [polygamma(1, degrees_of_freedom(width, WINDOW) / 2) for width, _ in BANDS.values()]
    variance = np.repeat(own, len(AREAS)) + WAXING**2 + ((TRIAL_BY_TRIAL * means) ** 2).mean(axis=0)
    return linear_accuracy(means, np.diag(variance) + WAXING_TOGETHER**2)


@dataclass(frozen=True, kw_only=True)
class MotorImageryDraw(Draw):
    """Draws runs of imagined movements."""

    simulator, keyed_by = NAME, "motor cortex"
    classes: tuple[str, ...]
    n_trials: int
    effect: float
    eyes_follow: float

    def own_traits(self, name, rng, resting):
        return mover(rng, self.effect)

    def cues(self, sample):
        """Return the cues of a recording: onsets in s, and the number of each one's class."""
        rng = generator(*self.key(sample), "cues")
        order = rng.permutation(np.arange(self.n_trials) % len(self.classes))
        onsets = FIRST + TRIAL * np.arange(self.n_trials) + CUE + rng.uniform(0.0, 0.5, self.n_trials)
        return onsets, order

    @property
    def duration(self):
        """Length of a recording, s."""
        return FIRST + TRIAL * self.n_trials + REST

    def __call__(self, sample):
        key, cap = self.key(sample), self.cap
        streams = self.at_rest(sample)
        for band, rhythm in self.rhythms(sample).items():
            streams.append(rhythm.steps(cap.rate, generator(*key, band)))
        if self.eyes_follow:
            streams.append(self.looks(sample).steps())
        return recorded(streams, cap, self.duration, key, self.events(sample))

    def at_rest(self, sample):
        """Return the streams of a recording that know nothing of the task."""
        return [*self.awake(sample, self.duration), self.alpha(sample)]

    def events(self, sample):
        """Return the cues of a recording as events; an onset is a sample's time."""
        rate = self.cap.rate
        return [[round(t * rate) / rate, IMAGERY, self.classes[c]] for t, c in zip(*self.cues(sample), strict=True)]

    def rhythms(self, sample):
        """Return the rhythms of the motor cortex in a recording, band -> `Rhythm`, patches in the order of AREAS."""
        key, (_, person) = self.key(sample), self.person_of(sample)
        places, day = generator(*key[:3], "areas"), generator(*key[:4], "areas under")
        maps = np.stack([SIZE[area] * together(patches, self.cap, places, day) for area, patches in AREAS.items()])
        times, levels = self.levels(sample)  # (band, area, knot)
        return {
            band: Rhythm(peak(person.frequency(band), width), person.size(band) * maps, times, np.exp(levels[b] / 2))
            for b, (band, (width, _)) in enumerate(BANDS.items())
        }

    def levels(self, sample, gains=1.0):
        """Return the log power of each area over a recording: knots in s, and (band, area, knot).

        ``gains``, a number or one a trial, multiply what the imagery changes.
        """
        waxing, change, apart = self.of_trials(sample)
        change = change * (1 + apart) * gains
        shape = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])  # before the cue, at KNOTS, and at the trial's end
        times = self.cues(sample)[0][:, None] + np.array([-1.0, *KNOTS, 5.0])
        levels = waxing[..., None] + change[..., None] * shape
        return times.ravel(), levels.reshape(len(BANDS), len(AREAS), -1)

    def of_trials(self, sample):
        """Return what makes the log power of each trial, each of shape (band, area, trial).

        What all of the trial has more than the mean; what the imagery changes on the mean; by what share of that it
        changes more in this trial.
        """
        _, person = self.person_of(sample)
        rng, shape = generator(*self.key(sample), "trials"), (len(BANDS), len(AREAS), self.n_trials)
        waxing = WAXING * rng.standard_normal(shape) + WAXING_TOGETHER * rng.standard_normal(self.n_trials)
        change = np.moveaxis(changes(person, self.classes)[self.cues(sample)[1]], 0, 2)
        return waxing, change, TRIAL_BY_TRIAL * rng.standard_normal(shape)

    def looks(self, sample):
        """Return glances to the side that the cue points to, in the share of trials asked for (`Moments`)."""
        key, cap = self.key(sample), self.cap
        onsets, order = self.cues(sample)
        rng = generator(*key, "looks")
        side = np.array([{"left_hand": -1, "right_hand": 1}.get(name, 0) for name in self.classes])[order]
        kept = np.flatnonzero((side != 0) & (rng.random(self.n_trials) < self.eyes_follow))
        wave = GLANCE[0] * np.sin(np.pi * np.linspace(0, 1, int(0.8 * cap.rate))) ** 0.25
        starts = ((onsets[kept] + 0.25) * cap.rate).astype(int)
        topography = eye_map([1.0, 0.0, 0.0])[cap.rows]
        return Moments(starts, [side[k] * wave for k in kept], np.tile(topography, (len(kept), 1)))


def simulate_motor_imagery(
    *,
    n_participants=9,
    n_sessions=2,
    n_runs=3,
    n_trials=48,
    classes=("left_hand", "right_hand"),
    n_channels=22,
    sampling_rate=250.0,
    effect=1.0,
    eyes_follow=0.0,
    mains=50.0,
    artefacts=1.0,
    bad_channels=0.02,
    seed=0,
):
    """Simulate EEG of imagined movements, with cues as in the BCI competition IV 2a.

    A trial lasts 7.5 s: fixation, a cue after 2 to 2.5 s, imagery for 4 s. From 0.3 to 0.8 s after the cue the
    mu (8 to 13 Hz) and beta (16 to 28 Hz) rhythms fall in the area of the imagined limb, on the other side most
    (Pfurtscheller and Lopes da Silva 1999, doi:10.1016/S1388-2457(99)00141-8); with feet and tongue those of the hands
    rise. People differ in rhythms, places and in how much is lost; some lose next to nothing.

    Parameters
    ----------
    n_participants, n_sessions, n_runs, n_trials : int
        Sessions of a person, runs (one recording each) of a session, trials of a run.
    classes : sequence of str
        Two or more of left_hand, right_hand, feet, tongue; equally many trials of each.
    n_channels, sampling_rate, mains, artefacts, bad_channels : int and float
        As `neuroloom.simulators.eeg.Cap` has them; 22 channels are those of the competition. Against linked mastoids.
    effect : float
        Multiplies the change of log power; 0 plants nothing.
    eyes_follow : float
        Share of the hands' trials in which the eyes look to the cued side: what a decoder must not live on.
    seed : int

    Returns
    -------
    Cohort
        Input ``eeg`` (channel, time) in V, a row a run; events are the cues, 4 s, labelled by class. ``truth``: the
        person's ``erd`` (share of mu power lost by the contralateral hand area), ``ipsilateral`` (loss of log power on
        the same side, relative), ``mu_frequency``, ``beta_frequency``, ``alpha_frequency`` (Hz), ``mu``, ``beta``,
        ``alpha`` (V), ``best_accuracy``; the recording's ``bad_channel``. ``planted``: ``areas``
        (mm), ``ceiling``: the mean over people of `best_accuracy`.
    """
    check_counts(NAME, n_participants=n_participants, n_sessions=n_sessions, n_runs=n_runs, n_trials=n_trials)
    cap = cap_of(NAME, n_channels, sampling_rate, mains, artefacts, bad_channels)
    _check(classes, n_trials, effect, eyes_follow)
    table = recordings(n_participants, n_sessions, n_runs)
    draw = MotorImageryDraw(
        seed=int(seed),
        cap=cap,
        which=which_of(table),
        classes=tuple(classes),
        n_trials=int(n_trials),
        effect=float(effect),
        eyes_follow=float(eyes_follow),
    )
    truth = draw.truth(lambda sample: told_of(draw, sample))
    ceiling = float(truth["best_accuracy"].mean())
    planted = {"areas": AREAS, "task": "motorimagery", "ceiling": {"accuracy": ceiling, "balanced_accuracy": ceiling}}
    return drawn_cohort(draw, table, told=f"simulated motor imagery (effect {effect:g})", truth=truth, planted=planted)


def told_of(draw, sample):
    """Return what is planted in a recording beside the `Mover`."""
    resting, person = draw.person_of(sample)
    return {
        "alpha_frequency": resting.alpha_frequency,
        "alpha": resting.alpha,
        "best_accuracy": best_accuracy(person, draw.classes),
        "bad_channel": draw.bad_channel(sample),
    }


def _check(classes, n_trials, effect, eyes_follow):
    if isinstance(classes, str) or len(set(classes)) != len(classes) or len(classes) < 2:
        raise NeuroloomError(f"{NAME}: classes must be two or more different ones of {', '.join(PATTERNS)}.")
    for name in classes:
        check_known(f"class of {NAME}", name, PATTERNS)
    if n_trials < len(classes):
        raise NeuroloomError(f"{NAME}: {n_trials} trials a run cannot hold {len(classes)} classes.")
    check_factor(NAME, effect=effect)
    if not 0 <= eyes_follow <= 1:
        raise NeuroloomError(f"{NAME}: eyes_follow is a share of the trials, 0 to 1, not {eyes_follow}.")
