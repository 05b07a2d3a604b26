"""What the shipped network says of one scan: the probability of each structure at each voxel of its own grid."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import binary_dilation, find_objects, label

from neuroloom.anatomy.intensities import from_zero
from neuroloom.atlases.anatomy import structures
from neuroloom.errors import NeuroloomError
from neuroloom.models.voxel_answer import posterior_slabs
from neuroloom.models.voxel_plan import plan_answer
from neuroloom.parts import Part
from neuroloom.scan import Scan
from neuroloom.training.loop import has_bfloat16
from neuroloom.transforms.chain import ScanChain
from neuroloom.transforms.volume_grid import ras, resample_onto, voxel_sizes
from neuroloom.transforms.volume_unit_range import UnitRange

WINDOW = (176.0, 208.0, 176.0)  # mm, about the brain: as the network has seen heads in training
NOTHING = 2e-3  # a smaller probability is none: most classes are nowhere near a voxel
LEAST_BRAIN = 300.0  # ml; less is no brain of anybody whose scan is read here
GAP = 2  # voxels over which parts of a structure still hang together


@dataclass(frozen=True)
class Answer:
    """Posteriors of one scan.

    Parameters
    ----------
    posteriors : Scan
        ``volume`` (output, i, j, k) float32, RAS+ axes, cubic voxels.
    inside : ndarray of shape (i, j, k), bool
        Where the scan has data.
    seen : "whole" or list of int
        How the network saw the head, or the voxels of the windows that it saw for want of memory.
    """

    posteriors: Scan
    inside: np.ndarray
    seen: str | list = "whole"

    @property
    def voxel_ml(self):
        """Volume of a voxel, ml."""
        return float(np.prod(voxel_sizes(self.posteriors.geometry["affine"]))) / 1000


class Answerer:
    """Ask a network about scans.

    The head is found and cut out first; a first look finds the brain; a second one, with the brain in the middle of the
    window that the network was trained on, answers, for the scan and its mirror image, the sides exchanged back.

    Parameters
    ----------
    weights : Weights
    device : torch.device
    """

    def __init__(self, weights, device="cpu"):
        self.weights, self.device = weights, torch.device(device)
        self.network = weights.network.to(self.device)
        self.chain = ScanChain([Part(**part) for part in weights.card["chain"]])
        self.mirrored = mirrored_outputs()
        self.edge = float(weights.card["answer_mm"])
        sizes = [part["voxel_size"] for part in weights.card["chain"] if part["name"] == "resample"]
        if sizes != [self.edge]:
            raise NeuroloomError(f"the card's chain has voxels of {sizes} mm, but its answer_mm is {self.edge}.")

    def __call__(self, scan):
        """Return the `Answer` for a volume; what shows no brain is an error."""
        if scan.kind != "volume" or len(scan.data) != 1:
            raise NeuroloomError(f"expected a volume of one channel, got {scan.kind} of shape {scan.data.shape}.")
        scan = from_zero(scan)
        first = self.chain(scan)
        window, shape = self._window(self._outside_brain(first), first)
        ready = UnitRange()(resample_onto(ras(scan), shape, window))
        p, plan = self._posteriors(torch.from_numpy(np.ascontiguousarray(ready.data)))
        inside = resample_onto(scan.with_data(np.ones_like(scan.data)), shape, window).data[0] > 0.5
        return Answer(Scan(tidied(p), "volume", {"affine": window}), inside, plan.told)

    def _outside_brain(self, first):
        """Return the probability of the background (i, j, k) in a volume."""
        x = torch.from_numpy(np.ascontiguousarray(first.data))
        found = np.empty(x.shape[1:], dtype=np.float32)
        for start, stop, slab in self._slabs(x, self._plan(x, held=4)):
            found[start:stop] = slab[0]
        return found

    def _posteriors(self, x):
        """Return posteriors (output, i, j, k) of a volume (1, i, j, k) and its mirror image, their mean, and the plan."""
        n, size = len(self.mirrored), x.shape[1:]
        plan = self._plan(x, held=2 * 4 * n)  # and once more when they are tidied
        p = np.empty((n, *size), dtype=np.float32)
        for start, stop, slab in self._slabs(x, plan):
            p[:, start:stop] = slab
        for start, stop, slab in self._slabs(x.flip(1), plan):
            p[:, size[0] - stop : size[0] - start] += slab.flip(1)[self.mirrored].numpy()
        p /= 2
        return p, plan

    def _plan(self, x, held):
        return plan_answer(self.network, x.shape, held=held, device=self.device)

    def _slabs(self, x, plan):
        """Yield slabs of posteriors, in half precision where the machine has it."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=has_bfloat16(self.device)):
            yield from posterior_slabs(self.network, x, plan.window, self.device)

    def _window(self, outside, first):
        """Return affine and shape of the window with the brain in its middle; without a brain it is an error."""
        brain = largest(outside < 0.5)
        volume = brain.sum() * self.edge**3 / 1000
        if volume < LEAST_BRAIN:
            raise NeuroloomError(
                f"no brain was found in this scan ({volume:.0f} ml look like one, expected at least {LEAST_BRAIN:.0f}). Is it a "
                "head, whole, with an affine in mm and the top of the head where its header says?"
            )
        ends = [np.flatnonzero(brain.any(axis=tuple({0, 1, 2} - {n})))[[0, -1]] for n in range(3)]
        middle = np.array(ends).mean(axis=1)
        affine, shape = first.geometry["affine"], tuple(round(mm / self.edge) for mm in WINDOW)
        window = np.array(affine)
        window[:3, 3] += affine[:3, :3] @ (middle - (np.array(shape) - 1) / 2)
        return window, shape


def mirrored_outputs():
    """Return for each output the output of the other side."""
    place = {0: 0} | {one.number: n for n, one in enumerate(structures(), start=1)}
    return [0, *(place[one.partner] for one in structures())]


def largest(mask):
    """Return the largest connected body of a mask."""
    bodies, n = label(mask)
    if n < 2:
        return bodies > 0
    return bodies == np.bincount(bodies.ravel())[1:].argmax() + 1


def tidied(p):
    """Return posteriors (output, i, j, k) with each structure kept near its largest body, what was elsewhere shared out.

    Where nothing is left the voxel is background. Fluid (CSF) lies in many places, so it is kept near the largest body of all
    structures together.
    """
    answered = p.argmax(axis=0)
    boxes = find_objects(answered, max_label=len(p) - 1)
    p = np.where(p < NOTHING, np.float32(0), p)
    for number, (name, box) in enumerate(zip(names_of_outputs()[1:], boxes, strict=True), start=1):
        if name == "csf":
            p[number] *= binary_dilation(largest(answered > 0), iterations=GAP)
        elif box is not None:
            near = tuple(slice(max(0, one.start - GAP), one.stop + GAP) for one in box)
            kept = p[number][near] * binary_dilation(largest(answered[near] == number), iterations=GAP)
            p[number] = 0
            p[number][near] = kept
    total = p.sum(axis=0)
    p[0] += np.where(total < NOTHING, np.float32(1), np.float32(0))
    p /= p.sum(axis=0)
    return p


def names_of_outputs():
    """Return the name of each output."""
    return ["background", *(one.name for one in structures())]
