"""Leave out regions that too many of the people fitted on do not have."""

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.transforms.fitted_arrays import are_graphs, check_shape, missing_regions
from neuroloom.transforms.series_regions import numbered


class DropRegions:
    """Drop regions without a signal (constant, or NaN) in more than a share of the fit people.

    Which regions go is decided on the fit people alone, so a region that only test people lack stays and is
    left to `impute`. Graphs lose rows and columns, series lose rows.

    Parameters
    ----------
    share : float
        Largest share of the fit people that may lack a region, 0 to 1.
    """

    def __init__(self, share=0.05):
        if not 0 <= share < 1:
            raise NeuroloomError(f"drop_regions: share is {share}; it is a part of the people, from 0 to below 1.")
        self.share = share
        self.warnings = []

    def fit(self, x, rows, names=None):
        """Choose the regions to keep.

        Parameters
        ----------
        x : ndarray of shape (n, region, region) or (n, region, time)
        rows : DataFrame
            Not used.
        names : list of str or None
            Of the regions.
        """
        if x.ndim != 3:
            raise NeuroloomError(f"drop_regions works on graphs and series, but these samples are {x.shape[1:]}.")
        lacking = missing_regions(x).sum(axis=0)  # (region,) people
        self.kept = lacking <= self.share * len(x)
        self.is_graph = are_graphs(x)
        names = names if names is not None else numbered(len(lacking))
        dropped = [f"{names[region]} ({lacking[region]} people)" for region in np.flatnonzero(~self.kept)]
        if not self.kept.any():
            raise NeuroloomError(
                f"drop_regions: each of the {len(lacking)} regions is missing in more than {self.share:.0%} of the "
                f"{len(x)} people fitted on. Leave out the people without regions, or raise share."
            )
        self.warnings = [
            f"{len(dropped)} of {len(lacking)} regions are missing in more than {self.share:.0%} of the {len(x)} "
            f"people fitted on and were dropped: {listed(dropped, 20)}."
        ] if dropped else []  # fmt: skip
        return self

    def transform(self, x, rows):
        """Return the samples without the dropped regions."""
        check_shape("drop_regions", x[:, :, :1], (len(self.kept), 1))
        kept = x[:, self.kept]
        return kept[:, :, self.kept] if self.is_graph else kept

    def feature_names(self, names):
        """Return the names of the regions that are kept."""
        return [name for name, kept in zip(names, self.kept, strict=True) if kept]

    def state(self):
        """Return which regions are kept, (n_regions,)."""
        return {"kept": self.kept.astype(np.uint8), "is_graph": np.array([self.is_graph], dtype=np.uint8)}

    def load_state(self, state):
        """Take up what `state` returned."""
        self.kept = state["kept"].astype(bool)
        self.is_graph = bool(state["is_graph"][0])
        return self
