"""Everybody who listens at a socket: a program that shows feedback, for instance."""

import socket

from neuroloom.errors import FileProblem
from neuroloom.live.wire import address_of

PATIENCE = 0.2  # s that a listener may keep the session waiting before it is let go


class Listeners:
    """Send text to everybody who is connected to tcp://HOST:PORT; a context, in which that address is listened at.

    Who comes later gets what is sent from then on; who does not read is let go.
    """

    def __init__(self, address):
        try:
            self.server = socket.create_server(address_of(address))
        except OSError as error:
            told = error.strerror or str(error)
            raise FileProblem(address, f"nobody can listen there ({told}).", "Choose another port with --to.") from None
        self.server.setblocking(False)
        self.connected = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for one in (*self.connected, self.server):
            one.close()

    def send(self, text):
        """Send text to everybody who is there by now."""
        self._welcome()
        for one in list(self.connected):
            try:
                one.sendall(text.encode())
            except OSError:
                self.connected.remove(one)
                one.close()

    def _welcome(self):
        """Take up whoever has come."""
        while True:
            try:
                one, _ = self.server.accept()
            except BlockingIOError:
                return
            one.settimeout(PATIENCE)
            self.connected.append(one)
