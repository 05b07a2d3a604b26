"""Spatial augmentation on a batch: flip, affine, elastic warp and crop in one resampling."""

import torch
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.augment_draws import (
    check_not_negative,
    check_share,
    chosen_rows,
    full_precision,
    named_inputs,
    replaced,
    uniform,
)
from neuroloom.transforms.augment_resample import Draw, resampled

NO_FOLD = 0.40  # a cubic B-spline warp stays one-to-one below this part of the point spacing (Choi & Lee 2000)


class Spatial(nn.Module):
    """Move the anatomy: one draw an item, one resampling for all inputs on one grid.

    An output voxel at x (mm from the centre, RAS+ axes) shows the input at ``mirror(A x + t) + d(x)``, with A the
    rotation, scale and shear, t the translation and d the elastic displacement. Volumes are interpolated
    linearly, labels by the nearest voxel. A flip mirrors the first axis, left-right, and swaps left and right
    labels.

    Parameters
    ----------
    probability : float
        Chance that an item is augmented at all; the others keep their bytes.
    flip : float
        Chance that an augmented item is flipped left-right.
    rotation : float or (float, float, float)
        Largest angle about each axis, in degrees.
    scale : float
        Each axis is stretched by a factor between 1 / (1 + scale) and 1 + scale.
    shear : float
        Largest shear of each axis along each other one (mm a mm).
    translation : float or (float, float, float)
        Largest shift along each axis, in mm.
    elastic : float
        Largest displacement of a control point along each axis, in mm.
    elastic_points : int
        Control points an axis of the cubic B-spline warp; at least 4, of which two lie outside the volume.
    crop : float
        Largest part of each axis that is cut away; what is left fills the grid. One share for all axes.
    voxel_size : float or (float, float, float)
        Spacing of the voxels in mm; with the default, mm above means voxels.
    padding : {"border", "zeros"}
        What lies outside the volume: its outermost voxels, or 0.
    inputs : list of str or None
        Inputs to augment; None takes all volumes (batch, channel, i, j, k) and label maps (batch, i, j, k).
    one_hot : list of str
        Inputs (batch, label, i, j, k) that are labels, one channel each.
    pairs : list of (int, int) or None
        Left and right labels (channels, where one-hot) that a flip swaps. Needed where a label input is
        flipped; an empty list says that there are none.
    """

    def __init__(
        self,
        *,
        probability=1.0,
        flip=0.5,
        rotation=10.0,
        scale=0.1,
        shear=0.0,
        translation=5.0,
        elastic=3.0,
        elastic_points=7,
        crop=0.0,
        voxel_size=1.0,
        padding="border",
        inputs=None,
        one_hot=(),
        pairs=None,
    ):
        super().__init__()
        check_share("spatial", probability=probability, flip=flip, crop=crop)
        check_not_negative("spatial", scale=scale, shear=shear, elastic=elastic)
        if padding not in ("border", "zeros"):
            raise NeuroloomError(f"augmentation 'spatial': padding is {padding!r}. Known: border, zeros.")
        if elastic_points < 4:
            raise NeuroloomError("augmentation 'spatial': elastic_points must be at least 4.")
        self.probability, self.flip, self.padding = probability, flip, padding
        self.rotation, self.scale, self.shear = three(rotation), scale, shear
        self.translation, self.crop, self.voxel_size = three(translation), crop, three(voxel_size)
        self.elastic, self.elastic_points = elastic, elastic_points if elastic else 4
        self.inputs, self.one_hot, self.pairs = inputs, tuple(one_hot), pairs

    @torch.no_grad()
    def forward(self, batch, generator):
        """Return the batch with its volumes and labels moved; inputs on one grid get one draw."""
        names = named_inputs("spatial", batch, self.inputs, on_a_grid)
        new = {}
        for shape in dict.fromkeys(batch.inputs[name].shape[-3:] for name in names):
            on_grid = {name: batch.inputs[name] for name in names if batch.inputs[name].shape[-3:] == shape}
            with full_precision(batch):
                new.update(self._moved(on_grid, tuple(shape), generator))
        return batch.with_inputs(**new)

    def _moved(self, on_grid, shape, generator):
        first = next(iter(on_grid.values()))
        rows = chosen_rows(generator, len(first), self.probability, first.device)
        kinds = {name: label_form(name, x, self.one_hot) for name, x in on_grid.items()}
        self._check_pairs(kinds)
        if not len(rows):
            return on_grid
        draw = self.draw(len(rows), shape, generator, first.device)
        moved = {name: as_float(x, rows, kinds[name]) for name, x in on_grid.items()}
        modes = {name: "nearest" if kind else "bilinear" for name, kind in kinds.items()}
        if self._resamples():
            moved = resampled(moved, modes, draw, shape, self.padding)
        else:
            moved = {name: mirrored(x, draw.flipped) for name, x in moved.items()}
        for name, kind in kinds.items():
            if kind:
                moved[name] = swap_sides(moved[name], draw.flipped, self.pairs or (), kind)
            x = on_grid[name]
            moved[name] = replaced(x, rows, moved[name].reshape(-1, *x.shape[1:]).to(x.dtype))
        return moved

    def _resamples(self):
        strengths = (*self.rotation, *self.translation, self.scale, self.shear, self.elastic, self.crop)
        return any(strengths)

    def _check_pairs(self, kinds):
        labels = [name for name, kind in kinds.items() if kind]
        if labels and self.flip and self.pairs is None:
            raise NeuroloomError(
                f"augmentation 'spatial' flips input {labels[0]!r}, whose left and right labels must then swap. "
                "Give pairs: [[left, right], ...], pairs: [] if no label has a side, or flip: 0."
            )

    def draw(self, n_items, shape, generator, device):
        """Draw how ``n_items`` volumes of this shape are moved, see `Draw`."""

        def between(limit, *size):
            limit = torch.tensor(limit, device=device)
            return uniform(generator, (n_items, *size), -1.0, 1.0, device) * limit

        half = half_extent(shape, self.voxel_size, device)
        self._check_no_fold(half)
        flipped = uniform(generator, (n_items,), 0.0, 1.0, device) < self.flip
        matrix = rotations(torch.deg2rad(between(self.rotation, 3)))
        matrix = matrix @ torch.diag_embed(torch.exp(torch.log1p(torch.tensor(self.scale)) * between(1.0, 3)))
        matrix = matrix @ sheared(between(self.shear, 6))
        shift = between(self.translation, 3)
        elastic = between(self.elastic, 3, *[self.elastic_points] * 3) / half[:, None, None, None]
        kept = 1 - self.crop * uniform(generator, (n_items, 1), 0.0, 1.0, device)
        place = (1 - kept) * uniform(generator, (n_items, 3), -1.0, 1.0, device)
        # from mm to the grid's own coordinates, -1 to 1 along each axis, and the crop before all else
        linear = matrix * half / half[:, None]
        offset = (linear @ place[..., None])[..., 0] + shift / half
        linear = linear * kept[..., None]
        mirror = torch.ones(n_items, 3, device=device)
        mirror[flipped, 0] = -1.0
        return Draw(flipped, linear * mirror[..., None], offset * mirror, elastic)

    def _check_no_fold(self, half):
        spacing = float(2 * half.min() / (self.elastic_points - 3))
        if self.elastic > NO_FOLD * spacing:
            raise NeuroloomError(
                f"augmentation 'spatial': elastic {self.elastic} mm would fold a volume whose control points are "
                f"{spacing:.3g} mm apart. Use at most {NO_FOLD * spacing:.3g}, or fewer elastic_points."
            )


def half_extent(shape, voxel_size, device):
    """Return half the distance between the first and the last voxel of each axis, in mm, shape (3,)."""
    if min(shape) < 2:
        raise NeuroloomError(f"augmentation 'spatial' needs volumes of at least 2 voxels an axis, not {shape}.")
    size = torch.tensor(shape, dtype=torch.float32, device=device) - 1
    return size * torch.tensor(voxel_size, dtype=torch.float32, device=device) / 2


def rotations(angles):
    """Return rotation matrices (n, 3, 3) about the axes i, then j, then k; angles (n, 3) in radians."""
    cos, sin = angles.cos(), angles.sin()
    matrix = torch.eye(3, device=angles.device).expand(len(angles), 3, 3)
    for axis in range(3):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = torch.eye(3, device=angles.device).repeat(len(angles), 1, 1)
        turn[:, a, a] = turn[:, b, b] = cos[:, axis]
        turn[:, a, b], turn[:, b, a] = -sin[:, axis], sin[:, axis]
        matrix = turn @ matrix
    return matrix


def sheared(values):
    """Return shear matrices (n, 3, 3): 1 on the diagonal, ``values`` (n, 6) elsewhere."""
    matrix = torch.eye(3, device=values.device).repeat(len(values), 1, 1)
    matrix[:, ~torch.eye(3, dtype=torch.bool, device=values.device)] = values
    return matrix


def on_a_grid(x):
    """Return whether a tensor is a batch of volumes, or of label maps."""
    whole_numbers = not (x.is_floating_point() or x.is_complex())
    return (x.ndim == 5 and not x.is_complex()) or (x.ndim == 4 and whole_numbers)


def label_form(name, x, one_hot):
    """Return "one_hot" or "index" for labels, "" for a volume."""
    if name in one_hot:
        return "one_hot"
    return "index" if x.ndim == 4 else ""


def as_float(x, rows, label_kind):
    """Return some items as float32 (n, channel, i, j, k)."""
    x = x[:, None] if label_kind == "index" else x
    return x.float() if len(rows) == len(x) else x.float()[rows]


def mirrored(x, flipped):
    """Return the flipped items mirrored along their first axis, exactly."""
    return torch.where(flipped[:, None, None, None, None], x.flip(2), x)


def swap_sides(x, flipped, pairs, label_kind):
    """Return labels (n, channel, i, j, k) with left and right swapped in the flipped items."""
    if not pairs:
        return x
    pairs = torch.as_tensor(pairs, device=x.device)
    n_labels = int(max(x.max(), pairs.max())) + 1 if label_kind == "index" else x.shape[1]
    other = torch.arange(n_labels, device=x.device)
    other[pairs[:, 0]], other[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    swapped = other[x.long()].float() if label_kind == "index" else x[:, other]
    return torch.where(flipped[:, None, None, None, None], swapped, x)


def three(value):
    """Return one number for all axes, or one an axis, as three numbers."""
    values = (float(value),) * 3 if isinstance(value, int | float) else tuple(float(v) for v in value)
    if len(values) != 3 or min(values) < 0:
        raise NeuroloomError(f"augmentation 'spatial': expected one number, or one an axis, >= 0; found {value}.")
    return values
