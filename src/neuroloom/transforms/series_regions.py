"""Regions of a series: their names, and which of them hold no signal."""

import numpy as np

from neuroloom.errors import NeuroloomError

LEAST_CHANGE = 1e-6  # of a region's largest value: float32 keeps about 1e-7, a BOLD signal changes by 1e-3


def constant_regions(data):
    """Return which regions never change, shape (..., region), bool; a region with NaN is not among them.

    Parameters
    ----------
    data : ndarray of shape (..., region, time)
    """
    range_ = data.max(axis=-1) - data.min(axis=-1)
    return range_ <= LEAST_CHANGE * np.abs(data).max(axis=-1)


def unknown_regions(data):
    """Return which regions hold a NaN or an infinite value, shape (..., region), bool."""
    return ~np.isfinite(data).all(axis=-1)


def region_names(scan):
    """Return the names of a scan's regions; without any they are numbered from 1."""
    names = scan.geometry.get("names")
    return list(names) if names is not None else numbered(scan.data.shape[0])


def numbered(n_regions):
    """Return names for regions that have none."""
    return [f"region {number}" for number in range(1, n_regions + 1)]


def named(scan, mask):
    """Return the names of the regions in a mask."""
    return [name for name, chosen in zip(region_names(scan), mask, strict=True) if chosen]


def check_series(scan, transform):
    """Raise an error unless the scan is a series of two axes."""
    if scan.kind != "series" or scan.data.ndim != 2:
        raise NeuroloomError(
            f"{transform} works on series (region, time), but this scan is a {scan.kind} of shape {scan.data.shape}."
        )


def sampling_rate(scan, transform):
    """Return the sampling rate in Hz, or raise an error that says how to give it."""
    rate = scan.geometry.get("sampling_rate")
    if rate is None:
        raise NeuroloomError(
            f"{transform} needs the sampling rate, but the series has none. Give sampling_period (s) or "
            "sampling_rate (Hz) beside files: in cohort.yaml, RepetitionTime in a JSON file beside a BIDS series, "
            "or --sampling-period of a new series."
        )
    return float(rate)
