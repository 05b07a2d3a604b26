"""What the simulators of EEG share beside physics: who is recorded when, what a draw is keyed by, and the cohort of it."""

import json
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import pandas as pd

from neuroloom.cohort.cohort import Cohort, DrawnSource
from neuroloom.errors import NeuroloomError
from neuroloom.seeds import generator
from neuroloom.simulators.eeg import EXTENT, Cap, alpha, background, bad_of, everyday, together, traits


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Draws recordings, each the same one whenever it is asked for.

    A simulator adds settings of its own, ``own_traits(name, rng, resting)``, which draws a dataclass of what only its
    people have, and ``__call__(sample)``, which returns the `Scan`.

    Parameters
    ----------
    seed : int
    cap : Cap
    which : dict
        Sample -> (person, session, run); see `which_of`.
    """

    simulator: ClassVar[str]
    keyed_by: ClassVar[str]  # the word that the draw of a person's own traits is keyed by
    seed: int
    cap: Cap
    which: dict[str, tuple[str, str, str]]

    def key(self, sample):
        return (self.seed, self.simulator, *self.which[sample])

    def person(self, name):
        """Return what is in all recordings of a person: `Traits`, and the simulator's own."""
        resting = traits(generator(self.seed, self.simulator, name, "traits"))
        return resting, self.own_traits(name, generator(self.seed, self.simulator, name, self.keyed_by), resting)

    def person_of(self, sample):
        """Return the same of the person that a recording is of."""
        return self.person(self.which[sample][0])

    def map(self, sample, name, places, extent=EXTENT):
        """Return the map of patches that act as one in a recording, shape (channel,); ``name`` keys where they lie."""
        key = self.key(sample)
        return together(places, self.cap, generator(*key[:3], name), generator(*key[:4], name), extent)

    def awake(self, sample, duration):
        """Return streams of what is in every recording of somebody awake, but for rhythms: eyes, muscles, background."""
        key, (resting, _) = self.key(sample), self.person_of(sample)
        return [
            *everyday(resting, self.cap, duration, key),
            background(resting, self.cap, generator(*key, "background")),
        ]

    def alpha(self, sample):
        """Return the stream of posterior alpha."""
        key, (resting, _) = self.key(sample), self.person_of(sample)
        return alpha(resting, self.cap, key).steps(self.cap.rate, generator(*key, "alpha"))

    def bad_channel(self, sample):
        """Return which channel of a recording is bad, and how, as text; empty where none is."""
        return " ".join(bad_of(self.cap, self.key(sample)) or ())

    def truth(self, of_recording):
        """Return the planted quantities, a row a recording: the person's own traits, and what ``of_recording(sample)`` tells."""
        rows = [asdict(self.person_of(sample)[1]) | of_recording(sample) for sample in self.which]
        return pd.DataFrame(rows, index=pd.Index(list(self.which), name="sample_id"))


def cap_of(simulator, n_channels, sampling_rate, mains, artefacts, bad_channels):
    """Return the `Cap` that a simulator was asked for, having checked it."""
    cap = Cap(n_channels, float(sampling_rate), float(mains), float(artefacts), float(bad_channels))
    cap.check(simulator)
    return cap


def recordings(n_participants, n_sessions, n_runs):
    """Return the table of recordings: index sample_id; participant_id, session_id, run_id."""
    rows = []
    for person in range(1, n_participants + 1):
        for session in range(1, n_sessions + 1):
            for run in range(1, n_runs + 1):
                rows.append((f"sub-{person:03d}", f"ses-{session:02d}", f"run-{run:02d}"))
    table = pd.DataFrame(rows, columns=["participant_id", "session_id", "run_id"])
    table.index = pd.Index(table.agg("_".join, axis=1), name="sample_id")
    return table


def which_of(table):
    """Return what a draw is keyed by: sample -> (person, session, run)."""
    names = table[["participant_id", "session_id", "run_id"]].to_numpy()
    return {sample: tuple(row) for sample, row in zip(table.index, names, strict=True)}


def drawn_cohort(draw, table, *, told, truth, planted):
    """Return the cohort whose recordings a draw gives.

    Parameters
    ----------
    draw : Draw
        Everything that recordings depend on.
    table, truth : DataFrame
        A row a recording.
    told : str
        What a reader of a report calls it.
    planted : dict
        ``effect`` is added, and ``without``: the same recordings without the effect, which differ in nothing else; where the
        effect is 0 ``with_effect`` too: with an effect of 1.
    """

    def source(draw):
        recipe = f"{draw.simulator}|{json.dumps(asdict(draw) | {'which': None}, sort_keys=True)}"
        return {"eeg": DrawnSource("series", frozenset(table.index), draw, recipe)}

    others = {"effect": draw.effect, "without": source(replace(draw, effect=0.0))}
    others |= {} if draw.effect else {"with_effect": source(replace(draw, effect=1.0))}
    return Cohort(table, source(draw), name=told, known_truth=truth, planted=others | planted, simulated=True)


def check_factor(simulator, most=3, **factors):
    """Refuse factors on what is planted that are below 0 or above ``most``."""
    for name, value in factors.items():
        if not 0 <= value <= most:
            raise NeuroloomError(f"{simulator}: {name} is a factor from 0 to {most}, not {value}.")


def check_counts(simulator, **counts):
    """Refuse numbers of people, sessions, runs ... that are below 1."""
    for name, value in counts.items():
        if value != int(value) or value < 1:
            raise NeuroloomError(f"{simulator}: {name} must be a whole number, 1 or more, but is {value}.")
