"""Convolution of each channel with a kernel of its own along time, as matrix products.

Depthwise kernels of 64 samples are slow in the convolutions of the usual libraries on a CPU. Cut into blocks of as many
samples as the kernel has, each block and its successor make a block of outputs through one Toeplitz matrix; outputs are
equal up to rounding.
"""

import torch
import torch.nn.functional as F


def depthwise_same(x, kernels):
    """Return each channel correlated with its kernel, zeros beyond the ends ("same", as Keras pads).

    Parameters
    ----------
    x : Tensor of shape (batch, channel, time)
    kernels : Tensor of shape (channel, length)

    Returns
    -------
    Tensor of shape (batch, channel, time)
    """
    n_items, _, n_times = x.shape
    length = kernels.shape[1]
    blocks = padded_blocks(x.transpose(0, 1), length).flatten(1, 2)  # (channel, batch * block, length)
    here, next_one = toeplitz(kernels).mT.split(length, dim=1)
    made = torch.baddbmm(blocks[:, :-1] @ here, blocks[:, 1:], next_one)
    made = F.pad(made, (0, 0, 0, 1)).unflatten(1, (n_items, -1))  # each item's last block is padding, and left out
    return made[:, :, :-1].flatten(2)[..., :n_times].transpose(0, 1)


def padded_blocks(x, length):
    """Return (..., time), with the zeros that a "same" kernel sees at both ends, in blocks: (..., block, length).

    One block more than the time fills: each has a successor.
    """
    n_times, before = x.shape[-1], (length - 1) // 2
    n_blocks = -(-n_times // length) + 1
    return F.pad(x, (before, n_blocks * length - n_times - before)).unflatten(-1, (n_blocks, length))


def toeplitz(kernels):
    """Return for each kernel the matrix (L, 2 L) whose row l is the kernel shifted right by l: (channel, L, 2 L).

    Rows of 2 L cut from repeats of 2 L + 1 samples shift by one a row.
    """
    n_channels, length = kernels.shape
    row = F.pad(kernels, (0, length + 1))
    return row.repeat(1, length)[:, : 2 * length**2].view(n_channels, length, 2 * length)
