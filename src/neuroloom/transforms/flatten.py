"""The one place where samples become rows of features, and rows become samples again."""

import functools

import numpy as np

from neuroloom.errors import NeuroloomError

ASYMMETRY = 1e-4  # of the largest value: what float32 and text files leave


@functools.cache
def edge_index(n_regions):
    """Return row and column of each edge of a connectome: its upper triangle with the diagonal, row by row."""
    return np.triu_indices(n_regions)


@functools.cache
def edge_scale(n_regions):
    """Return what each edge is multiplied by: 1 on the diagonal, the root of 2 off it.

    Every off-diagonal value stands in the matrix twice and in the row once; with the root of 2 the inner
    product of two rows is that of their matrices.
    """
    rows, columns = edge_index(n_regions)
    return np.where(rows == columns, 1.0, np.sqrt(2.0))


def flatten(x, kind):
    """Return samples as rows of features, shape (n, features), in the type of ``x``.

    Symmetric graphs give their upper triangle with the diagonal, off-diagonal values times the root of 2,
    so that distances and inner products stay what they were. All other kinds are reshaped.

    Parameters
    ----------
    x : ndarray or Tensor of shape (n, *shape)
    kind : str
        Kind of the samples, see `neuroloom.scan.KINDS`.
    """
    if kind != "graph":
        return x.reshape(len(x), -1)
    _check_graph(x)
    rows, columns = edge_index(x.shape[-1])
    scale = edge_scale(x.shape[-1])
    if isinstance(x, np.ndarray):
        return x[:, rows, columns] * scale.astype(x.dtype)
    return x[:, rows, columns] * x.new_tensor(scale)  # (n, region, region) -> (n, edge)


def unflatten(vector, kind, shape):
    """Return rows of features as samples of ``shape``, shape (..., *shape): the inverse of `flatten`.

    As `flatten` keeps inner products, a row of weights becomes the matrix of the same linear model.

    Parameters
    ----------
    vector : ndarray or Tensor of shape (..., features)
    kind : str
    shape : tuple of int
        Of one sample, for example (region, region).
    """
    shape = tuple(shape)
    if kind != "graph":
        return vector.reshape(*vector.shape[:-1], *shape)
    rows, columns = edge_index(shape[-1])
    scale = edge_scale(shape[-1])
    if isinstance(vector, np.ndarray):
        matrix = np.zeros((*vector.shape[:-1], *shape), dtype=vector.dtype)
        values = vector / scale.astype(vector.dtype)
    else:
        matrix = vector.new_zeros((*vector.shape[:-1], *shape))
        values = vector / vector.new_tensor(scale)
    matrix[..., rows, columns] = values
    matrix[..., columns, rows] = values
    return matrix


def flat_names(names, kind, shape=None):
    """Return the names of the features that `flatten` gives.

    Parameters
    ----------
    names : list of str
        Of the regions of a graph or series, or of the features of a table.
    kind : str
    shape : tuple of int or None
        Of one sample; needed for a series, whose features are a region at a time.
    """
    if kind == "graph":
        rows, columns = edge_index(len(names))
        return [names[i] if i == j else f"{names[i]} - {names[j]}" for i, j in zip(rows, columns, strict=True)]
    if kind == "series" and shape is not None:
        return [f"{name} [{time}]" for name in names for time in range(shape[-1])]
    if kind in ("table", "genotype"):
        return list(names)
    raise NeuroloomError(f"The features of a flattened {kind} have no names of their own.")


def _check_graph(x):
    if x.ndim != 3 or x.shape[-1] != x.shape[-2]:
        raise NeuroloomError(f"Graphs are (n, region, region), but these are of shape {tuple(x.shape)}.")
    if isinstance(x, np.ndarray) and not is_symmetric(x):
        raise NeuroloomError(
            "These graphs are not symmetric, so one triangle does not hold them. A row of edges with a direction "
            "needs kind table."
        )


def is_symmetric(x):
    """Return whether matrices (..., region, region) equal their transposes; NaN equals NaN.

    Parameters
    ----------
    x : ndarray
    """
    turned = np.swapaxes(x, -1, -2)
    if not np.array_equal(np.isnan(x), np.isnan(turned)):
        return False
    apart = np.nan_to_num(np.abs(x - turned))
    return bool(apart.max(initial=0) <= ASYMMETRY * np.nan_to_num(np.abs(x)).max(initial=0))
