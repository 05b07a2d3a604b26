"""Random draws keyed by what they are for, so that killed, parallel and serial runs agree."""

import hashlib

import numpy as np


def key_number(seed, *keys):
    """Return a 63-bit number that depends on the seed and on every key, and on nothing else."""
    text = repr((int(seed), *keys)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def generator(seed, *keys):
    """Return a NumPy generator for the draw named by ``keys``, for example (repeat, fold, epoch, item)."""
    return np.random.default_rng(key_number(seed, *keys))


def torch_generator(seed, *keys, device="cpu"):
    """Return a torch generator for the draw named by ``keys``."""
    import torch

    return torch.Generator(device=device).manual_seed(key_number(seed, *keys))
