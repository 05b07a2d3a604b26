"""Posteriors of one scan, a slab after the other: seen as a whole, or in windows that overlap."""

import itertools

import numpy as np
import torch

from neuroloom.sampling.covering import covering

SLAB_BYTES = 2**26  # of answers computed at a time: those for a whole head at 1 mm need not fit in memory
OVERLAP = 0.5  # of neighbouring windows, see `covering`


@torch.inference_mode()
def posterior_slabs(model, x, window=None, device="cpu"):
    """Yield (start, stop, posteriors (n_outputs, stop - start, j, k) float32 on the CPU) along the first axis.

    What is yielded holds until the next slab is asked for.

    Parameters
    ----------
    model : nn.Module
        With ``features`` and a ``head`` of 1x1x1, such as those of ``VOXEL_MODELS``; on the device, in evaluation.
    x : Tensor
        A scan (channel, i, j, k).
    window : (int, int, int) or None
        Voxels of the windows that the scan is seen in, whose posteriors are averaged; None sees it whole.
    device : torch.device or str
    """
    if window is None:
        for start, stop, slab in whole_slabs(model, x.to(device)):
            yield start, stop, slab.cpu()
    else:
        yield from _slabs_of_windows(model, x, window, device)


def whole_slabs(model, x):
    """Yield (start, stop, posteriors (n_outputs, stop - start, j, k)) of a scan that is seen whole, on its device."""
    features = model.features(x[None])
    i, j, k = features.shape[2:]
    step = max(1, SLAB_BYTES // (4 * model.head.out_channels * j * k))
    for start in range(0, i, step):
        slab = features[:, :, start : start + step]
        yield start, start + slab.shape[2], model.head(slab)[0].float().softmax(dim=0)


def _slabs_of_windows(model, x, window, device):
    """Yield slabs as windows finish them; one row of windows is held as a running sum, no window by itself."""
    along_i, along_j, along_k = (covering(n, m, OVERLAP) for n, m in zip(x.shape[1:], window, strict=True))
    total = np.zeros((model.head.out_channels, window[0], *x.shape[2:]), dtype=np.float32)
    ends = [start for start, _ in along_i[1:]] + [x.shape[1]]
    for (i, share_i), end in zip(along_i, ends, strict=True):
        for (j, share_j), (k, share_k) in itertools.product(along_j, along_k):
            there = (slice(j, j + window[1]), slice(k, k + window[2]))
            part = x[(slice(None), slice(i, i + window[0]), *there)].to(device)
            for start, stop, slab in whole_slabs(model, part):
                share = share_i[start:stop, None, None] * share_j[:, None] * share_k
                total[(slice(None), slice(start, stop), *there)] += slab.cpu().numpy() * share
        yield i, end, torch.from_numpy(total[:, : end - i])
        _move_on(total, end - i)


def _move_on(total, n_done):
    """Drop the first planes of a running sum (n_outputs, i, j, k), in place, without a copy of it."""
    n_kept = total.shape[1] - n_done
    for plane in range(n_kept):
        total[:, plane] = total[:, plane + n_done]
    total[:, n_kept:] = 0
