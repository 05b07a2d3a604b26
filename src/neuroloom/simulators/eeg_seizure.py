"""Hours of EEG of people with focal epilepsy: spikes, seizures that spread, and what may come before them."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import Rhythm, alpha, background, everyday, recorded
from neuroloom.simulators.eeg_artefacts import Moments
from neuroloom.simulators.eeg_draw import Draw, cap_of, check_counts, check_factor, drawn_cohort, recordings, which_of
from neuroloom.simulators.eeg_rhythms import peak

NAME = "simulated_seizures"
FOCI = {  # mm, fsaverage's surface RAS, left side
    "temporal": (-54.0, -12.0, -18.0),
    "frontal": (-40.0, 32.0, 26.0),
    "parietal": (-44.0, -50.0, 48.0),
    "occipital": (-26.0, -90.0, 6.0),
}
OFTEN = (0.6, 0.2, 0.1, 0.1)  # shares of the foci
MARGIN = 120.0  # s: before the first seizure and after the last
DURATION = (50.0, 0.35, 20.0, 100.0)  # s: median, spread of the logarithm, shortest, longest
NEAR, OTHER_SIDE = (0.15, 0.7), (0.45, 0.5)  # of the duration: when it begins to spread there; share of the height
EXTENTS = {"focus": 12.0, "near": 28.0, "other side": 20.0}  # mm
BUILD_UP = 1800.0  # s: over which spikes and slow waves rise before a seizure
MORE_SPIKES, MORE_SLOWING = 4.0, 1.0  # at the onset, where preictal = 1: factor - 1 on their rate; on log power
AFTER = (180.0, 1.5, -0.7)  # s; after a seizure: change of log power of slow waves, and of the background
SLOWING = (2.0, 0.6)  # Hz: slow waves at the focus
SPIKE_LENGTH = 0.4  # s


@dataclass(frozen=True)
class Epilepsy:
    """A person's epilepsy."""

    focus: str  # side and lobe
    discharge: float  # V, height at the electrode of the largest
    first_frequency: float  # Hz, as a seizure begins
    last_frequency: float  # Hz, as it ends
    spikes: float  # per minute
    spike: float  # V
    slowing: float  # V, slow waves at the focus


def epilepsy(rng):
    """Draw a person: rhythms of 6 to 12 Hz that slow to 2.5 to 4 (Blume et al. 1984; Gotman 1999)."""
    return Epilepsy(
        focus=f"{rng.choice(['left', 'right'])} {rng.choice(list(FOCI), p=OFTEN)}",
        discharge=float(60e-6 * np.exp(0.35 * rng.standard_normal())),
        first_frequency=float(rng.uniform(6.0, 12.0)),
        last_frequency=float(rng.uniform(2.5, 4.0)),
        spikes=float(0.5 * np.exp(0.8 * rng.standard_normal())),
        spike=float(70e-6 * np.exp(0.25 * rng.standard_normal())),
        slowing=float(6e-6 * np.exp(0.3 * rng.standard_normal())),
    )


@dataclass(frozen=True, kw_only=True)
class SeizureDraw(Draw):
    """Draws hours of EEG with seizures."""

    simulator, keyed_by = NAME, "epilepsy"
    hours: float
    per_day: float
    effect: float
    preictal: float
    apart: float  # s
    spike_height: float

    def own_traits(self, name, rng, resting):
        return epilepsy(rng)

    def seizures(self, sample):
        """Return onsets and durations of the seizures of a recording, in s."""
        rng, whole = generator(*self.key(sample), "seizures"), 3600 * self.hours
        room = whole - 2 * MARGIN - DURATION[3]
        if not self.per_day:
            return np.empty(0), np.empty(0)
        n = min(max(1, rng.poisson(self.per_day * self.hours / 24)), 1 + int(room / self.apart))
        free = np.sort(rng.uniform(0.0, room - (n - 1) * self.apart, n))
        onsets = np.round((MARGIN + free + self.apart * np.arange(n)) * self.cap.rate) / self.cap.rate
        median, spread, shortest, longest = DURATION
        return onsets, np.clip(median * np.exp(spread * rng.standard_normal(n)), shortest, longest).round(2)

    def build_up(self, times, sample):
        """Return how near the next seizure is, 0 at half an hour or more to 1 at its onset, shape of ``times``."""
        onsets, _ = self.seizures(sample)
        following = np.append(onsets, np.inf)[np.searchsorted(onsets, times)]
        return np.clip(1 - (following - times) / BUILD_UP, 0.0, 1.0)

    def spikes(self, sample):
        """Return the moments of spikes between seizures, in s: a Poisson process whose rate may rise before seizures."""
        rng, (_, person) = generator(*self.key(sample), "spikes"), self.person_of(sample)
        most = person.spikes * (1 + MORE_SPIKES * self.preictal)
        times = np.sort(rng.uniform(0, 3600 * self.hours - 1, rng.poisson(most * 60 * self.hours)))
        rate = person.spikes * (1 + MORE_SPIKES * self.preictal * self.build_up(times, sample))
        times = times[rng.random(len(times)) * most < rate]
        for onset, duration in zip(*self.seizures(sample), strict=True):
            times = times[(times < onset - 1) | (times > onset + duration)]
        return np.round(times * self.cap.rate) / self.cap.rate

    def __call__(self, sample):
        key, cap = self.key(sample), self.cap
        duration = 3600 * self.hours
        resting, person = self.person_of(sample)
        knots, slow, broad = self.courses(sample)
        maps = self.maps(sample)
        streams = everyday(resting, cap, duration, key)
        streams.append(background(resting, cap, generator(*key, "background"), np.exp(broad / 2)[None], knots))
        posterior = alpha(resting, cap, key, np.tile(np.exp(broad / 2), (4, 1)), knots)
        streams.append(posterior.steps(cap.rate, generator(*key, "alpha")))
        slowing = Rhythm(peak(*SLOWING), person.slowing * maps["focus"][None], knots, np.exp(slow / 2)[None])
        streams.append(slowing.steps(cap.rate, generator(*key, "slowing")))
        if self.spike_height:
            streams.append(self.spike_waves(sample, maps["focus"]).steps())
        onsets, durations = self.seizures(sample)
        if self.effect and len(onsets):
            streams.append(self.discharges(sample, maps).steps())
        events = [[float(t), float(d), "seizure"] for t, d in zip(onsets, durations, strict=True)]
        events += [[float(t), SPIKE_LENGTH, "spike"] for t in self.spikes(sample)]
        return recorded(streams, cap, duration, key, events)

    def maps(self, sample):
        """Return the topographies of the focus, of its surroundings and of the place across, name -> (channel,)."""
        side, lobe = self.person_of(sample)[1].focus.split()
        x, y, z = FOCI[lobe]
        here, across = ((x, y, z), (-x, y, z)) if side == "left" else ((-x, y, z), (x, y, z))
        places = {"focus": here, "near": here, "other side": across}
        return {name: self.map(sample, "focus", [place], EXTENTS[name]) for name, place in places.items()}

    def courses(self, sample):
        """Return knots (s), and log power of slow waves at the focus and of the background at each.

        Both wander over hours (waking, drowsiness); slow waves rise before seizures, and more after them.
        """
        rng, whole = generator(*self.key(sample), "courses"), 3600 * self.hours
        knots = np.arange(0.0, whole + 60.0, 20.0)
        wander = np.cumsum(rng.standard_normal((2, len(knots))), axis=1) * np.sqrt(20.0 / 3600)
        wander = 0.4 * (wander - wander.mean(axis=1, keepdims=True))
        slow, broad = wander[0] + self.preictal * MORE_SLOWING * self.build_up(knots, sample), wander[1]
        length, slower, weaker = AFTER
        for onset, duration in zip(*self.seizures(sample), strict=True):
            since = knots - onset - duration
            fading = self.effect * np.exp(-np.maximum(since, 0) / length) * (since >= 0)
            slow, broad = slow + slower * fading, broad + weaker * fading
        return knots, slow, broad

    def spike_waves(self, sample, topography):
        """Return the spikes (`Moments`): a sharp wave of 70 ms and a slow one against it."""
        rng, (_, person) = generator(*self.key(sample), "spike heights"), self.person_of(sample)
        starts = np.round(self.spikes(sample) * self.cap.rate).astype(int)
        times = np.arange(int(SPIKE_LENGTH * self.cap.rate)) / self.cap.rate
        shape = np.exp(-0.5 * ((times - 0.06) / 0.018) ** 2) - 0.45 * np.exp(-0.5 * ((times - 0.2) / 0.06) ** 2)
        heights = self.spike_height * person.spike * np.exp(0.3 * rng.standard_normal(len(starts)))
        return Moments(starts, [height * shape for height in heights], np.tile(topography, (len(starts), 1)))

    def discharges(self, sample, maps):
        """Return the seizures' rhythms (`Moments`): at the focus, later around it, later on the other side."""
        key, rate = self.key(sample), self.cap.rate
        _, person = self.person_of(sample)
        starts, waves, topographies = [], [], []
        for number, (onset, duration) in enumerate(zip(*self.seizures(sample), strict=True)):
            wave = self.effect * discharge(person, duration, rate, generator(*key, "seizure", number))
            begin = round(onset * rate)
            for place, (after, share) in {"focus": (0.0, 1.0), "near": NEAR, "other side": OTHER_SIDE}.items():
                first = int(after * len(wave))
                rise = np.minimum(np.arange(len(wave) - first) / (0.15 * len(wave)), 1.0)
                starts.append(begin + first)
                waves.append(share * wave[first:] * (rise if first else 1.0))
                topographies.append(maps[place])
        order = np.argsort(starts, kind="stable")
        return Moments(np.array(starts)[order], [waves[n] for n in order], np.array(topographies)[order])


def discharge(person, duration, rate, rng):
    """Return the course of a seizure, V: a sharp rhythm that slows from first to last frequency and grows.

    Its height rises from a tenth to the whole over the first half, and the rhythm ends at once. The phase wanders.
    """
    share = np.arange(int(duration * rate)) / (duration * rate)
    frequency = person.first_frequency * (person.last_frequency / person.first_frequency) ** share
    steps = 2 * np.pi * frequency / rate + 0.6 / np.sqrt(rate) * rng.standard_normal(len(share))
    phase = np.cumsum(steps)
    growth = 0.1 + 0.9 * np.minimum(share / 0.5, 1.0)
    return person.discharge * growth * sharp(phase) / np.abs(sharp(np.linspace(0, 2 * np.pi, 1000))).max()


def sharp(phase):
    """Return a rhythm with sharp tops: a sine with its second and third harmonic."""
    return np.sin(phase) + 0.45 * np.sin(2 * phase + 0.8) + 0.2 * np.sin(3 * phase + 1.6)


def simulate_seizures(
    *,
    n_participants=6,
    n_sessions=1,
    n_runs=1,
    hours=4.0,
    seizures_per_day=12.0,
    n_channels=19,
    sampling_rate=256.0,
    effect=1.0,
    preictal=0.0,
    spike_height=1.0,
    apart=1500.0,
    mains=50.0,
    artefacts=1.0,
    bad_channels=0.05,
    seed=0,
):
    """Simulate hours of EEG with focal seizures of 20 to 100 s.

    A seizure is a rhythm of 6 to 12 Hz at the focus that slows to 2.5 to 4 Hz, grows, and spreads: around the focus,
    then to the other side; slow waves and a weaker background follow for minutes. Between seizures there are
    spikes. Every recording has one seizure or more, unless none are asked for.

    Parameters
    ----------
    n_participants, n_sessions, n_runs : int
        Runs (one recording each) of a session.
    hours : float
        Of a recording, 0.25 to 48. A long one lies in a file while it is in use, not in memory.
    seizures_per_day : float
        Mean number in 24 hours; 0 for recordings between seizures, with spikes alone.
    n_channels, sampling_rate, mains, artefacts, bad_channels : int and float
        As `neuroloom.simulators.eeg.Cap` has them; against linked mastoids.
    effect : float
        Multiplies the seizures' rhythm and what follows them; at 0 the events mark nothing.
    preictal : float
        Strength of a build-up over the 30 minutes before a seizure: spikes five times as often and slow
        waves of e times the power at its end where it is 1; 0 for none.
    spike_height : float
        Multiplies the spikes; at 0 their events mark nothing.
    apart : float
        Seconds from the onset of one seizure to that of the next at least; 200 or more.
    seed : int

    Returns
    -------
    Cohort
        Input ``eeg`` (channel, time) in V, a row a run; events ``seizure`` and ``spike``. ``truth``: the person's
        ``focus``, ``discharge``, ``spike``, ``slowing`` (V), ``first_frequency``, ``last_frequency`` (Hz), ``spikes``
        (per minute); the run's ``n_seizures``, ``seizure_seconds`` and ``bad_channel``.
    """
    check_counts(NAME, n_participants=n_participants, n_sessions=n_sessions, n_runs=n_runs)
    cap = cap_of(NAME, n_channels, sampling_rate, mains, artefacts, bad_channels)
    _check(hours, seizures_per_day, apart, effect=effect, preictal=preictal, spike_height=spike_height)
    table = recordings(n_participants, n_sessions, n_runs)
    draw = SeizureDraw(
        seed=int(seed),
        cap=cap,
        which=which_of(table),
        hours=float(hours),
        per_day=float(seizures_per_day),
        effect=float(effect),
        preictal=float(preictal),
        apart=float(apart),
        spike_height=float(spike_height),
    )
    told = f"simulated seizures (effect {effect:g}, build-up {preictal:g})"
    planted = {"foci": FOCI, "preictal": draw.preictal, "spike_height": draw.spike_height, "task": "monitoring"}
    return drawn_cohort(draw, table, told=told, truth=draw.truth(lambda sample: told_of(draw, sample)), planted=planted)


def _check(hours, seizures_per_day, apart, **factors):
    if not 0.25 <= hours <= 48:
        raise NeuroloomError(f"{NAME}: hours of a recording must be 0.25 to 48, but is {hours}.")
    if seizures_per_day < 0:
        raise NeuroloomError(f"{NAME}: seizures_per_day must be 0 or more, but is {seizures_per_day}.")
    if apart < 200:
        raise NeuroloomError(f"{NAME}: apart must be 200 s or more, so that one seizure is over, but is {apart}.")
    check_factor(NAME, **factors)


def told_of(draw, sample):
    """Return what is planted in a recording beside the `Epilepsy`."""
    _, durations = draw.seizures(sample)
    return {
        "n_seizures": len(durations),
        "seizure_seconds": float(durations.sum()),
        "bad_channel": draw.bad_channel(sample),
    }
