"""The learners of a finished run on a stream: its chain as it can be done live, and the answer for the last window."""

import numpy as np
import pandas as pd

from neuroloom.cohort.cohort import Cohort
from neuroloom.errors import NeuroloomError
from neuroloom.known import locate
from neuroloom.parts import Part, build
from neuroloom.prediction import check_finished, run_learners
from neuroloom.sampling import SAMPLINGS
from neuroloom.sampling.data import Data
from neuroloom.seeds import generator
from neuroloom.tasks import TASKS
from neuroloom.training.trial_items import check_rate
from neuroloom.transforms.store import ArrayStore
from neuroloom.transforms.stream import stream_chain, streamable

SAMPLE = "the live window"
ONE = np.array([0])


class Decoder:
    """What a run answers with, made ready for streams.

    Parameters
    ----------
    run : Run
        Finished; it classifies, from one input of kind series.
    learner : str or None
        By default the model; the answer is the mean of its folds' learners, as for new recordings.
    person : str or None
        Whose learners answer, where each person has learners of their own.

    Attributes
    ----------
    classes : tuple of str
    """

    def __init__(self, run, learner=None, person=None):
        check_finished(run)
        self.recipe, self.folder = run.recipe, run.folder
        if locate("task", TASKS, self.recipe.task.name).target_kind != "class":
            raise NeuroloomError(
                f"{run.folder}: this run does not tell classes apart (task {self.recipe.task.name}). Live answers are for "
                "runs that classify."
            )
        self.learners = run_learners(run, learner, person)
        first = self.learners[0]
        self.name, self.classes = first.plan.label or first.plan.name, tuple(first.task.classes)
        self.input, self.parts = self._chain()
        self.sampling = build("sampling", SAMPLINGS, self.recipe.sampling)

    def stream(self, geometry, source="the stream"):
        """Return the `DecoderStream` for samples of a geometry (``names``, ``sampling_rate``)."""
        return DecoderStream(self, geometry, source)

    def answer(self, window, geometry):
        """Return the probability of each class, (n_classes,), for one window (channel, time) after the chain."""
        store = ArrayStore("series", (SAMPLE,), {0: window}, geometry["names"], {0: geometry})
        table = pd.DataFrame({"participant_id": [SAMPLE]}, index=pd.Index([SAMPLE], name="sample_id"))
        data = Data(Cohort(table, {}, name="live"), {self.input: store}, None, self.sampling)
        return np.mean([one.predict(data, ONE) for one in self.learners], axis=0)[0]

    def n_times(self, rate):
        """Return how many samples a window has: those of an item that the learners were fitted on."""
        if self.recipe.sampling.name == "windows":
            return self.sampling.length
        if self.recipe.trials is None or self.recipe.sampling.name != "whole":
            raise NeuroloomError(
                f"{self.folder}: what this run answers for has no length in time (no trials, and sampling "
                f"{self.recipe.sampling.name!r}). Train with trials, or with sampling={{name: windows, length: N}}."
            )
        start, stop = self.recipe.trials.stretch
        return round((stop - start) * rate)

    def _chain(self):
        """Return name and per-scan chain of the one input, which must be one that can be done on a stream."""
        plans = [one.plan.inputs for one in self.learners]
        if len(plans[0]) != 1:
            raise NeuroloomError(
                f"{self.folder}: {self.name} sees {len(plans[0])} inputs ({', '.join(plans[0]) or 'confounds alone'}), and a "
                "stream is one. Name another with --learner."
            )
        [name] = plans[0]
        chains = [plan[name].scan for plan in plans]
        if any(chain != chains[0] for chain in chains):
            raise NeuroloomError(
                f"{self.folder}: the folds' learners of {self.name} have chains of their own (tuning), so that one stream "
                "cannot feed them. Name another with --learner, or do not tune the chain."
            )
        try:
            streamable(chains[0])
        except NeuroloomError as error:
            raise NeuroloomError(
                f"{self.folder}: this run cannot answer live, in the chain of {name!r}: {error} Then run it again."
            ) from None
        return name, chains[0]


class DecoderStream:
    """The decoder at work on one stream: push samples, and ask for the answer of the last window.

    Channels are found by their names, in whatever order they come, and those that the run does not know are left out. A
    missing one is an error.

    Parameters
    ----------
    decoder : Decoder
    geometry : dict
        Of the stream.
    source : str
        What errors call it.
    """

    def __init__(self, decoder, geometry, source="the stream"):
        self.decoder, self.came, self.source = decoder, geometry, source
        self.restart()
        self.n_times = decoder.n_times(self.geometry["sampling_rate"])
        self._check()

    def restart(self):
        """Begin anew, as after a gap: nothing of what was before is kept."""
        pick, parts = self._pick()
        try:
            self.pick = stream_chain(pick, self.came)
            self.chain = stream_chain(parts, self.pick.geometry)
        except NeuroloomError as error:
            raise NeuroloomError(f"{self.source}: {error}") from None
        self.geometry = self.chain.geometry
        self.window = np.zeros((len(self.geometry["names"]), 0), dtype=np.float32)

    def _pick(self):
        """Return the chain that picks the run's channels, and that after it."""
        parts, changing = self.decoder.parts, ("pick", "bad_channels")
        if parts and parts[0].name == "pick":
            return parts[:1], parts[1:]
        known = self._given()["names"]
        if known is None or any(part.name in changing for part in parts):
            return (), parts
        return (Part(name="pick", names=list(known)),), parts

    def _given(self):
        return self.decoder.learners[0].inputs.given[self.decoder.input]

    def not_numbers(self, data):
        """Return the names of the used channels in which some of these samples (channel, n) are NaN or infinite."""
        lost = ~np.isfinite(self.pick(data)).all(axis=1)
        return [name for name, gone in zip(self.pick.geometry["names"], lost, strict=True) if gone]

    def push(self, data):
        """Take up samples (channel, n), in V."""
        made = self.chain(self.pick(data))
        self.window = np.concatenate([self.window, made], axis=1)[:, -self.n_times :]

    @property
    def missing(self):
        """How many seconds are missing to a whole window."""
        return (self.n_times - self.window.shape[1]) / self.geometry["sampling_rate"]

    def answer(self):
        """Return the probability of each class, (n_classes,), for the last window, which must be whole."""
        return self.decoder.answer(self.window, self.geometry)

    def _check(self):
        """Raise where the stream cannot be answered for; and answer once for noise, so that the first answer is not the slow one."""
        given, name = self._given(), self.decoder.name
        names, rate = self.geometry["names"], self.geometry["sampling_rate"]
        check_rate(name, self.source, rate, given.get("sampling_rate"))
        if given["names"] is not None and list(names) != list(given["names"]):
            raise NeuroloomError(
                f"{self.source}: after the chain its channels are {', '.join(names)}, but {name} was fitted on "
                f"{', '.join(given['names'])}. Send the channels of the training."
            )
        noise = generator(0, "live", "first answer").standard_normal((len(names), self.n_times))
        try:
            self.decoder.answer(noise.astype(np.float32), self.geometry)
        except NeuroloomError as error:
            raise NeuroloomError(f"{self.source}: {error}") from None
