"""Walk through a long recording, a channel or a stretch of time after the other, so that memory holds little of it."""

import numpy as np

from neuroloom.formats import spacious


def by_channel(data, change, n_times=None, chosen=None):
    """Return series (channel, time) float32 in which each channel is changed by itself.

    Parameters
    ----------
    data : ndarray of shape (channel, time)
    change : callable
        Gets one channel (time,) float64, returns it changed.
    n_times : int or None
        Length of what ``change`` returns, where it is another.
    chosen : ndarray of bool or None
        The others are copied.
    """
    out = spacious.empty((len(data), data.shape[1] if n_times is None else n_times))
    for place, channel in enumerate(data):
        changed = chosen is None or chosen[place]
        out[place] = change(np.asarray(channel, dtype=np.float64)) if changed else channel
        spacious.let_go(out)
        spacious.let_go(data)
    return out


def by_block(data, change, n_channels=None, n_times=None):
    """Return series (channel, time) float32 that ``change`` makes of stretches of time, taken in turn.

    Parameters
    ----------
    data : ndarray of shape (channel, time)
    change : callable
        Gets (channel, n) and returns (channel', n'); what it returns is put together in time.
    n_channels, n_times : int or None
        Channels and length of the answer, where they are others.
    """
    out = spacious.empty((n_channels or len(data), data.shape[1] if n_times is None else n_times))
    start = 0
    for some in spacious.blocks(data.shape[1], len(data)):
        made = change(data[:, some])
        out[:, start : start + made.shape[1]] = made
        start += made.shape[1]
        spacious.let_go(out)
        spacious.let_go(data)
    return out
