"""Somebody who imagines movements, sees feedback, and learns from it: EEG that depends on what was answered to it."""

from dataclasses import replace

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import Rhythm, geometry, summed
from neuroloom.simulators.eeg_motor_imagery import TRIAL_BY_TRIAL

LEARNING = 0.04  # growth of the change of log power by one trial, as a share, at a reward one above the expected
FORGETTING = 0.1  # weight of the newest reward in what is expected
LEAST, MOST = 0.2, 3.0  # of the gain
SESSION = "ses-feedback"


class Trainee:
    r"""One run of a simulated person, drawn up to now; what comes next depends on the feedback.

    The recording is that of `MotorImageryDraw`, with the change of log power in trial k multiplied by a gain
    :math:`g_k`. A trial's imagery is by chance deeper or shallower than usual (:math:`z_k`, standard normal; the
    simulator's spread from trial to trial), and what was rewarded above expectation is done more:

    .. math:: g_{k+1} = g_k + \lambda \, (r_k - \bar r_k) \, z_k

    with the reward :math:`r_k`, the mean feedback of the trial towards its cue, and what was expected,
    :math:`\bar r_k`, a running mean of the earlier ones (reinforcement with a baseline, Williams 1992,
    doi:10.1007/BF00992696). Feedback that depends on the imagery makes the gain grow; feedback that knows nothing of it
    moves the gain at random, with mean 0.

    Parameters
    ----------
    draw : MotorImageryDraw
        Of the person, with runs of feedback in ``which``; see `with_feedback`. No electrode loses its contact.
    sample : str
    learning : float
        :math:`\lambda`; 0 learns nothing.
    gain : float
        With which the run begins.
    expected : float or None
        Reward that is expected at its beginning; None takes the first one.

    Attributes
    ----------
    gain : float
        After the last trial that was heard of, the run's last one too: with it the next run begins.
    gains : ndarray of shape (trial,)
        Of each trial of the run.
    """

    def __init__(self, draw, sample, learning=LEARNING, gain=1.0, expected=None):
        if learning < 0:
            raise NeuroloomError(f"learning is a rate, 0 or more, not {learning}.")
        self.draw, self.sample, self.learning, self.expected = draw, sample, learning, expected
        key, rate = draw.key(sample), draw.cap.rate
        self.n_times = round(draw.duration * rate)
        streams = draw.at_rest(sample) + ([draw.looks(sample).steps()] if draw.eyes_follow else [])
        self.rest = summed(streams, len(draw.cap.names), self.n_times)
        self.rhythms = draw.rhythms(sample)
        self.courses = {
            band: _course(one, rate, generator(*key, band), self.n_times) for band, one in self.rhythms.items()
        }
        self.gain = float(gain)
        self.gains = np.full(draw.n_trials, self.gain)
        self.depths = depths(draw, sample)

    @property
    def geometry(self):
        """What is told of the stream, as of a recording, but for the events that are not there yet."""
        cap = self.draw.cap
        return geometry(cap, cap.names, ["eeg"] * len(cap.names), [])

    def samples(self, begin, end):
        """Return what the electrodes measure from one sample up to another, (channel, n) float32 in V."""
        begin, end = max(0, begin), min(end, self.n_times)
        t = np.arange(begin, end) / self.draw.cap.rate
        times, levels = self.draw.levels(self.sample, self.gains)
        out = np.array(self.rest[:, begin:end])
        for b, (band, rhythm) in enumerate(self.rhythms.items()):
            amplitude = np.stack([np.interp(t, times, row) for row in np.exp(levels[b] / 2)])  # (area, n)
            out += rhythm.maps.T.astype(np.float32) @ (self.courses[band][:, begin:end] * amplitude).astype(np.float32)
        return out

    def hear(self, trial, reward):
        """Learn from the reward of a trial (-1 to 1); it tells on the trials after it."""
        expected = reward if self.expected is None else self.expected
        self.expected = expected + FORGETTING * (reward - expected)
        gain = self.gain + self.learning * (reward - expected) * self.depths[trial]
        self.gain = float(np.clip(gain, LEAST, MOST))
        self.gains[trial + 1 :] = self.gain


def depths(draw, sample):
    """Return how much deeper than usual each trial's imagery is, in standard deviations, shape (trial,)."""
    _, change, apart = draw.of_trials(sample)
    weight = np.abs(change)
    size = np.sqrt((weight**2).sum(axis=(0, 1)))
    raw = (weight * apart).sum(axis=(0, 1))
    spread = TRIAL_BY_TRIAL * size
    return np.divide(raw, spread, out=np.zeros_like(raw), where=spread > 0)  # who changes nothing varies nothing


def with_feedback(draw, people, n_runs, n_trials):
    """Return a draw of the same people, in runs with feedback of another day, and their samples: person -> list."""
    which = {
        f"{person}_{SESSION}_run-{run:02d}": (person, SESSION, f"run-{run:02d}")
        for person in people
        for run in range(1, n_runs + 1)
    }
    samples = {person: [one for one, (name, *_) in which.items() if name == person] for person in people}
    return replace(draw, n_trials=n_trials, which=which), samples


def _course(rhythm, rate, rng, n_times):
    """Return what the patches of a rhythm do before anything changes it, (patch, time) float32."""
    steps = Rhythm(rhythm.density, rhythm.maps).courses(rate, rng)
    made = [next(steps).copy()]
    while sum(step.shape[1] for step in made) < n_times:
        made.append(next(steps).copy())
    return np.concatenate(made, axis=1)[:, :n_times]
