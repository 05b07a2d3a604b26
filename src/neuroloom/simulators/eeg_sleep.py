"""Nights of EEG, eyes and chin: sleep stages that follow each other by chance, and what each looks like."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.scan import Scan
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import Rhythm, Traits, alpha, background, geometry, summed
from neuroloom.simulators.eeg_artefacts import Moments, electrodes, eye_map, mains, poisson_times
from neuroloom.simulators.eeg_draw import Draw, cap_of, check_counts, check_factor, drawn_cohort, recordings, which_of
from neuroloom.simulators.eeg_rhythms import band, peak

NAME = "simulated_sleep"
EPOCH = 30.0  # s
STAGES = ("W", "N1", "N2", "N3", "R")
# from (row) to (column) in 30 s, in the order of STAGES. Its stationary shares are near those of healthy young
# adults: of sleep N1 5, N2 50, N3 20, R 22 % (Ohayon et al. 2004, doi:10.1093/sleep/27.7.1255).
TRANSITIONS = np.array(
    [
        [0.880, 0.110, 0.010, 0.000, 0.000],
        [0.080, 0.580, 0.310, 0.000, 0.030],
        [0.010, 0.015, 0.928, 0.032, 0.015],
        [0.004, 0.003, 0.073, 0.920, 0.000],
        [0.010, 0.020, 0.020, 0.000, 0.950],
    ]
)
# how often scorers call a stage as most scorers do, in the order of STAGES (Rosenberg and Van Hout 2013,
# doi:10.5664/jcsm.2350); else they are taken to call what most often follows it: N2 for N3, N2 or W for N1
AGREEMENT = np.array([0.841, 0.630, 0.852, 0.674, 0.905])
LATER = 0.7  # over the night chances of N3 fall, and of R rise, from 1 + LATER to 1 - LATER times, and the reverse
# what a stage has, by stage: log power of alpha and of the background, V of slow waves, moments per minute
ALPHA = (1.2, -1.5, -2.5, -3.0, -2.0)
BROAD = (0.0, -0.2, 0.0, 0.2, -0.2)
SLOW = (3e-6, 6e-6, 14e-6, 38e-6, 6e-6)
THETA = (2e-6, 7e-6, 5e-6, 4e-6, 6e-6)
SPINDLES = (0.0, 0.0, 3.5, 1.0, 0.0)
COMPLEXES = (0.0, 0.0, 1.2, 0.3, 0.0)
BLINKING = (10.0, 0.0, 0.0, 0.0, 0.0)
RAPID = (4.0, 0.3, 0.0, 0.0, 9.0)
ROLLING = (0.0, 6.0, 0.0, 0.0, 0.0)
TONE = (18e-6, 9e-6, 6e-6, 5e-6, 1.8e-6)  # V rms at the chin
PLACES = {  # mm, fsaverage's surface RAS
    "slow": ((-10.0, 30.0, 50.0), (10.0, 30.0, 50.0), (-20.0, 4.0, 62.0), (20.0, 4.0, 62.0)),
    "theta": ((-16.0, -20.0, 66.0), (16.0, -20.0, 66.0)),
    "spindle": ((-14.0, -30.0, 68.0), (14.0, -30.0, 68.0), (-16.0, 0.0, 64.0), (16.0, 0.0, 64.0)),
}
EXTRA = {"EOG left": "eog", "EOG right": "eog", "EMG chin": "emg"}


@dataclass(frozen=True)
class Sleeper:
    """How a person sleeps."""

    spindle_frequency: float  # Hz
    spindle: float  # V
    slow: float  # factor on slow waves


def sleeper(rng):
    """Draw a person; spindles 11 to 15 Hz, some 13 (Warby et al. 2014, doi:10.1038/nmeth.2855)."""
    return Sleeper(
        spindle_frequency=float(np.clip(rng.normal(13.1, 0.6), 11.0, 15.0)),
        spindle=float(18e-6 * np.exp(0.25 * rng.standard_normal())),
        slow=float(np.exp(0.25 * rng.standard_normal())),
    )


def hypnogram(n_epochs, rng):
    """Draw the stages of a night, numbers in STAGES, shape (n_epochs,); it begins awake.

    A Markov chain whose chances of N3 and R change along the night: slow-wave sleep comes early, REM sleep late.
    """
    stages = np.zeros(n_epochs, dtype=int)
    for epoch in range(1, n_epochs):
        tilt = LATER * (1 - 2 * epoch / n_epochs)
        chances = TRANSITIONS[stages[epoch - 1]] * np.array([1.0, 1.0, 1.0, 1 + tilt, 1 - tilt])
        chances[stages[epoch - 1]] = TRANSITIONS[stages[epoch - 1], stages[epoch - 1]]
        stages[epoch] = rng.choice(len(STAGES), p=chances / chances.sum())
    return stages


def calls(disagreement):
    """Return the chance that a scorer calls a stage (row) so (column), shape (stage, stage)."""
    others = TRANSITIONS * (1 - np.eye(len(STAGES)))
    wrong = disagreement * (1 - AGREEMENT)
    return np.diag(1 - wrong) + wrong[:, None] * others / others.sum(axis=1, keepdims=True)


def best_scores(stages, disagreement):
    """Return what somebody reaches on a scorer's calls who knows the stages themselves: accuracy, and balanced accuracy.

    Of each stage that call is guessed that brings most: the likeliest, and the one of which the stage is the largest share.
    """
    joint = np.bincount(stages, minlength=len(STAGES))[:, None] / len(stages) * calls(disagreement)  # (stage, call)
    of_call = joint / np.maximum(joint.sum(axis=0), 1e-12)
    return {"accuracy": float(joint.max(axis=1).sum()), "balanced_accuracy": float(of_call.max(axis=1).mean())}


@dataclass(frozen=True, kw_only=True)
class SleepDraw(Draw):
    """Draws nights."""

    simulator, keyed_by = NAME, "sleep"
    hours: float
    effect: float
    disagreement: float

    def own_traits(self, name, rng, resting):
        return sleeper(rng)

    def stages(self, sample):
        """Return the stage of each epoch, numbers in STAGES."""
        return hypnogram(int(self.hours * 3600 / EPOCH), generator(*self.key(sample), "hypnogram"))

    def scored(self, sample):
        """Return the stage that a scorer calls each epoch, numbers in STAGES."""
        chances = calls(self.disagreement).cumsum(axis=1)[self.stages(sample)]  # (epoch, stage)
        drawn = generator(*self.key(sample), "scorer").random((len(chances), 1))
        return (drawn > chances[:, :-1]).sum(axis=1)

    def by_stage(self, values, least=-np.inf):
        """Return what a stage has, with the differences between stages multiplied by ``effect``; no less than ``least``."""
        values = np.asarray(values, dtype=float)
        return np.maximum(values.mean() + self.effect * (values - values.mean()), least)

    def __call__(self, sample):
        stages, cap = self.stages(sample), self.cap
        names = [*cap.names, *EXTRA]
        streams = [seen(stream, cap) for stream in self.brain(sample, stages)] + self.outside(sample, stages)
        data = summed(streams, len(names), round(len(stages) * EPOCH * cap.rate))
        events = [[n * EPOCH, EPOCH, STAGES[stage]] for n, stage in enumerate(self.scored(sample))]
        types = ["eeg"] * cap.n_channels + list(EXTRA.values())
        return Scan(data, "series", geometry(cap, names, types, events))

    def brain(self, sample, stages):
        """Return streams of the cortex, (channel of the cap, STEP) each."""
        key, cap = self.key(sample), self.cap
        resting, person = self.person_of(sample)
        knots = knots_of(len(stages))
        broad, posterior = (np.exp(self.by_stage(v)[stages] / 2).repeat(2)[None] for v in (BROAD, ALPHA))
        rhythm = alpha(resting, cap, key, posterior.repeat(4, axis=0), knots)
        out = [
            background(resting, cap, generator(*key, "background"), broad, knots),
            rhythm.steps(cap.rate, generator(*key, "alpha")),
        ]
        waves = {
            "slow": (peak(1.0, 0.45), person.slow * self.by_stage(SLOW, 0.0)),
            "theta": (peak(5.5, 0.9), self.by_stage(THETA, 0.0)),
        }
        for name, (density, sizes) in waves.items():
            rhythm = Rhythm(density, self.map(sample, name, PLACES[name])[None], knots, sizes[stages].repeat(2)[None])
            out.append(rhythm.steps(cap.rate, generator(*key, name)))
        return [*out, self.spindles(sample, stages).steps(), self.complexes(sample, stages).steps()]

    def times(self, stages, per_minute, rng, gap=1.0):
        """Return moments at rates (per minute) that depend on the stage, in s, none in the last 3 s."""
        rates = self.by_stage(per_minute, 0.0)
        times = poisson_times(rates.max(), len(stages) * EPOCH - 3, rng, gap=0.0)
        times = times[rng.random(len(times)) * rates.max() < rates[stages[(times / EPOCH).astype(int)]]]
        return times[np.diff(times, prepend=-gap) >= gap]

    def spindles(self, sample, stages):
        """Return sleep spindles (`Moments`): 0.5 to 1.5 s of the person's frequency, waxing and waning."""
        key, rate = self.key(sample), self.cap.rate
        rng, (_, person) = generator(*key, "spindles"), self.person_of(sample)
        times, waves = self.times(stages, SPINDLES, rng, gap=2.0), []
        for _ in times:
            n = int(rng.uniform(0.5, 1.5) * rate)
            frequency = person.spindle_frequency + 0.3 * rng.standard_normal()
            height = person.spindle * np.exp(0.3 * rng.standard_normal())
            waves.append(height * np.hanning(n) * np.sin(2 * np.pi * (frequency * np.arange(n) / rate + rng.random())))
        return self.moments(times, waves, self.map(sample, "spindle", PLACES["spindle"]))

    def complexes(self, sample, stages):
        """Return K-complexes (`Moments`): a sharp negative wave, then a slower positive one, within a second."""
        rng, rate = generator(*self.key(sample), "complexes"), self.cap.rate
        times = self.times(stages, COMPLEXES, rng, gap=4.0)
        t = np.arange(int(1.2 * rate)) / rate
        shape = -np.exp(-0.5 * ((t - 0.3) / 0.09) ** 2) + 0.7 * np.exp(-0.5 * ((t - 0.65) / 0.16) ** 2)
        heights = 90e-6 * np.exp(0.25 * rng.standard_normal(len(times)))
        return self.moments(times, [height * shape for height in heights], self.map(sample, "slow", PLACES["slow"]))

    def moments(self, times, waves, topography):
        return Moments((times * self.cap.rate).astype(int), waves, np.tile(topography, (len(times), 1)))

    def outside(self, sample, stages):
        """Return streams of eyes, chin and electrodes, (every channel, STEP) each."""
        key, rate, n = self.key(sample), self.cap.rate, self.cap.n_channels + len(EXTRA)
        resting: Traits = self.person_of(sample)[0]
        streams = [electrodes(rate, n, resting.noise, resting.drift, generator(*key, "electrodes"))]
        if self.cap.mains:
            streams.append(mains(self.cap.mains, rate, n, resting.hum, generator(*key, "mains")))
        if self.cap.artefacts:
            streams += [moments.steps() for moments in self.eyes(sample, stages, resting)]
        return [*streams, self.chin(sample, stages)]

    def eyes(self, sample, stages, resting):
        """Return blinks, rapid looks and slow rolling of the eyes (`Moments`)."""
        key, rate = self.key(sample), self.cap.rate
        side, lid = self.eye_maps()
        half = 0.5 - 0.5 * np.cos(np.pi * np.arange(max(2, int(0.06 * rate))) / max(2, int(0.06 * rate)))
        look = np.concatenate([half, np.ones(int(0.5 * rate)), half[::-1]])
        roll = np.sin(2 * np.pi * 0.35 * np.arange(int(rate / 0.35)) / rate)
        told = {
            "blinks": (BLINKING, resting.blink * np.hanning(int(0.3 * rate)), lid),
            "rapid": (RAPID, 60e-6 * look, side),
            "rolling": (ROLLING, 50e-6 * roll, side),
        }
        for name, (rates, wave, topography) in told.items():
            rng = generator(*key, name)
            times = self.times(stages, np.multiply(self.cap.artefacts, rates), rng)
            sizes = np.exp(0.3 * rng.standard_normal(len(times)))
            if topography is side:
                sizes = sizes * rng.choice([-1, 1], len(times))
            yield self.moments(times, [size * wave for size in sizes], topography)

    def eye_maps(self):
        """Return what looks to a side, and lids, give in every channel; the eyes' own see looks with opposite signs."""
        own = {"side": [-1.0, 1.0, 0.0], "lid": [0.5, -0.5, 0.0]}
        side, lid = eye_map([1.0, 0.0, 0.0])[self.cap.rows], eye_map([0.0, 0.5, 1.0])[self.cap.rows]
        return np.append(side, own["side"]), np.append(lid, own["lid"])

    def chin(self, sample, stages):
        """Yield the tone of the chin's muscle in its channel, step by step."""
        key, rate = self.key(sample), self.cap.rate
        only = np.zeros((1, self.cap.n_channels + len(EXTRA)))
        only[0, -1] = 1.0
        tone = self.by_stage(TONE, 0.0)[stages].repeat(2)[None]
        return Rhythm(band(15.0, 0.45 * rate, rate), only, knots_of(len(stages)), tone).steps(
            rate, generator(*key, "chin")
        )


def knots_of(n_epochs):
    """Return begin and end of each epoch, in s: what a stage has changes within 2 s."""
    begins = EPOCH * np.arange(n_epochs)
    return np.stack([begins + 1.0, begins + EPOCH - 1.0], axis=1).ravel()


def seen(stream, cap):
    """Yield a stream of the cap in every channel: the eyes' electrodes see half of what F7 and F8 do, the chin nothing."""
    for step in stream:
        eyes = [0.5 * step[cap.names.index(name)] for name in ("F7", "F8")]
        yield np.concatenate([step, [*eyes, np.zeros(step.shape[1])]]).astype(np.float32)


def simulate_sleep(
    *,
    n_participants=8,
    n_nights=1,
    hours=8.0,
    n_channels=19,
    sampling_rate=128.0,
    effect=1.0,
    disagreement=0.0,
    mains=50.0,
    artefacts=1.0,
    seed=0,
):
    """Simulate nights of sleep: EEG, both eyes and the chin, in epochs of 30 s.

    Stages follow each other as a Markov chain, slow-wave sleep early in the night and REM sleep late. Awake (eyes closed)
    there is alpha, in N1 theta and rolling eyes, in N2 spindles and K-complexes, in N3 slow waves, in REM sleep rapid eye
    movements and a slack chin (American Academy of Sleep Medicine's rules, Berry et al. 2012,
    doi:10.5664/jcsm.2172).

    Parameters
    ----------
    n_participants, n_nights : int
        A night is a session of one recording.
    hours : float
        Of a night, 0.5 to 24.
    n_channels : int
        Of the cap: 19, 32 or 64; ``EOG left``, ``EOG right`` and ``EMG chin`` come to them. Against linked mastoids.
    sampling_rate : float
        In Hz.
    effect : float
        Multiplies the differences between stages; at 0 the events mark nothing.
    disagreement : float
        Multiplies how often the scorer calls an epoch otherwise than it is, 0 to 2: 0 never, 1 as often as scorers do, 37 % of
        N1 and 17 % over all.
    mains, artefacts : float
        As `neuroloom.simulators.eeg.Cap` has them.
    seed : int

    Returns
    -------
    Cohort
        Input ``eeg`` (channel, time) in V, a row a night; events are the epochs, labelled W, N1, N2, N3, R. ``truth``: the
        person's ``spindle_frequency`` (Hz), ``spindle`` (V), ``slow`` (factor), and the share of the night in each stage. ``planted``: ``ceiling``,
        what knowing the stages reaches on the scorer's calls (see `best_scores`).
    """
    check_counts(NAME, n_participants=n_participants, n_nights=n_nights)
    cap = cap_of(NAME, n_channels, sampling_rate, mains, artefacts, bad_channels=0.0)
    if "F7" not in cap.names:
        raise NeuroloomError(f"{NAME}: a cap of {n_channels} has no electrodes near the eyes; give 19, 32 or 64.")
    if not 0.5 <= hours <= 24:
        raise NeuroloomError(f"{NAME}: hours of a night must be 0.5 to 24, but is {hours}.")
    check_factor(NAME, most=2, effect=effect, disagreement=disagreement)
    table = recordings(n_participants, n_nights, 1)
    draw = SleepDraw(
        seed=int(seed),
        cap=cap,
        which=which_of(table),
        hours=float(hours),
        effect=float(effect),
        disagreement=float(disagreement),
    )
    best = best_scores(np.concatenate([draw.stages(sample) for sample in table.index]), draw.disagreement)
    return drawn_cohort(
        draw,
        table,
        told=f"simulated sleep (effect {effect:g})",
        truth=draw.truth(lambda sample: shares_of(draw.stages(sample))),
        planted={"places": PLACES, "task": "sleep"} | ({"ceiling": best} if draw.effect else {}),
    )


def shares_of(stages):
    """Return the share of a night in each stage, name -> share."""
    shares = np.bincount(stages, minlength=len(STAGES)) / len(stages)
    return dict(zip(STAGES, shares.tolist(), strict=True))
