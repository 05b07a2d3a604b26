"""Scan: data and geometry kept together, the one thing that a reader returns and a transform maps."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

# kind -> what the axes of `data` are, and its type
KINDS = {
    "volume": "(channel, i, j, k) float32, RAS+ axes; affine (4, 4) in mm",
    "labels": "(i, j, k) uint16, RAS+ axes; affine (4, 4) in mm",
    "series": "(channel or region, time) float32; sampling_rate in Hz, names",
    "events": "(event, 3) float32: onset in s, duration in s, label",
    "sequence": "(visit, variable) float32; times, names",
    "graph": "(region, region) float32; names, measure; symmetric unless said",
    "movie": "(time, i, j) float32; sampling_rate in Hz",
    "image": "(channel, i, j) float32; pixel size",
    "kspace": "(coil, i, j[, k]) complex64, centred",
    "genotype": "(variant,) float32: 0, 1, 2 or NaN",
    "table": "(feature,) float32; names; NaN means missing",
    "text": "(token,) int64",
    "molecule": "(token,) int64",
}


@dataclass(frozen=True)
class Scan:
    """One input of one sample.

    Parameters
    ----------
    data : ndarray
        Shape and type by kind, see ``KINDS``.
    kind : str
        One of ``KINDS``.
    geometry : dict
        ``affine`` (4, 4) for volumes and labels; ``sampling_rate`` (Hz), ``names``, ``unit`` for series;
        ``names`` for tables and graphs. A step that changes the grid changes this too.
    """

    data: np.ndarray
    kind: str
    geometry: dict[str, Any] = field(default_factory=dict)

    def with_data(self, data, **geometry):
        """Return a copy with other data and, where given, other geometry entries."""
        return replace(self, data=data, geometry={**self.geometry, **geometry})
