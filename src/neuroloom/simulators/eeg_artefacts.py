"""What comes into EEG from elsewhere: eyes, muscles, mains, drifting and bad electrodes."""

from dataclasses import dataclass

import numpy as np

from neuroloom.simulators.eeg_head import head
from neuroloom.simulators.eeg_rhythms import STEP, aperiodic, band, coloured

EYES = np.array([[-0.032, 0.085, 0.000], [0.032, 0.085, 0.000]])  # m, MNE's head frame
BLINK = (0.30, 110e-6, 0.25)  # s; V at Fp1 and Fp2, median over people and spread of its logarithm
GLANCE = (35e-6, 0.5)  # V at F7 or F8: median, spread of the logarithm
SHOULDERS = {"left": "T7", "right": "T8", "front left": "F7", "front right": "F8"}  # where muscles are near
MUSCLE = (6e-6, 0.6)  # V: median over bursts, spread of the logarithm
MUSCLE_REACH = 0.035  # m
FLAT, NOISY = 0.05e-6, 60e-6  # V: standard deviation of a bad channel, of either kind


@dataclass(frozen=True)
class Moments:
    """Waves that start at known samples, each with a topography.

    Parameters
    ----------
    starts : ndarray of shape (moment,)
        Sample of each wave's beginning, rising.
    waves : list of ndarray
    maps : ndarray of shape (moment, channel)
    """

    starts: np.ndarray
    waves: list
    maps: np.ndarray

    def steps(self):
        """Yield their sum, step by step, shape (channel, STEP)."""
        longest = max((len(wave) for wave in self.waves), default=0)
        begin = 0
        while True:
            out = np.zeros((self.maps.shape[1], STEP), dtype=np.float32)
            first = np.searchsorted(self.starts, begin - longest)
            for number in range(first, np.searchsorted(self.starts, begin + STEP)):
                start, wave = self.starts[number] - begin, self.waves[number]
                low, high = max(0, start), min(STEP, start + len(wave))
                if high > low:
                    out[:, low:high] += np.outer(self.maps[number], wave[low - start : high - start])
            begin += STEP
            yield out


def poisson_times(rate_per_minute, duration, rng, gap=0.5):
    """Return moments in s at a mean rate (per minute), no two closer than ``gap``, rising."""
    n = rng.poisson(rate_per_minute * duration / 60)
    times = np.sort(rng.uniform(0.0, duration, n))
    return times[np.diff(times, prepend=-gap) >= gap]


def eye_map(direction):
    """Return the potentials of both eyes' dipoles, turned by a look or a lid, at all electrodes, (electrode,).

    The dipoles lie in an endless even conductor; how they fall off to the back is near what is seen (Lins et al. 1993,
    doi:10.1007/BF01234127). Against the mastoids; its largest absolute value at the forehead (Fp1, Fp2, F7, F8) is 1.
    """
    whole = head()
    potential = np.zeros(len(whole.names))
    for eye in EYES:
        apart = whole.positions - eye
        potential += apart @ np.asarray(direction, dtype=float) / np.linalg.norm(apart, axis=1) ** 3
    potential -= potential[whole.rows(["M1", "M2"])].mean()
    return potential / np.abs(potential[whole.rows(["Fp1", "Fp2", "F7", "F8"])]).max()


def blinks(duration, rate, rows, per_minute, size, rng):
    """Return blinks (`Moments`): bell-like waves of 0.2 to 0.4 s; ``size`` is their height at the forehead, V."""
    times = poisson_times(per_minute, duration, rng)
    lengths = np.clip(BLINK[0] * np.exp(0.2 * rng.standard_normal(len(times))), 0.15, 0.6)
    heights = size * np.exp(0.2 * rng.standard_normal(len(times)))
    waves = [h * np.hanning(max(3, int(length * rate))) for h, length in zip(heights, lengths, strict=True)]
    topography = eye_map([0.0, 0.5, 1.0])[rows]
    return Moments((times * rate).astype(int), waves, np.tile(topography, (len(times), 1)))


def glances(duration, rate, rows, per_minute, rng):
    """Return looks to a side (`Moments`): steps that last 0.3 to 2 s, of opposite sign at F7 and F8."""
    times = poisson_times(per_minute, duration, rng, gap=2.2)
    lengths = rng.uniform(0.3, 2.0, len(times))
    sizes = GLANCE[0] * np.exp(GLANCE[1] * rng.standard_normal(len(times))) * rng.choice([-1, 1], len(times))
    edge = 0.5 - 0.5 * np.cos(np.pi * np.arange(max(2, int(0.05 * rate))) / max(2, int(0.05 * rate)))
    waves = []
    for size, length in zip(sizes, lengths, strict=True):
        wave = np.full(max(2 * len(edge), int(length * rate)), size)
        wave[: len(edge)] *= edge
        wave[-len(edge) :] *= edge[::-1]
        waves.append(wave)
    topography = eye_map([1.0, 0.0, 0.0])[rows]
    return Moments((times * rate).astype(int), waves, np.tile(topography, (len(times), 1)))


def muscle_bursts(duration, rate, rows, per_minute, rng):
    """Return bursts of 20 to 100 Hz (`Moments`), 0.2 to 2 s, near the temples and the forehead's sides."""
    whole = head()
    times = poisson_times(per_minute, duration, rng)
    waves, maps = [], []
    for _ in times:
        n = max(8, int(rng.uniform(0.2, 2.0) * rate))
        size = MUSCLE[0] * np.exp(MUSCLE[1] * rng.standard_normal())
        waves.append(size * np.hanning(n) * in_band(n, rate, rng))
        here = whole.positions[whole.names.index(SHOULDERS[str(rng.choice(list(SHOULDERS)))])]
        distance = np.linalg.norm(whole.positions[rows] - here, axis=1)
        maps.append(np.exp(-0.5 * (distance / MUSCLE_REACH) ** 2))
    return Moments((times * rate).astype(int), waves, np.reshape(maps, (len(times), len(rows))))


def in_band(n, rate, rng, low=20.0, high=100.0):
    """Return Gaussian noise of variance 1 from low to high (Hz, cut at 0.45 of the rate), shape (n,)."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequencies = np.fft.rfftfreq(n, 1 / rate)
    spectrum[(frequencies < low) | (frequencies > min(high, 0.45 * rate))] = 0
    noise = np.fft.irfft(spectrum, n)
    return noise / max(noise.std(), 1e-12)


def mains(frequency, rate, n_channels, size, rng):
    """Yield the mains' hum, of another size (around ``size``, V rms) and phase in each channel."""
    sizes = np.sqrt(2) * size * np.exp(0.6 * rng.standard_normal(n_channels))
    phases = rng.uniform(0, 2 * np.pi, n_channels)
    waxing = coloured(band(0.0, 0.2, rate), 1, rate, rng)
    begin = 0
    while True:
        angle = 2 * np.pi * frequency * (begin + np.arange(STEP)) / rate
        both = np.stack([np.cos(angle), np.sin(angle)]) * (1 + 0.2 * next(waxing))
        yield np.stack([sizes * np.cos(phases), -sizes * np.sin(phases)], axis=1) @ both
        begin += STEP


def electrodes(rate, n_channels, noise, drift, rng):
    """Return a stream of what each electrode adds alone: white noise (V rms) and slow drifts (V rms)."""
    return coloured(electrode_density(rate, noise, drift), n_channels, rate, rng)


def electrode_density(rate, noise, drift):
    """Return the density of an electrode's own noise, V^2/Hz."""
    slow = aperiodic(2.5, knee=0.05)
    span = np.linspace(rate / (2 * STEP), 2.0, 4000)
    share = np.trapezoid(slow(span), span)
    return lambda f: noise**2 / (rate / 2) + drift**2 * slow(f) / share


def bad_channel(chance, names, rng):
    """Return None, or with the given chance (name, "flat" or "noisy") of one electrode that lost its contact."""
    drawn, which, kind = rng.random(), int(rng.integers(len(names))), rng.choice(["flat", "noisy"])
    return (names[which], str(kind)) if drawn < chance else None


def spoil(data, names, bad, rate, rng):
    """Replace the channel that ``bad`` names by what a lost contact gives, in place."""
    if bad is None:
        return
    name, kind = bad
    row = data[names.index(name)]
    if kind == "flat":
        row[:] = FLAT * rng.standard_normal(len(row), dtype=np.float32)
        return
    noise = coloured(lambda f: NOISY**2 * aperiodic(0.5)(f), 1, rate, rng)
    for begin in range(0, len(row), STEP):
        row[begin : begin + STEP] += next(noise)[0][: len(row) - begin]
