"""What memory an answer at each voxel of a scan needs, and whether the scan is seen whole or in windows."""

import copy
import itertools
import weakref
from dataclasses import dataclass
from math import prod

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from neuroloom.errors import NeuroloomError
from neuroloom.formats.limits import available_memory, in_words
from neuroloom.models.shapes import as_text
from neuroloom.models.voxel_answer import OVERLAP, whole_slabs

SHARE = 0.8  # of free memory that an answer may take
LARGEST = 2**31  # bytes of a tensor: a contiguous 1x1x1 Conv3d crashes the process there
BESIDE = 2**26  # bytes that go to the allocator and to scratch of the convolutions, about as seen on a CPU
LEAST = 64  # voxels along a window: less shows a network too little of what lies about a voxel
MULTIPLE = 16  # of a window's edge, which halves evenly in the networks there are


@dataclass(frozen=True)
class VoxelPlan:
    """How a scan is seen.

    Parameters
    ----------
    window : (int, int, int) or None
        Voxels of the windows; None is the whole scan at once.
    needed : int
        Bytes that this takes at most, as counted.
    """

    window: tuple | None
    needed: int

    @property
    def told(self):
        """What a result says of it: ``"whole"``, or the sizes of the windows."""
        return "whole" if self.window is None else list(self.window)


def plan_answer(model, shape, *, held=0, device="cpu", free=None):
    """Return the `VoxelPlan` of a scan: the whole if that fits in memory, else the largest windows that do.

    The plan follows from the network, the shape and the free memory. A network in half precision is planned as if it
    were in single.

    Parameters
    ----------
    model : nn.Module
        See `neuroloom.models.voxel_answer.posterior_slabs`.
    shape : (channel, i, j, k)
        Of the scan.
    held : int
        Bytes a voxel that the caller keeps of the answer.
    device : torch.device or str
    free : int or None
        Bytes of memory that are free; None asks the machine.

    Raises
    ------
    NeuroloomError
        Where even the smallest windows do not fit.
    """
    free = free_memory(device) if free is None else free
    traced = copy.deepcopy(model).to("meta").eval()
    for window in windows_for(shape[1:]):
        needed, largest = needed_bytes(traced, shape, window, held)
        if needed <= SHARE * free and largest < LARGEST:
            return VoxelPlan(None if window == tuple(shape[1:]) else window, needed)
    raise NeuroloomError(
        f"an answer for {as_text(shape[1:])} voxels needs {in_words(needed)} of memory, seen in the smallest windows "
        f"({as_text(window)}); {in_words(free)} are free, of which {SHARE:.0%} may be taken. Close other programs, use a "
        "machine with more memory, or a network that answers at larger voxels."
    )


def free_memory(device):
    """Return the bytes that are free for a network on a device and for what it answers."""
    free, device = available_memory(), torch.device(device)
    if device.type != "cuda":
        return free
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return min(free, torch.cuda.mem_get_info(device)[0] + unused)


def windows_for(size):
    """Yield the whole, then smaller and smaller windows: the least that cover the longest axis by 2, 3, ... of them."""
    yield tuple(size)
    longest, before = max(size), max(size)
    for number in itertools.count(2):
        edge = longest / (1 + (number - 1) * (1 - OVERLAP))
        edge = max(LEAST, -int(-edge // MULTIPLE) * MULTIPLE)
        if edge < before:
            yield tuple(min(n, edge) for n in size)
        if edge == LEAST:
            return
        before = edge


def needed_bytes(model, shape, window, held=0):
    """Return (bytes at most, bytes of the largest tensor) of an answer for a scan that is seen in windows.

    Parameters
    ----------
    model : nn.Module
        On the device ``meta``, where tensors have shapes and no values: nothing is computed.
    shape : (channel, i, j, k)
        Of the scan.
    window : (int, int, int)
    held : int
        Bytes a voxel that the caller keeps of the answer.
    """
    alive = Alive()
    with torch.device("meta"), torch.no_grad(), alive:
        for _ in itertools.islice(whole_slabs(model, torch.empty(shape[0], *window)), 2):
            pass
    running = 0 if tuple(window) == tuple(shape[1:]) else 4 * model.head.out_channels * window[0] * prod(shape[2:])
    return alive.most + BESIDE + running + held * prod(shape[1:]), alive.largest


class Alive(TorchDispatchMode):
    """Count the bytes of all tensors that are alive at once, while it is entered."""

    def __init__(self):
        super().__init__()
        self.now = self.most = self.largest = 0
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        self.most = max(self.most, self.now + _reordered(func, args, made))
        return made

    def _count(self, storage):
        if storage._cdata in self.seen:  # a view, or changed in place
            return
        n_bytes = storage.nbytes()
        self.seen.add(storage._cdata)
        self.now, self.largest = self.now + n_bytes, max(self.largest, n_bytes)
        weakref.finalize(storage, self._forget, storage._cdata, n_bytes)

    def _forget(self, key, n_bytes):
        self.seen.discard(key)
        self.now -= n_bytes


def _reordered(func, args, made):
    """Return the bytes that a convolution of more than 1x1x1 takes to bring what it reads and writes into its order."""
    if func is not torch.ops.aten.convolution.default or max(args[1].shape[2:]) == 1:
        return 0
    return args[0].nbytes + made.nbytes
