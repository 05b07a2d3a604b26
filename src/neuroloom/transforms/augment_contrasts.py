"""Scans of any contrast and resolution from label maps, drawn on the batch: what a network learns anatomy from."""

import math

import torch
from torch import nn

from neuroloom.batch import Batch
from neuroloom.errors import NeuroloomError
from neuroloom.transforms.augment_draws import check_not_negative, check_share, full_precision, normal_like, uniform
from neuroloom.transforms.augment_fields import spline_field
from neuroloom.transforms.augment_spatial import Spatial

FWHM = 2.3548  # full width at half maximum of a Gaussian, in standard deviations
TISSUE_STD = 0.03  # of a tissue about its typical intensity, drawn for each label
SULCAL_FLUID = 24  # label of the fluid about the brain, which some strippers take away
LOW, HIGH = 0.005, 0.995  # quantiles that become 0 and 1


class SimulatedContrasts(nn.Module):
    """Make a scan of each label map, as a scanner with any contrast might show it (Billot et al. 2023,
    doi:10.1016/j.media.2023.102789).

    A random affine map and smooth one-to-one warp move the labels (a flip swaps left and right). Each label
    gets a Gaussian of intensities, drawn freely, or about those of a known contrast. The skull may be stripped. Then
    come bias field, thick slices, noise (Rician), motion ghosts, gamma and a cut field of view, at the acquired
    resolution, from which the grid of the answer is interpolated. Intensities end between 0 and 1.

    The batch must hold label maps (batch, i, j, k) of whole numbers; afterwards it holds the scans, (batch, 1, i', j', k'),
    and under the maps' name the target: the share of each structure in each voxel, (batch, output, i', j', k').

    Parameters
    ----------
    table : dict or None
        Of the labels, see `neuroloom.atlases.anatomy.generation_table`, which is the default.
    labels, scan : str
        Names of the inputs: what is there, and what is made.
    voxel_size : float
        Of the label maps, in mm.
    coarser : int
        Voxels of the label map along an edge of a voxel of the answer.
    rotation, scale, shear, elastic, flip
        See `Spatial`; degrees, shares, mm.
    known_contrast : float
        Chance that intensities are drawn about those of a contrast of the table; else they are free.
    contrast : str or None
        Only this contrast of the table.
    stripped : float
        Chance that all but the brain is taken away.
    thick : float
        Chance of thick slices along one axis.
    thickest : float
        Largest slice thickness, in mm.
    bias, gamma, noise : float
        Largest logarithm of the gain; spread of the logarithm of the power; largest standard deviation.
    ghosts, cut : float
        Chance of motion ghosts; of a field of view that ends within the head.
    """

    makes_inputs = True

    def __init__(
        self,
        *,
        table=None,
        labels="labels",
        scan="scan",
        voxel_size=1.0,
        coarser=1,
        rotation=15.0,
        scale=0.15,
        shear=0.02,
        elastic=4.0,
        flip=0.5,
        known_contrast=0.5,
        contrast=None,
        stripped=0.5,
        thick=0.4,
        thickest=7.0,
        bias=0.5,
        gamma=0.25,
        noise=0.08,
        ghosts=0.1,
        cut=0.15,
    ):
        super().__init__()
        still = {"flip": 0.0, "rotation": 0.0, "scale": 0.0, "shear": 0.0, "elastic": 0.0, "cut": 0.0}
        self.unmoved = {
            "table": table, "labels": labels, "scan": scan, "voxel_size": voxel_size, "coarser": coarser,
            "stripped": stripped, "thick": thick, "thickest": thickest, "bias": bias, "gamma": gamma, "noise": noise,
            "ghosts": ghosts, **still,
        }  # fmt: skip
        table = table or _known_labels()
        check_share("simulated_contrasts", flip=flip, known_contrast=known_contrast, stripped=stripped)
        check_share("simulated_contrasts", thick=thick, ghosts=ghosts, cut=cut)
        check_not_negative("simulated_contrasts", bias=bias, gamma=gamma, noise=noise, thickest=thickest)
        if contrast is not None and contrast not in table["contrasts"]:
            raise NeuroloomError(
                f"augmentation 'simulated_contrasts': contrast is {contrast!r}. Known: {', '.join(table['contrasts'])}."
            )
        self.labels, self.scan, self.voxel_size, self.coarser = labels, scan, voxel_size, coarser
        self.known_contrast, self.contrast, self.stripped = known_contrast, contrast, stripped
        self.thick, self.thickest = thick, max(thickest, voxel_size * coarser)
        self.bias, self.gamma, self.noise, self.ghosts, self.cut = bias, gamma, noise, ghosts, cut
        self.number = torch.tensor(table["label"])
        self.output = torch.tensor(table["output"])
        self.brain = torch.tensor(table["brain"])
        self.partner = torch.tensor(table["partner"])
        self.typical = torch.tensor(list(table["contrasts"].values()), dtype=torch.float32)  # (contrast, label)
        self.names = list(table["contrasts"])
        places = range(len(table["label"]))
        pairs = [(at, table["partner"][at]) for at in places if at < table["partner"][at]]
        self.spatial = Spatial(
            flip=flip, rotation=rotation, scale=scale, shear=shear, translation=0.0, elastic=elastic,
            voxel_size=voxel_size, padding="zeros", inputs=[labels], pairs=pairs,
        )  # fmt: skip

    @property
    def voxel_ml(self):
        """Volume of a voxel of the answer."""
        return (self.voxel_size * self.coarser) ** 3 / 1000

    def seen_in(self, contrast, labels, generator):
        """Return scans (n, 1, i', j', k') of label maps (n, i, j, k) in a known contrast, unmoved, and the truth's outputs."""
        made = type(self)(**self.unmoved, contrast=contrast)(Batch({self.labels: labels}), generator)
        return made.inputs[self.scan], made.target[self.labels].argmax(dim=1)

    @property
    def n_outputs(self):
        return int(self.output.max()) + 1

    @torch.no_grad()
    def forward(self, batch, generator):
        """Return the batch with a scan for each label map, and its target."""
        with full_precision(batch):
            places = self.places(batch.inputs[self.labels])
            places = self.spatial(batch.with_inputs(**{self.labels: places}), generator).inputs[self.labels]
            scans = torch.stack([self.scanned(one, generator) for one in places])
            truth = torch.stack([self.shares(one) for one in places])
        inputs = {name: x for name, x in batch.inputs.items() if name != self.labels}
        return Batch({**inputs, self.scan: scans}, {**batch.target, self.labels: truth}, batch.rows)

    def places(self, labels):
        """Return label numbers as places in the table, int32; a number that the table has not is an error."""
        lookup = torch.full((int(max(labels.max(), self.number.max())) + 1,), -1, dtype=torch.int32)
        lookup[self.number] = torch.arange(len(self.number), dtype=torch.int32)
        places = lookup.to(labels.device)[labels.long()]
        if bool((places < 0).any()):
            unknown = torch.unique(labels[places < 0]).tolist()
            raise NeuroloomError(
                f"label map: the numbers {unknown[:10]} are no labels that are known here. Expected FreeSurfer's of "
                f"whole brains, or {self.number[self.number > 100].tolist()}; map the others in your files first."
            )
        return places

    def shares(self, places):
        """Return the share of each structure in each voxel of the answer: (output, i', j', k') float32."""
        f = self.coarser
        told = self.output.to(places.device)[places.long()]  # (i, j, k)
        shape = [n // f for n in told.shape]
        found = torch.zeros((self.n_outputs, math.prod(shape)), device=places.device)
        part = torch.full((1, found.shape[1]), 1 / f**3, device=places.device)
        told = told[: shape[0] * f, : shape[1] * f, : shape[2] * f]
        for offset in range(f**3):
            at = told[offset // f**2 :: f, offset // f % f :: f, offset % f :: f]
            found.scatter_add_(0, at.reshape(1, -1), part)
        return found.reshape(self.n_outputs, *shape)

    def scanned(self, places, generator):
        """Return a scan of one map of places (i, j, k): (1, i', j', k'), between 0 and 1."""
        device = places.device

        def drawn(low, high, *size):
            return uniform(generator, size or (1,), low, high, device)

        def happens(chance):
            return float(drawn(0.0, 1.0)) < chance

        means, stds = self.intensities(drawn, happens, device)
        if happens(self.stripped):
            outside = ~self.brain.to(device) | ((self.number.to(device) == SULCAL_FLUID) & happens(0.5))
            means[outside], stds[outside] = 0.0, 0.0
        number = places.long()
        x = means[number].addcmul_(stds[number], normal_like(number, generator))  # (i, j, k)
        points = drawn(-self.bias, self.bias, 1, 4, 4, 4) * float(drawn(0.0, 1.0))
        x = x.mul_(spline_field(points, x.shape)[0].exp_())
        resolution = self.resolution(drawn, happens)
        shape = [n // self.coarser for n in x.shape]
        x = resampled_along(x, [profile(n, self.voxel_size, r) for n, r in zip(x.shape, resolution, strict=True)])
        x = self.disturbed(x, drawn, happens, generator)
        back = [positions(m, n) for m, n in zip(x.shape, shape, strict=True)]
        x = resampled_along(x, back).clamp_(min=0)
        if happens(self.cut):
            axis, side, share = int(drawn(0, 3)), happens(0.5), float(drawn(0.0, 0.3))
            n = int(share * x.shape[axis])
            x.narrow(axis, 0 if side else x.shape[axis] - n, n).zero_()
        return between_0_and_1(x.pow_(torch.exp(self.gamma * normal_like(x[:1, :1, :1], generator))))[None]

    def intensities(self, drawn, happens, device):
        """Return mean and standard deviation of each label's intensities, (label,) each."""
        n = len(self.number)
        partner = self.partner.to(device)
        alike = torch.minimum(partner, torch.arange(n, device=device))  # left and right share what is drawn
        stds = drawn(0.0, 0.08, n)[alike]
        if self.contrast is not None or happens(self.known_contrast):
            which = self.names.index(self.contrast) if self.contrast else int(drawn(0, len(self.names)))
            jitter = drawn(-1.0, 1.0, n)[alike] * TISSUE_STD * 2
            means = self.typical[which].to(device) + jitter
        else:
            means = drawn(0.0, 1.0, n)[alike]
        means = means.clamp(min=0.02)
        means[0], stds[0] = (0.0, 0.0) if happens(0.6) else (float(drawn(0.0, 0.1)), float(drawn(0.0, 0.02)))
        return means, stds

    def resolution(self, drawn, happens):
        """Return the slice thickness and spacing along each axis, in mm, at least that of the maps."""
        fine = float(drawn(self.voxel_size, self.voxel_size * max(1.5, self.coarser)))
        along = [fine] * 3
        if happens(self.thick):
            along[int(drawn(0, 3))] = float(drawn(max(fine, min(3.0, self.thickest)), max(fine, self.thickest)))
        return along

    def disturbed(self, x, drawn, happens, generator):
        """Return the acquired scan with motion ghosts and Rician noise."""
        if happens(self.ghosts):
            axis, n_ghosts = int(drawn(0, 3)), int(drawn(2, 6))
            x = x + float(drawn(0.05, 0.25)) * x.roll(x.shape[axis] // n_ghosts, dims=axis)
        level = float(drawn(0.0, self.noise)) * float(x.max())
        return torch.hypot(x.add_(normal_like(x, generator).mul_(level)), normal_like(x, generator).mul_(level))


def _known_labels():
    from neuroloom.atlases.anatomy import generation_table  # reads a file: not needed where a table is given

    return generation_table()


def profile(n, voxel_size, thickness):
    """Return the weights (acquired, n) of slices of this thickness and spacing in mm, Gaussian over each one's width."""
    n_acquired = max(2, int(n * voxel_size / thickness))
    centres = (torch.arange(n_acquired) + 0.5) * n * voxel_size / n_acquired
    place = (torch.arange(n) + 0.5) * voxel_size
    std = max((thickness**2 - voxel_size**2) ** 0.5, 0.3 * voxel_size) / FWHM
    weights = torch.exp(-0.5 * ((centres[:, None] - place) / std) ** 2)
    return weights / weights.sum(dim=1, keepdim=True)


def positions(n_acquired, n):
    """Return the weights (n, acquired) of linear interpolation from acquired slices to voxels, the ends held."""
    place = ((torch.arange(n) + 0.5) / n * n_acquired - 0.5).clamp(0, n_acquired - 1)
    low = place.floor().clamp(max=n_acquired - 2).long()
    weights = torch.zeros(n, n_acquired)
    weights.scatter_(1, low[:, None], (1 - (place - low))[:, None])
    return weights.scatter_add_(1, low[:, None] + 1, (place - low)[:, None])


def resampled_along(x, matrices):
    """Return a volume with each axis weighted together anew by its matrix (new, old)."""
    for axis, matrix in enumerate(matrices):
        x = torch.tensordot(matrix.to(x.device), x, dims=([1], [axis])).movedim(0, axis)
    return x.contiguous()


def between_0_and_1(x):
    """Return a volume scaled so that its robust lowest value is 0 and its highest 1, what lies beyond cut off.

    The quantiles are taken over every eighth value: those of a head do not need more.
    """
    some = x.flatten()[::8]
    low, high = (some.kthvalue(max(1, int(share * some.numel()))).values for share in (LOW, HIGH))
    return ((x - low) / (high - low).clamp(min=1e-6)).clamp_(0, 1)
