"""The bytes of a stream as they are told, and first lines and addresses that are none."""

import json
import struct

import numpy as np
import pytest
from made_live import Sender, frames, recording

from neuroloom.errors import NeuroloomError
from neuroloom.live.socket_source import SocketSource
from neuroloom.live.wire import address_of, first_line, frame, geometry_of


def test_a_frame_is_its_head_and_then_sample_after_sample():
    told = frame(7, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), 250.0)
    assert told == struct.pack("<QIf", 7, 3, 250.0) + struct.pack("<6f", 1, 4, 2, 5, 3, 6)


def test_a_first_line_tells_the_geometry_in_volts():
    geometry, scale = geometry_of(first_line(["C3", "EOG"], 250, "\u00b5V", types=["eeg", "eog"]), "cap")
    assert geometry == {"names": ["C3", "EOG"], "sampling_rate": 250.0, "unit": "V", "types": ["eeg", "eog"]}
    assert scale == 1e-6


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"neuroloom_stream": 9}, "speaks form 9"),
        ({"names": ["C3", "C3"]}, "each once"),
        ({"names": "C3"}, "must be named"),
        ({"sampling_rate": 0}, "sampling_rate is 0"),
        ({"sampling_rate": "250"}, "sampling_rate is '250'"),
        ({"unit": "furlong"}, "furlong"),
        ({"types": ["eeg"]}, "Tell one a channel"),
        ({"types": []}, "Tell one a channel"),
        ({"types": [[1], "eeg"]}, "each as a text"),
        ({"types": "ab"}, "each as a text"),
        ({"reference": {"name": "Cz"}}, "its reference is .*, expected a text"),
    ],
)
def test_a_first_line_that_cannot_be_is_refused(change, match):
    told = {"neuroloom_stream": 1, "names": ["C3", "C4"], "sampling_rate": 250.0, "unit": "uV", **change}
    with pytest.raises(NeuroloomError, match=f"^cap: .*{match}"):
        geometry_of(json.dumps(told).encode(), "cap")


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\r\n", b"[1, 2]\n", b"\xff\xfe\n", b"no end", b"[" * 200_000 + b"\n"])
def test_somebody_else_at_the_address_is_told(line):
    with Sender(line=line) as address, pytest.raises(NeuroloomError, match="does not begin with the line of a stream"):
        SocketSource(address)


@pytest.mark.parametrize(
    "text",
    [
        "localhost:5555",
        "tcp://localhost",
        "tcp://:5",
        "udp://a:5",
        "tcp://a:99999",
        "tcp://a:²",
        "tcp://a:" + "9" * 5000,
    ],
)
def test_an_address_that_is_none_is_told(text):
    with pytest.raises(NeuroloomError, match="write tcp://HOST:PORT"):
        address_of(text)


def test_nobody_at_an_address_is_told():
    with pytest.raises(NeuroloomError, match=r"nobody can be reached there .* Start the sender first"):
        SocketSource("tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("piece", "match"),
    [
        (struct.pack("<QIf", 0, 4, 50.0), "at sample 0 the sampling rate changed from 100 to 50 Hz"),
        (struct.pack("<QIf", 0, 2**31, 100.0), "is no such frame"),
        (b"\x00" * 5, "cut before its first frame, between frames, 5 of 16 bytes"),
    ],
)
def test_frames_that_cannot_be_are_refused(piece, match):
    with Sender(piece) as address, pytest.raises(NeuroloomError, match=match):
        list(SocketSource(address))


def test_a_sender_that_falls_silent_is_given_up():
    pieces = frames(recording("silent").data[:, :100])
    with Sender(*pieces, hold=True) as address, pytest.raises(NeuroloomError, match=r"nothing came for 0\.3 s"):
        list(SocketSource(address, silence=0.3))
