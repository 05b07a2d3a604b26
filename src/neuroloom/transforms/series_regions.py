"""Regions of a series: their names, and which of them hold no signal."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.formats import spacious

LEAST_CHANGE = 1e-6  # of a region's largest value: float32 keeps about 1e-7, a BOLD signal changes by 1e-3


def constant_regions(data):
    """Return which regions never change, shape (..., region), bool; a region with NaN is not among them.

    Parameters
    ----------
    data : ndarray of shape (..., region, time)
    """
    ranges = [(data[..., some].min(axis=-1), data[..., some].max(axis=-1)) for some in stretches(data)]
    least = np.min([low for low, _ in ranges], axis=0)
    largest = np.max([high for _, high in ranges], axis=0)
    return largest - least <= LEAST_CHANGE * np.maximum(np.abs(least), np.abs(largest))


def unknown_regions(data):
    """Return which regions hold a NaN or an infinite value, shape (..., region), bool."""
    unknown = np.zeros(data.shape[:-1], dtype=bool)
    for some in stretches(data):
        unknown |= ~np.isfinite(data[..., some]).all(axis=-1)
    return unknown


def stretches(data):
    """Yield slices over the time of (..., region, time) data; what was read in one may leave memory after it."""
    for some in spacious.blocks(data.shape[-1], int(np.prod(data.shape[:-1]))):
        yield some
        spacious.let_go(data)


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
    return rate_in(scan.geometry, transform)


def rate_in(geometry, transform):
    """Return the sampling rate in Hz that a geometry tells, or raise an error that says how to give it."""
    rate = geometry.get("sampling_rate")
    if rate is None:
        raise NeuroloomError(
            f"{transform} needs the sampling rate, but the series has none. Give sampling_period (s) or "
            "sampling_rate (Hz) beside files: in cohort.yaml, RepetitionTime in a JSON file beside a BIDS series, "
            "or --sampling-period of a new series."
        )
    return float(rate)
