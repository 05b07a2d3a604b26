"""Facts of a raw scan that may say more about the scanner than about the brain: confounds of every kind."""

import numpy as np

from neuroloom.transforms.series_regions import constant_regions, unknown_regions


def facts(scan):
    """Return what was measured on a scan before any transform, name -> number.

    ========== =====================================================================================
    series     ``n_timepoints``; ``n_constant`` regions, ``n_nan`` regions; where the sampling rate is
               known, ``sampling_period`` (s) and ``length_s`` (s)
    volume,    ``voxel_i``, ``voxel_j``, ``voxel_k`` (mm; where the affine is known), ``n_nan`` voxels,
    labels     ``lowest``, ``highest`` value
    graph      ``n_missing`` edges (NaN; each counted once)
    table      ``n_missing`` features (NaN)
    other      none
    ========== =====================================================================================

    Parameters
    ----------
    scan : Scan

    Returns
    -------
    dict of str to float
    """
    measure = {
        "series": series_facts, "volume": volume_facts, "labels": volume_facts,
        "graph": graph_facts, "table": table_facts,
    }.get(scan.kind)  # fmt: skip
    return {} if measure is None else {name: float(value) for name, value in measure(scan).items()}


def series_facts(scan):
    """Return length, sampling period and the number of regions without a signal."""
    n_timepoints = scan.data.shape[-1]
    told = {
        "n_timepoints": n_timepoints,
        "n_constant": constant_regions(scan.data).sum(),
        "n_nan": unknown_regions(scan.data).sum(),
    }
    rate = scan.geometry.get("sampling_rate")
    if rate is None:
        return told
    return told | {"sampling_period": 1 / rate, "length_s": n_timepoints / rate}


def volume_facts(scan):
    """Return voxel edges in mm, range of values and the number of voxels that are NaN."""
    finite = np.isfinite(scan.data)
    known = scan.data if finite.all() else scan.data[finite]
    told = {"n_nan": scan.data.size - known.size}
    if known.size:
        told |= {"lowest": known.min(), "highest": known.max()}
    affine = scan.geometry.get("affine")
    if affine is None:
        return told
    sizes = np.sqrt((np.asarray(affine, dtype=float)[:3, :3] ** 2).sum(axis=0))
    return told | {f"voxel_{axis}": round(float(size), 4) for axis, size in zip("ijk", sizes, strict=True)}


def graph_facts(scan):
    """Return the number of missing edges; of a symmetric graph each is counted once."""
    missing = np.isnan(scan.data)
    return {"n_missing": (np.triu(missing) if (missing == missing.T).all() else missing).sum()}


def table_facts(scan):
    """Return the number of missing features."""
    return {"n_missing": np.isnan(scan.data).sum()}
