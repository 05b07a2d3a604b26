"""The most frequent label at each place: what is known of a new person's anatomy without a scan."""

import numpy as np

from neuroloom.errors import NeuroloomError


class AverageMap:
    """Vote of label maps that lie on one grid, voxel by voxel; of equally frequent classes the lowest number wins."""

    target_kind = "labels"

    def fit(self, maps, n_classes):
        """Fit on maps of class numbers, each (i, j, k)."""
        shapes = {one.shape for one in maps}
        if len(shapes) > 1:
            raise NeuroloomError(
                f"average_map: the label maps differ in shape ({', '.join(map(str, sorted(shapes)))}), so their voxels are "
                "not the same places. Give the chain a box of one size: {name: crop_brain, size: [176, 208, 176]}."
            )
        best, self.map = np.zeros(maps[0].shape, dtype=np.int32), np.zeros(maps[0].shape, dtype=np.int64)
        for number in range(n_classes):
            votes = sum((one == number).astype(np.int32) for one in maps)
            self.map[votes > best] = number
            best = np.maximum(best, votes)
        return self

    def predict(self):
        """Return the one answer, class numbers (i, j, k)."""
        return self.map

    def state(self):
        """Return what was fitted: ``map`` (i, j, k), the commonest class of each voxel."""
        return {"map": self.map.astype(np.int32)}

    def load_state(self, state):
        """Take up what `state` returned."""
        self.map = state["map"].astype(np.int64)
        return self
