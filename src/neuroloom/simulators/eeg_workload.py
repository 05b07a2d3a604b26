"""EEG of people who hold things in mind: frontal theta rises and parietal alpha falls with the n of n-back."""

from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma

from neuroloom.errors import NeuroloomError
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import Rhythm, block_gains, recorded
from neuroloom.simulators.eeg_ceiling import linear_accuracy
from neuroloom.simulators.eeg_draw import Draw, cap_of, check_counts, check_factor, drawn_cohort, recordings, which_of
from neuroloom.simulators.eeg_rhythms import degrees_of_freedom, peak

NAME = "simulated_workload"
PLACES = {  # mm, fsaverage's surface RAS
    "theta": ((-10.0, 30.0, 50.0), (10.0, 30.0, 50.0)),
    "alpha": ((-20.0, -66.0, 56.0), (20.0, -66.0, 56.0), (-22.0, -94.0, 4.0), (22.0, -94.0, 4.0)),
}
WIDTHS = {"theta": 0.7, "alpha": 0.7}  # Hz
WAXING = 0.3  # spread of log power between blocks, of each rhythm
FIRST, REST = 10.0, 10.0  # s: before the first block, between blocks and after the last


@dataclass(frozen=True)
class Worker:
    """How a person's rhythms answer to load."""

    theta_frequency: float  # Hz
    theta: float  # V at the electrode of the largest, at rest
    theta_rise: float  # of log power for each step of n
    alpha_frequency: float  # Hz
    alpha: float  # V
    alpha_fall: float  # of log power for each step of n

    def slopes(self):
        return np.array([self.theta_rise, -self.alpha_fall])


def worker(rng, resting, effect):
    """Draw a person: theta gains some 15 % of power with each step of n and alpha loses as much, unlike between people.

    Directions and rough sizes: Gevins et al. 1997 (doi:10.1093/cercor/7.4.374); Brouwer et al. 2012
    (doi:10.1088/1741-2560/9/4/045008).
    """
    return Worker(
        theta_frequency=float(np.clip(rng.normal(6.0, 0.5), 4.5, 7.5)),
        theta=float(4e-6 * np.exp(0.3 * rng.standard_normal())),
        theta_rise=float(effect * max(0.0, rng.normal(0.15, 0.1))),
        alpha_frequency=resting.alpha_frequency,
        alpha=resting.alpha,
        alpha_fall=float(effect * max(0.0, rng.normal(0.18, 0.12))),
    )


@dataclass(frozen=True, kw_only=True)
class WorkloadDraw(Draw):
    """Draws runs of n-back."""

    simulator, keyed_by = NAME, "load"
    levels: tuple[int, ...]
    n_blocks: int
    block: float
    effect: float

    def own_traits(self, name, rng, resting):
        return worker(rng, resting, self.effect)

    def blocks(self, sample):
        """Return onsets of the blocks, in s, and the n of each."""
        order = generator(*self.key(sample), "blocks").permutation(np.arange(self.n_blocks) % len(self.levels))
        return FIRST + (self.block + REST) * np.arange(self.n_blocks), np.array(self.levels)[order]

    def rhythms(self, sample):
        """Return theta and alpha of a recording, name -> `Rhythm`."""
        key, (_, person) = self.key(sample), self.person_of(sample)
        onsets, levels = self.blocks(sample)
        waxing = WAXING * generator(*key, "waxing").standard_normal((2, self.n_blocks))
        logs = waxing + person.slopes()[:, None] * levels
        knots, gains = block_gains(onsets, self.block, logs)
        out = {}
        for n, (name, places) in enumerate(PLACES.items()):
            size, frequency = getattr(person, name), getattr(person, f"{name}_frequency")
            topography = self.map(sample, name, places)
            out[name] = Rhythm(peak(frequency, WIDTHS[name]), size * topography[None], knots, gains[n : n + 1])
        return out

    def __call__(self, sample):
        key, cap = self.key(sample), self.cap
        duration = FIRST + (self.block + REST) * self.n_blocks
        streams = self.awake(sample, duration)
        streams += [r.steps(cap.rate, generator(*key, name)) for name, r in self.rhythms(sample).items()]
        onsets, levels = self.blocks(sample)
        events = [[float(t), self.block, f"{n}-back"] for t, n in zip(onsets, levels, strict=True)]
        return recorded(streams, cap, duration, key, events)


def best_accuracy(person, levels, block):
    """Return the accuracy, for one block, of the best linear rule that saw both rhythms without noise; see `linear_accuracy`."""
    means = np.array(levels)[:, None] * person.slopes()  # (level, rhythm)
    own = [polygamma(1, degrees_of_freedom(width, block) / 2) for width in WIDTHS.values()]
    return linear_accuracy(means, np.diag(own) + WAXING**2 * np.eye(2))


def simulate_workload(
    *,
    n_participants=10,
    n_sessions=1,
    n_runs=2,
    n_blocks=12,
    block=60.0,
    levels=(0, 2),
    n_channels=32,
    sampling_rate=256.0,
    effect=1.0,
    mains=50.0,
    artefacts=1.0,
    bad_channels=0.02,
    seed=0,
):
    """Simulate EEG of an n-back task in blocks.

    With n, theta (4.5 to 7.5 Hz) rises over the middle of the forehead and alpha falls over the back of the head, by
    shares of their power that differ between people.

    Parameters
    ----------
    n_participants, n_sessions, n_runs, n_blocks : int
        Runs (one recording each) of a session, blocks of a run.
    block : float
        Length of a block, in s; 10 s of rest between blocks.
    levels : sequence of int
        The n that are asked for, 0 to 4, two or more; equally many blocks of each.
    n_channels, sampling_rate, mains, artefacts, bad_channels : int and float
        As `neuroloom.simulators.eeg.Cap` has them; against linked mastoids.
    effect : float
        Multiplies the changes of log power; 0 plants nothing.
    seed : int

    Returns
    -------
    Cohort
        Input ``eeg`` (channel, time) in V, a row a run; events are the blocks, labelled ``0-back`` ... ``truth``: the
        person's ``theta_frequency``, ``alpha_frequency`` (Hz), ``theta``, ``alpha`` (V), ``theta_rise``, ``alpha_fall``
        (log power for each step of n), ``best_accuracy`` of a block; the run's ``bad_channel``. ``planted``: ``places``
        (mm), ``ceiling``: the mean of `best_accuracy`.
    """
    counts = {"n_sessions": n_sessions, "n_runs": n_runs, "n_blocks": n_blocks}
    check_counts(NAME, n_participants=n_participants, **counts)
    cap = cap_of(NAME, n_channels, sampling_rate, mains, artefacts, bad_channels)
    _check(levels, n_blocks, block, effect)
    table = recordings(n_participants, n_sessions, n_runs)
    levels = tuple(int(level) for level in levels)
    draw = WorkloadDraw(
        seed=int(seed),
        cap=cap,
        which=which_of(table),
        levels=levels,
        n_blocks=int(n_blocks),
        block=float(block),
        effect=float(effect),
    )
    truth = draw.truth(lambda sample: told_of(draw, sample))
    ceiling = float(truth["best_accuracy"].mean())
    planted = {"places": PLACES, "task": "nback", "ceiling": {"accuracy": ceiling, "balanced_accuracy": ceiling}}
    return drawn_cohort(draw, table, told=f"simulated workload (effect {effect:g})", truth=truth, planted=planted)


def _check(levels, n_blocks, block, effect):
    known = not isinstance(levels, str) and all(level in range(5) for level in levels)
    if not known or len(set(levels)) != len(levels) or len(levels) < 2:
        raise NeuroloomError(f"{NAME}: levels must be two or more different ones of 0 to 4, not {levels!r}.")
    if n_blocks < len(levels):
        raise NeuroloomError(f"{NAME}: {n_blocks} blocks a run cannot hold {len(levels)} levels.")
    if not 5 <= block <= 600:
        raise NeuroloomError(f"{NAME}: block is the length of a block, 5 to 600 s, not {block}.")
    check_factor(NAME, effect=effect)


def told_of(draw, sample):
    """Return what is planted in a recording beside the `Worker`."""
    _, person = draw.person_of(sample)
    best = best_accuracy(person, draw.levels, draw.block)
    return {"best_accuracy": best, "bad_channel": draw.bad_channel(sample)}
