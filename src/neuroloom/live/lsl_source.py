"""Samples from the Lab Streaming Layer (extra ``live``)."""

import importlib
import time

import numpy as np

from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats.channels import known_type, plain_unit, volts
from neuroloom.formats.xdf import UNIT_WORDS
from neuroloom.live.block import Block
from neuroloom.live.wire import checked_names, checked_rate

SEARCH, SILENCE = 5.0, 10.0  # s: to find a stream, and without a sample until it is given up
JUMP = 0.25  # s: a longer leap of the time stamps is a gap, shorter ones are jitter
WAIT = 0.002  # s between looks for new samples
QUIET = "[log]\nlevel = -3\n"  # of the library: nothing but what ends it


class LslSource:
    """Read a stream of the Lab Streaming Layer (https://labstreaminglayer.org) by its name.

    A stream carries no numbers of samples: they are counted, and where the time stamps leap by more than 0.25 s beyond what is
    expected the samples between are taken as lost. Nor does it tell an end from a loss: when its sender is gone it is over.

    Parameters
    ----------
    name : str
        Of the stream.
    silence : float
        After so many seconds without a sample the stream is given up.
    """

    paced = True

    def __init__(self, name, silence=SILENCE):
        self.lsl, self.name, self.silence, self.closed = pylsl(), f"lsl stream {name!r}", silence, False
        found = self.lsl.resolve_byprop("name", name, timeout=SEARCH)
        if len(found) != 1:
            others = sorted({one.name() for one in self.lsl.resolve_streams(wait_time=1.0)})
            told = (
                f"there are {len(found)} of that name"
                if found
                else f"there is none; streams here: {listed(others) or 'none'}"
            )
            raise FileProblem(self.name, f"{told}.", "Start one, or name another.")
        self.inlet = self.lsl.StreamInlet(found[0], recover=False)
        self.geometry, self.scales = _told(self.inlet.info(timeout=SEARCH), self.name)

    def __iter__(self):
        """Yield blocks of what came, until the stream ends."""
        rate, first, before, last = self.geometry["sampling_rate"], 0, None, time.perf_counter()
        while not self.closed:
            try:
                samples, stamps = self.inlet.pull_chunk(timeout=0.0)
            except self.lsl.util.LostError:
                return
            if not len(stamps):
                self._check_silence(last)
                time.sleep(WAIT)
                continue
            last = time.perf_counter()
            data = (np.asarray(samples, dtype=np.float64).T * self.scales).astype(np.float32)
            lost = leaps(np.asarray(stamps), before, rate)
            for piece in np.split(np.arange(len(stamps)), np.flatnonzero(lost)):
                if len(piece):
                    first += int(lost[piece[0]])
                    yield Block(first, data[:, piece], last)
                    first += len(piece)
            before = stamps[-1]

    def close(self):
        """Let go of the stream."""
        self.closed = True

    def _check_silence(self, last):
        if time.perf_counter() - last > self.silence:
            raise FileProblem(self.name, f"no sample came for {self.silence:g} s.", "Is the device still at work?")


def leaps(stamps, before, rate):
    """Return how many samples are missing before each one, by its time stamp (s) and that before it, shape (n,)."""
    apart = np.diff(stamps, prepend=stamps[0] - 1 / rate if before is None else before) - 1 / rate
    return np.where(apart > JUMP, np.round(apart * rate), 0).astype(int)


def pylsl():
    """Return pylsl, or say which extra of the package brings it."""
    try:
        library = importlib.import_module("pylsl")
    except (ImportError, RuntimeError):  # without its library it raises a RuntimeError
        raise NeuroloomError("streams of the Lab Streaming Layer need pylsl: pip install 'neuroloom[live]'.") from None
    if hasattr(library, "set_config_content"):
        library.set_config_content(QUIET)
    return library


def _told(info, source):
    """Return the geometry of a stream in V, and each channel's factor, shape (channel, 1)."""
    names, rate = info.get_channel_labels(), info.nominal_srate()
    if names is None:
        raise FileProblem(source, "it does not name its channels.", "Name them in the stream's description (labels).")
    checked_names(names, source)
    checked_rate(rate, source)
    units = [
        UNIT_WORDS.get(str(unit).lower(), plain_unit(unit)) for unit in info.get_channel_units() or [""] * len(names)
    ]
    types = info.get_channel_types()
    geometry = {"names": names, "sampling_rate": float(rate), "unit": "V"}
    if types is not None:
        geometry["types"] = [known_type(str(kind)) for kind in types]
    return geometry, np.array([[volts(source, unit)] for unit in units])
