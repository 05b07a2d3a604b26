"""U-Time: a U-shaped network over time that answers for each of the windows in a row that it is given."""

import torch
import torch.nn.functional as F
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.models.eeg_items import check_items
from neuroloom.models.shapes import check_axes


class UTime(nn.Module):
    """Map windows in a row to logits of each (Perslev et al. 2019, doi:10.48550/arXiv.1910.11162).

    An encoder of convolutions and pools sees the whole row, a decoder brings it back to every sample, where a layer of as many
    channels as there are classes answers; its answers are averaged over each window and mixed once more. It is not
    causal: a window is answered for with all others of its row, those after it among them. As in the authors' code, batch norm
    follows the activation and convolutions of the encoder are dilated; what differs: the row is padded with zeros at
    both ends to a multiple of all pools, where the code cuts what a pool leaves over.

    Parameters
    ----------
    in_shape : (channel, time)
        Of a row: its time is ``windows`` times that of a window.
    n_outputs : int
    windows : int
        In a row; neighbours of a recording.
    width : int
        Filters of the first level; each level has twice as many as the one above.
    pools : sequence of int
        Samples of which the largest is kept, level by level.
    kernel_size, dilation : int
        Of the convolutions; those of the encoder are dilated.
    """

    kinds = ("series",)

    def __init__(self, in_shape, n_outputs, *, windows=64, width=16, pools=(8, 6, 4, 2), kernel_size=5, dilation=2):
        super().__init__()
        check_axes("utime", in_shape, ("channel", "time"))
        if windows < 2 or in_shape[1] % windows or not pools or min(pools) < 2 or kernel_size % 2 == 0:
            raise NeuroloomError(
                f"utime reads 2 or more windows of one length in a row, with pools of 2 or more and an odd kernel, but was "
                f"given {windows} windows in {in_shape[1]} samples, pools {list(pools)} and a kernel of {kernel_size}."
            )
        self.in_shape, self.windows, self.pools = tuple(in_shape), windows, tuple(pools)
        widths = [width * 2**level for level in range(len(pools) + 1)]
        narrow = [in_shape[0], *widths[:-2]]
        self.down = nn.ModuleList(
            nn.Sequential(*block(one, wide, kernel_size, dilation), *block(wide, wide, kernel_size, dilation))
            for one, wide in zip(narrow, widths[:-1], strict=True)
        )
        self.bottom = nn.Sequential(
            *block(widths[-2], widths[-1], kernel_size), *block(widths[-1], widths[-1], kernel_size)
        )
        levels = list(zip(widths[:-1], widths[1:], pools, strict=True))[::-1]
        self.widen = nn.ModuleList(nn.Sequential(*block(below, here, pool)) for here, below, pool in levels)
        self.up = nn.ModuleList(
            nn.Sequential(*block(2 * here, here, kernel_size), *block(here, here, kernel_size)) for here, _, _ in levels
        )
        self.answer = nn.Conv1d(width, n_outputs, 1)
        self.n_features = n_outputs
        self.head = nn.Sequential(nn.Conv1d(n_outputs, n_outputs, 1), nn.ELU(), nn.Conv1d(n_outputs, n_outputs, 1))

    def embed(self, x, lengths=None):
        """Return features of each window, (batch, n_features, windows), of rows (batch, channel, time)."""
        check_items("utime", self.in_shape, x, lengths)
        at_samples = torch.tanh(self.answer(self.decoded(x)))  # (batch, n_features, time)
        return at_samples.unflatten(2, (self.windows, -1)).mean(dim=3)

    def decoded(self, x):
        """Return features of each sample, (batch, width, time)."""
        n_times, multiple = x.shape[2], torch.tensor(self.pools).prod().item()
        before = -n_times % multiple // 2
        x, kept = F.pad(x, (before, -n_times % multiple - before)), []
        for level, pool in zip(self.down, self.pools, strict=True):
            kept.append(level(x))
            x = F.max_pool1d(kept[-1], pool)
        x = self.bottom(x)
        for widen, up, pool in zip(self.widen, self.up, reversed(self.pools), strict=True):
            x = up(torch.cat([kept.pop(), widen(x.repeat_interleave(pool, dim=2))], dim=1))
        return x[..., before : before + n_times]

    def forward(self, x, lengths=None):
        return self.head(self.embed(x, lengths))


def block(narrow, wide, kernel_size, dilation=1):
    """Return a convolution that keeps the length, ELU and batch norm."""
    reach = dilation * (kernel_size - 1)
    pad = nn.ZeroPad1d((reach // 2, reach - reach // 2))
    return pad, nn.Conv1d(narrow, wide, kernel_size, dilation=dilation), nn.ELU(), nn.BatchNorm1d(wide)
