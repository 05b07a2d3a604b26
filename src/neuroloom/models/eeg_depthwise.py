"""Convolution of each channel with a kernel of its own along time, as one matrix product.

Depthwise kernels of 64 samples are slow in the convolutions of the usual libraries on a CPU. Cut into blocks of L samples,
each block and its successor make L outputs through one (2 L, L) Toeplitz matrix; outputs are equal up to rounding.
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
    length = kernels.shape[1]
    pairs = block_pairs(padded_same(x, length), x.shape[2], length)  # (batch, channel, block, 2 L)
    made = torch.einsum("bcnm,clm->bcnl", pairs, toeplitz(kernels))
    return made.flatten(2)[..., : x.shape[2]]


def padded_same(x, length):
    """Return ``x`` with the zeros at both ends that a kernel of this length needs to keep the number of samples."""
    return F.pad(x, ((length - 1) // 2, length // 2))


def block_pairs(padded, n_times, length):
    """Return blocks of L = ``length`` samples, each beside the block that follows: (..., block, 2 L).

    ``padded`` has ``n_times + length - 1`` samples; there are as many blocks as cover ``n_times``.
    """
    n_blocks = -(-n_times // length)
    missing = (n_blocks + 1) * length - padded.shape[-1]
    blocks = F.pad(padded, (0, missing)).unflatten(-1, (n_blocks + 1, length))
    return torch.cat([blocks[..., :-1, :], blocks[..., 1:, :]], dim=-1)


def toeplitz(kernels):
    """Return for each kernel the matrix (L, 2 L) whose row l is the kernel shifted right by l: (channel, L, 2 L).

    Rows of 2 L cut from repeats of 2 L + 1 samples shift by one a row.
    """
    n_channels, length = kernels.shape
    row = F.pad(kernels, (0, length + 1))
    return row.repeat(1, length)[:, : 2 * length**2].view(n_channels, length, 2 * length)
