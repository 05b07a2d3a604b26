import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.sampling.whole import Whole
from neuroloom.sampling.windows import Windows
from neuroloom.transforms.store import ArrayStore


def series(*lengths):
    values = {row: np.arange(2 * n, dtype=np.float32).reshape(2, n) for row, n in enumerate(lengths)}
    return {"bold": ArrayStore("series", tuple(f"sub-{row}" for row in values), values)}


def test_whole_samples_are_their_own_items():
    stores = series(5, 7)
    items = Whole().items(stores, np.array([1, 0]))
    assert Whole().cut(stores, items[0])["bold"].shape == (2, 7)
    rows, outputs = Whole().join(items, np.array([[1.0], [2.0]]))
    assert rows.tolist() == [1, 0]
    assert outputs.tolist() == [[1.0], [2.0]]


def test_windows_are_views_and_cover_what_fits():
    stores = series(10, 7)
    sampling = Windows(length=4, step=3)
    items = sampling.items(stores, [0, 1])
    assert items.tolist() == [[0, 0], [0, 3], [0, 6], [1, 0], [1, 3]]
    window = sampling.cut(stores, items[1])["bold"]
    assert window.base is not None
    assert window[0].tolist() == [3, 4, 5, 6]


def test_the_answers_of_a_samples_windows_are_averaged():
    items = np.array([[4, 0], [2, 0], [4, 3]])
    rows, outputs = Windows(4).join(items, np.array([[1.0, 0.0], [5.0, 5.0], [3.0, 2.0]]))
    assert rows.tolist() == [2, 4]
    assert outputs.tolist() == [[5.0, 5.0], [2.0, 1.0]]


def test_a_series_shorter_than_a_window_is_named():
    with pytest.raises(NeuroloomError, match=r"sub-1: 3 time points, but a window has 4"):
        Windows(4).items(series(8, 3), [0, 1])


def test_only_series_are_cut_into_windows():
    stores = {**series(10), "scan": ArrayStore("volume", ("sub-0",), {0: np.zeros((1, 4, 4, 10), np.float32)})}
    with pytest.raises(NeuroloomError, match=r"of the inputs scan \(volume\) is none"):
        Windows(4).items(stores, [0])
