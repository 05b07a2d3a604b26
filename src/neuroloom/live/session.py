"""A session: blocks of a stream in, lines of answers out, and what became of it in numbers."""

import time
from dataclasses import dataclass, field

from neuroloom.errors import NeuroloomError, listed
from neuroloom.live.arrivals import Arrivals
from neuroloom.live.latencies import Latencies

MOST_UNUSABLE = 10.0  # s of values that are no numbers, or of samples seen before, after which a session ends
MOST_LOST = 600.0  # s of samples that are lost at once; a longer leap of their numbers is no loss


@dataclass
class Tally:
    """What is counted in a session; times in s."""

    seconds: float = 0.0
    lost: int = 0  # samples that never came
    gaps: int = 0
    late: int = 0  # samples that came after those behind them, and were passed over
    unusable: int = 0  # samples of blocks with values that are no numbers
    passed_over: int = 0  # steps whose answer would have come after the next step
    unanswered: int = 0  # windows that the learner could not answer for
    later: int = 0  # answers that took longer than a step
    latencies: Latencies = field(default_factory=Latencies)  # of the answers

    def told(self):
        """Return what was counted, as the summary has it."""
        of = {"median": 50, "99th percentile": 99} if self.latencies.n else {}
        return {
            "seconds": round(self.seconds, 3),
            "answers": self.latencies.n,
            "latency_ms": {name: round(1e3 * self.latencies.percentile(q), 3) for name, q in of.items()},
            "later_than_the_step": self.later + self.passed_over,
            "passed_over": self.passed_over,
            "unanswered": self.unanswered,
            "gaps": self.gaps,
            "lost_samples": self.lost,
            "late_samples": self.late,
            "unusable_samples": self.unusable,
        }


class Session:
    """Answer for a stream every ``step`` seconds.

    Parameters
    ----------
    source : iterable of Block
        With ``geometry``, ``name``, ``paced`` and ``close``.
    decoder : Decoder
    feedback : Feedback
    towards : str
        The class that feedback is towards.
    step : float
        From answer to answer, s; rounded to whole samples.
    every : bool
        Whether to answer for every step, however late; else, where several steps have come meanwhile, for the last one.
    """

    def __init__(self, source, decoder, feedback, towards, step=0.2, every=False):
        self.source, self.feedback, self.towards = source, feedback, towards
        self.every = every or not source.paced
        self.rate = source.geometry["sampling_rate"]
        self.n_step = max(1, round(step * self.rate))
        self.stream = decoder.stream(source.geometry, source.name)
        self.tally, self.ended = Tally(), "stopped"
        self.begun = self.next = self.unusable_since = None
        self.old = 0  # samples in a row that were seen before

    @property
    def step(self):
        """The time from answer to answer as it is, s."""
        return self.n_step / self.rate

    def lines(self, seconds=None):
        """Yield what happens, as one dict each, until the stream ends, or so many seconds of it have been seen.

        An error of the source ends it too, and is raised; what ended it stands in ``ended``.
        """
        try:
            for blocks in Arrivals(self.source):
                yield from self._take(blocks)
                if seconds is not None and self.tally.seconds >= seconds:
                    self.ended = f"{seconds:g} s were asked for"
                    return
            self.ended = "end of the stream"
        except NeuroloomError as error:
            self.ended = str(error)
            raise
        finally:
            self.source.close()

    def summary(self):
        """Return what became of the session, as JSON has it."""
        return {"ended": self.ended, "step": self.step, **self.tally.told()}

    def _take(self, blocks):
        """Yield the lines of all blocks that have come by now."""
        if self.begun is None:
            self.begun = self.next = blocks[0].first
        last = (blocks[-1].stop - self.begun) // self.n_step
        for block in blocks:
            usable = yield from self._usable(block)
            if usable is None:
                continue
            for piece, at_step in self._pieces(usable):
                self.stream.push(piece)
                self.next += piece.shape[1]
                self.tally.seconds = (self.next - self.begun) / self.rate
                if at_step:
                    number = (self.next - self.begun) // self.n_step
                    yield from self._step(block.arrived, stale=not self.every and number < last)

    def _usable(self, block):
        """Return the samples of a block that are new and numbers, or None; gaps are yielded as lines."""
        old = min(max(0, self.next - block.first), block.data.shape[1])
        self.tally.late += old
        data = block.data[:, old:]
        if not data.shape[1]:
            self._check_order(block)
            return None
        self.old = 0
        if block.first + old > self.next:
            lost = block.first + old - self.next
            self._check_leap(lost, block)
            self.tally.lost += lost
            yield self._gap("samples were lost on the way", seconds=lost / self.rate)
            self.next += lost
        names = self.stream.not_numbers(data)
        if not names:
            self.unusable_since = None
            return data
        if self.unusable_since is None:
            self.unusable_since = self.next
            yield self._gap(f"values that are not numbers in {listed(names)}")
        self.tally.unusable += data.shape[1]
        self.next += data.shape[1]
        self._check_patience(names)
        return None

    def _gap(self, why, **more):
        """Begin anew, and return the line that says so."""
        self.stream.restart()
        self.feedback.restart()
        self.tally.gaps += 1
        return {"event": "gap", "time": self._time(), "why": why, **more}

    def _check_order(self, block):
        """Raise where nothing but old samples has come for long: their numbers went back."""
        self.old += block.data.shape[1]
        if self.old / self.rate >= MOST_UNUSABLE:
            raise NeuroloomError(
                f"{self.source.name}: the numbers of samples went back, from {self.next} to {block.first}, as when a sender "
                "starts anew. Start the session anew too."
            )

    def _check_leap(self, lost, block):
        if lost / self.rate > MOST_LOST:
            raise NeuroloomError(
                f"{self.source.name}: the numbers of samples leap from {self.next} to {block.first}, by {lost / self.rate:.4g} s; "
                f"more than {MOST_LOST:g} s are not taken as samples lost on the way. Number samples one by one, or start the "
                "session anew."
            )

    def _check_patience(self, names):
        seconds = (self.next - self.unusable_since) / self.rate
        if seconds >= MOST_UNUSABLE:
            since = (self.unusable_since - self.begun) / self.rate
            raise NeuroloomError(
                f"{self.source.name}: values are not numbers (NaN or infinite) in {listed(names)} for {seconds:.3g} s, since "
                f"{since:.3f} s. Mend the electrode or the sender, or train without the channel."
            )

    def _pieces(self, data):
        """Yield samples cut where steps end, and whether one ends there."""
        while data.shape[1]:
            n = self.n_step - (self.next - self.begun) % self.n_step
            piece, data = data[:, :n], data[:, n:]
            yield piece, piece.shape[1] == n

    def _step(self, arrived, stale):
        """Yield the line of a step's end."""
        if self.stream.missing > 0:
            yield {
                "event": "waiting",
                "time": self._time(),
                "why": f"{self.stream.missing:.3g} s more to a whole window",
            }
            return
        if stale:
            self.tally.passed_over += 1
            return
        try:
            probability = self.feedback.hear(self.stream.answer(), self._time())
        except NeuroloomError as error:  # a window that is flat, for instance: the next one may not be
            self.tally.unanswered += 1
            yield {"event": "waiting", "time": self._time(), "why": str(error)}
            return
        value = self.feedback.towards(self.towards)
        latency = time.perf_counter() - arrived
        self.tally.latencies.add(latency)
        self.tally.later += latency > self.step
        yield {
            "event": "answer",
            "time": self._time(),
            "state": self.feedback.state,
            "probability": dict(zip(self.feedback.classes, probability.tolist(), strict=True)),
            "feedback": value,
            "latency_ms": 1e3 * latency,
        }

    def _time(self):
        """Return the time up to which samples were seen, in s from the first."""
        return (self.next - self.begun) / self.rate
