"""What steps on intensities share: they take volumes whose every voxel is known, a channel at a time."""

import numpy as np

from neuroloom.errors import NeuroloomError


def each_channel(step, scan, change):
    """Return a volume with each channel changed; another kind of scan, or voxels that are not known, are errors.

    Parameters
    ----------
    step : str
        Name of the transform.
    scan : Scan
    change : callable
        (i, j, k) array -> array of the same shape.
    """
    if scan.kind != "volume":
        raise NeuroloomError(f"{step} works on volumes, but the scan is of kind {scan.kind!r}.")
    for channel in scan.data:
        n_unknown = int((~np.isfinite(channel)).sum())
        if n_unknown:
            raise NeuroloomError(
                f"{n_unknown} of {channel.size} voxels are NaN or infinite. Mend the scan, or leave it out with "
                "cohort.where."
            )
    return scan.with_data(np.stack([change(channel) for channel in scan.data]))
