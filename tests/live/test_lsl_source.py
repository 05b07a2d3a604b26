"""A stream of the Lab Streaming Layer on this machine: the same answers as from the recording."""

import threading

import numpy as np
import pytest
from made_live import NAMES, RATE, recording

from neuroloom.errors import NeuroloomError
from neuroloom.live.lsl_source import LslSource

pylsl = pytest.importorskip("pylsl")


def outlet(name, labels=NAMES):
    info = pylsl.StreamInfo(name, "EEG", len(NAMES), RATE, "float32", name)
    channels = info.desc().append_child("channels")
    for label in labels:
        one = channels.append_child("channel")
        one.append_child_value("label", label)
        one.append_child_value("unit", "microvolts")
    return pylsl.StreamOutlet(info)


def test_its_samples_come_in_volts_in_order_and_by_name():
    scan = recording("lsl")
    sender = outlet("neuroloom test")
    source = LslSource("neuroloom test", silence=3.0)
    assert source.geometry["names"] == NAMES
    assert source.geometry["sampling_rate"] == RATE

    def send():
        sender.wait_for_consumers(10.0)
        for first in range(0, 300, 25):
            sender.push_chunk(np.ascontiguousarray(1e6 * scan.data[:, first : first + 25].T, dtype=np.float32))

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    got, expected = [], 0
    for block in source:
        assert block.first == expected
        got.append(block.data)
        expected = block.stop
        if expected == 300:
            source.close()
    thread.join(timeout=10)
    np.testing.assert_allclose(np.concatenate(got, axis=1), scan.data[:, :300], rtol=1e-6)


def test_a_stream_that_is_not_there_is_told():
    with pytest.raises(NeuroloomError, match="lsl stream 'nobody': there is none; streams here: "):
        LslSource("nobody")
