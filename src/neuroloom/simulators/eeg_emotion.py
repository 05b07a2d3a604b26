"""EEG of people who watch clips that please or not, and arouse or not: small changes of rhythms, unlike between people."""

from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import ALPHA_WIDTH, Rhythm, block_gains, recorded
from neuroloom.simulators.eeg_ceiling import linear_accuracy
from neuroloom.simulators.eeg_draw import Draw, cap_of, check_counts, check_factor, drawn_cohort, recordings, which_of
from neuroloom.simulators.eeg_rhythms import degrees_of_freedom, peak

NAME = "simulated_emotion"
PLACES = {  # mm, fsaverage's surface RAS; each acts as one
    "left alpha": ((-36.0, 36.0, 32.0),),
    "right alpha": ((36.0, 36.0, 32.0),),
    "beta": ((-58.0, -18.0, -8.0), (58.0, -18.0, -8.0)),
    "gamma": ((-58.0, -18.0, -8.0), (58.0, -18.0, -8.0)),
    "alpha": ((-22.0, -94.0, 4.0), (22.0, -94.0, 4.0), (-14.0, -72.0, 44.0), (14.0, -72.0, 44.0)),
}
SPECTRA = {"beta": (20.0, 3.0), "gamma": (38.0, 4.0)}  # Hz: centre and width; all alpha is at the person's
SIZES = {"left alpha": 4e-6, "right alpha": 4e-6, "beta": 2e-6, "gamma": 1.2e-6, "alpha": 8e-6}  # V, median of people
# change of log power from low to high: mean over people and spread between them. Pleasing clips: less alpha on the left of
# the forehead than on the right (Davidson 1992, doi:10.1016/0278-2626(92)90065-T), more beta and gamma at the temples
# (Zheng et al. 2019, doi:10.1109/TAFFC.2017.2712143); arousing ones: less alpha behind, more gamma. The best rule
# for each person reaches .67; of people not learned from .59 was reached in DEAP, and .83 with the films of SEED (Li et al.
# 2018, doi:10.3389/fnins.2018.00162).
CHANGES = {
    "valence": {"left alpha": (-0.10, 0.10), "right alpha": (0.10, 0.10), "beta": (0.10, 0.10), "gamma": (0.12, 0.12)},
    "arousal": {"alpha": (-0.20, 0.15), "gamma": (0.08, 0.12)},
}
WAXING, DAY = 0.3, 0.25  # spread of log power between clips, and between days, of each rhythm
FIRST, REST = 5.0, 8.0  # s: before the first clip; after each


@dataclass(frozen=True)
class Viewer:
    """How a person's rhythms answer to clips; sizes in V, changes of log power from low to high."""

    sizes: dict[str, float]
    valence: dict[str, float]
    arousal: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class EmotionDraw(Draw):
    """Draws sessions of clips."""

    simulator, keyed_by = NAME, "emotion"
    n_clips: int
    clip: float
    effect: float

    def own_traits(self, name, rng, resting):
        sizes = {rhythm: float(size * np.exp(0.3 * rng.standard_normal())) for rhythm, size in SIZES.items()}
        sizes["alpha"] = resting.alpha
        changes = {}
        for felt, of_rhythms in CHANGES.items():
            drawn = {rhythm: mean + spread * rng.standard_normal() for rhythm, (mean, spread) in of_rhythms.items()}
            changes[felt] = {rhythm: float(self.effect * drawn.get(rhythm, 0.0)) for rhythm in PLACES}
        return Viewer(sizes, **changes)

    def clips(self, sample):
        """Return onsets of the clips, in s, and whether valence and arousal of each are high, shape (clip, 2)."""
        order = generator(*self.key(sample), "clips").permutation(np.arange(self.n_clips) % 4)
        onsets = FIRST + (self.clip + REST) * np.arange(self.n_clips)
        return onsets, np.column_stack([order % 2, order // 2])

    def rhythms(self, sample):
        """Return the rhythms of a recording, name -> `Rhythm`."""
        key, (resting, viewer) = self.key(sample), self.person_of(sample)
        onsets, high = self.clips(sample)
        day = DAY * generator(*key[:4], "day").standard_normal((len(PLACES), 1))
        waxing = WAXING * generator(*key, "waxing").standard_normal((len(PLACES), self.n_clips))
        changes = np.array([[viewer.valence[name], viewer.arousal[name]] for name in PLACES])
        knots, gains = block_gains(onsets, self.clip, day + waxing + changes @ (high.T - 0.5))
        out = {}
        for n, (name, places) in enumerate(PLACES.items()):
            density = peak(*SPECTRA.get(name, (resting.alpha_frequency, ALPHA_WIDTH)))
            topography = viewer.sizes[name] * self.map(sample, name, places)
            out[name] = Rhythm(density, topography[None], knots, gains[n : n + 1])
        return out

    def __call__(self, sample):
        key, cap = self.key(sample), self.cap
        duration = FIRST + (self.clip + REST) * self.n_clips
        streams = self.awake(sample, duration)
        streams += [r.steps(cap.rate, generator(*key, name)) for name, r in self.rhythms(sample).items()]
        levels = ("low", "high")
        events = [
            [float(t), self.clip, f"{levels[valence]} valence|{levels[arousal]} arousal|clip {number}"]
            for number, (t, (valence, arousal)) in enumerate(zip(*self.clips(sample), strict=True), start=1)
        ]
        return recorded(streams, cap, duration, key, events)


def best_accuracy(viewer, felt, clip):
    """Return the accuracy, for one clip, of the best linear rule for this person that saw all rhythms without noise.

    Clips of high and of low ``felt`` are equally many; the other of valence and arousal varies and is not known.
    """
    changes, other = (
        np.array([getattr(viewer, one)[name] for name in PLACES])
        for one in (felt, *(name for name in CHANGES if name != felt))
    )
    widths = [SPECTRA.get(name, (0.0, ALPHA_WIDTH))[1] for name in PLACES]
    own = [polygamma(1, degrees_of_freedom(width, clip) / 2) for width in widths]
    covariance = np.diag(own) + WAXING**2 * np.eye(len(PLACES)) + np.outer(other, other) / 4
    return linear_accuracy(np.stack([-changes / 2, changes / 2]), covariance)


def simulate_emotion(
    *,
    n_participants=12,
    n_sessions=2,
    n_clips=16,
    clip=60.0,
    asked="valence",
    n_channels=32,
    sampling_rate=128.0,
    effect=1.0,
    mains=50.0,
    artefacts=1.0,
    bad_channels=0.02,
    seed=0,
):
    """Simulate EEG of people who watch clips of high or low valence and high or low arousal.

    With valence, alpha over the left of the forehead falls against that over the right, and beta and gamma at the temples
    rise; with arousal, alpha at the back of the head falls and gamma rises. All are small against what differs from clip to
    clip and day to day, and differ between people, in some even in direction (`CHANGES` has sizes and sources). What is
    told of a clip is what the person felt.

    Parameters
    ----------
    n_participants, n_sessions, n_clips : int
        A session is one recording; the four kinds of clips are equally frequent where their number is a multiple of 4.
    clip : float
        Length of a clip, in s, 10 to 600; 8 s of rest after each.
    asked : str
        ``valence`` or ``arousal``: which the stated ceiling is about.
    n_channels, sampling_rate, mains, artefacts, bad_channels : int and float
        As `neuroloom.simulators.eeg.Cap` has them; against linked mastoids.
    effect : float
        Multiplies the changes of log power; 0 plants nothing.
    seed : int

    Returns
    -------
    Cohort
        Input ``eeg`` (channel, time) in V, a row a session; events are the clips, labelled as
        ``high valence|low arousal|clip 3``. ``truth``: the person's changes of log power as ``valence_...`` and
        ``arousal_...``, ``best_accuracy`` of a clip; the session's ``bad_channel``. ``planted``: ``places`` (mm),
        ``ceiling``: the mean of `best_accuracy`.
    """
    check_counts(NAME, n_participants=n_participants, n_sessions=n_sessions, n_clips=n_clips)
    cap = cap_of(NAME, n_channels, sampling_rate, mains, artefacts, bad_channels)
    check_known(f"question of {NAME}", asked, CHANGES)
    if n_clips < 4:
        raise NeuroloomError(f"{NAME}: {n_clips} clips cannot hold the four kinds: give 4 or more.")
    if not 10 <= clip <= 600:
        raise NeuroloomError(f"{NAME}: clip is the length of a clip, 10 to 600 s, not {clip}.")
    check_factor(NAME, effect=effect)
    table = recordings(n_participants, n_sessions, 1)
    draw = EmotionDraw(
        seed=int(seed), cap=cap, which=which_of(table), n_clips=int(n_clips), clip=float(clip), effect=float(effect)
    )
    truth = draw.truth(lambda sample: told_of(draw, sample, asked)).drop(columns=["sizes", *CHANGES])
    ceiling = float(truth["best_accuracy"].mean())
    planted = {"places": PLACES, "task": "clips", "ceiling": {"accuracy": ceiling, "balanced_accuracy": ceiling}}
    return drawn_cohort(draw, table, told=f"simulated emotion (effect {effect:g})", truth=truth, planted=planted)


def told_of(draw, sample, asked):
    """Return what is planted in a recording, each change of log power in a column of its own."""
    _, viewer = draw.person_of(sample)
    told = {
        f"{felt}_{name.replace(' ', '_')}": getattr(viewer, felt)[name] for felt in CHANGES for name in CHANGES[felt]
    }
    best = best_accuracy(viewer, asked, draw.clip)
    return told | {"best_accuracy": best, "bad_channel": draw.bad_channel(sample)}
