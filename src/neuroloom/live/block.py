"""A block: some samples in a row of a stream, and when they were there."""

import time
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Block:
    """Samples of a stream.

    Parameters
    ----------
    first : int
        Number of the first sample; what is left out between blocks was lost.
    data : ndarray of shape (channel, n)
        float32, in V.
    arrived : float
        When its last sample was there, by `time.perf_counter`, in s.
    """

    first: int
    data: np.ndarray
    arrived: float = field(default_factory=time.perf_counter)

    @property
    def stop(self):
        """Number of the sample after the last."""
        return self.first + self.data.shape[1]
