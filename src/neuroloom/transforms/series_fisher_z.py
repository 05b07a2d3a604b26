"""Fisher's z of correlations."""

from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.scan import Scan
from neuroloom.transforms.series_regions import region_names


@dataclass(frozen=True)
class FisherZ:
    """Turn correlations into Fisher z values, whose spread hardly depends on their size.

    The diagonal (a region with itself) becomes 0; a correlation of 1 elsewhere is an error.
    """

    def __call__(self, scan: Scan) -> Scan:
        if scan.kind != "graph":
            raise NeuroloomError(f"fisher_z works on graphs of correlations, but this scan is a {scan.kind}.")
        values = scan.data.astype(np.float64)
        diagonal = np.diag(values)
        values = values - np.diag(np.nan_to_num(diagonal))
        outside = np.abs(values) >= 1
        if outside.any():
            names = region_names(scan)
            pairs = [f"{names[i]} - {names[j]} ({values[i, j]:.3g})" for i, j in np.argwhere(np.triu(outside))]
            raise NeuroloomError(
                f"fisher_z needs correlations between -1 and 1, but these are not: {listed(pairs, 4)}. "
                "Put {name: covariance, kind: correlation} before it."
            )
        return scan.with_data(np.arctanh(values).astype(np.float32), measure="fisher_z")
