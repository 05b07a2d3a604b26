"""Steps that come faster than answers, listeners at a socket, and what Arrivals hands on."""

import json
import socket
import sys
import threading
import time

import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.live.arrivals import Arrivals
from neuroloom.live.block import Block
from neuroloom.live.feedback import Feedback
from neuroloom.live.listeners import Listeners
from neuroloom.live.lsl_source import LslSource, leaps
from neuroloom.live.session import Session

GEOMETRY = {"names": ["C3"], "sampling_rate": 100.0}


class Source:
    """Blocks that are all there at once, as after a pause of whoever reads them."""

    name, geometry, paced = "blocks", GEOMETRY, True

    def __init__(self, n_blocks, error=None):
        self.blocks, self.error = [Block(10 * n, np.zeros((1, 10), np.float32)) for n in range(n_blocks)], error

    def __iter__(self):
        yield from self.blocks
        if self.error is not None:
            raise self.error

    def close(self):
        pass


class Slow:
    """A decoder that needs 30 ms for each answer."""

    missing = 0.0

    def stream(self, geometry, source):
        return self

    def not_numbers(self, data):
        return []

    def push(self, data):
        pass

    def restart(self):
        pass

    def answer(self):
        time.sleep(0.03)
        return np.array([0.25, 0.75])


def session(every):
    return Session(Source(30), Slow(), Feedback(("left", "right"), 0.0), "right", step=0.1, every=every)


def test_steps_that_are_over_before_they_can_be_answered_are_passed_over_and_counted():
    one = session(every=False)
    time_of_answers = [line["time"] for line in one.lines()]
    summary = one.summary()
    assert time_of_answers[-1] == pytest.approx(3.0)  # the newest is answered
    assert summary["answers"] + summary["passed_over"] == 30
    assert summary["passed_over"] > 10
    assert summary["later_than_the_step"] >= summary["passed_over"]


def test_asked_for_every_step_it_answers_for_each():
    one = session(every=True)
    lines = list(one.lines())
    assert [line["time"] for line in lines] == pytest.approx(np.arange(1, 31) / 10)
    assert {line["feedback"] for line in lines} == {0.5}
    told, took = one.summary(), np.array([line["latency_ms"] for line in lines])
    assert told["latency_ms"]["median"] == pytest.approx(np.median(took), abs=0.1)
    assert told["latency_ms"]["99th percentile"] == pytest.approx(np.percentile(took, 99), rel=2.1e-3, abs=0.1)
    assert told["later_than_the_step"] == (took > 100).sum() > 0


class Faint(Slow):
    """A decoder that cannot answer for every second window."""

    asked = 0

    def answer(self):
        self.asked += 1
        if self.asked % 2:
            raise NeuroloomError("a trial without any power")
        return np.array([0.5, 0.5])


def test_a_window_that_cannot_be_answered_for_is_told_and_the_session_goes_on():
    one = Session(Source(30), Faint(), Feedback(("left", "right"), 0.0), "right", step=0.1, every=True)
    lines = list(one.lines())
    assert [line["event"] for line in lines] == ["waiting", "answer"] * 15
    assert lines[0]["why"] == "a trial without any power"
    assert (one.summary()["unanswered"], one.summary()["answers"]) == (15, 15)


def test_what_came_before_an_error_is_handed_on_before_it():
    seen = []

    def take():
        for blocks in Arrivals(Source(5, NeuroloomError("the plug was pulled"))):
            seen.extend(block.first for block in blocks)

    with pytest.raises(NeuroloomError, match="pulled"):
        take()
    assert seen == [0, 10, 20, 30, 40]


class Endless(Source):
    """Blocks of 4 kB without end, as fast as they are read."""

    def __init__(self):
        super().__init__(0)
        self.given, self.closed = 0, False

    def __iter__(self):
        while not self.closed:
            yield Block(1000 * self.given, np.zeros((1, 1000), np.float32))
            self.given += 1

    def close(self):
        self.closed = True


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "neuroloom stream"]


def test_a_reader_stands_still_while_too_much_waits_goes_on_when_it_is_taken_and_ends_with_the_session(monkeypatch):
    monkeypatch.setattr("neuroloom.live.arrivals.MOST_WAITING", 400_000)  # 100 blocks
    before, source = readers(), Endless()
    coming, seen = iter(Arrivals(source)), []
    while len(seen) < 300:
        seen += next(coming)
        time.sleep(0.02)
        assert source.given - len(seen) <= 100
    assert [block.first for block in seen] == list(range(0, 1000 * len(seen), 1000))
    coming.close()
    for thread in set(readers()) - set(before):
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_listeners_get_each_line_and_one_that_goes_harms_nobody():
    with Listeners("tcp://127.0.0.1:0") as listeners:
        place = listeners.server.getsockname()
        gone, here = socket.create_connection(place), socket.create_connection(place)
        listeners.send('{"n": 1}\n')
        gone.close()
        for n in range(2, 50):
            listeners.send(json.dumps({"n": n}) + "\n")
        with here, here.makefile() as file:
            assert [json.loads(file.readline())["n"] for _ in range(49)] == list(range(1, 50))


@pytest.mark.parametrize("first", [2**63, 2**64 - 10, 60_301])
def test_a_leap_of_the_numbers_beyond_ten_minutes_is_no_loss(first):
    source = Source(30)
    source.blocks.append(Block(first, np.zeros((1, 10), np.float32)))
    one = Session(source, Slow(), Feedback(("left", "right"), 0.0), "right", step=0.1, every=True)
    with pytest.raises(NeuroloomError, match=f"^blocks: the numbers of samples leap from 300 to {first}, by .* 600 s"):
        list(one.lines())
    summary = one.summary()
    assert (summary["seconds"], summary["lost_samples"], summary["gaps"]) == (3.0, 0, 0)


def test_a_leap_of_ten_minutes_is_a_gap():
    source = Source(30)
    source.blocks.append(Block(300 + 60_000, np.zeros((1, 10), np.float32)))
    one = Session(source, Slow(), Feedback(("left", "right"), 0.0), "right", step=0.1, every=True)
    [gap] = [line for line in one.lines() if line["event"] == "gap"]
    assert gap["seconds"] == 600.0
    assert one.summary()["lost_samples"] == 60_000


def test_a_port_that_is_taken_is_told():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(NeuroloomError, match="nobody can listen there"),
    ):
        Listeners(f"tcp://127.0.0.1:{taken.getsockname()[1]}")


def test_without_pylsl_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(NeuroloomError, match=r"pip install 'neuroloom\[live\]'"):
        LslSource("cap")


def test_samples_are_lost_where_time_stamps_leap_and_not_where_they_waver():
    stamps = np.arange(8) / 100.0
    stamps[4:] += 0.5  # 50 samples
    stamps += np.array([0, 3, -2, 1, 0, 2, -1, 0]) / 1000
    assert leaps(stamps, None, 100.0).tolist() == [0, 0, 0, 0, 50, 0, 0, 0]
    assert leaps(stamps[4:], stamps[3], 100.0).tolist() == [50, 0, 0, 0]
