"""A recording as a stream: in its own time, or as fast as it goes."""

import time

import numpy as np

from neuroloom.live.block import Block

BLOCK = 0.02  # s


class ReplaySource:
    """Give the samples of a recording, block by block.

    Parameters
    ----------
    scan : Scan
        Kind series, with names and sampling rate.
    name : str
        What errors call it.
    fast : bool
        Whether to give the samples as fast as they are taken; else in the recording's own time.
    block : float
        Length of a block, s.
    """

    def __init__(self, scan, name="recording", fast=False, block=BLOCK):
        self.data, self.name, self.paced = scan.data, name, not fast
        self.geometry = {key: value for key, value in scan.geometry.items() if key != "events"}
        self.events = scan.geometry.get("events") or []
        self.n = max(1, round(block * self.geometry["sampling_rate"]))
        self.closed = False

    def __iter__(self):
        """Yield blocks; one in its own time counts as there when its last sample was due."""
        begun, rate = time.perf_counter(), self.geometry["sampling_rate"]
        for first in range(0, self.data.shape[1], self.n):
            data = np.array(self.data[:, first : first + self.n], dtype=np.float32)
            due = begun + (first + data.shape[1]) / rate
            if self.paced:
                time.sleep(max(0.0, due - time.perf_counter()))
            if self.closed:
                return
            yield Block(first, data, due) if self.paced else Block(first, data)

    def close(self):
        """Give no more."""
        self.closed = True
