import numpy as np
import pytest
import torch
from nilearn.connectome import sym_matrix_to_vec

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.flatten import flat_names, flatten, unflatten


def matrices(n, n_regions, seed=0):
    x = np.random.default_rng(seed).standard_normal((n, n_regions, n_regions))
    return x + x.swapaxes(1, 2)


def test_rows_of_graphs_keep_inner_products():
    x = matrices(5, 7)
    rows = flatten(x, "graph")
    np.testing.assert_allclose(rows @ rows.T, np.einsum("aij,bij->ab", x, x), rtol=1e-12)


def test_rows_of_graphs_are_those_of_nilearn():
    """nilearn takes the lower triangle, row by row: the upper one of the same matrix, column by column."""
    x = matrices(2, 4)
    ours = unflatten(flatten(x, "graph"), "graph", (4, 4))
    theirs = sym_matrix_to_vec(x) * np.sqrt(2)
    rows, columns = np.tril_indices(4)
    scale = np.where(rows == columns, 1, np.sqrt(2))
    np.testing.assert_allclose(ours[:, rows, columns] * scale, theirs, rtol=1e-12)


def test_weights_of_a_row_are_a_matrix_with_the_same_scores():
    x, weights = matrices(6, 5), np.random.default_rng(1).standard_normal(15)
    as_matrix = unflatten(weights, "graph", (5, 5))
    np.testing.assert_allclose(flatten(x, "graph") @ weights, np.einsum("nij,ij->n", x, as_matrix), rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "shape"), [("graph", (6, 6)), ("volume", (1, 3, 4, 5)), ("series", (3, 8)), ("table", (9,))]
)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_unflatten_undoes_flatten(kind, shape, library):
    x = np.random.default_rng(2).standard_normal((4, *shape)).astype(np.float32)
    x = x + x.swapaxes(1, 2) if kind == "graph" else x
    given = torch.from_numpy(x) if library == "torch" else x
    rows = flatten(given, kind)
    assert rows.dtype == given.dtype
    np.testing.assert_allclose(np.asarray(unflatten(rows, kind, shape)), x, rtol=1e-6)


def test_numpy_and_torch_give_the_same_row():
    x = matrices(3, 8).astype(np.float32)
    np.testing.assert_array_equal(flatten(x, "graph"), flatten(torch.from_numpy(x), "graph").numpy())


def test_each_name_stands_where_its_edge_does():
    names = ["a", "b", "c"]
    x = np.arange(9.0).reshape(1, 3, 3)
    x = x + x.swapaxes(1, 2)
    at = dict(zip(flat_names(names, "graph"), flatten(x, "graph")[0], strict=True))
    assert at["b"] == x[0, 1, 1]
    assert at["a - c"] == pytest.approx(np.sqrt(2) * x[0, 0, 2])
    assert flat_names(names, "table") == names
    assert flat_names(["a", "b"], "series", (2, 2)) == ["a [0]", "a [1]", "b [0]", "b [1]"]
    with pytest.raises(NeuroloomError, match="no names"):
        flat_names(names, "volume")


def test_a_graph_with_directions_is_refused():
    with pytest.raises(NeuroloomError, match="not symmetric"):
        flatten(np.arange(9.0).reshape(1, 3, 3), "graph")
    with pytest.raises(NeuroloomError, match=r"\(n, region, region\)"):
        flatten(np.zeros((2, 3, 4)), "graph")
