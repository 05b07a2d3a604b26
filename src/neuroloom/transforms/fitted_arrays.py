"""What fitted transforms share: whose values are missing, and words kept as arrays."""

import json

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.transforms.flatten import is_symmetric
from neuroloom.transforms.series_regions import constant_regions, numbered, unknown_regions


def as_bytes(value):
    """Return words, lists or mappings (what JSON can say) as a uint8 array, for a state of arrays only."""
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)


def from_bytes(array):
    """Return what `as_bytes` was given."""
    return json.loads(np.asarray(array, dtype=np.uint8).tobytes())


def are_graphs(x):
    """Return whether samples (n, ...) are symmetric matrices (region, region)."""
    return x.ndim == 3 and x.shape[1] == x.shape[2] and is_symmetric(x)


def missing_regions(x):
    """Return which regions of which sample hold no signal, shape (n, region), bool.

    Parameters
    ----------
    x : ndarray of shape (n, region, region) or (n, region, time)
        Of a graph a region is missing when all its edges are NaN; of a series when it is constant or NaN.
    """
    if are_graphs(x):
        return np.isnan(x).all(axis=2)
    return constant_regions(x) | unknown_regions(x)


def feature_labels(names, shape):
    """Return a name for each value of a sample of ``shape`` (its own, by region or edge, or by number).

    Parameters
    ----------
    names : list of str or None
        Of the first axis.
    shape : tuple of int
    """
    names = list(names) if names is not None and len(names) == shape[0] else None
    if len(shape) == 1:
        return np.array(names or [f"feature {n}" for n in range(1, shape[0] + 1)], dtype=object)
    if len(shape) == 2 and shape[0] == shape[1]:
        names = names or numbered(shape[0])
        labels = [a if a == b else f"{a} - {b}" for a in names for b in names]
        return np.array(labels, dtype=object).reshape(shape)
    return np.array([str(place) for place in np.ndindex(shape)], dtype=object).reshape(shape)


def labelled(mask, names):
    """Return the names of the values in a mask over a sample; an edge is named once."""
    mask = np.triu(mask) if mask.ndim == 2 and mask.shape[0] == mask.shape[1] and (mask == mask.T).all() else mask
    return list(feature_labels(names, mask.shape)[mask])


def check_shape(transform, x, shape):
    """Raise an error unless samples have the shape that the transform was fitted on."""
    if x.shape[1:] != tuple(shape):
        raise NeuroloomError(f"{transform} was fitted on samples of shape {tuple(shape)}, but these are {x.shape[1:]}.")


def check_known(transform, x, rows, way_out):
    """Raise an error that names the samples in which values are missing."""
    missing = ~np.isfinite(x).reshape(len(x), -1).all(axis=1)
    if missing.any():
        raise NeuroloomError(
            f"{transform}: values are missing (NaN) in {missing.sum()} of {len(x)} samples: "
            f"{listed(rows.index[missing])}. {way_out}"
        )
