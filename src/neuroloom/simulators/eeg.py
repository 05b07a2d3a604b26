"""What all simulated EEG shares: a cap, a person at rest, and the sum of all that reaches the electrodes.

Sizes were set from the literature, then held against one real recording of someone who waits for stimuli (32 channels,
128 Hz: EEGLAB's sample, Delorme and Makeig 2004, doi:10.1016/j.jneumeth.2003.10.009). There, and here as the mean of 12
drawn people, from 1 to 40 Hz against the average: median size 10.0 and 7.9 microvolts, slope of log power -1.50 and
-1.53, alpha 19 and 16 times the background behind, correlation of channels below 4, 4 to 6, 6 to 9 and 12 to 15 cm apart
.82, .67, .40, -.36 and .85, .71, .47, -.28. tests/simulators/test_eeg.py repeats the comparison.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.formats import spacious
from neuroloom.scan import Scan
from neuroloom.seeds import generator
from neuroloom.simulators.eeg_artefacts import (
    BLINK,
    bad_channel,
    blinks,
    electrode_density,
    electrodes,
    glances,
    mains,
    muscle_bursts,
    spoil,
)
from neuroloom.simulators.eeg_head import head, layout
from neuroloom.simulators.eeg_rhythms import STEP, aperiodic, coloured, peak

BACKGROUND = ((20.0, 0.7), (60.0, 0.3))  # mm over which cortex is active alike, share of the variance
ALPHA_AT = ((-22.0, -94.0, 4.0), (22.0, -94.0, 4.0), (-14.0, -72.0, 44.0), (14.0, -72.0, 44.0))  # mm, fsaverage
ALPHA_WIDTH = 0.7  # Hz
EXTENT = 12.0  # mm: standard deviation of a patch of cortex
FROM_PERSON_TO_PERSON, FROM_DAY_TO_DAY = 4.0, 2.0  # mm: how far patches lie apart (of a day: how the cap sits)


@dataclass(frozen=True)
class Cap:
    """How recordings are made.

    Parameters
    ----------
    n_channels : int
        19, 22, 32 or 64.
    rate : float
        In Hz.
    mains : float
        Frequency of the mains, in Hz; 0 for none.
    artefacts : float
        Multiplies how often eyes and muscles move; 0 for never.
    bad_channels : float
        Chance that one electrode of a recording lost its contact.
    """

    n_channels: int
    rate: float
    mains: float = 50.0
    artefacts: float = 1.0
    bad_channels: float = 0.05

    def check(self, simulator):
        """Refuse what cannot be recorded."""
        layout(self.n_channels)
        if not 64 <= self.rate <= 5000:
            raise NeuroloomError(f"{simulator}: sampling_rate must be 64 to 5000 Hz, but is {self.rate}.")
        if self.mains and not 40 <= self.mains < self.rate / 2:
            raise NeuroloomError(
                f"{simulator}: mains of {self.mains} Hz at {self.rate} Hz a second: give 50 or 60, below half of "
                "sampling_rate, or 0 for none."
            )
        if self.artefacts < 0 or not 0 <= self.bad_channels <= 1:
            raise NeuroloomError(
                f"{simulator}: artefacts is a factor, 0 or more, and bad_channels a chance, 0 to 1, "
                f"not {self.artefacts} and {self.bad_channels}."
            )

    @property
    def names(self):
        return layout(self.n_channels)

    @property
    def rows(self):
        return head().rows(self.names)


@dataclass(frozen=True)
class Traits:
    """What of a person is in all recordings. Sizes in V, standard deviation at the electrode of the largest."""

    exponent: float  # of the background
    background: float
    alpha_frequency: float  # Hz
    alpha: float
    blinks: float  # per minute
    blink: float  # V at the forehead
    glances: float  # per minute
    muscles: float  # bursts per minute
    noise: float  # of an electrode, V
    drift: float  # V
    hum: float  # V


def traits(rng):
    """Draw a person awake with open eyes.

    Exponent: Donoghue et al. 2020. Alpha: Grandy et al. 2013 (doi:10.1111/psyp.12043), 10 Hz with spread 1. Blinks:
    15 a minute (Bentivoglio et al. 1997, doi:10.1002/mds.870120629).
    """

    def around(median, spread):
        return float(median * np.exp(spread * rng.standard_normal()))

    return Traits(
        exponent=float(np.clip(rng.normal(1.5, 0.2), 0.8, 2.2)),
        background=around(11e-6, 0.25),
        alpha_frequency=float(np.clip(rng.normal(10.0, 1.0), 8.0, 12.0)),
        alpha=around(8e-6, 0.5),
        blinks=around(13.0, 0.4),
        blink=around(BLINK[1], BLINK[2]),
        glances=around(5.0, 0.4),
        muscles=around(1.0, 0.7),
        noise=around(0.7e-6, 0.2),
        drift=around(10e-6, 0.4),
        hum=around(1.5e-6, 0.6),
    )


@dataclass(frozen=True)
class Rhythm:
    """A rhythm of some patches of cortex, each going its own way.

    Parameters
    ----------
    density : callable
        Its spectrum, of variance 1 (`neuroloom.simulators.eeg_rhythms.peak`).
    maps : ndarray of shape (patch, channel)
        Topographies, V.
    times : ndarray of shape (knot,)
        In s, rising.
    gains : ndarray of shape (patch, knot)
        Factor on the amplitude; straight lines between knots.
    """

    density: object
    maps: np.ndarray
    times: np.ndarray = (0.0,)
    gains: np.ndarray = None

    def courses(self, rate, rng):
        """Yield what the patches do, before the head, step by step, shape (patch, STEP)."""
        begin = 0
        for noise in coloured(self.density, len(self.maps), rate, rng):
            if self.gains is not None:
                t = (begin + np.arange(STEP)) / rate
                noise *= np.stack([np.interp(t, self.times, row) for row in self.gains])
            begin += STEP
            yield noise

    def steps(self, rate, rng):
        """Yield what reaches the electrodes, step by step, shape (channel, STEP)."""
        maps = self.maps.T.astype(np.float32)
        for course in self.courses(rate, rng):
            yield maps @ course


def block_gains(onsets, length, logs):
    """Return knots and factors on the amplitude of rhythms whose log power is another in each block, and 0 between blocks.

    Parameters
    ----------
    onsets : ndarray of shape (block,)
        In s.
    length : float
        Of a block, in s; what changes does so within 1 s outside of it.
    logs : ndarray of shape (rhythm, block)
        Log power in each block.

    Returns
    -------
    (ndarray of shape (knot,), ndarray of shape (rhythm, knot))
    """
    knots = (onsets[:, None] + np.array([-1.0, 0.0, length, length + 1.0])).ravel()
    inside = np.array([0.0, 1.0, 1.0, 0.0])
    return knots, np.exp((logs[:, :, None] * inside).reshape(len(logs), -1) / 2)


def topographies(centres, cap, places, day, extent=EXTENT):
    """Return the maps of patches at one person's places under the cap of one day, shape (patch, channel).

    Parameters
    ----------
    centres : sequence of (x, y, z)
        In mm, fsaverage's surface RAS.
    cap : Cap
    places, day : numpy.random.Generator
        Of the person, and of the session.
    extent : float
        In mm.
    """
    return np.stack([signed(head().patch(c, extent))[cap.rows] for c in _placed(centres, places, day)])


def together(centres, cap, places, day, extent=EXTENT):
    """Return the map of patches that act as one, largest 1 over all electrodes, shape (channel,); see `topographies`."""
    whole = sum(signed(head().patch(c, extent)) for c in _placed(centres, places, day))
    return (signed(whole) / np.abs(whole).max())[cap.rows]


def _placed(centres, places, day):
    apart = FROM_PERSON_TO_PERSON * places.standard_normal((len(centres), 3))
    return np.asarray(centres, dtype=float) + apart + FROM_DAY_TO_DAY * day.standard_normal((len(centres), 3))


def signed(topography):
    """Return a topography with its largest value above 0."""
    return topography * np.sign(topography[np.argmax(np.abs(topography))])


@lru_cache(maxsize=4)
def background_mixing(n_channels):
    """Return a matrix that makes independent rows alike as cortex does, mean variance 1, (channel, channel)."""
    rows = head().rows(layout(n_channels))
    whole = sum(share * _covariance(extent) for extent, share in BACKGROUND)[np.ix_(rows, rows)]
    return np.linalg.cholesky(whole + 1e-9 * np.eye(len(rows)))


@lru_cache(maxsize=4)
def _covariance(extent):
    return head().smooth_covariance(extent)


def background(person, cap, rng, gains=None, times=(0.0,)):
    """Return the stream of the person's background; where given, ``gains`` (1, knot) change its amplitude."""
    mixing = person.background * background_mixing(cap.n_channels)
    return Rhythm(aperiodic(person.exponent), mixing.T, times, gains).steps(cap.rate, rng)


def everyday(person, cap, duration, key):
    """Return streams of what is in every recording of someone awake, but for the brain: eyes, muscles, electrodes.

    Parameters
    ----------
    person : Traits
    cap : Cap
    duration : float
        In s.
    key : tuple
        Seed, simulator, person, session, run.
    """
    streams = [electrodes(cap.rate, cap.n_channels, person.noise, person.drift, generator(*key, "electrodes"))]
    if cap.mains:
        streams.append(mains(cap.mains, cap.rate, cap.n_channels, person.hum, generator(*key, "mains")))
    if cap.artefacts:
        often, about = cap.artefacts, (duration, cap.rate, cap.rows)
        streams += [
            blinks(*about, often * person.blinks, person.blink, generator(*key, "blinks")).steps(),
            glances(*about, often * person.glances, generator(*key, "glances")).steps(),
            muscle_bursts(*about, often * person.muscles, generator(*key, "muscles")).steps(),
        ]
    return streams


def alpha(person, cap, key, gains=None, times=(0.0,)):
    """Return posterior alpha, a `Rhythm`; where given, ``gains`` (4, knot) change its amplitude."""
    maps = topographies(ALPHA_AT, cap, generator(*key[:3], "alpha at"), generator(*key[:4], "alpha under"))
    return Rhythm(peak(person.alpha_frequency, ALPHA_WIDTH), person.alpha / np.sqrt(len(maps)) * maps, times, gains)


def cross_spectrum(person, cap, key, frequencies):
    """Return the one-sided cross-spectral density of someone at rest without artefacts, in V^2/Hz.

    Background, alpha and electrodes, as they are drawn; shape (frequency, channel, channel).
    """
    mixing = person.background * background_mixing(cap.n_channels)
    rhythm = alpha(person, cap, key)
    own = electrode_density(cap.rate, person.noise, person.drift)(frequencies)
    return (
        aperiodic(person.exponent)(frequencies)[:, None, None] * (mixing @ mixing.T)
        + rhythm.density(frequencies)[:, None, None] * (rhythm.maps.T @ rhythm.maps)
        + own[:, None, None] * np.eye(cap.n_channels)
    )


def summed(streams, n_channels, n_times):
    """Return the sum of streams as (channel, time), float32; a long one lies in a file, see `spacious`."""
    data = spacious.empty((n_channels, n_times))
    for begin in range(0, n_times, STEP):
        end = min(begin + STEP, n_times)
        data[:, begin:end] = sum(next(stream) for stream in streams)[:, : end - begin]
        if begin // STEP % 64 == 63:
            spacious.let_go(data)
    return data


def recorded(streams, cap, duration, key, events):
    """Return a recording: the sum of streams against the mastoids, with one electrode bad by chance.

    Parameters
    ----------
    streams : list of iterators over ndarray (channel, STEP)
    cap : Cap
    duration : float
        In s.
    key : tuple
        Seed, simulator, person, session, run.
    events : list of [onset s, duration s, label]

    Returns
    -------
    Scan
        Kind series, V.
    """
    names = cap.names
    data = summed(streams, len(names), round(duration * cap.rate))
    spoil(data, names, bad_of(cap, key), cap.rate, generator(*key, "spoilt"))
    return Scan(data, "series", geometry(cap, names, ["eeg"] * len(names), events))


def geometry(cap, names, types, events):
    """Return what is told of a recording beside its numbers."""
    whole = head()
    places = {name: where.round(5).tolist() for name, where in zip(whole.names, whole.positions, strict=True)}
    return {
        "sampling_rate": float(cap.rate),
        "unit": "V",
        "names": names,
        "types": types,
        "positions": [places.get(name) for name in names],
        "reference": "linked mastoids",
        **({"line_frequency": cap.mains} if cap.mains else {}),
        "events": sorted(events, key=lambda event: event[0]),
    }


def bad_of(cap, key):
    """Return the bad channel of a recording, as (name, "flat" or "noisy"), or None."""
    return bad_channel(cap.bad_channels, cap.names, generator(*key, "bad channel"))
