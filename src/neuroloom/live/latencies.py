"""How long answers took: counted in narrow bins, so that a session of days needs no more memory than one of minutes."""

import math

import numpy as np

STEP = 1e-4  # s: width of the bins up to ONE
ONE, LONGEST = 1.0, 86400.0  # s; between them bins are 0.2 % wide, and what took longer is in the last one
EDGES = np.concatenate([np.arange(0.0, ONE, STEP), np.geomspace(ONE, LONGEST, 5700)])


class Latencies:
    """Count latencies, and tell their percentiles to within the width of a bin: 0.1 ms, beyond 1 s 0.2 %.

    Attributes
    ----------
    n : int
        How many there are.
    """

    def __init__(self):
        self.counts, self.n = np.zeros(len(EDGES) - 1, dtype=np.int64), 0

    def add(self, latency):
        """Count a latency, in s, 0 or more."""
        number = int(np.searchsorted(EDGES, latency, side="right")) - 1
        self.counts[min(max(number, 0), len(self.counts) - 1)] += 1
        self.n += 1

    def percentile(self, q):
        """Return the q-th percentile (0 to 100) in s, as `numpy.percentile` of all of them but for the bins' width."""
        rank = (self.n - 1) * q / 100
        low, high = self._ranked(math.floor(rank)), self._ranked(math.ceil(rank))
        return low + (rank - math.floor(rank)) * (high - low)

    def _ranked(self, rank):
        """Return the middle of the bin in which the latency of a rank (0 is the shortest) lies, s."""
        number = int(np.searchsorted(np.cumsum(self.counts), rank, side="right"))
        return float(EDGES[number] + EDGES[number + 1]) / 2
