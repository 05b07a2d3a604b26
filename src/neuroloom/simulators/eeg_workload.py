"""EEG of people who hold things in mind: frontal theta rises and parietal alpha falls with the n of n-back."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.special import polygamma

from neuroloom.errors import NeuroloomError
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import (
    Cap,
    Rhythm,
    background,
    bad_of,
    check_counts,
    check_factor,
    drawn_cohort,
    everyday,
    recorded,
    recordings,
    together,
    traits,
    which_of,
)
from neuroloom.simulators.eeg_ceiling import linear_accuracy
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


@dataclass(frozen=True)
class WorkloadDraw:
    """Draws one recording, the same one at each call."""

    seed: int
    cap: Cap
    levels: tuple[int, ...]
    n_blocks: int
    block: float
    effect: float
    which: dict[str, tuple[str, str, str]]  # sample -> person, session, run

    def key(self, sample):
        return (self.seed, NAME, *self.which[sample])

    def person(self, name):
        """Return what is in all recordings of a person, and how rhythms answer to load."""
        resting = traits(generator(self.seed, NAME, name, "traits"))
        return resting, worker(generator(self.seed, NAME, name, "load"), resting, self.effect)

    def blocks(self, sample):
        """Return onsets of the blocks, in s, and the n of each."""
        order = generator(*self.key(sample), "blocks").permutation(np.arange(self.n_blocks) % len(self.levels))
        return FIRST + (self.block + REST) * np.arange(self.n_blocks), np.array(self.levels)[order]

    def rhythms(self, sample):
        """Return theta and alpha of a recording, name -> `Rhythm`."""
        key = self.key(sample)
        _, person = self.person(key[2])
        onsets, levels = self.blocks(sample)
        waxing = WAXING * generator(*key, "waxing").standard_normal((2, self.n_blocks))
        logs = waxing + person.slopes()[:, None] * levels
        knots = (onsets[:, None] + np.array([-1.0, 0.0, self.block, self.block + 1.0])).ravel()
        inside = np.array([0.0, 1.0, 1.0, 0.0])
        gains = np.exp((logs[:, :, None] * inside).reshape(2, -1) / 2)
        out = {}
        for n, (name, places) in enumerate(PLACES.items()):
            size, frequency = getattr(person, name), getattr(person, f"{name}_frequency")
            topography = together(places, self.cap, generator(*key[:3], name), generator(*key[:4], name))
            out[name] = Rhythm(peak(frequency, WIDTHS[name]), size * topography[None], knots, gains[n : n + 1])
        return out

    def __call__(self, sample):
        key, cap = self.key(sample), self.cap
        duration = FIRST + (self.block + REST) * self.n_blocks
        resting, _ = self.person(key[2])
        streams = everyday(resting, cap, duration, key)
        streams.append(background(resting, cap, generator(*key, "background")))
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
    n_channels : int
        19, 22, 32 or 64; against linked mastoids.
    sampling_rate : float
        In Hz.
    effect : float
        Multiplies the changes of log power; 0 plants nothing.
    mains, artefacts, bad_channels : float
        As `neuroloom.simulators.eeg.Cap` has them.
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
    cap = Cap(n_channels, float(sampling_rate), float(mains), float(artefacts), float(bad_channels))
    cap.check(NAME)
    _check(levels, n_blocks, block, effect)
    table = recordings(n_participants, n_sessions, n_runs)
    levels = tuple(int(level) for level in levels)
    draw = WorkloadDraw(int(seed), cap, levels, int(n_blocks), float(block), float(effect), which_of(table))
    truth = truth_of(draw, table)
    ceiling = float(truth["best_accuracy"].mean())
    planted = {"places": PLACES, "effect": draw.effect, "task": "nback"}
    told = f"simulated workload (effect {effect:g})"
    return drawn_cohort(
        NAME,
        draw,
        table,
        told=told,
        truth=truth,
        planted=planted | {"ceiling": {"accuracy": ceiling, "balanced_accuracy": ceiling}},
    )


def _check(levels, n_blocks, block, effect):
    known = not isinstance(levels, str) and all(level in range(5) for level in levels)
    if not known or len(set(levels)) != len(levels) or len(levels) < 2:
        raise NeuroloomError(f"{NAME}: levels must be two or more different ones of 0 to 4, not {levels!r}.")
    if n_blocks < len(levels):
        raise NeuroloomError(f"{NAME}: {n_blocks} blocks a run cannot hold {len(levels)} levels.")
    if not 5 <= block <= 600:
        raise NeuroloomError(f"{NAME}: block is the length of a block, 5 to 600 s, not {block}.")
    check_factor(NAME, effect=effect)


def truth_of(draw, table):
    """Return the planted quantities, a row a recording."""
    rows = []
    for sample, name in table["participant_id"].items():
        person, bad = draw.person(name)[1], bad_of(draw.cap, draw.key(sample))
        own = {"best_accuracy": best_accuracy(person, draw.levels, draw.block), "bad_channel": " ".join(bad or ())}
        rows.append(asdict(person) | own)
    return pd.DataFrame(rows, index=table.index)
