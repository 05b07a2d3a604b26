"""Where the lines of a session go: a file, a stream of text, everybody who listens at a socket."""

import json
import socket
from contextlib import contextmanager

from neuroloom.errors import FileProblem
from neuroloom.live.wire import address_of

PATIENCE = 0.2  # s that a listener may keep the session waiting before it is let go


def json_line(line):
    """Return a line as text, its numbers to six decimals."""
    return json.dumps(_rounded(line)) + "\n"


def _rounded(value):
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return round(value, 6) if isinstance(value, float) else value


@contextmanager
def written(file):
    """Give a function that writes lines to an open text file, at once."""

    def write(text):
        file.write(text)
        file.flush()

    yield write


@contextmanager
def served(address):
    """Give a function that sends lines to everybody who is connected to tcp://HOST:PORT, which listens meanwhile.

    Who comes later gets the lines from then on; who does not read is let go.
    """
    place = address_of(address)
    try:
        server = socket.create_server(place)
    except OSError as error:
        told = error.strerror or str(error)
        raise FileProblem(address, f"nobody can listen there ({told}).", "Choose another port with --to.") from None
    server.setblocking(False)
    listeners = []

    def send(text):
        _welcome(server, listeners)
        for one in list(listeners):
            try:
                one.sendall(text.encode())
            except OSError:
                listeners.remove(one)
                one.close()

    send.address = server.getsockname()
    try:
        yield send
    finally:
        for one in (*listeners, server):
            one.close()


def _welcome(server, listeners):
    """Take up whoever wants to listen by now."""
    while True:
        try:
            one, _ = server.accept()
        except BlockingIOError:
            return
        one.settimeout(PATIENCE)
        listeners.append(one)
