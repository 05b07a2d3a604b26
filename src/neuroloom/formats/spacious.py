"""Room for long recordings: an array too large to be held lies in a file that nobody else sees."""

import mmap
import os
import tempfile

import numpy as np

from neuroloom.errors import NeuroloomError

HELD_BYTES = 2**28  # a larger array lies in a file
BLOCK_BYTES = 2**25  # of float64 worked on at a time


def empty(shape, dtype=np.float32):
    """Return an array of zeros (C order): in memory, or where it is large in a file that ends with it.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype

    Returns
    -------
    ndarray, or memmap of a file without a name
    """
    n_bytes = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if n_bytes <= HELD_BYTES:
        return np.zeros(shape, dtype=dtype)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the memory map keeps it
    try:
        os.posix_fallocate(file.fileno(), 0, n_bytes)  # a disk that is full says so now, not when a page is written
        return np.memmap(file, dtype=dtype, mode="r+", shape=shape)
    except OSError as error:
        raise NeuroloomError(
            f"{n_bytes / 2**30:.1f} GB are needed for a while in {tempfile.gettempdir()}: {error.strerror}. "
            "Name a folder with more room in the variable TMPDIR."
        ) from None


def let_go(array):
    """Let the pages of a memory-mapped array leave memory; they are read again when they are asked for."""
    base = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "_mmap", None) or getattr(base, "base", None)
    if base is not None and hasattr(base, "madvise"):
        base.madvise(mmap.MADV_DONTNEED)


def blocks(n_times, n_channels):
    """Yield slices over time, in turn, each of at most 32 MB of float64 over all channels."""
    step = max(1, BLOCK_BYTES // (8 * max(1, n_channels)))
    for start in range(0, n_times, step):
        yield slice(start, min(start + step, n_times))
