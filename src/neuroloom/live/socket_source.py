"""Samples from a TCP socket, in the form that `neuroloom.live.wire` tells."""

import socket
from contextlib import suppress

import numpy as np

from neuroloom.errors import FileProblem
from neuroloom.live import wire
from neuroloom.live.block import Block

SILENCE = 10.0  # s without a byte, after which a sender is given up


class SocketSource:
    """Read a stream from a sender that listens at an address.

    Parameters
    ----------
    address : str
        tcp://HOST:PORT.
    silence : float
        After so many seconds without anything the sender is given up.

    Attributes
    ----------
    geometry : dict
        ``names``, ``sampling_rate`` (Hz), ``unit`` V, and what else the sender told.
    """

    paced = True  # samples come when they are measured, whether they are waited for or not

    def __init__(self, address, silence=SILENCE):
        self.name, self.silence = str(address), silence
        host, port = wire.address_of(address)
        try:
            self.socket = socket.create_connection((host, port), timeout=silence)
        except OSError as error:
            told = error.strerror or str(error)
            raise FileProblem(self.name, f"nobody can be reached there ({told}).", "Start the sender first.") from None
        self.file = self.socket.makefile("rb")
        try:
            self.geometry, self.scale = wire.geometry_of(self._read_line(), self.name)
        except BaseException:
            self.close()
            raise

    def __iter__(self):
        """Yield a `Block` for each frame, until the sender says that it is over."""
        n_channels, rate = len(self.geometry["names"]), self.geometry["sampling_rate"]
        stop = None
        while True:
            first, n_samples, now = wire.HEAD.unpack(self._exactly(wire.HEAD.size, stop, "between frames"))
            if n_samples == 0:
                return
            self._check(n_samples, n_channels, now, rate, first)
            raw = self._exactly(4 * n_samples * n_channels, stop, "in the middle of a frame")
            data = np.frombuffer(raw, dtype="<f4").reshape(n_samples, n_channels).T * np.float32(self.scale)
            yield Block(first, data)
            stop = first + n_samples

    def close(self):
        """Let go of the connection; whoever waits for it wakes up."""
        with suppress(OSError):  # it was gone already
            self.socket.shutdown(socket.SHUT_RDWR)
        self.file.close()
        self.socket.close()

    def _read_line(self):
        line = self._waited(lambda: self.file.readline(wire.MAX_LINE))
        if not line.endswith(b"\n"):
            raise FileProblem(self.name, "it does not begin with the line of a stream.", wire.WAY_OUT)
        return line

    def _exactly(self, n, stop, where):
        """Return the next n bytes; a connection that ends before is an error that says where it was."""
        got = self._waited(lambda: self.file.read(n))
        if len(got) < n:
            rest = f", {len(got)} of {n} bytes of which came" if got else ""
            raise FileProblem(
                self.name,
                f"the connection was cut {self._told(stop)}, {where}{rest}.",
                "What was answered until then is kept. Start the sender, then this again.",
            )
        return got

    def _waited(self, read):
        try:
            return read()
        except TimeoutError:
            raise FileProblem(
                self.name, f"nothing came for {self.silence:g} s.", "Is the sender still at work? Start it again."
            ) from None
        except (OSError, ValueError):  # the other side, or we, closed it
            return b""

    def _check(self, n_samples, n_channels, now, rate, first):
        if 4 * n_samples * n_channels > wire.MAX_FRAME:
            raise FileProblem(
                self.name, f"a frame of {n_samples} samples x {n_channels} channels is no such frame.", wire.WAY_OUT
            )
        if not np.isclose(now, rate, rtol=1e-4):
            raise FileProblem(
                self.name,
                f"at sample {first} the sampling rate changed from {rate:g} to {now:g} Hz.",
                "A session has one rate: start sender and session anew.",
            )

    def _told(self, stop):
        return "before its first frame" if stop is None else f"after sample {stop}"
