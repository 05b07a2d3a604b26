"""EEG of people who spell by looking: rows and columns of letters flash, and the awaited ones give a P300."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from neuroloom.errors import NeuroloomError
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import cross_spectrum, recorded
from neuroloom.simulators.eeg_artefacts import Moments
from neuroloom.simulators.eeg_draw import Draw, cap_of, check_counts, check_factor, drawn_cohort, recordings, which_of

NAME = "simulated_p300"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789_"  # six rows of six
N_FLASHES = 12  # of a round: each row and each column once
AT = {  # mm, fsaverage's surface RAS
    "p300": ((-20.0, -60.0, 60.0), (20.0, -60.0, 60.0), (-8.0, -40.0, 66.0), (8.0, -40.0, 66.0)),
    "n200": ((-40.0, -82.0, 2.0), (40.0, -82.0, 2.0)),
    "flash": ((-16.0, -96.0, 2.0), (16.0, -96.0, 2.0)),
}
N200 = (0.21, 0.025)  # s: latency, width (standard deviation of a bell)
FLASH = ((0.10, 0.015, 1.0), (0.17, 0.025, -1.2))  # s, s, relative height: P1 and N1
WIDTH = 0.055  # s: of the P300
LATENCY_JITTER = 0.03  # s: between trials
HEIGHT_JITTER = 0.4  # relative
MISSED = 0.1  # share of awaited flashes that are not noticed
LENGTH = 0.9  # s: of a response
FIRST, READY, PAUSE = 3.0, 2.5, 2.0  # s: before the first letter, before and after the flashes of each


@dataclass(frozen=True)
class Speller:
    """How a person's brain answers. Heights in V at the electrode of the largest, mean over trials that are noticed."""

    p300: float
    p300_latency: float  # s
    n200: float
    flash: float


def speller(rng):
    """Draw a person: a P300 of 6.5 microvolts (2 to 12) at 0.36 s (0.28 to 0.46), as in Polich 2007.

    doi:10.1016/j.clinph.2007.04.019; N200 and its place: Treder and Blankertz 2010 (doi:10.1186/1744-9081-6-28).
    """
    return Speller(
        p300=float(np.clip(6.5e-6 * np.exp(0.35 * rng.standard_normal()), 2e-6, 12e-6)),
        p300_latency=float(np.clip(rng.normal(0.36, 0.035), 0.28, 0.46)),
        n200=float(3.5e-6 * np.exp(0.35 * rng.standard_normal())),
        flash=float(1.5e-6 * np.exp(0.3 * rng.standard_normal())),
    )


def bell(times, latency, width):
    """Return a wave of height 1."""
    return np.exp(-0.5 * ((times - latency) / width) ** 2)


@dataclass(frozen=True, kw_only=True)
class P300Draw(Draw):
    """Draws runs of a speller."""

    simulator, keyed_by = NAME, "answers"
    n_letters: int
    n_rounds: int
    interval: float
    effect: float

    def own_traits(self, name, rng, resting):
        return speller(rng)

    @property
    def of_letter(self):
        """Time from one letter's to the next, s."""
        return READY + self.n_rounds * N_FLASHES * self.interval + PAUSE

    def flashes(self, sample):
        """Return what flashed: onset (s), letter's number, row or column (0 to 5, 6 to 11), awaited; and the letters."""
        rng = generator(*self.key(sample), "flashes")
        spelt = rng.integers(len(LETTERS), size=self.n_letters)
        rows = []
        for number, letter in enumerate(spelt):
            begin = FIRST + number * self.of_letter + READY
            order = np.concatenate([rng.permutation(N_FLASHES) for _ in range(self.n_rounds)])
            onsets = np.round((begin + self.interval * np.arange(len(order))) * self.cap.rate) / self.cap.rate
            awaited = (order == letter // 6) | (order == 6 + letter % 6)
            rows.append(pd.DataFrame({"onset": onsets, "letter": number, "line": order, "awaited": awaited}))
        return pd.concat(rows, ignore_index=True), "".join(LETTERS[letter] for letter in spelt)

    def __call__(self, sample):
        key, cap = self.key(sample), self.cap
        duration = FIRST + self.n_letters * self.of_letter
        flashes, word = self.flashes(sample)
        streams = [*self.awake(sample, duration), self.alpha(sample)]
        streams += [moments.steps() for moments in self.answers(sample, flashes)]
        return recorded(streams, cap, duration, key, events_of(flashes, word, self.interval))

    def maps(self, sample):
        """Return the topography of each response, name -> (channel,)."""
        return {name: self.map(sample, name, places) for name, places in AT.items()}

    def answers(self, sample, flashes):
        """Return the responses to all flashes, and those to the awaited ones (`Moments`)."""
        rate, (_, person) = self.cap.rate, self.person_of(sample)
        maps, rng = self.maps(sample), generator(*self.key(sample), "trials")
        starts = np.round(flashes["onset"].to_numpy() * rate).astype(int)
        times = np.arange(round(LENGTH * rate)) / rate
        seen = person.flash * sum(height * bell(times, latency, width) for latency, width, height in FLASH)
        yield Moments(starts, [seen] * len(starts), np.tile(maps["flash"], (len(starts), 1)))
        awaited = starts[flashes["awaited"].to_numpy()]
        factors = heights(len(awaited), rng)
        late = LATENCY_JITTER * rng.standard_normal(len(awaited))
        for name, (height, latency, width) in self.waves(person).items():
            shift = late if name == "p300" else late / 3
            waves = [
                factor * height * bell(times, latency + s, width) for factor, s in zip(factors, shift, strict=True)
            ]
            yield Moments(awaited, waves, np.tile(maps[name], (len(awaited), 1)))

    def waves(self, person):
        """Return what awaited flashes alone give, name -> (height in V, latency in s, width in s)."""
        return {
            "p300": (self.effect * person.p300, person.p300_latency, WIDTH),
            "n200": (-self.effect * person.n200, *N200),
        }

    def separation(self, sample):
        r"""Return d' of the best linear rule for one flash: :math:`d'^2 = 4 \int m^H S^{-1} m\,df`.

        :math:`m` is the spectrum of the mean response to awaited flashes, :math:`S` the cross-spectral density of the
        person at rest (a matched filter in coloured noise; Van Trees 1968, ch. 4).
        """
        key, rate = self.key(sample), self.cap.rate
        resting, person = self.person_of(sample)
        maps, n = self.maps(sample), round(4 * rate)
        times = np.arange(n) / rate
        response = sum(np.outer(maps[k], h * bell(times, t, w)) for k, (h, t, w) in self.waves(person).items())
        spectrum = np.fft.rfft(response, axis=1).T[1:]  # (frequency, channel)
        density = cross_spectrum(resting, self.cap, key, np.fft.rfftfreq(n, 1 / rate)[1:])
        solved = np.linalg.solve(density, spectrum[..., None])[..., 0]
        return float(np.sqrt(4 * np.sum(spectrum.conj() * solved).real / (rate * n)))


def heights(n, rng):
    """Return factors on the responses of trials: mean 1 where noticed, 0 where missed."""
    noticed = rng.random(n) >= MISSED
    return np.maximum(1 + HEIGHT_JITTER * rng.standard_normal(n), 0.0) * noticed


def best_auc(separation, n_draws=20_000):
    """Return the area under the curve of a linear rule that knows a person's mean response, its moment and the noise.

    The score of a response of relative height a is normal around a d' with variance 1: the mean over trials of
    Phi(a d' / sqrt(2)).
    """
    factors = heights(n_draws, generator(0, NAME, "ceiling"))
    return float(norm.cdf(factors * separation / np.sqrt(2)).mean())


def events_of(flashes, word, interval):
    """Return events; a label as ``target|row 3|trial 2|letter K``: kind, what flashed, of which letter of the run."""
    events = []
    for onset, letter, line, awaited in flashes.itertuples(index=False):
        where = f"row {line + 1}" if line < 6 else f"column {line - 5}"
        kind = "target" if awaited else "nontarget"
        events.append([float(onset), interval, f"{kind}|{where}|trial {letter + 1}|letter {word[letter]}"])
    return events


def simulate_p300(
    *,
    n_participants=8,
    n_sessions=1,
    n_runs=4,
    n_letters=5,
    n_rounds=10,
    interval=0.175,
    n_channels=32,
    sampling_rate=256.0,
    effect=1.0,
    mains=50.0,
    artefacts=1.0,
    bad_channels=0.02,
    seed=0,
):
    """Simulate EEG of a speller whose six rows and six columns of letters flash (Farwell and Donchin 1988).

    doi:10.1016/0013-4694(88)90149-6. Every flash gives a visual response; one of the awaited letter's row or column
    also an N200 beside the visual cortex and a P300 over the parietal lobes. Height and moment of these
    vary from flash to flash, and some are missed. Responses overlap where flashes follow faster than they last.

    Parameters
    ----------
    n_participants, n_sessions, n_runs, n_letters, n_rounds : int
        Runs (one recording each) of a session, letters of a run, rounds of 12 flashes for a letter.
    interval : float
        From flash to flash, in s.
    n_channels, sampling_rate, mains, artefacts, bad_channels : int and float
        As `neuroloom.simulators.eeg.Cap` has them; against linked mastoids.
    effect : float
        Multiplies N200 and P300; 0 plants nothing.
    seed : int

    Returns
    -------
    Cohort
        Input ``eeg`` (channel, time) in V, a row a run; events are the flashes, labelled as
        ``target|row 3|trial 2|letter K``. ``truth``: the person's ``p300``, ``n200``, ``flash`` (V at the best
        electrode, before ``effect``), ``p300_latency`` (s), ``separation`` and ``best_auc`` of one flash; the run's
        ``word`` and ``bad_channel``. ``planted``: ``at`` (mm), ``ceiling``: the mean of `best_auc`.
    """
    counts = {"n_sessions": n_sessions, "n_runs": n_runs, "n_letters": n_letters, "n_rounds": n_rounds}
    check_counts(NAME, n_participants=n_participants, **counts)
    cap = cap_of(NAME, n_channels, sampling_rate, mains, artefacts, bad_channels)
    if not 0.06 <= interval <= 5:
        raise NeuroloomError(f"{NAME}: interval is the time from flash to flash, 0.06 to 5 s, not {interval}.")
    check_factor(NAME, effect=effect)
    table = recordings(n_participants, n_sessions, n_runs)
    draw = P300Draw(
        seed=int(seed),
        cap=cap,
        which=which_of(table),
        n_letters=int(n_letters),
        n_rounds=int(n_rounds),
        interval=float(interval),
        effect=float(effect),
    )
    truth = truth_of(draw, table)
    planted = {"at": AT, "task": "p300", "ceiling": {"auc": float(truth["best_auc"].mean())}}
    return drawn_cohort(draw, table, told=f"simulated P300 speller (effect {effect:g})", truth=truth, planted=planted)


def truth_of(draw, table):
    """Return the planted quantities, a row a recording; the separation is that of the person's first recording."""
    separations = {name: draw.separation(rows.index[0]) for name, rows in table.groupby("participant_id")}

    def of_recording(sample):
        separation = separations[draw.which[sample][0]]
        return {
            "separation": separation,
            "best_auc": best_auc(separation),
            "word": draw.flashes(sample)[1],
            "bad_channel": draw.bad_channel(sample),
        }

    return draw.truth(of_recording)
