"""A head of ellipsoids in world space, and a network that only thresholds: what it answers is known at every point."""

import numpy as np
import torch
from torch import nn

from neuroloom.anatomy.answer import names_of_outputs
from neuroloom.anatomy.weight_card import Weights
from neuroloom.atlases.anatomy import base_name
from neuroloom.scan import Scan

SKULL, BRAIN, LUMP = 0.3, 0.6, 1.0
LUMP_AT, LUMP_MM = np.array([-30.0, 10.0, 5.0]), 25.0  # in the left half: RAS x is negative
WHITE, HIPPOCAMPUS = "cerebral_white_matter", "hippocampus"


def intensity(points, lump_mm=LUMP_MM):
    """Return the head's intensity at world points (3, ...), mm."""
    x, y, z = points
    head = (x / 72) ** 2 + (y / 88) ** 2 + (z / 78) ** 2 < 1
    brain = (x / 62) ** 2 + (y / 78) ** 2 + (z / 64) ** 2 < 1
    lump = ((points - LUMP_AT[:, None, None, None]) ** 2).sum(axis=0) < lump_mm**2
    return np.where(lump, LUMP, np.where(brain, BRAIN, np.where(head, SKULL, 0.0))).astype(np.float32)


def grid(voxel_mm=(2.2, 2.5, 3.0), shape=(84, 90, 70), degrees=8.0):
    """Return the affine of an oblique grid about the head, unequal along its axes."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
    affine = np.eye(4)
    affine[:3, :3] = turn * np.array(voxel_mm)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine, shape


def head(affine, shape, of=intensity):
    """Return a scan of the head on a grid."""
    points = (
        np.einsum("ab,b...->a...", affine[:3, :3], np.indices(shape).astype(float)) + affine[:3, 3, None, None, None]
    )
    return Scan(of(points)[None], "volume", {"affine": affine})


class Thresholds(nn.Module):
    """Brain is white matter and what is brighter hippocampus, left or right as the half of the window says."""

    def __init__(self):
        super().__init__()
        self.places = {name: n for n, name in enumerate(names_of_outputs())}
        self.head = nn.Identity()
        self.head.out_channels = len(self.places)

    def features(self, x):
        half = x.shape[2] / 2
        left = (torch.arange(x.shape[2]) + 0.5 < half).view(1, 1, -1, 1, 1).expand_as(x)[:, 0]
        logits = torch.full((len(x), len(self.places), *x.shape[2:]), -20.0)
        brain, lump = (x[:, 0] > 0.45) & (x[:, 0] <= 0.8), x[:, 0] > 0.8
        logits[:, 0] = torch.where(brain | lump, -5.0, 5.0)
        for side, there in (("left", left), ("right", ~left)):
            logits[:, self.places[f"{side}_{WHITE}"]] = torch.where(brain & there, 5.0, -20.0)
            logits[:, self.places[f"{side}_{HIPPOCAMPUS}"]] = torch.where(lump & there, 5.0, -20.0)
        return logits


def threshold_weights(answer_mm=4.0):
    """Return weights whose network is `Thresholds`."""
    names = names_of_outputs()[1:]
    card = {
        "name": "thresholds", "sha256": "0", "answer_mm": answer_mm, "summary": "thresholds", "scores": {"dice": 1.0, "on": "phantoms"},
        "chain": [{"name": "crop_head"}, {"name": "resample", "voxel_size": answer_mm}, {"name": "unit_range"}],
        "quality": {name: {"slope": 1.0, "intercept": 0.0, "least": 0.5, "r": 1.0} for name in names},
        "repeatability_percent": dict.fromkeys([*names, *map(base_name, names)], 2.0),
        "change": {"pairs": 16, "percent": dict.fromkeys([*names, *map(base_name, names)], 2.0)},
    }  # fmt: skip
    return Weights(card, Thresholds())
