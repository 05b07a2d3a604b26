"""The form of a stream on a socket: one JSON line that says what comes, then frames of float32; who sends writes it with this.

    {"neuroloom_stream": 1, "names": ["C3", "Cz", "C4"], "sampling_rate": 250.0, "unit": "uV"}\\n
    frame: uint64 number of its first sample, uint32 samples, float32 sampling rate (Hz); then samples x channels float32
    ...
    frame of 0 samples: the end

All is little-endian; a sample's channels lie together, in the order of ``names``. Samples are numbered through, also those
that were lost on the way to the sender. ``unit`` is V, mV, uV or nV; ``types`` (eeg, eog ..., one a channel) and
``reference`` may be told too.
"""

import json
import re
import struct

import numpy as np

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats.channels import plain_unit, volts

VERSION = 1
HEAD = struct.Struct("<QIf")
MAX_LINE = 256 * 1024  # bytes of the first line
MAX_FRAME = 64 * 1024**2  # bytes of a frame's numbers
MAX_RATE = 100_000.0  # Hz
WAY_OUT = "See docs/live.md for what a sender writes."


def first_line(names, sampling_rate, unit="V", **more):
    """Return the line that opens a stream, as bytes."""
    told = {"neuroloom_stream": VERSION, "names": list(names), "sampling_rate": float(sampling_rate), "unit": unit}
    return json.dumps({**told, **more}).encode() + b"\n"


def frame(first, data, sampling_rate):
    """Return samples as the bytes of a frame.

    Parameters
    ----------
    first : int
        Number of the first sample.
    data : ndarray of shape (channel, n)
        In the unit of the first line; n = 0 says that the stream is over.
    sampling_rate : float
        Hz.
    """
    numbers = np.ascontiguousarray(np.asarray(data).T, dtype="<f4")  # (n, channel)
    return HEAD.pack(first, len(numbers), sampling_rate) + numbers.tobytes()


def geometry_of(line, source):
    """Return what a first line tells, as the geometry of a series in V, and the factor that makes its numbers V."""
    try:
        told = json.loads(line)
        version = told["neuroloom_stream"]
    except (ValueError, TypeError, KeyError, RecursionError):  # the last from brackets in brackets
        raise FileProblem(
            source, f"it does not begin with the line of a stream, but with {line[:40]!r}.", WAY_OUT
        ) from None
    if version != VERSION:
        raise FileProblem(
            source, f"it speaks form {version!r} of streams, and this reads {VERSION}.", "Update the older."
        )
    names, rate = told.get("names"), told.get("sampling_rate")
    checked_names(names, source)
    checked_rate(rate, source)
    scale = volts(source, plain_unit(told.get("unit")))
    more = {key: told[key] for key in ("types", "reference") if told.get(key) is not None}
    _check_more(more, len(names), source)
    return {"names": names, "sampling_rate": float(rate), "unit": "V", **more}, scale


def _check_more(more, n_channels, source):
    """Raise unless types are a text a channel, and the reference is a text, where they are told."""
    types, reference = more.get("types", []), more.get("reference", "")
    texts = isinstance(types, list) and all(isinstance(one, str) for one in types)
    if not texts or ("types" in more and len(types) != n_channels):
        raise FileProblem(
            source, f"it tells types {types!r} of {n_channels} channels.", "Tell one a channel, each as a text."
        )
    if not isinstance(reference, str):
        raise FileProblem(source, f"its reference is {reference!r}, expected a text.", WAY_OUT)


def checked_names(names, source):
    """Raise unless channels are named, each by a text of its own."""
    named = isinstance(names, list) and names and all(isinstance(name, str) and name for name in names)
    if not named or len(set(names)) < len(names):
        raise FileProblem(source, f"its channels must be named, and each once, but are {names!r}.", WAY_OUT)


def checked_rate(rate, source):
    """Raise unless a sampling rate is one that can be, in Hz."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= MAX_RATE:
        raise FileProblem(source, f"its sampling_rate is {rate!r}, expected a number of Hz above 0.", WAY_OUT)


def address_of(text):
    """Return (host, port) of tcp://HOST:PORT."""
    kind, _, place = str(text).partition("://")
    host, _, port = place.rpartition(":")
    if kind != "tcp" or not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) >= 65536:
        raise NeuroloomError(
            f"{text!r} is no address of a socket: write tcp://HOST:PORT, for example tcp://localhost:5555."
        )
    return host.strip("[]"), int(port)
